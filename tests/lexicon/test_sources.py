import bz2
import gzip
import lzma
import pickle
import shutil
import struct
import zipfile

import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors, Word2Vec

from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.lexicon.sources import read_vectors

SENTENCES = [["<user>", "the", ":)"], ["the", ":)", "so"]] * 4


def _packed(path):
    with path.open("rb") as plain, gzip.open(f"{path}.gz", "wb") as file:
        shutil.copyfileobj(plain, file)
    path.unlink()
    return path.with_name(path.name + ".gz")


def _zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def _word2vec(toy, path, **options):
    toy.save_word2vec_format(str(path), **options)
    return path


def _saved(toy, path, **options):
    toy.save(str(path), **options)
    return path


SOURCES = {
    "GloVe text": lambda toy, folder, write: write(),
    "GloVe text, CRLF": lambda toy, folder, write: write(end="\r\n"),
    "GloVe text, spaces at the line ends": lambda toy, folder, write: write(end=" \n"),
    "GloVe gzip": lambda toy, folder, write: _packed(write()),
    "GloVe zip": lambda toy, folder, write: _zip(folder / "toy.zip", {"glove.3d.txt": write().read_bytes()}),
    "word2vec text": lambda toy, folder, write: _word2vec(toy, folder / "toy.txt"),
    "word2vec text, CRLF": lambda toy, folder, write: write(before="3 3\r\n", end="\r\n"),
    "word2vec text, gzip": lambda toy, folder, write: _packed(_word2vec(toy, folder / "toy.txt")),
    "word2vec binary": lambda toy, folder, write: _word2vec(toy, folder / "toy.bin", binary=True),
    "word2vec binary, gzip": lambda toy, folder, write: _packed(_word2vec(toy, folder / "toy.bin", binary=True)),
    "KeyedVectors": lambda toy, folder, write: _saved(toy, folder / "toy.kv"),
    "KeyedVectors and .npy": lambda toy, folder, write: _saved(toy, folder / "toy.kv", sep_limit=1),
    "KeyedVectors, gzip": lambda toy, folder, write: _saved(toy, folder / "toy.gz"),
    "KeyedVectors and .npz": lambda toy, folder, write: _saved(toy, folder / "toy.gz", sep_limit=1),
    "KeyedVectors, protocol 2": lambda toy, folder, write: _saved(toy, folder / "toy.kv", pickle_protocol=2),
    "KeyedVectors, protocol 5": lambda toy, folder, write: _saved(toy, folder / "toy.kv", pickle_protocol=5),
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_gives_the_same_vectors(source, toy, tmp_path, write_text, as_dict):
    vectors = read_vectors(str(SOURCES[source](toy, tmp_path, write_text)))
    assert vectors.index_to_key == toy.index_to_key
    assert as_dict(vectors) == as_dict(toy)


@pytest.mark.parametrize("source", SOURCES)
def test_max_rows_reads_the_first_rows(source, toy, tmp_path, write_text, as_dict):
    vectors = read_vectors(str(SOURCES[source](toy, tmp_path, write_text)), max_rows=2)
    assert as_dict(vectors) == {"<user>": (1, 2, 3), "the": (3, -2.5, 0.25)}


@pytest.mark.parametrize("source", ["GloVe text", "word2vec binary", "KeyedVectors"])
def test_more_max_rows_than_rows_reads_them_all(source, toy, tmp_path, write_text, as_dict):
    path = SOURCES[source](toy, tmp_path, write_text)
    assert as_dict(read_vectors(str(path), max_rows=4)) == as_dict(toy)


@pytest.mark.parametrize("separately", [[], ["vectors_vocab", "vectors_ngrams", "vectors"]])
@pytest.mark.parametrize("Model", [Word2Vec, FastText])
def test_saved_model_and_its_saved_vectors(Model, separately, tmp_path):
    options = {"bucket": 50} if Model is FastText else {}
    model = Model(SENTENCES, vector_size=3, min_count=1, epochs=1, workers=1, seed=0, **options)
    model.save(str(tmp_path / "model"))
    present = [name for name in separately if hasattr(model.wv, name)]
    model.wv.save(str(tmp_path / "model.kv"), separately=present or None)
    for name in ("model", "model.kv"):
        vectors = read_vectors(str(tmp_path / name))
        assert vectors.index_to_key == model.wv.index_to_key
        assert np.array_equal(vectors.vectors, model.wv.vectors)


def test_model_with_large_arrays_beside_it(tmp_path):
    model = Word2Vec(SENTENCES, vector_size=3, min_count=1, epochs=1, workers=1)
    model.save(str(tmp_path / "model"), sep_limit=1)
    assert (tmp_path / "model.wv.vectors.npy").is_file()
    assert np.array_equal(read_vectors(str(tmp_path / "model")).vectors, model.wv.vectors)


def test_dim_chooses_the_file_of_a_zip(tmp_path):
    members = {f"glove.twitter.27B.{n}d.txt": "the" + " 1" * n + "\n" for n in (2, 25, 5)}
    path = _zip(tmp_path / "glove.twitter.27B.zip", members)
    for width in (2, 25, 5):
        assert read_vectors(str(path), dim=width).vectors.shape == (1, width)
    with pytest.raises(DataError, match=r"several files .*25d\.txt.*Choose one with --dim"):
        read_vectors(str(path))
    with pytest.raises(DataError, match=r"holds no 50d vectors, found .*25d\.txt"):
        read_vectors(str(path), dim=50)


def test_wrong_row_in_a_zip_names_the_archive_and_the_member(tmp_path):
    path = _zip(tmp_path / "glove.zip", {"glove.2d.txt": "the 1 2\na 3\n"})
    with pytest.raises(DataError) as error:
        read_vectors(str(path))
    assert str(error.value).startswith(f"{path}, glove.2d.txt, line 2: found 1 numbers, expected 2")


@pytest.mark.parametrize("key", ["\x85", "a\u00a0b", "\u2028", "\u3000", "\ufeff", "👩‍👩‍👧", "e\u0301"])
@pytest.mark.parametrize("header", ["", "3 1\n"])
def test_keys_stay_as_they_are(key, header, write_text):
    path = write_text({"the": (1,), key: (2,), "THE": (3,)}, before=header)
    assert read_vectors(str(path)).index_to_key == ["the", key, "THE"]


def test_row_of_an_empty_key_is_read(write_text, as_dict):
    assert as_dict(read_vectors(str(write_text({"a": (1, 2), "": (3, 4)})))) == {"a": (1, 2), "": (3, 4)}


def test_binary_key_of_any_script(tmp_path):
    row = "नमस्ते\x85 ".encode() + struct.pack("<2f", 1, 2)
    path = tmp_path / "toy.bin"
    path.write_bytes(b"1 2\n" + row)
    assert read_vectors(str(path)).index_to_key == ["नमस्ते\x85"]


def _binary(*keys, header=None, end=b"\n"):
    """Rows of width 2 as word2vec writes them, with the numbers 0 and 1, 1 and 2, ..."""
    rows = (key.encode() + b" " + struct.pack("<2f", n, n + 1) + end for n, key in enumerate(keys))
    return (header or f"{len(keys)} 2").encode() + b"\n" + b"".join(rows)


@pytest.fixture
def read_bytes(tmp_path, as_dict):
    """Keys and rows of these bytes of a file, and the notes about them."""

    def read(data, name="toy.bin", **options):
        (tmp_path / name).write_bytes(data)
        notes = []
        vectors = read_vectors(str(tmp_path / name), notes=notes, **options)
        return as_dict(vectors), [note.replace(str(tmp_path / name), name) for note in notes]

    return read


@pytest.fixture
def refusal(read_bytes, tmp_path):
    """The error of these bytes, without the folder."""

    def run(data, name="toy.bin", **options):
        with pytest.raises(DataError) as error:
            read_bytes(data, name, **options)
        return str(error.value).replace(f"{tmp_path}/", "")

    return run


@pytest.mark.parametrize("end", [b"\n", b""])
def test_more_binary_rows_than_the_first_line_promises(end, refusal, read_bytes):
    data = _binary("a", "b", "c", header="2 2", end=end)
    assert refusal(data) == (
        "toy.bin: the first line promises 2 rows, and more follow; correct it, or read the first ones with "
        "--max-rows 2 (in a config max_rows)"
    )
    assert refusal(data, max_rows=3) == refusal(data)
    assert read_bytes(data, max_rows=2) == ({"a": (0, 1), "b": (1, 2)}, [])


def test_fewer_binary_rows_than_the_first_line_promises(refusal, read_bytes):
    data = _binary("a", "b", header="3 2")
    expected = "cannot be read as word2vec binary vectors (EOFError: the file ends in row 3 of the 3 that its first line promises)"
    assert refusal(data) == f"toy.bin: {expected}"
    assert read_bytes(data, max_rows=2) == ({"a": (0, 1), "b": (1, 2)}, [])


@pytest.mark.parametrize("end", [b"\n", b""])
def test_binary_words_that_are_there_twice_keep_their_first_row(end, read_bytes):
    note = "toy.bin: 1 rows are of words that were there before; the first of each is kept"
    assert read_bytes(_binary("a", "b", "a", end=end)) == ({"a": (0, 1), "b": (1, 2)}, [note])


def test_words_in_another_encoding_are_named(read_bytes):
    cafe, ukraine = ("café".encode().decode("cp1252"), "Київ".encode().decode("latin1"))
    expected = f"toy.bin: 2 words are UTF-8 that was read as another encoding, such as {cafe!r}; write the file again as UTF-8"
    assert read_bytes(_binary("a", cafe, ukraine, "naïve"))[1] == [expected]
    assert read_bytes(_binary("a", cafe, "naïve", "Київ", "über"))[1] == []


@pytest.mark.parametrize("end", [b"\n", b""])
def test_binary_word_with_a_blank(end, refusal):
    error = refusal(_binary("a", "new york", "b", "c", end=end))
    assert error.startswith("toy.bin, row 3: found the word '")
    assert error.endswith("A word before it holds a blank, or the width in the first line is wrong: save the vectors as text")


def test_binary_word_that_is_not_utf8(refusal):
    expected = "toy.bin, row 2: found the word 'b\ufffd', expected UTF-8 without control characters. A word before it"
    assert refusal(_binary("a", "bc").replace(b"bc", b"b\xe9")).startswith(expected)


@pytest.mark.parametrize("width", [0, 10**9])
def test_binary_of_a_width_that_no_vectors_have(width, refusal):
    expected = f"toy.bin: the first line promises vectors of width {width}, expected 1 to 262144"
    assert refusal(_binary("a", header=f"1 {width}")) == expected


def test_gzipped_binary_of_any_name(read_bytes):
    assert read_bytes(gzip.compress(_binary("a", "b"))) == ({"a": (0, 1), "b": (1, 2)}, [])


def test_the_bytes_of_another_machine_are_told(tmp_path):
    path, notes = tmp_path / "toy.bin", []
    path.write_bytes(b"1 2\nso " + np.array([0.1, 0.2], dtype=">f4").tobytes())
    read_vectors(str(path), notes=notes)
    assert len(notes) == 1
    assert "vectors of words are small; look whether these are counts, or the bytes of another machine" in notes[0]


def test_binary_rows_across_chunks(read_bytes):
    keys = [f"word{n}" for n in range(100_000)]
    assert read_bytes(_binary(*keys)) == ({key: (n, n + 1) for n, key in enumerate(keys)}, [])


TEXT = b"the 1 2\n" * 50
OTHER_KINDS = {
    "toy.txt.bz2": (bz2.compress(TEXT), "a bzip2 archive; unpack it, and give the file inside"),
    "toy.tar.bz2": (bz2.compress(bytes(257) + b"ustar"), "a bzip2 archive; unpack it, and give the file inside"),
    "toy.xz": (lzma.compress(TEXT), "an xz archive; unpack it, and give the file inside"),
    "toy.zst": (b"\x28\xb5\x2f\xfd" + bytes(50), "a Zstandard archive; unpack it, and give the file inside"),
    "toy.txt.gz": (
        gzip.compress(gzip.compress(TEXT)),
        "a gzip archive inside of another one; unpack it, and give the file inside",
    ),
    "toy.npy": (
        b"\x93NUMPY\x01\x00v\x00{'descr': '<f4'",
        "an array of numpy, which has no words; write each word with its row as a line of text",
    ),
    "toy.safetensors": (
        (58).to_bytes(8, "little") + b'{"w":{"dtype":"F32","shape":[3,4],"data_offsets":[0,48]}}',
        "a file of safetensors; expected one of vectors, or the folder that 'spacy-bilstm vectors' made",
    ),
    "toy.parquet": (b"PAR1\x15\x04" + bytes(50), "a Parquet file; write each word with its row as a line of text"),
    "toy.db": (b"SQLite format 3\0", "a database of SQLite; write each word with its row as a line of text"),
    "toy.json": (b'{"the": [1, 2]}', "JSON; write each word with its row as a line of text"),
    "toy.csv": (b"word,d0,d1\nthe,1,2\n", "CSV; write it again with blanks between the numbers (pandas: sep=' ')"),
    "toy.html": (b"\n<!DOCTYPE html>\n<html><head>", "a web page (HTML); download the file itself, the raw one"),
    "toy.htm": (b'<html lang="en">\n', "a web page (HTML); download the file itself, the raw one"),
    "toy.txt": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        "a pointer of Git LFS and not the file itself; get that with 'git lfs pull'",
    ),
    "toy.vec": (
        b"404: Not Found",
        "the error message of a web server; look at the address, and download the file again",
    ),
    "toy.gz": (
        gzip.compress(b"503 Service Unavailable\n"),
        "the error message of a web server; look at the address, and download the file again",
    ),
}


