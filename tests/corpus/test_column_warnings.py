"""Corpora that are read, but are probably not meant as they are: warned of."""

import pytest
from corpus_rows import conllu, write

from spacy_bilstm_tagger.corpus import Notes, read_corpus
from spacy_bilstm_tagger.errors import DataError

WORDS = ["so", "good", "now", "love", "rain", "day"]


@pytest.mark.parametrize(
    ("content", "warning"),
    [
        ("so nice\ngood night\nsee ya\n", "name the columns with --columns, or read raw text with --format text"),
        ("so good today\nwe love it\nsee you soon\n", "3 of 3 tags occur once"),
        ("so happy in Lisbon\n@mia hi there !\nRT @x: ok ok\n", "3 of 3 tags occur once"),
        (
            "foi\tV|AUX\nter\tAUX\n\nviu\tV\n",
            "Tags such as 'V|AUX' are read as one of several; if it is one tag, rename it",
        ),
        ("Ma@@ NNP\nra NNP\nleft VBD\n", "1 tokens look like pieces of words of a transformer, such as 'Ma@@'"),
        (
            "New\tB-LOC\nYork\tB-LOC\nCity\tB-LOC\nis\tO\n",
            "2 entities begin right behind one of the same type, and none has a second token",
        ),
        ("Rate limit exceeded", "1 of 1 tags occur once"),
        (
            "New York\tNNP\nis\tVBZ\n#NAME?\tUH\n",
            "2 tokens hold blanks, or are errors of a spreadsheet, such as 'New York' in line 1",
        ),
        (
            "so\u200b\tRB\nok\tUH\n",
            "1 cells hold control characters, or nothing that can be seen, such as 'so\\u200b' in line 1",
        ),
        (
            "".join(f"w{i % 9} {['NN', 'VB'][i % 2]}\n" for i in range(70)),
            "no blank line between texts, so all 70 tokens are one text; if these are several, put a blank line between them",
        ),
        ("".join(f"w{i % 9} {['NN', 'VB'][i % 2]}\n" for i in range(31)), "so all 31 tokens are one text"),
        ("It was good\nHe is bad\nShe was fine\nWe are ok\n", "4 of 4 tags occur once"),
        ("Mara\tB-PER\u2028left\nus\tO\n", "1 cells hold control characters, or nothing that can be seen"),
        (
            "Mara\tNNP\n\u00a0\nleft\tVBD\n",
            "1 lines hold other white space, such as '\\xa0' in line 2; they are read as blank",
        ),
        (
            "".join(f"{WORDS[i % 6]} {WORDS[(i // 6 + i + 1) % 6]}\n" for i in range(30)),
            "0 of 30 tags occur once, and 6 are tokens too; if",
        ),
        (
            "Sentence #,Word,POS,Tag\nSentence: 1,so,RB,O\nSentence: 2,ok,JJ,O\nSentence: 1,now,RB,O\n",
            "1 sentences have the number of an earlier one, such as that in line 4",
        ),
        (
            "".join(f"w{i % 40} {['NN', 'VB'][i % 2]}\n" for i in range(311)),
            "no blank line between texts, so all 311 tokens are one text",
        ),
        (
            "Sentence #,Word,POS,Tag\n" + "".join(f"1,w{i % 9},NN,O\n" for i in range(70)),
            "All 70 tokens are one text; if these are several, give each sentence another number",
        ),
        (
            "".join(conllu(str(i), f"w{i % 9}") for i in range(1, 71)),
            "All 70 tokens are one text; if these are several, put a blank line between them, and begin the ids",
        ),
        (
            " ".join(f"w{i % 9}|NN|O" for i in range(70)),
            "All 70 tokens are one text; if these are several, put each on a line of its own",
        ),
        (
            "".join(conllu(str(i), "[deleted]") for i in range(1, 8)),
            "7 of 7 tokens are '[deleted]'; were the words removed?",
        ),
        ("*** O\n**** B-PER\n\n** O\n* O\n\n*** O\n***** O\n", "6 of 6 tokens are '*'; were the words removed?"),
        (
            '[{"data": {"text": "Mia"}, "annotations": [{"result": [{"type": "choices", "value": {}}, {"type": "labels", "value": '
            '{"start": 0, "end": 3, "labels": ["PER"]}}]}]}]',
            "Not read, results of other types than labels: choices 1",
        ),
        (
            '[{"data": {"text": "Mia"}, "annotations": [{"ground_truth": true, "result": [{"type": "labels", "value": '
            '{"start": 0, "end": 3, "labels": ["PER"]}}]}, {"result": []}]}]',
            "Annotators differ in 1 tasks, of which the ground truth is read",
        ),
        (
            "nnp\tMia\nvbd\tleft\nnnp\tBob\nvbd\tran\nnnp\tAna\nvbd\tate\n",
            "if the tokens stand in another column, name the columns",
        ),
        (
            "Wort\tWortart\n" + "Mia\tNE\nging\tVVFIN\n\n" * 6,
            "The first row, 'Wort' with the tag 'Wortart', looks like names",
        ),
        ("im tired\nso tired\nlol same\nbye all\n", "Tags such as 'tired' look like words"),
        ("Sentence #,Word,POS,Tag\nSentence: 1,New York,NNP,B-geo\n,ran,VBD,O\n", "1 tokens hold blanks"),
        ("Sentence #,Word,POS,Tag\nSentence: 1,a\x07x,NN,O\n", "1 cells hold control characters"),
        ("i love you\nwe love it\nyou love me\n", "Tags such as 'love' look like words; if they are, read raw text"),
        ("'Mia'\tNNP\n'left'\tVBD\n'us'\tPRP\n", "3 cells are in quotes, such as 'Mia'"),
        ('"say ""hi"""\tUH\nok\tUH\n', '1 cells are in quotes, such as "say ""hi"""'),
        (
            "1\tMia\t_\tX\t_\tNE=B-PER\t_\t_\t_\t_\n2\tran\t_\tX\t_\tNE=O\t_\t_\t_\t_\n",
            "FEATS has NE= (B-PER 1, O 1), which is not read",
        ),
        (
            "so\tLABEL_0\nMia\tLABEL_1\n\nin\tLABEL_0\nRome\tLABEL_1\n",
            "Labels such as 'LABEL_0' are numbers of classes; write the names",
        ),
        ("so\tO\nMia\tB-1\n\nin\tO\nRome\tB-2\n", "Labels such as 'B-1' are numbers of classes"),
        (
            "so\tRB\n-LRB-\t-LRB-\nold\tJJ\n-RRB-\t-RRB-\n\nin\tIN\n1\\/2\tCD\nhour\tNN\n",
            "3 tokens, such as '-LRB-', are as the Penn Treebank writes them, no text; write ( for -LRB-, / for \\/,",
        ),
        (
            "London\tB-LOC\nrocks\tO\n\nLondon\tO\nrocks\tO\n",
            "1 texts are there more than once, with other labels, as of several annotators; all of them are kept",
        ),
        (8 * "so\tRB\ngood\tJJ\n\n" + "in\tIN\nRome\tNNP\n", "7 of 9 texts repeat an earlier one, and count again"),
        (conllu("1", "Mia", misc="Entity=(e1-person)"), "MISC has Entity=..., which is not read"),
        (12 * (conllu("1", "Hi") + "\n") + conllu("1", "_"), "1 sentences are '_' alone, as in line 25"),
        (conllu("1", '"a,b"') + conllu("2", '"""'), '1 cells are in quotes, such as "a,b"'),
        (
            "so\tRB\n\u200b\tUH\n",
            "1 cells hold control characters, or nothing that can be seen, such as '\\u200b' in line 2",
        ),
        ("Mi\tNNP\n##a\tNNP\nran\tVBD\n", "1 tokens look like pieces of words of a transformer, such as '##a'"),
        (conllu("1", "Mia", misc="NER=1:PER") + conllu("2", "ran"), "MISC has NER= (1:PER 1), which is not read"),
        (conllu("1", "Mia", misc="NER=(PER)") + conllu("2", "ran"), "MISC has NER=..., which is not read"),
        (
            "<s>\tSTART\nso\tRB\nok\tUH\n</s>\tEND\n",
            "2 tokens are marks of the beginning or end of a text, such as '<s>' in line 1",
        ),
        (
            '{"text": "Mia", "spans": [[0, 3, "PER"]], "_session_id": "a"}\n{"text": "Mia", "spans": [], "_session_id": "b"}\n',
            "1 texts are there more than once, with other ranges, as of several annotators",
        ),
        (
            'spans,text\n"[0, 1, 2]",you fool\n"[4, 5, 6, 7]",you fool\n',
            "1 texts are there more than once, with other ranges, as of several annotators",
        ),
        (
            '{"text": "Mia", "ents": [{"start": 0, "end": 3, "label": "PER"}], "tokens": [{"id": 0, "tag": "NNP"}]}\n',
            "The tags of tokens are not read, the ranges alone",
        ),
    ],
)
def test_warned_of(spacy_bilstm, tmp_path, content, warning):
    path, notes = write(tmp_path, content), Notes()
    read_corpus(path, notes=notes)
    assert [warning in each for each in notes.warnings] == [True]
    code, out, _ = spacy_bilstm("convert", path, tmp_path / "out.spacy")
    assert code == 0
    assert f"⚠ {notes.warnings[0]}\n" in out


