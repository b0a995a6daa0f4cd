from pathlib import Path

import pytest

from spacy_bilstm_tagger.corpus import FORMATS, Columns, EntityTags, Notes, read_corpus
from spacy_bilstm_tagger.corpus.formats import guess_format
from spacy_bilstm_tagger.errors import DataError

CONLLU_ROW = "1\ta\t_\tX\tY\t_\t_\t_\t_\t_\n"
GMB = "Sentence #,Word,POS,Tag\nSentence: 1,a,X,O\n"
SAMPLES = [
    ("ritter", "a X\nb Y\n\nc Z\n"),
    ("ritter", "\" ''\n# HT\n, ,\n"),
    ("ritter", "# text = a whole line of words\na X\nb Y\n"),
    ("tsv", "a\tX\nb\tY\n"),
    ("tsv", "New York\tX\n\nb\tY\n"),
    ("tsv", "a\tX\tO\nb\tY\tO\n"),
    ("conll", "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n"),
    ("conll", "a    X\nlonger Y\nb    Z\nc    Z\n"),
    ("conllu", "# sent_id = 1\n# text = a\n" + CONLLU_ROW),
    ("conllu", "# global.columns = ID FORM UPOS NER:IOB\n1\tMia\tPROPN\tB-PER\n2\truns\tVERB\tO\n"),
    ("iob", "Mia|NNP|B-PER runs|VBZ|O\nI|PRP|O know|VBP|O\n"),
    ("iob", "Mia|B-PER runs|O\n"),
    ("jsonl", '{"text": "Mia runs", "label": [[0, 3, "PER"]]}\n'),
    ("gmb", GMB),
    ("gmb", "Unnamed: 0," + GMB.replace("Sentence: 1", "0,Sentence: 1")),
    ("toxic_spans", 'spans,text\n"[0, 1]",so bad\n'),
    ("toxic_spans", '"id","text","spans"\n7,so bad,[]\n'),
]


@pytest.mark.parametrize(("format", "content"), SAMPLES)
def test_the_format_is_guessed_and_the_guess_can_be_read(tmp_path, format, content):
    path = tmp_path / "corpus"
    path.write_text(content, encoding="utf-8")
    guessed, texts = read_corpus(path)
    assert guessed == format
    assert texts == read_corpus(path, format=format)[1]


def test_every_format_has_a_sample():
    others = {"toxic_votes", "text"}  # a folder, see test_votes.py; and one that is never guessed
    assert {format for format, _ in SAMPLES} == set(FORMATS) - others


def test_the_name_conllu_decides_so_that_nine_columns_are_not_taken_for_tsv(tmp_path):
    path = tmp_path / "cut.conllu"
    path.write_text(CONLLU_ROW.replace("\t_\n", "\n"), encoding="utf-8")
    with pytest.raises(DataError, match=r"cut.conllu, line 1: found 9 column\(s\) .* expected 10, separated by TAB$"):
        read_corpus(path)


def test_a_named_format_goes_before_the_guess(tmp_path):
    path = tmp_path / "corpus"
    path.write_text("a\tX\nb\tY\n", encoding="utf-8")
    assert read_corpus(path, format="conll")[0] == "conll"
    with pytest.raises(DataError, match="line 1: found 1 column"):
        read_corpus(path, format="ritter")


@pytest.mark.parametrize("content", ["just some prose that nobody ever tagged\nthen more of it\nmuch more\n", "a\nb\nc\n"])
def test_a_file_of_no_format_shows_a_line_and_the_choices(content):
    with pytest.raises(DataError) as error:
        guess_format(Path("prose"), content)
    assert str(error.value) == (
        f"prose: cannot tell the format from lines such as {content.splitlines()[0]!r}; "
        f"name it with --format ({', '.join(FORMATS)})"
    )


@pytest.mark.parametrize("content", ["", "\n\n", " \t\n", "# text = a\n", "-DOCSTART- -X- O O\n"])
def test_a_file_without_tokens_is_empty(content):
    with pytest.raises(DataError, match=r"^corpus: found no annotated text, expected at least one token$"):
        guess_format(Path("corpus"), content)


@pytest.mark.parametrize("encoding", [None, "utf-8", "UTF8", "utf_8", "utf-8-sig"])
def test_a_byte_order_mark_is_no_part_of_the_first_token(tmp_path, encoding):
    path = tmp_path / "corpus"
    path.write_bytes("é X\n".encode("utf-8-sig"))
    assert read_corpus(path, encoding=encoding)[1][0].words == ["é"]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "cp1252"])