@pytest.mark.parametrize("name", OTHER_KINDS)
def test_other_kinds_of_files_are_named(name, refusal):
    data, kind = OTHER_KINDS[name]
    assert refusal(data, name) == f"{name}: is {kind}; expected vectors"


def test_words_that_look_like_other_kinds(read_bytes):
    for key in ("404", "<html>", "BZh", "version", '{"the"', "a,b", "PAR1"):
        assert read_bytes(f"{key} 1.0 2.0\n".encode()) == ({key: (1, 2)}, [])


def test_what_macos_adds_to_a_zip_is_left_out(tmp_path, as_dict):
    members = {"x.txt": "the 1 2\n", "__MACOSX/._x.txt": b"\0\5\x16\7"}
    assert as_dict(read_vectors(str(_zip(tmp_path / "x.zip", members)))) == {"the": (1, 2)}


def test_file_that_holds_something_else(tmp_path):
    path = tmp_path / "list.kv"
    path.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(DataError, match="holds a list, expected gensim KeyedVectors"):
        read_vectors(str(path))


def test_separate_array_that_is_gone(toy, tmp_path):
    toy.save(str(tmp_path / "toy.kv"), separately=["vectors"])
    (tmp_path / "toy.kv.vectors.npy").unlink()
    with pytest.raises(DataError, match=r"toy\.kv: cannot be read .*No such file.*toy\.kv\.vectors\.npy"):
        read_vectors(str(tmp_path / "toy.kv"))


