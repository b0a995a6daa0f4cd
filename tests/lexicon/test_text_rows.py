import gzip

import pytest

from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.lexicon.sources import check_rows
from spacy_bilstm_tagger.util import open_bytes


@pytest.fixture
def check(tmp_path):
    def run(text, **options):
        path = tmp_path / "toy.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf8"))
        return check_rows(path, **{"has_header": False, "max_rows": None, **options})

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
        "a +1 -2\nb 1e-5 .5E+3\n",
        "\x85 1 2\n\u00a0 3 4\n",
        " 1 2\nb 3 4\n",
        "a 1_0 2\nb 3 4\n",
    ],
)
def test_rows_are_counted(text, check):
    assert check(text) == 2
    assert check(f"2 2\n{text}", has_header=True) == 2
    assert check(text, max_rows=1) == 1


def test_max_rows_leaves_out_what_is_wrong_after_them(check):
    assert check("a 1 2\nb 3\n", max_rows=1) == 1


def test_row_that_is_cut_off(message):
    assert message("a 1 2\nb 3 4\nc 5") == (
        "toy.txt, line 3: found 1 numbers, expected 2 as in the rows before. "
        "The file is damaged or cut off there; download it again, or read the part before with --max-rows 2"
    )


@pytest.mark.parametrize(("row", "found"), [("b 3 4 5", 3), ("b", 0), ("", 0), ("b 3", 1), ("b  3 4", 3)])
def test_row_of_another_width(row, found, message):
    assert message(f"a 1 2\n{row}\n").startswith(f"toy.txt, line 2: found {found} numbers, expected 2")


def test_width_of_the_header_holds_for_the_first_row(message):
    expected = "toy.txt, line 2: found 2 numbers, expected 3 as the first line says"
    assert message("2 3\na 1 2\n", has_header=True) == expected


@pytest.mark.parametrize("part", ["x", "1,5", "0x10", "--", "½", "1\u00a0"])
def test_part_that_is_no_number(part, message):
    expected = f"toy.txt, line 2: found {part!r} where a number is expected"
    assert message(f"a 1 2\nb 1 {part}\n", parse=True) == expected


@pytest.mark.parametrize("part", ["-", "1-2", "e", "1e", "1.2.3"])
def test_parts_made_of_the_marks_of_numbers_are_found_by_parsing(part, message):
    text = f"a 1 2\nb {part} 1\n"
    assert message(text, parse=True) == f"toy.txt, line 2: found {part!r} where a number is expected"


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


def test_header_without_rows(message):
    assert message("0 3\n", has_header=True).startswith("toy.txt: found no vectors")


@pytest.mark.parametrize("name", ["plain", "plain.gz", "packed", "packed.gz"])
def test_gzip_is_known_by_its_bytes(name, tmp_path):
    data = b"a 1 2\n"
    (tmp_path / name).write_bytes(gzip.compress(data) if name.startswith("packed") else data)
    with open_bytes(tmp_path / name) as file:
        assert file.read() == data
