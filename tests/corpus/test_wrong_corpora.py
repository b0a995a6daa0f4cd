"""Files that lie in the place of a corpus, and corpora that cannot be meant as they are: refused in one line."""

import pytest
from corpus_rows import conllu, write

from spacy_bilstm_tagger.corpus import read_corpus
from spacy_bilstm_tagger.errors import DataError

PIECES = " in the place of a token, a piece of a list, a tree or markup; expected a token and its tag in each line"
NO_TAGS = ", line 1: no column looks like tags or entity tags"
REFUSED = {
    "webanno": (
        "#FORMAT=WebAnno TSV 3.2\n\n\n#Text=Mia\n1-1\t0-3\tMia\tPER\t\n",
        ", line 1: found '#FORMAT=WebAnno TSV 3.2'",
    ),
    "names-of-texts-without-blank-lines": (
        "".join(f"f{i // 8 * 37:x}\tw{i}\t{'NV'[i % 2]}\n" for i in range(64)),
        ", line 9: the file has no blank line, and column 1 holds names of texts such as 'f0'",
    ),
    "entity-tags-first-and-no-entity": (
        "O\twhat\nO\tis\n\nO\tit\n",
        ", line 1: column 1 looks like entity tags, where the tokens are expected",
    ),
    "commas": (
        "Mia, NNP, O\nleft, VBD, O\nus, PRP, O\n",
        ", line 1: found 'Mia,', and ',' behind each token; expected a TAB",
    ),
    "type-with-a-blank": ("Mia\tB- PER\nleft\tO\n", ", line 1: found entity tag 'B- PER'"),
    "other-hyphen": ("Mia\tB‐PER\nleft\tO\n", ", line 1: found entity tags such as 'B‐PER', with another sign"),
    "tokens-and-their-tags-in-json": (
        '{"text": "Mia left", "spans": [], "tokens": ["Mia", "left"], "ner_tags": [1, 0]}',
        ', line 1: "ner_tags" holds a value for each of the "tokens"',
    ),
    "tokens-and-their-tags-alone": (
        '{"tokens": ["Mia", "left"], "ner_tags": ["B-PER", "O"]}\n',
        """, line 1: "ner_tags" holds a value for each of the "tokens"; expected columns, with names of labels and no numbers. """
        """Make them with: jq -r '([.tokens, .ner_tags] | transpose[] | @tsv), ""' FILE""",
    ),
    "argilla-with-an-empty-range": (
        '{"text": "Bob", "annotation": [[]], "prediction": null, "status": "Validated"}',
        ", line 1: found [] as a range",
    ),
    "lines-that-take-turns": (
        "Mia likes Lisbon\nNNP VBZ NNP\nso good\nRB JJ\n",
        ", line 1: found 3 columns here and in the next line",
    ),
    "lines-that-take-turns-and-are-as-long": (
        "Mara left Lisbon .\nNNP VBD NNP .\nI saw her .\nPRP VBD PRP .\n",
        ", line 1: found 4 columns here and in the next line, and so on by turns",
    ),
    "tag-and-entity-with-a-comma": (
        "Mara\tNNP,B-PER\nleft\tVBD,O\n",
        ", line 1: found 'NNP,B-PER', a tag and an entity tag",
    ),
    "scores-behind-entities": (
        "Mara\tB-PER:0.98\nleft\tO:0.99\n\nI\tO:0.5\n",
        ", line 1: found entity tags such as 'B-PER:0.98', with scores behind them",
    ),
    "brackets-of-conll-2012": (
        "Mara\t(PER)\nNew\t(LOC\nYork\tLOC)\nleft\t*\n",
        ", line 1: found '(PER)', entities in brackets, as in CoNLL 2005",
    ),
    "type-in-another-case": (
        "Mara\tB-PER\nLune\tI-per\n",
        ", line 2: I-per cannot follow B-PER; expected I-PER, in these letters",
    ),
    "xml": ('<?xml version="1.0"?>\n<text><w pos="NN">Mia</w></text>\n', ': found \'<?xml version="1.0"?>'),
    "json-min-without-ranges": (
        '[{"text": "Mia is", "id": 1, "sentiment": "Positive", "annotator": 1}]',
        ": none of the 1 records has ranges",
    ),
    "label-studio-of-another-task": (
        '[{"data": {"text": "ok"}, "annotations": [{"result": [{"type": "choices", "value": {"choices": ["x"]}}]}]}]',
        ": found only results of other types than labels: choices 1",
    ),
    "nothing-accepted": (
        '{"text": "Mia left", "spans": [], "answer": "ignore"}\n{"text": "ok", "spans": [], "answer": "reject"}\n',
        ": found no record that was accepted, only 1 with the answer 'ignore', 1 with the answer 'reject'",
    ),
    "zip": ("PK\x03\x04 and so on", ": is a zip archive; expected a file of text"),
    "ids-begin-again": (
        conllu("1", "a") + conllu("2-3", "don't") + conllu("2", "do") + conllu("3", "n't") + conllu("1", "b"),
        ", line 5: the ids begin again at 1 after 3; the blank line between two sentences is missing",
    ),
    "text-between-tokens": (
        conllu("1", "a") + "# text = b\n" + conllu("1", "b"),
        ", line 2: found the comment '# text = b'",
    ),
    "id-too-high": (conllu("1", "a") + conllu("3", "b"), ", line 2: found the id 3, expected 2"),
    "range-without-words": (
        conllu("1", "a") + conllu("2-3", "du"),
        ", line 2: the word 3 of the multiword token 'du' is missing",
    ),
    "half-a-range": (
        conllu("1-2", "du") + conllu("1", "de"),
        ", line 1: the word 2 of the multiword token 'du' is missing",
    ),
    "range-backwards": (
        conllu("1-1", "du") + conllu("1", "de"),
        ", line 1: found the range 1-1, expected one of at least two",
    ),
    "text-taken-out": (
        "".join(conllu(str(i), "_") for i in range(1, 5)),
        ", line 1: all words of the sentence are '_', so the text was taken out of the file",
    ),
    "untyped-entities": ("Mia\tB\nLee\tI\nran\tO\n", ", line 1: found entity tags such as 'B', without a type"),
    "underscore": ("Mia NNP B_PER\nran VBZ O\n", ", line 1: found entity tags such as 'B_PER', with another sign"),
    "prefix-last": (
        "Mia NNP PER-B\nran VBZ O\n",
        ", line 1: found entity tags such as 'PER-B', with the prefix at the end",
    ),
    "small-letters": ("Mia b-np\nran O\n", ", line 1: found entity tags such as 'b-np', in small letters"),
    "not-found": ("404: Not Found", ": found '404: Not Found', the error message of a web server"),
    "iob-of-four-parts": (
        "Mia|NNP|I-NP|B-PER runs|VBZ|I-VP|O\nBo|NNP|I-NP|B-PER\n",
        ", line 1: found more than three parts in 'Mia|NNP|I-NP|B-PER', expected token|entity or token|tag|entity",
    ),
    "rate-limit": ("You have exceeded a secondary rate limit.\n", ": found 'You have exceeded a secondary rate limit"),
    "sep-of-excel": (
        "sep=\t\nMia\tNNP\nran\tVBD\n",
        ": found 'sep=\\t', a line that tells Excel what separates columns; remove it",
    ),
    "blank-for-a-tab": (
        "Mia\tNNP\nran VBD\n",
        ", line 2: found 1 column(s) in 'ran VBD', expected 2 (token, tag) with a TAB between them",
    ),
    "type-with-blanks-beside-tags": (
        "Mia\tNNP\tB - PER\nran\tVBD\tO\nto\tTO\tO\nRome\tNNP\tB - LOC\n",
        ", line 1: found entity tags such as 'B - PER', with blanks",
    ),
    "blank-word": (
        conllu("1", "a") + conllu("2", " ") + conllu("3", "b"),
        ", line 2: the token is empty, expected a word before the separator; remove the line, and number the words after it anew",
    ),
    "range-behind-its-words": (
        conllu("1", "do") + conllu("2", "n't") + conllu("1-2", "don't", upos="_"),
        ", line 3: found the range 1-2, expected one of at least two",
    ),
    "git-lfs-behind-a-blank-line": (
        "\nversion https://git-lfs.github.com/spec/v1\noid sha256:a\n",
        ": found 'version https",
    ),
    "git-lfs": (
        "version https://git-lfs.github.com/spec/v1\noid sha256:a\nsize 12\n",
        ": found 'version https://git-lfs",
    ),
    "web-page": ("<!DOCTYPE html>\n<html>\n<body>a b</body></html>\n", ": found '<!DOCTYPE html>', a web page (HTML)"),
    "json-lines-without-ranges": (
        '{"text": "a b"}\n{"text": "a b"}\n',
        ', line 1: found \'{"text": "a b"}\', expected a JSON obj',
    ),
    "json-list": ('[["a", []]]', ": found a JSON list that is damaged, or not of objects with a text"),
    "range-outside": ('{"text": "Mia", "label": [[0, 4, "PER"]]}\n', ", line 1: the range 0 to 4 is not in the text"),
    "range-of-another-text": (
        '{"text": "so Mia", "label": [{"start": 0, "end": 3, "text": "Mia", "labels": ["PER"]}]}\n',
        ", line 1: the range 0 to 3 is 'so ' in the text, and 'Mia' by its own record",
    ),
    "tweets-in-a-table": (
        "1\tso good\t2011\n4\tthe new one\t2011\n",
        ", line 1: no column looks like tags or entity tags",
    ),
    "texts-and-labels": (
        "so good\tpos\nthe new one\tneg\nnot so\tneg\n",
        ", line 1: found 'so good' as a token, and white space in",
    ),
    "every-tag-once": (
        "".join(f"w{i} t{i}\n" for i in range(60)),
        ", line 1: no column looks like tags or entity tags (found t0, t1, t2, t3, t4 after the tokens)",
    ),
    "json-with-commas-behind": (
        '{"text": "Mia", "spans": [[0, 3, "P"]]},\n{"text": "Bob", "spans": []},\n',
        ', line 1: found \'{"text": "Mia", "spans": [[0, 3, "P"]]},\', which is no JSON (Extra data',
    ),
    "two-objects-on-a-line": (
        '{"text": "Mia"}{"text": "Bob"}\n' * 2,
        ', line 1: found \'{"text": "Mia"}{"text": "Bob"}\', which is no JSON (Extra data',
    ),
    "json-without-an-end": ('{"a":' * 100_000, ', line 1: found \'{"a":'),
    "repr-of-python": (
        "{'text': 'Mia', 'spans': [[0, 3, 'P']]}\n{'text': 'Bob', 'spans': []}\n",
        ", line 1: found \"{'text': 'Mia', 'spans': [[0, 3, 'P']]}\", which is no JSON (Expecting property name",
    ),
    "json-over-several-lines": (
        '{\n  "text": "Mia",\n  "spans": []\n}\n',
        ", line 1: found '{', one object over several lines",
    ),
    "trees-in-brackets": (
        "(TOP (S (NP (NNP Mia)) (VP (VBD left))))\n(TOP (S (NP (NNP Bob)) (VP (VBD ran))))\n",
        ", line 1: found '(TOP (S (NP (NNP Mia)) (VP (VBD left))))', a tree in brackets, as of the Penn Treebank",
    ),
    "standoff": (
        "T1\tPER 0 3\tMia\nT2\tLOC 7 13\tLisbon\n",
        ", line 1: found 'T1\\tPER 0 3\\tMia', brat's standoff annotation",
    ),
    "excel": (b"PK\x03\x04" + b"\0" * 30 + b"xl/worksheets", ": is an Excel workbook; save it"),
    "pdf": (b"%PDF-1.4\nso RB\n", ": is a PDF"),
    "parquet": (b"PAR1\x15\x04", ": is a Parquet file"),
    "pickle": (b"\x80\x04\x95", ": is a pickle of Python"),
    "numpy": (b"\x93NUMPY\x01\x00", ": is an array of numpy"),
    "database": (b"SQLite format 3\0", ": is a database of SQLite"),
    "docbin": (b"x\x9c\xec\xbd", ": is a DocBin, expected the annotated text that such a file is made of"),
    "rtf": (rb"{\rtf1\ansi so RB\par ok JJ\par}", ": is a document with formatting (RTF)"),
    "entity-tags-of-flair": (
        "George <B-PER>\nLee <I-PER>\nleft <O>\n",
        ", line 1: found entity tags such as '<B-PER>', in brackets",
    ),
    "long-prefixes": (
        "Mia\tBegin-PER\nLee\tInside-PER\nleft\tOutside\n",
        ", line 1: found entity tags such as 'Begin-PER', with a prefix of several letters",
    ),
    "types-alone": ("Mia\tPER\nleft\tO\nus\tO\n", ", line 1: found entity tags such as 'PER', types without B or I"),
    "types-beside-tags": (
        "Mia NNP PER\nLee NNP PER\nleft VBD O\nNew NNP LOC\nYork NNP LOC\n",
        ", line 1: found entity tags such as 'PER', types without B or I",
    ),
    "a-header-in-the-middle": (
        "so\tRB\nok\tUH\n\ntoken\ttag\nok\tUH\n",
        ", line 4: found ['token', 'tag'], names of columns",
    ),
    "a-number-and-no-blank-line": (
        "1\tMia\tNNP\n\tleft\tVBD\n2\tBob\tNNP\n\tran\tVBD\n",
        ", line 3: the number 2 in the first column begins a text",
    ),
    "middle-tags": ("New\tB-LOC\nYork\tM-LOC\nin\tO\n", ", line 2: found entity tag 'M-LOC', expected O or B-"),
    "another-letter-o": (
        "Mia\tB-PER\nleft\t\u041e\n",
        ", line 2: found entity tag '\u041e', expected O or B-, I- (also E-, S-, L-, U-) and a type",
    ),
    "lemmas-before-words": (
        "the The DT\ngirl girls NNS\nbe were VBD\nhere here RB\n\nnow Now RB\n",
        ", line 1: column 1 holds the words of column 2 in lower case, or their lemmas, where the tokens are expected",
    ),
    "tag-and-entity-in-one-column": (
        "Mia\tNNP|B-PER\nleft\tVBD|O\n.\t.|O\n",
        ", line 1: found 'NNP|B-PER', a tag and an entity tag in one column; expected a TAB between them",
    ),
    "types-with-a-zero": (
        "Mara\tPERSON\nleft\t0\nNew\tLOCATION\n\nHe\t0\n",
        ", line 1: found '0' and the entity types LOCATION, PERSON; expected O outside of entities",
    ),
    "types-with-another-sign": (
        "Mara\tperson\nleft\tNo\nnow\tNo\n",
        ", line 1: found 'No' and the entity types person; expected O outside",
    ),
    "numbers-of-texts-behind": (
        "Mara\tNNP\t1\nleft\tVBD\t1\nHe\tPRP\t2\nran\tVBD\t2\n",
        ", line 3: the file has no blank line, and column 3 numbers its texts",
    ),
    "vertical": (
        "<s>\nMara\tNNP\nleft\tVBD\n</s>\n",
        ": found '<s>\\nMara\\tNNP\\nleft\\tVBD\\n</s>', a line of XML before rows of columns",
    ),
    "tags-first": (
        "NNP\tMara\tB-PER\nVBZ\truns\tO\nIN\tin\tO\n\nNNP\tBob\tB-PER\nVBD\tran\tO\n",
        ", line 1: column 1 looks like tags (NNP), where the tokens are expected; put the tokens first",
    ),
    "words-with-tag-and-entity": (
        "Ann/NNP/B-PER runs/VBZ/O\nBob/NNP/B-PER sat/VBD/O\n",
        ", line 1: found 'Ann/NNP/B-PER' and 'runs/VBZ/O', words with their tags behind a '/'",
    ),
    "words-with-tags-and-one-odd": (
        "".join(f"so{i}/RB good{i}/JJ\n" for i in range(29)) + "1/2/CD x/NN\n",
        ", line 1: found 'so0/RB' and 'good0/JJ', words with their tags behind a '/'",
    ),
    "words-with-underscores": (
        "Ann_NNP_B-PER runs_VBZ_O\nBob_NNP_B-PER sat_VBD_O\n",
        ", line 1: found 'Ann_NNP_B-PER' and 'runs_VBZ_O', words with their tags behind a '_'",
    ),
    "python-pairs": (
        '("Ann is here", {"entities": [(0, 3, "PER")]}),\n("Bob ran off", {"entities": [(0, 3, "PER")]}),\n',
        PIECES,
    ),
    "lists-of-nltk": ("[('Ann', 'NNP'), ('runs', 'VBZ')]\n[('Bob', 'NNP'), ('sat', 'VBD')]\n", PIECES),
    "i2b2": ('c="aspirin" 3:2 3:2||t="treatment"\nc="pain" 4:2 4:2||t="problem"\n', NO_TAGS),
    "trees-of-sentiment": ("(3 (2 It) (4 good))\n(1 (2 It) (0 bad))\n", PIECES),
    "markup": ('<ENAMEX TYPE="PERSON">Ann</ENAMEX> runs\n<ENAMEX TYPE="PERSON">Bob</ENAMEX> ran\n', PIECES),
    "brackets": ("[Ann PER] runs\n[Bob PER] sat\n", PIECES),
    "commas-behind-tags": ("Ann NNP,\nruns VBZ,\n", NO_TAGS),
    "colons-behind-tokens": ("Ann: NNP\nruns: VBZ\nhome: NN\n", ", line 1: found 'Ann:', and ':' behind each token"),
    "dependencies-alone": ("1\tAnn\t2\tnsubj\n2\truns\t0\troot\n3\tfar\t2\tadvmod\n", NO_TAGS),
    "quotes-of-r": (
        "".join(f'"{i}" "word{i}" "tag{i}"\n' for i in range(40)),
        ', line 1: no column looks like tags or entity tags (found "word0", "word1", "word2", "word3", "word4" after the tokens); '
        "expected one of few different values, or of O, B-TYPE and I-TYPE. Write the file again without quotes",
    ),
    "no-break-space": ("a\tX\n\u00a0\tY\n", ", line 2: the token is white space (U+00A0), expected a word"),
}


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(tmp_path, content, message):
    path = write(tmp_path, content)
    with pytest.raises(DataError) as error:
        read_corpus(path)
    assert str(error.value).startswith(f"{path}{'' if message is PIECES else message}")
    assert message in str(error.value)
    assert "\n" not in str(error.value)
