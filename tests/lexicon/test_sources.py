import bz2
import gzip
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


def test_other_archives_are_refused(tmp_path):
    path = tmp_path / "toy.txt.bz2"
    path.write_bytes(bz2.compress(b"the 1 2\n" * 50))
    with pytest.raises(DataError, match=r"toy\.txt\.bz2"):
        read_vectors(str(path))


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
