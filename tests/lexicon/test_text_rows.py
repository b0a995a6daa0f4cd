import gzip

import pytest

from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.lexicon.text_rows import read_text_rows
from spacy_bilstm_tagger.util import open_bytes


@pytest.fixture
def check(tmp_path):
    def run(text, **options):
        path = tmp_path / "toy.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf8"))
        return read_text_rows(path, **options)

    return run


@pytest.fixture
def message(check, tmp_path):
    """The error of a text, without the path."""

    def run(text, **options):
        with pytest.raises(DataError) as error:
            check(text, **options)
        return str(error.value).replace(str(tmp_path / "toy.txt"), "toy.txt")

    return run


@pytest.mark.parametrize(
    "text",
    [
        "a 1 2\nb 3 4\n",
        "a 1 2\nb 3 4",
        "a 1 2\r\nb 3 4\r\n",
        "a 1 2 \nb 3 4 \n",
        "a +1 +2\nb 3e0 .4E+1\n",
        "\ufeffa 1 2\nb 3 4\n",
    ],
)
def test_rows(text, check):
    for content in (
        text,
        f"{text}\n \n",
        f"2 2\n{text}".replace("2 2\n\ufeff", "\ufeff2 2\n"),
        f"2 2\n{text}\n\n".replace("\ufeff", ""),
    ):
        found = check(content)
        assert (found.keys, found.rows.tolist(), found.duplicates) == (["a", "b"], [[1, 2], [3, 4]], 0)
    assert check(text, max_rows=1).keys == ["a"]


def test_keys_of_white_space_and_empty_ones(check):
    assert check("\x85 1 2\n\u00a0 3 4\n").keys == ["\x85", "\u00a0"]
    assert check(" 1 2\nb 3 4\n").keys == ["", "b"]  # as in the published Twitter files


def test_keys_that_hold_blanks(check):
    found = check("the 1 2\n. . . 3 4\nat name@domain.com 5 6\n")
    assert found.keys == ["the", ". . .", "at name@domain.com"]
    assert found.rows.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_most_keys_may_hold_blanks(check):
    found = check(". . 1 2 3\nthe of 1 2 3\nin 1 2 3\n")
    assert found.keys == [". .", "the of", "in"]


def test_words_that_are_there_twice_keep_their_first_row(check):
    found = check("a 1 2\nb 3 4\na 5 6\n")
    assert (found.keys, found.rows.tolist(), found.duplicates) == (["a", "b"], [[1, 2], [3, 4]], 1)


def test_max_rows_leaves_out_what_is_wrong_after_them(check):
    assert check("a 1 2\nb 3\nc 3 4\n", max_rows=1).keys == ["a"]


def test_more_rows_than_the_first_line_promises(message, check):
    text = "2 2\na 1 2\nb 3 4\nc 5 6\n"
    assert message(text) == (
        "toy.txt, line 4: the first line promises 2 rows, and more follow; correct it, or read the first ones with "
        "--max-rows 2 (in a config max_rows)"
    )
    assert check(text, max_rows=2).keys == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 2 1\na 1 2 3 4\nb 1 2 3 4\n", "line 1: found a header of 3 numbers, expected two (rows and width) or none"),
        ("a\t1\t2\nb\t3\t4\n", "line 1: found TABs between the numbers, expected blanks"),
        ("2 2\na\t1\t2\nb\t3\t4\n", "line 2: found TABs between the numbers, expected blanks"),
        ("2 2\na\t1 2\nb\t3 4\n", "line 2: found TABs between the numbers, expected blanks"),
        ("3 3 1 1\na 1 2 3\nb 1 2 3\nc 1 2 3\n", "line 1: found a header of 4 numbers, expected two"),
        ("a 1 2\rb 3 4\r\nc 1 2\r\n", "line 1: found a CR inside of the row"),
        ("a 0,1 -0,2\nb 3,0 4,0\n", "line 1: found '0,1', expected a decimal point; write"),
        ("word d0 d1\na 1 2\nb 3 4\n", "line 1: found 'word d0 d1', the names of columns, expected a word"),
        ("2 0\na\nb\n", "line 1: the header promises vectors of width 0"),
        ("a 1 2\nb 1_0 2\n", "line 2: found '1_0' where a number is expected"),
        ("a 1_0 2\nb 1_0 3\n", "line 1: found '1_0' where a number is expected"),
        ("a 1_0 2\nb 3 4\n", "line 1: found '1_0' where a number is expected"),
        (b"\xff\xfea\x00 \x001\x00", "line 1: not UTF-8 but UTF-16"),
    ],
)
def test_other_layouts_are_named(text, expected, message):
    assert message(text).startswith(f"toy.txt, {expected}")


