import gzip
import pickle
import sys
import zipfile

import gensim.downloader
import numpy as np
import pytest
import spacy
from gensim.models import KeyedVectors
from spacy.strings import get_string_id

from spacy_bilstm_tagger import cli
from spacy_bilstm_tagger.lexicon.gazetteers import find_names
from spacy_bilstm_tagger.lexicon.table import BROWN, GAZETTEERS, NO_ROW, WordTypes, get_table

GLOVE = "<user> 1 2\nthe 3 4\n:) -1 0\n"


@pytest.fixture
def run(monkeypatch, capsys):
    """Run `spacy-bilstm vectors ...`; returns its exit code, stdout and stderr."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["spacy-bilstm", "vectors", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return end.value.code, *capsys.readouterr()

    return call


@pytest.fixture
def fails(run, tmp_path):
    """The one line on stderr of a call that writes nothing."""

    def call(*arguments):
        before = sorted(tmp_path.rglob("*"))
        code, out, err = run(*arguments)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert err.startswith("✘ ")
        assert sorted(tmp_path.rglob("*")) == before
        return err

    return call


@pytest.fixture
def glove(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_text(GLOVE)
    return path


@pytest.mark.parametrize("command", [[], ["load"]])
def test_load(command, run, glove, tmp_path):
    code, out, err = run(*command, glove, tmp_path / "out")
    assert (code, err) == (0, "")
    assert out == f"4 keys, 4 rows of width 2\n✔ {tmp_path / 'out'}\n"
    vocab = spacy.load(tmp_path / "out").vocab
    rows = {key: vocab[key].vector.tolist() for key in ("<unk>", "<user>", "the", ":)")}
    assert rows == {"<unk>": [1, 2], "<user>": [1, 2], "the": [3, 4], ":)": [-1, 0]}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["glove.txt", "out"]


def test_load_with_options_before_the_source(run, glove, tmp_path):
    options = ["--max-rows", 2, "--prune-to", 2, "--dtype", "float16"]
    assert run(*options, glove, tmp_path / "out")[1].startswith("3 keys, 2 rows of width 2\n")
    assert spacy.load(tmp_path / "out").vocab.vectors.data.dtype == "float16"


def test_load_from_a_zip(run, tmp_path):
    with zipfile.ZipFile(tmp_path / "glove.twitter.27B.zip", "w") as archive:
        for width in (25, 50):
            archive.writestr(f"glove.twitter.27B.{width}d.txt", "the" + " 1" * width)
    assert "width 50" in run(tmp_path / "glove.twitter.27B.zip", tmp_path / "out", "--dim", 50)[1]


def test_output_is_written_over_when_all_is_well(run, glove, tmp_path):
    run(glove, tmp_path / "deep" / "out")
    assert run(glove, tmp_path / "deep" / "out", "--max-rows", 1)[0] == 0
    assert spacy.load(tmp_path / "deep" / "out").vocab.vectors.n_keys == 2
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


def _binary():
    row = np.array([1, 2], dtype="float32").tobytes()
    return b"3 2\n" + b"".join(key + b" " + row + b"\n" for key in (b"a", b"b", b"c"))


def _zip(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, GLOVE)
    return path.read_bytes()


def _kv(path):
    vectors = KeyedVectors(2)
    vectors.add_vectors(["a", "b"], np.ones((2, 2), dtype="float32"))
    vectors.save(str(path))
    return path.read_bytes()


def _kv_binary(path, n_rows):
    vectors = KeyedVectors(2)
    vectors.add_vectors([f"w{n}" for n in range(n_rows)], np.ones((n_rows, 2), dtype="float32"))
    vectors.save_word2vec_format(str(path), binary=True)
    return path.read_bytes()


def _broken(data):
    return data[: len(data) // 2] + b"\xff" * 8 + data[len(data) // 2 + 8 :]


BIG = "".join(f"word{n} {n}.5 {n * n % 97}\n" for n in range(5000)).encode()
BAD = {
    "cut off in a row": (lambda path: b"a 1 2\nb 3 4\nc 5", "line 3: found 1 numbers, expected 2"),
    "no number": (lambda path: b"a 1 2\nb 3 x\n", "line 2: found 'x' where a number is expected"),
    "marks of numbers": (lambda path: b"a 1 2\nb 3 1-2\n", "line 2: found '1-2' where a number is expected"),
    "NaN": (lambda path: b"a 1 2\nb nan 4\n", "line 2: the row of 'b' holds NaN"),
    "too large": (lambda path: b"a 1 2\nb 1e999 4\n", "the row of 'b' holds NaN or infinity"),
    "not UTF-8": (lambda path: b"a 1 2\nb\xe9 3 4\n", "line 2: not UTF-8 (byte 1 of the row)"),
    "UTF-16": (lambda path: GLOVE.encode("utf-16"), "line 1: "),
    "empty": (lambda path: b"", "found no vectors"),
    "prose": (lambda path: b"words\nand words\n", "found no vectors"),
    "too few rows": (
        lambda path: b"3 2\na 1 2\nb 3 4\n",
        "line 3: the file ends after 2 rows, expected 3 as its first line promises",
    ),
    "wrong header": (lambda path: b"2 3\na 1 2\nb 3 4\n", "line 2: found 2 numbers, expected 3 as the first"),
    "width 0": (lambda path: b"2 0\na 1 2\nb 3 4\n", "line 1: the header promises vectors of width 0"),
    "zip with several": (lambda path: _zip(path, "a.25d.txt", "a.50d.txt"), "(a.25d.txt, a.50d.txt). Choose"),
    "zip without text": (lambda path: _zip(path, "a.bin"), "holds no text vectors, found a.bin"),
    "zip of nothing": (lambda path: _zip(path), "holds no text vectors, found nothing"),
    "damaged zip": (lambda path: _zip(path, "a.txt").replace(b"the 3", b"the 5", 1), "Bad CRC-32"),
    "cut zip": (lambda path: _zip(path, "a.txt")[:60], "a zip archive that is cut off"),
    "cut binary": (lambda path: _binary()[:-9], "cannot be read as word2vec binary vectors (EOFError"),
    "cut gzip": (lambda path: gzip.compress(BIG)[:-2000], "Compressed file ended before"),
    "damaged gzip": (lambda path: _broken(gzip.compress(BIG)), "cannot be read as word vectors ("),
    "gzip header alone": (lambda path: b"\x1f\x8b", "cannot be read as word vectors (EOFError"),
    "cut .kv": (lambda path: _kv(path)[:-20], "cannot be read as gensim KeyedVectors ("),
    "cut .kv in gzip": (lambda path: gzip.compress(_kv(path))[:-20], "cannot be read as gensim KeyedVectors"),
    "a pickle of a false length": (
        lambda path: b"\x80\x04B\xff\xff\xff\xffab",
        "cannot be read as gensim KeyedVectors (",
    ),
    "other pickle": (lambda path: pickle.dumps({"a": 1}), "holds a dict, expected gensim KeyedVectors"),
    "binary with more rows": (lambda path: _binary().replace(b"3 2", b"2 2"), "promises 2 rows, and more follow"),
    "gensim's binary with more rows": (
        lambda path: _kv_binary(path, 5000).replace(b"5000 2", b"4999 2"),
        "promises 4999 rows, and more follow",
    ),
    "a tar archive": (lambda path: bytes(257) + b"ustar" + bytes(250), "is a tar archive; unpack it"),
    "fastText's own": (lambda path: bytes.fromhex("ba164f2f0c000000"), "is a model of fastText; give the .vec file"),
    "payload": (lambda path: b"\x80\x04cposix\nsystem\n.", "refused, because the file could run code"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_source_is_one_line_and_leaves_nothing(name, fails, tmp_path):
    make, message = BAD[name]
    path = tmp_path / "source"
    path.write_bytes(make(path))
    error = fails(path, tmp_path / "out")
    assert message in error
    assert error.startswith(f"✘ {path}") or message.startswith("the row of")


@pytest.mark.parametrize("name", ["cut off in a row", "cut binary", "too large", "empty"])
def test_bad_source_leaves_an_existing_output(name, fails, run, glove, tmp_path):
    run(glove, tmp_path / "out")
    files = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    bad = tmp_path / "bad"
    bad.write_bytes(BAD[name][0](bad))
    fails(bad, tmp_path / "out")
    assert files == {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}


def test_zip_without_the_dimension(fails, tmp_path):
    _zip(tmp_path / "glove.zip", "glove.25d.txt")
    error = fails(tmp_path / "glove.zip", tmp_path / "out", "--dim", 200)
    assert "holds no 200d vectors, found glove.25d.txt. Choose with --dim" in error


def test_unknown_name(fails, tmp_path):
    assert "glove-twiter-25: no such file" in fails("glove-twiter-25", tmp_path / "out")


def test_no_network(fails, tmp_path, monkeypatch):
    def refuse(*args):
        raise OSError("Network is unreachable")

    (tmp_path / "data").mkdir()
    monkeypatch.setattr(gensim.downloader, "BASE_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(gensim.downloader, "urlopen", refuse)
    assert "glove-twitter-25: cannot be downloaded (" in fails("glove-twitter-25", tmp_path / "out")


@pytest.mark.parametrize("command", [[], ["train"]])
def test_output_that_is_something_else(command, fails, glove, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "note.txt").write_text("mine")
    spacy.blank("en").to_disk(tmp_path / "pipeline")
    for name in ("file", "folder", "pipeline"):
        error = fails(*command, glove, tmp_path / name)
        assert error.startswith(f"✘ {tmp_path / name}: exists and is not a folder made by this command")
    assert (tmp_path / "file").read_text() == "mine"
    fails(*command, glove, tmp_path / "file" / "below")


OPTIONS = [["--max-rows", 0], ["--dtype", "int8"], ["--prune-to", "x"], ["--dim", -1]]


@pytest.mark.parametrize("option", OPTIONS)
def test_options_are_checked_before_anything_is_read(option, run, tmp_path):
    assert run("none", tmp_path / "out", *option)[0] == 2
    assert list(tmp_path.iterdir()) == []


class TestBrown:
    def test_brown(self, run, tmp_path):
        (tmp_path / "paths").write_text("00\tso\t7\n0101\tgood\t3\n00\ttoo\t2\n")
        code, out, err = run("brown", tmp_path / "paths", tmp_path / "out")
        assert (code, err) == (0, "")
        assert out == f"3 words in 2 clusters\n✔ {tmp_path / 'out'}\n"
        nlp = spacy.load(tmp_path / "out")
        table = get_table(nlp.vocab, BROWN)
        at = table.find(np.array([get_string_id(word) for word in ("so", "good", "zzz")], dtype="uint64"))
        assert (table.arrays["paths"][at[:2]].tolist(), at[2]) == ([0b100, 0b10101], NO_ROW)
        assert run("brown", tmp_path / "paths", tmp_path / "out")[0] == 0

    def test_file_that_is_wrong(self, fails, tmp_path):
        path = tmp_path / "paths"
        path.write_text("00\tso\t7\n02\tgood\t3\n")
        assert fails("brown", path, tmp_path / "out").startswith(f"✘ {path}, line 2: found the path '02', expected")
        assert "none: no such file. Expected Brown" in fails("brown", tmp_path / "none", tmp_path / "out")
        assert f"{tmp_path}: is a folder, expected a file" in fails("brown", tmp_path, tmp_path / "out")

    def test_folder_of_vectors_is_left(self, run, fails, glove, tmp_path):
        (tmp_path / "paths").write_text("00\tso\t7\n")
        run(glove, tmp_path / "out")
        assert "not a folder made by this command" in fails("brown", tmp_path / "paths", tmp_path / "out")


class TestGazetteers:
    def test_gazetteers(self, run, tmp_path):
        (tmp_path / "lists").mkdir()
        (tmp_path / "lists" / "place").write_text("York\nOslo\n")
        (tmp_path / "lists" / "person").write_text("York\n")
        code, out, err = run("gazetteers", tmp_path / "lists", tmp_path / "out")
        assert (code, err) == (0, "")
        assert out == f"3 names on 2 lists\n✔ {tmp_path / 'out'}\n"
        nlp = spacy.load(tmp_path / "out")
        types = WordTypes.of([nlp("york")])
        begins, _ = find_names(get_table(nlp.vocab, GAZETTEERS), types, ["person", "place"])
        assert begins.tolist() == [[True, True]]

    def test_what_is_left_out_is_counted(self, run, tmp_path):
        (tmp_path / "place").write_text("York\nthe who\nx\n")
        _, out, _ = run("gazetteers", tmp_path / "place", tmp_path / "out")
        assert out.startswith("1 names on 1 lists; left out, as too short, too long or function words: 2\n")

    def test_list_that_is_wrong(self, fails, tmp_path):
        path = tmp_path / "place"
        path.write_text("York\nOslo\tNorway\n")
        assert fails("gazetteers", path, tmp_path / "out").startswith(f"✘ {path}, line 2: found 'Oslo\\tNorway'")
