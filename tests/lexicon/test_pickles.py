import builtins
import contextlib
import gzip
import os
import pickle
import zipfile

import numpy as np
import pytest
from gensim.models import KeyedVectors, Word2Vec
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.lexicon.pickles import read_saved
from spacy_bilstm_tagger.lexicon.sources import read_vectors


class Calls:
    """Pickles as a call."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def _global(module, name, *, protocol=4):
    """The opcodes that look up module.name."""
    if protocol < 4:
        return b"c" + f"{module}\n{name}\n".encode()
    parts = (bytes([0x8C, len(part)]) + part.encode() for part in (module, name))
    return b"".join(parts) + b"\x93"


def _refused(path):
    with pytest.raises(DataError, match="refused, because the file could run code") as error:
        read_vectors(str(path))
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture
def mark(tmp_path):
    """A file that must not appear."""
    path = tmp_path / "the-code-ran"
    yield path
    assert not path.exists()


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (os.system, f"{os.system.__module__}.system"),
        (builtins.eval, "builtins.eval"),
        (builtins.exec, "builtins.exec"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_call_is_refused_before_it_runs(function, name, protocol, mark, tmp_path):
    code = f"touch {mark}" if function is os.system else f"open({str(mark)!r}, 'w')"
    path = tmp_path / "evil.kv"
    path.write_bytes(pickle.dumps(Calls(function, code), protocol=protocol))
    assert name in _refused(path).replace("__builtin__", "builtins")


def test_this_payload_does_run_where_it_is_just_unpickled(tmp_path):
    mark = tmp_path / "the-code-ran"
    pickle.loads(pickle.dumps(Calls(os.system, f"touch {mark}")))
    assert mark.exists()


@pytest.mark.parametrize("place", ["attribute", "key", "array", "nested", "model"])
def test_call_inside_of_vectors_is_refused(place, toy, mark, tmp_path):
    call = Calls(os.system, f"touch {mark}")
    saved = toy
    if place == "attribute":
        toy.comment = call
    elif place == "key":
        toy.key_to_index[call] = 0
    elif place == "array":
        toy.vectors = np.array([call], dtype=object)
    elif place == "nested":
        toy.expandos = {"count": [{"deep": (call,)}]}
    else:
        saved = Word2Vec([["a", "b"]], vector_size=2, min_count=1, epochs=1)
        saved.wv.lifecycle_events = [call]
    path = tmp_path / "evil.kv"
    path.write_bytes(pickle.dumps(saved))
    _refused(path)


NAMES = [
    ("gensim.models.keyedvectors", "KeyedVectors.load"),  # a dotted name reaches attributes
    ("gensim.models.word2vec", "Word2Vec.load"),
    ("gensim.models.word2vec", "os.system"),
    ("gensim.models.word2vec", "logging"),
    ("gensim.models.keyedvectors", "load_word2vec_format"),
    ("gensim.models", "KeyedVectors.save"),
    ("gensim.utils", "unpickle"),
    ("gensim.utils", "SaveLoad.load"),
    ("gensim.downloader", "load"),
    ("numpy", "load"),
    ("numpy", "memmap"),
    ("numpy", "ndarray.tofile"),
    ("numpy.core.multiarray", "fromfile"),
    ("copyreg", "_reconstructor"),
    ("builtins", "getattr"),
    ("__builtin__", "eval"),
    ("_codecs", "lookup"),
    ("posix", "system"),
    ("numpy.core.multiarray", "frombuffer"),
    ("spacy_bilstm_tagger.cli", "main"),
]


@pytest.mark.parametrize(("module", "name"), NAMES)
@pytest.mark.parametrize("protocol", [2, 4])
def test_other_names_are_not_looked_up(module, name, protocol, tmp_path):
    path = tmp_path / "evil.kv"
    path.write_bytes(b"\x80" + bytes([protocol]) + _global(module, name, protocol=protocol) + b".")
    assert f"it names {module.replace('__builtin__', 'builtins')}.{name}" in _refused(path)


def test_other_classes_below_gensim_are_not_made(mark, tmp_path):
    """gensim.models.ldamulticore.Pool is multiprocessing's, and runs a function in each process."""
    text = f"touch {mark}".encode()
    call = b"K\x01\x8c" + bytes([len(text)]) + text + b"\x86R."
    path = tmp_path / "evil.kv"
    path.write_bytes(b"\x80\x04" + _global("gensim.models.ldamulticore", "Pool") + call)
    with pytest.raises(DataError, match="holds a Pool, expected gensim KeyedVectors"):
        read_vectors(str(path))


def test_gensim_classes_are_not_called(mark, tmp_path):
    """Word2Vec(corpus_file=...) would read that file, and save(...) would write one."""
    call = Calls(Word2Vec, None, str(tmp_path / "no such corpus"))
    (tmp_path / "evil.kv").write_bytes(pickle.dumps(call))
    with pytest.raises(DataError, match="holds a Word2Vec, expected gensim KeyedVectors"):
        read_vectors(str(tmp_path / "evil.kv"))