def test_other_encodings_can_be_named(tmp_path, encoding):
    path = tmp_path / "corpus"
    path.write_bytes("é X\n".encode(encoding))
    assert read_corpus(path, encoding=encoding)[1][0].words == ["é"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_named(tmp_path, encoding):
    path = tmp_path / "corpus"
    path.write_bytes("é X\n".encode(encoding))
    with pytest.raises(DataError, match=f"or give convert its --encoding, here {encoding}$"):
        read_corpus(path)
    assert read_corpus(path, encoding=encoding)[1][0].words == ["é"]


@pytest.mark.parametrize(("encoding", "wrong"), [("cp1252", "Ã©"), ("latin-1", "Ã©"), ("iso8859-15", "Ã©"), ("mac-roman", "√©")])
def test_utf_8_is_not_read_as_another_encoding(tmp_path, encoding, wrong):
    path = tmp_path / "corpus"
    path.write_bytes("a X\né X\n".encode())
    with pytest.raises(DataError) as error:
        read_corpus(path, encoding=encoding)
    assert str(error.value) == (
        f"{path}, line 2: the file is UTF-8, and {encoding} would make {wrong!r} of 'é'; leave --encoding out"
    )
    path.write_bytes(b"a X\n")
    assert read_corpus(path, encoding=encoding)[1][0].words == ["a"]


@pytest.mark.parametrize("content", [b"a X\nb\0c X\n", "a X\nb X\n".encode("utf-16-be")], ids=["nul", "utf-16"])
def test_nul_characters_are_refused(tmp_path, content):
    path = tmp_path / "corpus"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"corpus, line [12]: found a NUL character, which no text has; .*utf-16-le or utf-16-be$"):
        read_corpus(path)


@pytest.mark.parametrize("content", ["a X\r\r\nb Y\r\r\n\r\r\nc Z\r\r\n", "a X\nb Y\n\nc Z\n"])
def test_a_line_end_with_two_carriage_returns_is_one(tmp_path, content):
    path = tmp_path / "corpus"
    path.write_bytes(content.encode())
    assert [(text.words, text.lines) for text in read_corpus(path)[1]] == [(["a", "b"], [1, 2]), (["c"], [4])]


@pytest.mark.parametrize(
    "content",
    [
        "Not Found",
        "404 page not found\n",
        "Entry not found",
        "Repository not found",
        "Invalid username or password.",
        "Access denied\n",
        "Too Many Requests\n",
        "Bad credentials",
        "Forbidden",
        "404: Not Found\n",
        "HTTP/1.1 502 Bad Gateway\n",
        "<center><h1>502 Bad Gateway</h1></center>\n<hr><center>nginx</center>",
        "<Error><Code>AccessDenied</Code></Error>",
        '<p class="a">no\n<b>way</b></P>\n',
        "<h1>Forbidden</h1>\nAsk your administrator.\n",
    ],
)
def test_the_error_of_a_server_is_no_corpus(tmp_path, content):
    path = tmp_path / "corpus"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_corpus(path)
    assert str(error.value).startswith(f"{path}: found {content.strip()[:40]!r}, ")
    assert "look at the address" in str(error.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("<user> USR\nso RB\n", ["<user>", "so"]),
        ("<3 UH\nso RB\n", ["<3", "so"]),
        ("<b> SYM\nso RB\n</b> SYM\n", ["<b>", "so", "</b>"]),
        ("<headline> SYM\nso RB\n", ["<headline>", "so"]),
        ("Not RB\nfound VBN\n", ["Not", "found"]),
    ],
)
def test_a_corpus_may_begin_like_one(tmp_path, content, words):
    path = tmp_path / "corpus"
    path.write_text(content, encoding="utf-8")
    assert read_corpus(path)[1][0].words == words


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_wrong_bytes_are_named_by_line(tmp_path, mark):
    path = tmp_path / "corpus"
    path.write_bytes(mark + b"ab X\ncd\xff X\n")
    with pytest.raises(DataError, match=r"corpus, line 2: not utf-8; byte 0xff cannot be there. Save the file as UTF-8"):
        read_corpus(path)


