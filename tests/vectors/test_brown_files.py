import gzip

import pytest
import spacy

from spacy_bilstm_tagger.brown_table import LONGEST, find_paths, set_brown
from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.vectors.brown import load_brown, read_brown, save_brown
from spacy_bilstm_tagger.vectors.table import save_vectors

ROWS = b"0010\t<@MENTION>\t3220165\n00\tso\t316307\n0\tna\xc3\xafve\t12\n"
PATHS = {"<@MENTION>": "0010", "so": "00", "naïve": "0"}


@pytest.fixture
def write(tmp_path):
    def write_to(data):
        path = tmp_path / "paths"
        path.write_bytes(data)
        return path

    return write_to


@pytest.mark.parametrize(
    "data",
    [ROWS, ROWS[:-1], ROWS.replace(b"\n", b"\r\n"), gzip.compress(ROWS), b"\xef\xbb\xbf" + ROWS, ROWS + ROWS],
    ids=["plain", "no-last-line-end", "windows", "gzip", "byte-order-mark", "twice"],
)
def test_file(write, data):
    assert read_brown(write(data)) == PATHS


def test_words_may_hold_what_python_takes_for_a_line_end_or_a_space(write):
    assert read_brown(write("0\ta\u2028b\t1\n1\t\x85\t1\n".encode())) == {"a\u2028b": "0", "\x85": "1"}


BAD = {
    "empty": (b"", "found no Brown clusters, expected lines of bit path TAB word TAB count"),
    "two columns": (ROWS + b"01\tword\n", r"line 4: found '01\\tword', expected a bit path, a word and a count"),
    "four columns": (
        b"01\tword\t1\t1\n",
        r"line 1: found '01\\tword\\t1\\t1', expected a bit path, a word and a count",
    ),
    "blank line": (ROWS + b"\n" + ROWS, "line 4: found an empty line, expected a bit path, a word and a count"),
    "words for a count": (ROWS + b"01\tword\tmany\n", "line 4: found the count 'many', expected a whole number"),
    "negative count": (b"01\tword\t-1\n", "line 1: found the count '-1', expected a whole number"),
    "no word": (b"01\t\t1\n", r"line 1: found '01\\t\\t1', expected a bit path, a word and a count"),
    "other digits": (ROWS + b"012\tword\t1\n", f"line 4: found the path '012', expected up to {LONGEST} of the digits"),
    "other order": (b"word\t01\t1\n", "line 1: found the path 'word', expected up to"),
    "no path": (b"\tword\t1\n", "line 1: found the path '', expected up to"),
    "long path": (b"0" * (LONGEST + 1) + b"\tword\t1\n", "line 1: found the path '0000"),
    "twice": (ROWS + b"01\tso\t2\n", "line 4: 'so' has the path 01 here and 00 above; expected one path a word"),
    "not UTF-8": (ROWS + b"01\tna\xefve\t2\n", r"line 4: not UTF-8 \(byte 5 of the row\)"),
    "cut gzip": (gzip.compress(ROWS * 99)[:-9], r"cannot be read as Brown clusters \(EOFError"),
}


@pytest.mark.parametrize("name", BAD)
def test_file_that_is_wrong(write, name):
    data, message = BAD[name]
    with pytest.raises(DataError, match=f"paths(: |, ){message}") as error:
        read_brown(write(data))
    assert "\n" not in str(error.value)


def test_folder_in_the_place_of_a_file(tmp_path):
    save_brown(PATHS, tmp_path / "out")
    for folder in (tmp_path, tmp_path / "out"):
        with pytest.raises(DataError, match=rf"{folder}: is a folder, expected a file of Brown clusters"):
            read_brown(folder)


def test_no_such_file(tmp_path):
    with pytest.raises(
        DataError, match=r"no such file. Expected Brown clusters .*; recipes also take a folder made of them by"
    ):
        read_brown(tmp_path / "none")


def test_folder(tmp_path):
    save_brown(PATHS, tmp_path / "out")
    nlp = spacy.blank("en")
    load_brown(nlp.vocab, tmp_path / "out")
    assert find_paths([nlp("so naïve zzz")]).tolist() == [0b100, 0b10, 0]


def test_folder_of_any_pipeline(tmp_path):
    nlp = spacy.blank("de")
    set_brown(nlp.vocab, {"ja": "1"})
    nlp.to_disk(tmp_path)
    other = spacy.blank("en")
    load_brown(other.vocab, tmp_path)
    assert find_paths([other("ja")]).tolist() == [0b11]


def test_folder_without_clusters(tmp_path):
    spacy.blank("en").to_disk(tmp_path)
    with pytest.raises(DataError, match="the pipeline in this folder has no Brown clusters"):
        load_brown(spacy.blank("en").vocab, tmp_path)


def test_folder_that_is_damaged(tmp_path):
    save_brown(PATHS, tmp_path / "out")
    (tmp_path / "out" / "vocab" / "lookups.bin").write_bytes(b"\x81")
    with pytest.raises(DataError, match=r"out: cannot be read as the lookups of a spaCy pipeline \("):
        load_brown(spacy.blank("en").vocab, tmp_path / "out")


def test_folder_of_vectors_is_not_written_over(toy, tmp_path):
    save_vectors(toy, tmp_path / "vectors", name="toy", prune_to=None, dtype="float32")
    with pytest.raises(DataError, match="vectors: exists and is not a folder made by this command"):
        save_brown(PATHS, tmp_path / "vectors")
    save_brown(PATHS, tmp_path / "brown")
    save_brown(PATHS, tmp_path / "brown")
    with pytest.raises(DataError, match="brown: exists and is not a folder made by this command"):
        save_vectors(toy, tmp_path / "brown", name="toy", prune_to=None, dtype="float32")


@pytest.mark.real_data
class TestPublishedClusters:
    @pytest.fixture(scope="class")
    def paths(self, pytestconfig):
        path = pytestconfig.rootpath / "assets" / "brown" / "6mpaths.tsv"
        if not path.is_file():
            pytest.skip("assets/brown/6mpaths.tsv is not there")
        return read_brown(path)

    def test_size(self, paths):
        assert (len(paths), len(set(paths.values()))) == (111_844, 800)
        assert {len(path) for path in paths.values()} == set(range(4, 18))

    def test_stand_ins_are_words_of_it(self, paths):
        from spacy_bilstm_tagger.brown_table import STAND_INS

        assert set(STAND_INS.values()) <= set(paths)
        assert not set(STAND_INS) & set(paths)