def test_class_cannot_be_changed(tmp_path):
    """The opcode that fills an object with attributes also takes a class."""
    state = b"N}\x8c\x04loadK\x01s\x86b"
    path = tmp_path / "evil.kv"
    path.write_bytes(b"\x80\x04" + _global("gensim.models.keyedvectors", "KeyedVectors") + state + b".")
    with pytest.raises(DataError):
        read_vectors(str(path))
    assert callable(KeyedVectors.load)


def test_attributes_do_not_send_gensim_to_another_pickle(toy, mark, tmp_path, as_dict):
    """gensim's own load unpickles what `__scipys` names, from a file beside the vectors."""
    expected = as_dict(toy)
    payload = pickle.dumps(Calls(os.system, f"touch {mark}"))
    for name in ("evil.kv.matrix.npy", "evil.kv.vectors.npy", "evil.kv.norms.npy"):
        (tmp_path / name).write_bytes(payload)
    vars(toy)["__scipys"] = ["matrix"]
    (tmp_path / "evil.kv").write_bytes(pickle.dumps(toy))
    assert as_dict(read_vectors(str(tmp_path / "evil.kv"))) == expected
    vars(toy)["__numpys"] = ["vectors"]
    (tmp_path / "evil.kv").write_bytes(pickle.dumps(toy))
    with pytest.raises(DataError, match="cannot be read as gensim KeyedVectors"):
        read_vectors(str(tmp_path / "evil.kv"))


@pytest.mark.parametrize("name", ["evil.txt", "evil.bin", "evil.gz", "evil.npy", "evil"])
def test_pickle_is_known_by_its_bytes(name, mark, tmp_path):
    (tmp_path / name).write_bytes(pickle.dumps(Calls(os.system, f"touch {mark}")))
    _refused(tmp_path / name)


def test_pickle_inside_of_a_zip_is_no_vectors(mark, tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("glove.2d.txt", pickle.dumps(Calls(os.system, f"touch {mark}")))
    with pytest.raises(DataError):
        read_vectors(str(tmp_path / "evil.zip"))


@pytest.mark.parametrize("codec", ["latin1", "zlib_codec", "no such codec"])
def test_codecs_are_not_looked_up(codec, tmp_path):
    """Pickle protocol 2 writes bytes as a call of `_codecs.encode`, which would import any codec by name."""
    arguments = b"X\x01\x00\x00\x00aX" + len(codec).to_bytes(4, "little") + codec.encode() + b"\x86R."
    path = tmp_path / "bytes.kv"
    path.write_bytes(b"\x80\x02" + _global("_codecs", "encode", protocol=2) + arguments)
    with pytest.raises(DataError, match="holds a bytes, expected gensim KeyedVectors"):
        read_vectors(str(path))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("opcodes", "found"),
    [
        (b"Nr\xff\xff\xff\x0f.", "a memo index of 268,435,455 after 8 bytes"),
        (b"Np268435455\n.", "a memo index of 268,435,455 after 14 bytes"),
        (b"\x8d" + (1 << 40).to_bytes(8, "little") + b"a.", "the pickle is cut off"),
        (b"B\xff\xff\xff\x7fa.", "the pickle is cut off"),
        (b"cos", "no line ends behind byte 3"),
        (b"\xfe.", "byte 2 is 254, which begins nothing in a pickle"),
    ],
)
def test_no_memory_is_taken_for_a_false_size(opcodes, found, packed, tmp_path):
    path = tmp_path / "evil.kv"
    data = b"\x80\x04" + opcodes
    path.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(DataError, match=f"cannot be read as gensim KeyedVectors .*{found}"):
        read_vectors(str(path))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_arguments_longer_than_a_chunk_are_passed_over(protocol, packed, tmp_path):
    vectors = KeyedVectors(100)
    vectors.add_vectors([f"word{number}" for number in range(6_000)], np.ones((6_000, 100), dtype="float32"))
    data = pickle.dumps(vectors, protocol=protocol)
    assert len(data) > 2 << 20
    path = tmp_path / "large.kv"
    path.write_bytes(gzip.compress(data, 1) if packed else data)
    assert read_saved(path).index_to_key == vectors.index_to_key


@given(at=st.floats(0, 1, exclude_max=True), byte=st.none() | st.binary(min_size=1, max_size=1))
@settings(max_examples=300)
def test_damage_anywhere_is_a_data_error_or_harmless(at, byte, tmp_path_factory):
    vectors = KeyedVectors(2)
    vectors.add_vectors(["a", "b"], np.ones((2, 2), dtype="float32"))
    whole = pickle.dumps(vectors, protocol=4)
    cut = int(at * len(whole))
    path = tmp_path_factory.getbasetemp() / "damaged.kv"
    path.write_bytes(whole[:cut] if byte is None else whole[:cut] + byte + whole[cut + 1 :])
    with contextlib.suppress(DataError):
        assert isinstance(read_saved(path), KeyedVectors)
