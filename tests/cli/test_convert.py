import pytest
import spacy
from spacy.tokens import DocBin

from spacy_bilstm_tagger.corpus import FORMATS

CONLLU_ROW = "1\ta\t_\tX\tY\t_\t_\t_\t_\t_\n"
GMB = "Sentence #,Word,POS,Tag\nSentence: 1,a,X,O\n"
TOXIC = 'spans,text\n"[0, 1]",so bad\n'
TWO_TEXTS = "a X\nb Y\n\nc X\n"


# The input, more arguments, and what the line on stderr says after the name of the input.
BAD_INPUTS = {
    "blank-tokens-of-conllu": (
        CONLLU_ROW,
        ["--skip-blank-tokens"],
        ": --skip-blank-tokens is only for columns, found conllu; remove these tokens from the file",
    ),
    "one-column": ("a X\nb\n", [], ", line 2: found 1 column(s) in 'b', expected 2 (token, tag)"),
    "three-columns": ("a X\nb Y Z\n", [], ", line 2: found 3 column(s) in 'b Y Z', expected 2 (token, tag)"),
    "three-columns-first": (
        "b Y Z\na X\nc X\n",
        [],
        ", line 1: found 3 column(s) in 'b Y Z', expected 2 (token, tag)",
    ),
    "no-token": (
        "a X\n Y\n",
        [],
        ", line 2: the token is empty, expected a word before the separator; remove the line, or give --skip-blank-tokens",
    ),
    "roles": (
        "a X\n",
        ["--columns", "token,tag,ent"],
        ", line 1: found 2 column(s) in 'a X', expected 3 (token, tag, ent)",
    ),
    "bio-cannot-follow": (
        "a O\nb I-per\n",
        [],
        ", line 2: I-per cannot follow O; expected B-per or O; or pass --repair-bio",
    ),
    "bio-misspelt": (
        "a O\nb B-per\nc B:per\n",
        ["--repair-bio"],
        ", line 3: found entity tag 'B:per', expected O or B-, I- (also E-, S-, L-, U-) and a type, such as B-person",
    ),
    "encoding": (
        b"a X\n\nb\xe9 Y\n",
        [],
        ", line 3: not utf-8; byte 0xe9 cannot be there. "
        "Save the file as UTF-8, or give convert its --encoding, such as cp1252 (Windows, Western Europe) or cp1251 (Cyrillic)",
    ),
    "empty": ("", [], ": found no annotated text, expected at least one token"),
    "empty-csv": ("", ["--format", "gmb"], ": found no annotated text, expected at least one token"),
    "blank": ("\n \n\t\n", [], ": found no annotated text, expected at least one token"),
    "no-format": (
        "nobody tagged this\nplain prose\nyet\n",
        [],
        f": cannot tell the format from lines such as 'nobody tagged this'; name it with --format ({', '.join(FORMATS)})",
    ),
    "conllu-nine-columns": (
        CONLLU_ROW + CONLLU_ROW.replace("\t_\n", "\n"),
        ["--format", "conllu"],
        r", line 2: found 9 column(s) in '1\ta\t_\tX\tY\t_\t_\t_\t_', expected 10, separated by TAB",
    ),
    "conllu-id": (
        CONLLU_ROW + CONLLU_ROW.replace("1", "x"),
        [],
        ", line 2: found the id 'x', expected a number, a range 1-2 or an empty node 1.1",
    ),
    "csv-header": (
        GMB.replace("Tag", "NER"),
        [],
        ", line 1: found the columns Sentence #, Word, POS, NER, expected Sentence #, Word, POS, Tag",
    ),
    "csv-cells": (
        GMB + ",b,Y\n",
        [],
        ", line 3: found 3 column(s) in ',b,Y', expected 4 (Sentence #, Word, POS, Tag)",
    ),
    "csv-start": (
        GMB.replace("Sentence: 1", ""),
        [],
        ", line 2: found a word before the first sentence, expected 'Sentence: 1' in the first column",
    ),
    "csv-open-quote": (
        GMB + ',b,Y,"B-per\n,c,X,O\n',
        [],
        ", line 3: not a row of CSV (it goes on to line 4); "
        'expected quotes in pairs on one line, and "" for a quote mark inside them',
    ),
    "offsets-outside": (
        TOXIC + '"[4, 8]","two\nlines"\n' + '"[5, 6]",so bad\n',
        [],
        ", line 5: the offset 6 is outside the text, whose characters are 0 to 5; correct it, or remove it from the list",
    ),
    "offsets-no-list": (
        TOXIC + "4,so bad\n",
        [],
        ", line 3: found '4' in the column spans, expected a list of whole numbers such as [4, 5, 6], or [] for none",
    ),
    "offsets-encoding": (
        TOXIC.encode() + b"[],caf\xe9\n",
        [],
        ", line 3: not utf-8; byte 0xe9 cannot be there. "
        "Save the file as UTF-8, or give convert its --encoding, such as cp1252 (Windows, Western Europe) or cp1251 (Cyrillic)",
    ),
    "spans-column-missing": (
        "offsets,text\n[],a\n",
        ["--format", "toxic_spans"],
        ", line 1: found the columns offsets, text, expected spans and text, each once",
    ),
    "text-differs": (
        "# text = a c\na X\nb Y\n",
        [],
        ", line 3: the token 'b' does not continue the text 'a c'; expected 'c'",
    ),
    "text-longer": (
        "# text = a b c\na X\nb Y\n",
        [],
        ", line 3: 'b' is the last token of the text 'a b c'; expected tokens for 'c' after it",
    ),
}