@pytest.mark.parametrize("header", ["word 0 1 2", '"" 0 1 2'])
def test_the_columns_of_a_data_frame(header, message):
    text = f"{header}\nso 0.1 0.2 0.3\ngood 0.1 0.5 0.2\n"
    assert message(text).startswith(f"toy.txt, line 1: found {header!r}, the names of columns, expected a word and its numbers")


def test_row_that_is_cut_off(message):
    assert message("a 1 2\nb 3 4\nc 5") == (
        "toy.txt, line 3: found 1 numbers, expected 2 as in the rows before. "
        "The file is damaged or cut off there; download it again, or read the part before with --max-rows 2 (in a config max_rows)"
    )


@pytest.mark.parametrize("after", ["", "c 5 6\n"])
@pytest.mark.parametrize(("row", "found"), [("b 3 4 5", 3), ("b", 0), ("b 3", 1), ("b  3 4", 3)])
def test_row_of_another_width(row, found, after, message):
    assert message(f"a 1 2\n{row}\n{after}").startswith(f"toy.txt, line 2: found {found} numbers, expected 2")


def test_blank_line_between_rows(message):
    assert message("a 1 2\n\nb 3 4\n").startswith("toy.txt, line 2: found 0 numbers, expected 2")


def test_width_of_the_header_holds_for_the_first_row(message):
    expected = "toy.txt, line 2: found 2 numbers, expected 3 as the first line promises"
    assert message("2 3\na 1 2\n") == expected


@pytest.mark.parametrize("part", ["x", "1,5", "0x10", "--", "½", "1\u00a0"])
def test_part_that_is_no_number(part, message):
    expected = f"toy.txt, line 2: found {part!r} where a number is expected"
    assert message(f"a 1 2\nb 1 {part}\n") == expected


@pytest.mark.parametrize("part", ["-", "1-2", "e", "1e", "1.2.3"])
def test_parts_made_of_the_marks_of_numbers_are_found_by_parsing(part, message):
    text = f"a 1 2\nb {part} 1\n"
    assert message(text) == f"toy.txt, line 2: found {part!r} where a number is expected"


@pytest.mark.parametrize("part", ["nan", "NaN", "inf", "-Infinity"])
def test_part_that_is_not_finite(part, message):
    assert message(f"a 1 2\né 1 {part}\n") == (
        "toy.txt, line 2: the row of 'é' holds NaN or infinity in float32; expected finite numbers. Remove that row"
    )


def test_key_that_is_not_utf8(message):
    expected = "toy.txt, line 2: not UTF-8 (byte 1 of the row); expected UTF-8 text"
    assert message(b"a 1 2\nb\xe9 1 2\n") == expected


@pytest.mark.parametrize("text", ["", "\n", "word\n", "one\ntwo\n"])
def test_text_without_vectors(text, message):
    assert message(text) == "toy.txt: found no vectors, expected rows of 'key number number ...'"


def test_a_line_that_is_too_long_for_a_row(message, monkeypatch):
    monkeypatch.setattr("spacy_bilstm_tagger.lexicon.text_rows.MAX_LINE", 100)
    assert message("a 1 2\n" + "b" * 1000).startswith("toy.txt, line 2: longer than 100 bytes")


def test_header_without_rows(message):
    assert message("0 3\n").startswith("toy.txt: found no vectors")


@pytest.mark.parametrize("name", ["plain", "plain.gz", "packed", "packed.gz"])
def test_gzip_is_known_by_its_bytes(name, tmp_path):
    data = b"a 1 2\n"
    (tmp_path / name).write_bytes(gzip.compress(data) if name.startswith("packed") else data)
    with open_bytes(tmp_path / name) as file:
        assert file.read() == data


def test_a_list_of_frequencies_is_named(check):
    with pytest.raises(DataError, match="line 1: found 'the 34', a word and its frequency, expected a word and the numbers"):
        check("the 34\na 22\nof 9\n")


def test_words_in_quotes_are_named(check):
    with pytest.raises(DataError, match=r"line 1: found '.so. 0\.1 0\.2', words in quotes, expected none; write"):
        check('"so" 0.1 0.2\n"ok" 0.3 0.4\n')
