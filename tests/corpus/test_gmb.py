from pathlib import Path

import pytest

from spacy_bilstm_tagger.corpus import EntityTags, Notes, read_corpus
from spacy_bilstm_tagger.corpus.csv_formats import read_gmb
from spacy_bilstm_tagger.errors import DataError

HEADER = "Sentence #,Word,POS,Tag\n"


def read(rows, *, header=HEADER):
    return read_gmb(Path("gmb.csv"), header + rows, entities=EntityTags())


def test_a_sentence_begins_where_its_number_is():
    first, second = read("Sentence: 1,In,IN,O\n,Iraq,NNP,B-geo\nSentence: 2,Mr.,NNP,B-per\n,Bush,NNP,I-per\n")
    assert (first.words, first.tags, first.ents) == (["In", "Iraq"], ["IN", "NNP"], ["O", "B-geo"])
    assert (second.words, second.tags, second.ents) == (["Mr.", "Bush"], ["NNP", "NNP"], ["B-per", "I-per"])
    assert (first.lines, second.lines) == ([2, 3], [4, 5])
    assert first.raw is None


@pytest.mark.parametrize("header", ["Word,POS,Tag,Sentence #\n", ",Word,POS,Tag,Sentence #\n"])
def test_columns_in_another_order(tmp_path, header):
    index = "7," if header.startswith(",") else ""
    path = tmp_path / "gmb.csv"
    path.write_text(f"{header}{index}In,IN,O,Sentence: 1\n{index}Iraq,NNP,B-geo,\n", encoding="utf8")
    format, (text,) = read_corpus(path)
    assert (format, text.words, text.tags, text.ents) == ("gmb", ["In", "Iraq"], ["IN", "NNP"], ["O", "B-geo"])


def test_zero_is_a_number_after_one_below_it():
    texts = read("-1,Mara,NNP,O\n-1,left,VBD,O\n0,He,PRP,O\n")
    assert [text.words for text in texts] == [["Mara", "left"], ["He"]]


def test_a_number_after_empty_cells_begins_a_sentence_even_if_it_is_the_same():
    notes = Notes()
    rows = "Sentence: 1,so,RB,O\n,good,JJ,O\nSentence: 1,we,PRP,O\n,left,VBD,O\n"
    texts = read_gmb(Path("gmb.csv"), HEADER + rows, entities=EntityTags(), notes=notes)
    assert [text.words for text in texts] == [["so", "good"], ["we", "left"]]
    assert "1 sentences have the number of an earlier one" in notes.warnings[0]


@pytest.mark.parametrize("fill", ["0", "0.0", "-", "?", "NaT"])
def test_cells_that_a_user_has_filled_are_empty(fill):
    texts = read(f"1,so,RB,O\n{fill},good,JJ,O\n{fill},.,.,O\n2,we,PRP,O\n{fill},left,VBD,O\n")
    assert [text.words for text in texts] == [["so", "good", "."], ["we", "left"]]


def test_cells_in_quotes_hold_commas_and_doubled_quotes():
    (text,) = read('"Sentence: 1",",",",",O\n,"""",``,O\n,"say ""hi""",VB,O\n')
    assert text.words == [",", '"', 'say "hi"']
    assert text.tags == [",", "``", "VB"]


def test_empty_rows_are_skipped_and_lines_still_counted():
    (text,) = read("Sentence: 1,a,X,O\n,,,\n\n,b,Y,O\r\n")
    assert (text.words, text.lines) == (["a", "b"], [2, 5])


@pytest.mark.parametrize(
    ("data", "words", "encoding"),
    [
        ("caf\xe9 \x85 it\x92s".encode("latin-1"), ["café", "…", "it’s"], "cp1252"),
        ("café … it’s".encode(), ["café", "…", "it’s"], "utf-8"),
        ("caf\xe9 \x81".encode("latin-1"), ["café", "\x81"], "latin-1"),
    ],
)
def test_bytes_that_are_no_utf_8_are_windows_1252_before_latin_1(tmp_path, data, words, encoding):
    path, notes = tmp_path / "ner_dataset.csv", Notes()
    rows = b"".join(b"%s,%s,NN,O\n" % (b"Sentence: 1" * (i == 0), word) for i, word in enumerate(data.split(b" ")))
    path.write_bytes(HEADER.encode() + rows)
    format, (text,) = read_corpus(path, notes=notes)
    assert (format, text.words) == ("gmb", words)
    assert notes.lines == [f"Encoding: {encoding}"]


@pytest.mark.parametrize("byte", [b"\x92", b"\x85"])
def test_latin_1_by_name_is_refused_where_it_gives_control_characters(tmp_path, byte):
    path = tmp_path / "ner_dataset.csv"
    path.write_bytes(HEADER.encode() + b"Sentence: 1,it" + byte + b"s,NN,O\n")
    with pytest.raises(DataError, match=rf"line 2: 0x{byte.hex()} is a control character in latin-1.*--encoding cp1252"):
        read_corpus(path, encoding="latin-1")