def test_options_reach_the_reader(tmp_path):
    path = tmp_path / "corpus"
    path.write_text("I-x a\n", encoding="utf-8")
    entities = EntityTags(repair=True)
    _, (text,) = read_corpus(path, columns=Columns(["ent", "token"]), entities=entities)
    assert (text.words, text.ents, entities.repaired) == (["a"], ["B-x"], 1)
    path.write_text(CONLLU_ROW, encoding="utf-8")
    assert read_corpus(path, conllu_tags="xpos")[1][0].tags == ["Y"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"format": "xml"},
            f"--format xml: expected one of {', '.join(FORMATS)}",
        ),
        (
            {"encoding": "utf-9"},
            "--encoding utf-9: Python knows no such encoding; expected a name such as utf-8 or latin-1",
        ),
        ({"conllu_tags": "pos"}, "--tags pos: expected upos, xpos or none"),
        (
            {"format": "conllu", "columns": Columns(["token", "tag"])},
            "--columns token,tag: the columns of conllu are fixed; leave the option out",
        ),
    ],
)
def test_options_of_another_kind_are_refused(tmp_path, options, message):
    path = tmp_path / "corpus"
    path.write_text("a X\n", encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_corpus(path, **options)
    assert str(error.value) == message


def test_a_docbin_is_no_annotated_text(tmp_path):
    path = tmp_path / "train.spacy"
    path.write_bytes(b"x\x9c\xff")
    with pytest.raises(DataError, match=r"train\.spacy: is a DocBin, expected the annotated text that such a file"):
        read_corpus(path)


@pytest.mark.parametrize("name", ["missing", "."])
@pytest.mark.parametrize("format", [None, *(name for name in FORMATS if name != "toxic_votes")])  # which is a folder
def test_a_missing_file_and_a_folder_are_no_file(tmp_path, name, format):
    with pytest.raises(DataError, match=r": no such file$|: is a folder, expected a file$"):
        read_corpus(tmp_path / name, format=format)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "a\tX\n\ufeffb\tY\n",
            "The text holds U+FEFF (a byte order mark inside of the text, as of files that were joined): 1; if it",
        ),
        ("caf\ufffd\tX\nb\tY\n", "The text holds U+FFFD (a character that could not be decoded): 1;"),
        (
            "cafÃ©\tX\nitâ€™s\tY\n",
            "The text holds sequences such as Ã© or â€™ (UTF-8 that was read as another encoding): 2;",
        ),
        *(
            (
                f"{text.encode().decode(encoding)}\tX\nb\tY\n",
                "The text holds sequences such as Ã© or â€™ (UTF-8 that was read as another encoding): 1;",
            )
            for encoding, text in [
                ("latin-1", "❤"),
                *(("cp1252", each) for each in ("😂", "Škoda", "ć", "во", "漢", "Noël", "ó", "Öl", "É")),
            ]
        ),
    ],
)
def test_characters_that_a_wrong_decoding_leaves_are_warned_of(tmp_path, content, message):
    (tmp_path / "a.tsv").write_text(content, encoding="utf8")
    notes = Notes()
    read_corpus(tmp_path / "a.tsv", notes=notes)
    assert notes.warnings[0].startswith(message)


@pytest.mark.parametrize(
    ("name", "content", "count"),
    [
        ("a.tsv", "don\\u2019t\tX\ncaf\\xe9\tY\n", 2),
        ("a.txt", "don\\u2019t go\n", 1),
        ("a.jsonl", '{"text": "don\\\\u2019t", "spans": []}\n', 1),
        ("a.jsonl", '{"text": "don\\u2019t", "spans": []}\n', 0),  # JSON's own
        ("a.tsv", "C:\\users\tX\n\\o/\tY\n", 0),
    ],
)
def test_characters_that_a_program_has_escaped_are_warned_of(tmp_path, name, content, count):
    (tmp_path / name).write_text(content, encoding="utf8")
    notes = Notes()
    read_corpus(tmp_path / name, format="text" if name.endswith(".txt") else None, notes=notes)
    found = [warning for warning in notes.warnings if "a program has escaped" in warning]
    assert [f"escaped): {count};" in warning for warning in found] == [True] * bool(count)


@pytest.mark.parametrize(
    "word",
    [
        *("Ã", "Â", "São", "â", "PÂ", "Ângela", "«CAFÉ»", "café»…", "JÄ”", "ÑA", "Ðú", "naïve—"),
        *("MANHÃ…", "“MANHÃ”", "café\u00a0»", "à——", "DÅ–", "Å²"),
    ],
)
def test_words_of_other_languages_are_not(tmp_path, word):
    (tmp_path / "a.tsv").write_text(f"{word}\tX\nb\tY\n", encoding="utf8")
    notes = Notes()
    read_corpus(tmp_path / "a.tsv", notes=notes)
    assert notes.warnings == []


@pytest.mark.parametrize("header", ["sentence_id,word,pos,tag", "Word;POS;Tag;Sentence"])
def test_csv_of_other_columns_is_named(tmp_path, header):
    sign = "," if "," in header else ";"
    rows = [
        header,
        sign.join(["Sentence: 1", "New", "NNP", "B-geo"]),
        sign.join(["Sentence: 1", "York", "NNP", "I-geo"]),
    ]
    path = tmp_path / "corpus.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf8")
    with pytest.raises(DataError, match="Of CSV, only that of toxic_spans and gmb is read"):
        read_corpus(path)


def test_a_number_with_commas_is_no_header_of_csv(tmp_path):
    path = tmp_path / "corpus"
    path.write_text("1,000,000 CD\npeople NNS\n\nso RB\n", encoding="utf8")
    _, texts = read_corpus(path)
    assert [text.words for text in texts] == [["1,000,000", "people"], ["so"]]