def test_keys_that_are_no_strings(tmp_path):
    vectors = KeyedVectors(2)
    vectors.add_vectors([1, 2], np.ones((2, 2), dtype="float32"))
    vectors.save(str(tmp_path / "toy.kv"))
    with pytest.raises(DataError, match="its keys are not all strings"):
        read_vectors(str(tmp_path / "toy.kv"))


def test_archive_that_unpacks_to_what_no_numbers_do_is_refused(tmp_path):
    path = _zip(tmp_path / "glove.zip", {"glove.2d.txt": "the " + "1" * 1_000_000})
    with pytest.raises(DataError, match=r"bytes unpack to 1,000,004, which no numbers do.*Get the archive again"):
        read_vectors(str(path))


def test_row_without_a_word_is_counted(tmp_path, write_text):
    notes: list[str] = []
    read_vectors(str(write_text({"": (1, 2), "the": (3, 4)})), notes=notes)
    assert [note.partition(": ")[2] for note in notes] == ["row 1 has no word, so it is not in the table"]


def test_the_width_of_another_file_is_refused(toy, tmp_path, write_text):
    with pytest.raises(DataError, match="holds vectors of width 3, expected 2 by --dim"):
        read_vectors(str(write_text()), dim=2)


def test_words_of_conceptnet_are_named(write_text):
    with pytest.raises(DataError, match="holds words such as '/c/de/haus', as the ConceptNet Numberbatch of all languages"):
        read_vectors(str(write_text({"/c/de/haus": (1, 2), "/c/en/house": (3, 4)})))