def assert_refused(result, message, folder, before):
    """One line on stderr, exit code 1, and the folder as it was, with the bytes of each file."""
    assert result == (1, "", f"✘ {message}\n")
    assert contents(folder) == before


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(("content", "options", "message"), BAD_INPUTS.values(), ids=BAD_INPUTS)
def test_bad_input_is_one_line_and_leaves_nothing(spacy_bilstm, write, folder, content, options, message):
    path, before = write("corpus", content), contents(folder)
    result = spacy_bilstm("convert", path, folder / "out.spacy", *options)
    assert_refused(result, f"{path}{message}", folder, before)


def test_leaving_out_all_is_one_line(spacy_bilstm, write, folder):
    path, before = write("corpus", TWO_TEXTS), contents(folder)
    result = spacy_bilstm("convert", path, folder / "out.spacy", "--exclude", path)
    message = f"{path}: all 2 texts are also in the files of --exclude; nothing is left to convert"
    assert_refused(result, message, folder, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--format", "xml"],
            f"--format xml: expected one of {', '.join(FORMATS)}",
        ),
        (["--tags", "pos"], "--tags pos: expected upos, xpos or none"),
        (["--spans-key", ""], "--spans-key '': expected a name, such as toxic"),
        (
            ["--encoding", "utf-9"],
            "--encoding utf-9: Python knows no such encoding; expected a name such as utf-8 or latin-1",
        ),
        (
            ["--columns", "word,tag"],
            "--columns word,tag: expected each of token, tag and ent at most once (token in any case) and - for the others",
        ),
        *((["--first", n], f"--first {n}: expected a number from 1 to 2, the number of texts in IN") for n in ("0", "3", "-1")),
    ],
)
def test_an_option_out_of_range_is_one_line(spacy_bilstm, write, folder, options, message):
    path, before = write("corpus", TWO_TEXTS), contents(folder)
    result = spacy_bilstm("convert", path, folder / "out.spacy", *options)
    assert_refused(result, message.replace(" IN", f" {path}"), folder, before)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("X\tx\nY y\n", "MAP, line 2: found 'Y y', expected two columns: tag TAB new tag"),
        ("X\tx\n", "MAP: no entry for Y (1); every tag of IN needs one"),
        ("Z\tz\n", "MAP: no entry for X (2), Y (1); every tag of IN needs one"),
        ("", "MAP: found no entries, expected lines of tag TAB new tag"),
        ("X\tx\nX\ty\n", "MAP, line 2: X becomes y here and x above; expected one new tag for each"),
        (
            b"X\t\xe9\n",
            "MAP, line 1: not utf-8; byte 0xe9 cannot be there. "
            "Save the file as UTF-8; it may be cp1252 (Windows, Western Europe) or cp1251 (Cyrillic)",
        ),
        (None, "MAP: no such file"),
    ],
    ids=["one-column", "a-gap", "gaps", "empty", "twice", "encoding", "missing"],
)
def test_a_bad_tag_map_is_one_line(spacy_bilstm, write, tmp_path, folder, content, message):
    path, before = write("corpus", TWO_TEXTS), contents(folder)
    mapping = write("map.tsv", content) if content is not None else tmp_path / "nowhere.tsv"
    result = spacy_bilstm("convert", path, folder / "out.spacy", "--map-tags", mapping)
    assert_refused(result, message.replace("MAP", str(mapping)).replace("of IN", f"of {path}"), folder, before)


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_a_missing_input_is_one_line(spacy_bilstm, tmp_path, folder, name):
    before = contents(folder)
    result = spacy_bilstm("convert", tmp_path / name, folder / "out.spacy")
    reason = "is a folder, expected a file" if name == "." else "no such file"
    assert_refused(result, f"{tmp_path / name}: {reason}", folder, before)


@pytest.mark.parametrize("name", ["out", "out.spacy.gz", "out.json", "spacy"])
def test_an_output_of_another_suffix_is_one_line(spacy_bilstm, write, folder, name):
    path, before = write("corpus", TWO_TEXTS), contents(folder)
    result = spacy_bilstm("convert", path, folder / name)
    assert_refused(result, f"{folder / name}: expected the name of a file that ends in .spacy", folder, before)