def test_a_line_about_each_text_is_warned_of(tmp_path):
    notes = Notes()
    text = "meta\t{}\nso\tRB\ngood\tJJ\n\n"
    read_corpus(write(tmp_path, text.format("positive") * 3 + text.format("negative") * 2), notes=notes)
    assert any("Each text begins with 'meta', whose tags, such as 'positive'" in each for each in notes.warnings)
    notes = Notes()
    read_corpus(write(tmp_path, text.replace("meta", "RT").format("RT") * 5), notes=notes)
    assert notes.warnings == []


def test_a_text_that_is_there_twice_is_told(tmp_path):
    notes = Notes()
    path = write(tmp_path, 2 * "so\tRB\ngood\tJJ\n\n" + "in\tIN\nRome\tNNP\n")
    assert len(read_corpus(path, notes=notes)[1]) == 3
    assert "Texts that repeat an earlier one: 1; they count again" in notes.lines
    assert not notes.warnings


def test_tags_of_one_letter_may_be_words_too(tmp_path):
    """As in ARK's oct27.conll, where a, o, n, v, d and & are tokens, and 15 of the 25 tags."""
    rows = "o V\na D\nn ^\nv A\nd N\n& &\nwe O\nso R\n".replace(" ", "\t")
    notes = Notes()
    read_corpus(write(tmp_path, rows + "\n" + rows), notes=notes)
    assert notes.warnings == []