@pytest.mark.parametrize("index", ["", "Unnamed: 0"])
def test_a_number_on_every_row_and_an_index_before_it(tmp_path, index):
    path, notes = tmp_path / "filled.csv", Notes()
    rows = ["0,Sentence: 1,Mia,NNP,B-per", "1,Sentence: 1,Lee,NNP,I-per", "2,Sentence: 2,ok,UH,O"]
    path.write_text("\n".join([f"{index},{HEADER.strip()}", *rows]), encoding="utf8")
    _, texts = read_corpus(path, notes=notes)
    assert [(text.words, text.ents) for text in texts] == [(["Mia", "Lee"], ["B-per", "I-per"]), (["ok"], ["O"])]
    assert notes.lines == ["Encoding: utf-8", "The first column, an index, is left out"]


@pytest.mark.parametrize("same", ["0", "0.0", "None", "NA", "<NA>", "", " ", "nan", "NaN", "Sentence: 1"])
def test_an_empty_number_is_that_of_the_sentence_before(same):
    texts = read(f"Sentence: 1,Mia,NNP,B-per\n{same},nan,NN,O\nSentence: 2,ok,UH,O\n")
    assert [text.words for text in texts] == [["Mia", "nan"], ["ok"]]


def test_an_empty_tag_of_pandas_is_a_missing_one():
    (text,) = read("Sentence: 1,Mia,nan,B-per\n,left,NaN,O\n,now,RB,O\n")
    assert text.tags == ["", "", "RB"]


@pytest.mark.parametrize("index", ["", "unnamed: 0,"])
def test_the_header_may_be_in_any_letter_case(tmp_path, index):
    path = tmp_path / "lower.csv"
    path.write_text(f"{index}sentence #,WORD,pos,tag\n{'0,' * bool(index)}Sentence: 1,ok,UH,O\n", encoding="utf8")
    format, (text,) = read_corpus(path)
    assert (format, text.words, text.tags, text.ents) == ("gmb", ["ok"], ["UH"], ["O"])


GOOD = "Sentence: 1,café,NN,O\n,naïve,JJ,O\n".encode()


@pytest.mark.parametrize(
    ("rows", "line", "byte"),
    [
        (GOOD + ",it’s".encode()[:-2], 4, "0xe2"),
        (GOOD + b",it\x92s,NN,O\n,ok,UH,O\n", 4, "0x92"),
    ],
    ids=["cut-off", "damaged"],
)
def test_damaged_utf_8_is_not_read_as_windows_1252(tmp_path, rows, line, byte):
    path = tmp_path / "cut.csv"
    path.write_bytes(HEADER.encode() + rows)
    with pytest.raises(
        DataError,
        match=rf"line {line}: not utf-8; byte {byte} cannot be there. .*; 2 characters outside ASCII are, so it may be damaged",
    ):
        read_corpus(path)


def test_mojibake_among_more_bytes_of_windows_1252_stays_windows_1252(tmp_path):
    path = tmp_path / "mixed.csv"
    path.write_bytes(HEADER.encode() + "Sentence: 1,café,NN,O\n".encode() + b",it\x92s,NN,O\n,\x96,:,O\n")
    assert read_corpus(path)[1][0].words == ["cafÃ©", "it’s", "–"]


def test_control_characters_of_latin_1_are_counted_in_a_warning(tmp_path):
    path, notes = tmp_path / "latin.csv", Notes()
    path.write_bytes(HEADER.encode() + b"Sentence: 1,a\x81\x92,NN,O\n")
    read_corpus(path, notes=notes)
    assert notes.lines == ["Encoding: latin-1"]
    assert (
        "Read as latin-1, the file has 2 control characters (U+0080 to U+009F), which no text has; find its encoding, and "
        "name it with --encoding"
    ) in notes.warnings


def test_a_byte_order_mark_makes_it_utf_8(tmp_path):
    path = tmp_path / "saved_again.csv"
    path.write_bytes((HEADER + "Sentence: 1,café,NN,O\n").encode("utf-8-sig"))
    format, (text,) = read_corpus(path)
    assert (format, text.words) == ("gmb", ["café"])


def test_another_encoding_can_be_named(tmp_path):
    path = tmp_path / "utf8.csv"
    path.write_bytes((HEADER + "Sentence: 1,café,NN,O\n").encode())
    _, (text,) = read_corpus(path, encoding="utf-8")
    assert text.words == ["café"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            "Sentence: 1,a,X\n",
            r"line 2: found 3 column\(s\) in 'Sentence: 1,a,X', expected 4 \(Sentence #, Word, POS, Tag\)",
        ),
        (
            ",a,X,O\n",
            "line 2: found a word before the first sentence, expected 'Sentence: 1' in the first column",
        ),
        ("Sentence: 1,,X,O\n", "line 2: the token is empty, expected a word before the separator; remove the line"),
        (
            "Sentence: 1,a,X,O\n,b,X,I-geo\n",
            "line 3: I-geo cannot follow O; expected B-geo or O; or pass --repair-bio",
        ),
    ],
)
def test_bad_rows_are_named(rows, message):
    with pytest.raises(DataError, match=f"^gmb.csv, {message}$"):
        read(rows)