def test_what_is_read_is_not_replaced(spacy_bilstm, write, tmp_path):
    path = write("corpus", TWO_TEXTS)
    (tmp_path / "link.spacy").symlink_to(path)
    assert spacy_bilstm("convert", path, tmp_path / "dev.spacy", "--first", "1")[0] == 0
    for output, others in (("link.spacy", []), ("dev.spacy", ["--exclude", tmp_path / "dev.spacy"])):
        before = (tmp_path / output).read_bytes()
        code, _, error = spacy_bilstm("convert", path, tmp_path / output, *others)
        assert code == 1
        assert f"{output}: is read too, and would be replaced; give another name" in error
        assert (tmp_path / output).read_bytes() == before


def test_a_write_that_fails_halfway_leaves_nothing(spacy_bilstm, write, folder, monkeypatch):
    def to_disk(self, path):
        path.write_bytes(b"half of i")
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(DocBin, "to_disk", to_disk)
    path, before = write("corpus", TWO_TEXTS), contents(folder)
    code, out, err = spacy_bilstm("convert", path, folder / "out.spacy")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err == (
        f"✘ {folder / 'out.spacy'}: cannot be written (No space left on device), and is as it was before; make room, and give the "
        "same command again\n"
    )
    assert contents(folder) == before


def test_a_folder_in_the_place_of_the_output_stays(spacy_bilstm, write, tmp_path):
    (tmp_path / "out.spacy").mkdir()
    code, out, err = spacy_bilstm("convert", write("corpus", TWO_TEXTS), tmp_path / "out.spacy")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "out.spacy"]


def test_blank_tokens_are_left_out_and_counted(spacy_bilstm, write, folder):
    path = write("a.tsv", "a X\n\u00a0 Y\nb Y\n\n\u00a0 Y\n\nc X\n".replace(" ", "\t"))
    _, out, _ = spacy_bilstm("convert", path, folder / "out.spacy", "--skip-blank-tokens")
    assert "Tokens of white space, left out: 2" in out
    docs = list(DocBin().from_disk(folder / "out.spacy").get_docs(spacy.blank("en").vocab))
    assert [[token.text for token in doc] for doc in docs] == [["a", "b"], ["c"]]


def test_handles_are_joined_and_their_entities_missing(spacy_bilstm, write, folder):
    rows = [
        "RT O",
        "@ B-PER",
        "kim_lee B-PER",
        "at O",
        "@ O",
        "home O",
        "@ B-LOC",
        "Glover I-LOC",
        "@ B-PER",
        "Ünal B-PER",
    ]
    rows += ["Jo B-PER", "@ B-ORG", "Uni B-ORG", "Texas I-ORG", "@ B-ORG"]
    content = "\n".join(rows).replace(" ", "\t") + "\n"
    _, out, _ = spacy_bilstm("convert", write("a.tsv", content), folder / "out.spacy", "--join-handles")
    assert "Handles joined: 1" in out
    (doc,) = DocBin().from_disk(folder / "out.spacy").get_docs(spacy.blank("en").vocab)
    tags = [f"{token.text} {token.ent_iob_ or '-'}{'-' if token.ent_type_ else ''}{token.ent_type_}" for token in doc]
    assert tags == ["RT O", "@kim_lee -", *rows[3:]]


def test_the_at_sign_is_left_out_before_names_that_alone_are_marked_if_most_of_their_type_are_handles(folder, spacy_bilstm, write):
    rows = [
        "@ B-PER",
        "kim B-PER",
        "@ B-PER",
        "lee B-PER",
        "via O",
        "@ O",
        "mara B-PER",
        "@ O",
        "jo B-PER",
        "Lune I-PER",
    ]
    rows += ["@ B-LOC", "uni B-LOC", "@ O", "Lisbon B-LOC"]
    content = "\n".join(rows).replace(" ", "\t") + "\n"
    _, out, _ = spacy_bilstm("convert", write("a.tsv", content), folder / "out.spacy", "--join-handles")
    assert "Handles joined: 3; '@' left out before names: 1" in out
    (doc,) = DocBin().from_disk(folder / "out.spacy").get_docs(spacy.blank("en").vocab)
    assert [token.text for token in doc] == ["@kim", "@lee", "via", "mara", "@", "jo", "Lune", "@uni", "@", "Lisbon"]
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("mara", "PER"), ("jo Lune", "PER"), ("Lisbon", "LOC")]


def test_a_part_and_the_others_are_all_texts(spacy_bilstm, write, folder):
    path = write("a.txt", "".join(f"w{i} X\na Y\n\n" for i in range(50)))
    words = []
    for option in ("--fold", "--except-fold"):
        spacy_bilstm("convert", path, folder / "out.spacy", option, "0/5")
        docs = DocBin().from_disk(folder / "out.spacy").get_docs(spacy.blank("en").vocab)
        words.append({doc[0].text for doc in docs})
    assert 0 < len(words[0]) < len(words[1])
    assert len(words[0] | words[1]) == 50 == len(words[0]) + len(words[1])