@pytest.mark.parametrize("content", ['{"text": "Mia", "spans": []}\n', conllu("1", "Mia") + conllu("2", "ran")])
def test_annotation_is_no_raw_text(tmp_path, content):
    with pytest.raises(DataError, match=r"--format text: .* expected a text a line; leave the option out"):
        read_corpus(write(tmp_path, content), format="text")


@pytest.mark.parametrize("lemma", ["_", "mia"])
def test_nothing_to_learn_is_warned_of(spacy_bilstm, tmp_path, lemma):
    path = write(tmp_path, conllu("1", "Mia", upos="_", lemma=lemma) + conllu("2", "ran", upos="_", lemma="_"))
    code, out, _ = spacy_bilstm("convert", path, tmp_path / "out.spacy")
    assert code == 0
    assert ("⚠ No token has a tag or an entity tag, so nothing can be learned or scored" in out) == (lemma == "_")


@pytest.mark.parametrize("empty", ["", "-"])
def test_entities_without_any_outside_are_warned_of(spacy_bilstm, tmp_path, empty):
    path = write(tmp_path, f"Mia\tB-PER\nleft\t{empty}\nus\t{empty}\n")
    code, out, _ = spacy_bilstm("convert", path, tmp_path / "out.spacy")
    assert code == 0
    assert "Entities: PER 1; tokens without an entity tag: 2\n" in out
    assert "⚠ No token is outside of the entities (O): 2 tokens have no entity tag" in out


@pytest.mark.parametrize("label", ["PER,B-ORG", "PER+B-ORG", "PER;ORG", "PER:0.98", "PER/Q42", "PER[3]", "PER|B-ORG", "PER/0.93"])
def test_types_that_are_several_labels_are_warned_of(spacy_bilstm, tmp_path, label):
    path = write(tmp_path, f"Mia\tB-{label}\nleft\tO\nus\tO\n")
    code, out, _ = spacy_bilstm("convert", path, tmp_path / "out.spacy")
    assert code == 0
    assert f"⚠ Entity types such as '{label}' look like several labels" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tags", "xpos"], "--tags xpos is only for CoNLL-U, found tsv"),
        (["--spans-key", "mine"], "--spans-key mine is only for toxic spans, found tsv"),
        (["--votes", "majority"], "--votes majority is only for toxic_votes, found tsv"),
        (["--encoding", "undefined"], "--encoding undefined: cannot decode a text"),
    ],
)
def test_options_without_effect_are_refused(spacy_bilstm, tmp_path, options, message):
    path = write(tmp_path, "Mia\tB-PER\nleft\tO\nus\tO\n")
    code, out, err = spacy_bilstm("convert", path, tmp_path / "out.spacy", *options)
    assert code != 0
    assert message in out + err


def test_a_upos_that_is_none_is_warned_of(tmp_path):
    path, notes = tmp_path / "a.conllu", Notes()
    row = "{}\t{}\t_\t{}\tNNP\t_\t0\troot\t_\t_\n"
    path.write_text(row.format(1, "Mia", "PRPN") + row.format(2, "ran", "verb") + "\n", encoding="utf8")
    _, [text] = read_corpus(path, notes=notes, conllu_tags="xpos")
    assert text.pos == ["", "VERB"]
    assert notes.warnings == [
        "1 words have a UPOS that is no universal part of speech, such as 'PRPN' in line 1; they get none: correct it"
    ]


@pytest.mark.parametrize("cell", ["nan", "NaN", "<NA>"])
def test_an_empty_cell_of_pandas_is_no_tag(tmp_path, cell):
    path = write(tmp_path, f"so\tRB\nMia\t{cell}\nran\tVBD\n")
    _, [text] = read_corpus(path)
    assert text.tags == ["RB", "", "VBD"]