def test_keyed_vectors_with_an_empty_key(tmp_path):
    vectors, notes = KeyedVectors(2), []
    vectors.add_vectors(["so", ""], np.ones((2, 2), dtype="f"))
    vectors.save(str(tmp_path / "toy.kv"))
    read_vectors(str(tmp_path / "toy.kv"), notes=notes)
    assert notes == [f"{tmp_path / 'toy.kv'}: row 2 has no word, so it is not in the table"]


def test_a_byte_order_mark_before_binary_vectors_is_named(tmp_path):
    path = tmp_path / "vectors.bin"
    path.write_bytes(b"\xef\xbb\xbf1 2\nso \x00\x00\x80?\x00\x00\x00@\n")
    with pytest.raises(DataError, match="found a byte order mark before binary vectors"):
        read_vectors(str(path))


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("1.{}", "numbers, so the words are missing"),
        ("{} the", "with a blank inside"),
        ("the{}_NOUN", "with a part of speech"),
        ("b'the{}'", "as Python shows bytes"),
        ("the{}</w>", "pieces of words"),
        ("▁the{}", "pieces of words"),
        ("##the{}", "pieces of words"),
        ("the{}_DET", "with a part of speech"),
    ],
)
@pytest.mark.parametrize("count", [3, 9])
def test_keys_that_are_no_words_are_refused(write_text, key, kind, count):
    rows = {key.format(i): (0.5, i + 0.25) for i in range(count)}
    with pytest.raises(DataError, match=f"holds words such as .*, {kind}"):
        read_vectors(str(write_text(rows)))


def test_signs_of_damage_are_told(tmp_path):
    path, notes = tmp_path / "toy.txt", []
    path.write_text("the 0.5 0.25\n\ufeffa 0.5 0.75\ncaf\ufffd 0.1 0.2", encoding="utf8")
    read_vectors(str(path), notes=notes)
    assert notes == [
        f"{path}: its last row has no line break behind it; if the file was cut off there, get it again",
        f"{path}: 2 words hold U+FEFF or U+FFFD, such as '\\ufeffa', as where files were joined or decoded wrongly; "
        "get the file again",
    ]


def test_a_count_before_the_numbers_is_refused(write_text):
    rows = {f"word{i}": (1000 // (i + 1), 0.5, i + 0.25) for i in range(9)}
    with pytest.raises(DataError, match="the first number of each row is whole, such as 1,000"):
        read_vectors(str(write_text(rows)))