@pytest.mark.parametrize("n_rows_after", [1, 20_000])
@pytest.mark.parametrize("row", [',"b,X,O', ',b,X,"O', ',b,"X,O'])
def test_a_quote_left_open_is_named_by_the_line_it_begins_on(row, n_rows_after):
    with pytest.raises(DataError, match=r"^gmb.csv, line 3: not a row of CSV \(.*\); expected quotes in pairs") as error:
        read(f"Sentence: 1,a,X,O\n{row}\n" + ",c,X,O\n" * n_rows_after)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("header", "found"),
    [("Sentence,Word,POS,Tag\n", "Sentence, Word, POS, Tag"), ("Word,POS\n", "Word, POS"), ("\n", "none")],
)
def test_another_header_is_refused(header, found):
    message = f"^gmb.csv, line 1: found the columns {found}, expected Sentence #, Word, POS, Tag$"
    with pytest.raises(DataError, match=message):
        read("Sentence: 1,a,X,O\n", header=header)


def test_a_sentence_a_row_is_refused_by_its_header(tmp_path):
    """As another CSV of Kaggle has it, with lists in its cells."""
    path = tmp_path / "ner.csv"
    path.write_text("Sentence #,Sentence,POS,Tag\nSentence: 1,so ok,\"['RB', 'JJ']\",\"['O', 'O']\"\n")
    message = "line 1: found the columns Sentence #, Sentence, POS, Tag, expected Sentence #, Word, POS, Tag$"
    with pytest.raises(DataError, match=message):
        read_corpus(path)


def test_bars_between_the_cells(tmp_path):
    path = tmp_path / "gmb.csv"
    path.write_text(HEADER.replace(",", "|") + "Sentence: 1|so|RB|O\n|Mia|NNP|B-per\n")
    name, (text,) = read_corpus(path)
    assert (name, text.words, text.ents) == ("gmb", ["so", "Mia"], ["O", "B-per"])


@pytest.mark.parametrize("header", ["", HEADER])
def test_no_words_at_all_are_refused(header):
    with pytest.raises(DataError, match=r"^gmb.csv: found no annotated text, expected at least one token$"):
        read("", header=header)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_of_spreadsheets(tmp_path, delimiter):
    rows = [["Sentence #", "Word", "POS", "Tag"], ["Sentence: 1", "so, so", "RB", "O"], ["", "Oslo", "NNP", "B-geo"]]
    path = tmp_path / "gmb.csv"
    path.write_text("".join(delimiter.join(row) + "\n" for row in rows), encoding="utf8")
    format, (text,) = read_corpus(path)
    assert (format, text.words, text.ents) == ("gmb", ["so, so", "Oslo"], ["O", "B-geo"])
    path.write_text(f"text{delimiter}spans\nso bad{delimiter}[3, 4, 5]\n", encoding="utf8")
    format, (text,) = read_corpus(path)
    assert (format, text.raw, text.spans) == ("toxic_spans", "so bad", [(3, 6)])


@pytest.mark.parametrize(
    ("encoding", "word"),
    [("mac-roman", "Zürich"), ("mac-roman", "don’t"), ("cp1251", "Москва")],
)
def test_words_that_windows_1252_does_not_have_are_told(tmp_path, encoding, word):
    path, notes = tmp_path / "gmb.csv", Notes()
    path.write_bytes(f"{HEADER}Sentence: 1,{word},NNP,O\n".encode(encoding))
    _, (text,) = read_corpus(path, notes=notes)
    assert f"Read as cp1252, 1 words are improbable, such as {text.words[0]!r}; if the file is of another" in notes.warnings[0]
    _, (text,) = read_corpus(path, encoding=encoding)
    assert text.words == [word]


@pytest.mark.parametrize("word", ["Müller’s", "São", "naïve", "ÖBB", "£5", "5½", "m²", "créée", "¿Qué", "Ðú"])
def test_words_of_windows_1252_are_not(tmp_path, word):
    path, notes = tmp_path / "gmb.csv", Notes()
    path.write_bytes(f"{HEADER}Sentence: 1,{word},NNP,O\n".encode("cp1252"))
    _, (text,) = read_corpus(path, notes=notes)
    assert (text.words, notes.warnings) == ([word], [])


def test_words_and_tags_in_the_place_of_each_other(tmp_path):
    path, notes = tmp_path / "gmb.csv", Notes()
    rows = "".join(f"Sentence: {i},NN,word{i},O\n" for i in range(9))
    path.write_text(HEADER + rows, encoding="utf8")
    read_corpus(path, notes=notes)
    assert "The tokens have 1 different values and the tags 9; if the tokens stand in another column" in notes.warnings[0]


def test_a_hyphen_is_no_tag():
    (text,) = read("Sentence: 1,In,-,O\n,Iraq,NNP,B-geo\n")
    assert text.tags == ["", "NNP"]
