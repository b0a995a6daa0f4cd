import pickle

import numpy as np
import pytest
from gensim.models import KeyedVectors

from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.lexicon.pickles import read_saved


@pytest.mark.parametrize("flags", [0, 63, 255])
def test_numbers_are_not_taken_for_pointers(flags, tmp_path, as_dict):
    """numpy believes the flags of a saved dtype, which can make objects of the bytes of an array."""
    vectors = KeyedVectors(1)
    vectors.add_vectors(["a"], np.ones((1, 1), dtype="float32"))
    whole = pickle.dumps(vectors, protocol=4)
    state = b"K\x03\x8c\x01<\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK"  # the flags come next
    assert state + b"\x00" in whole
    path = tmp_path / "flags.kv"
    path.write_bytes(whole.replace(state + b"\x00", state + bytes([flags])))
    assert as_dict(read_saved(path)) == {"a": (1.0,)}


@pytest.mark.parametrize("dtype", ["O", "U4", "i4,f4", "datetime64[s]", "bool"])
def test_array_of_something_else_than_numbers(dtype, toy, tmp_path):
    toy.vectors = np.zeros((3, 3), dtype=dtype)
    path = tmp_path / "array.kv"
    path.write_bytes(pickle.dumps(toy))
    with pytest.raises(DataError, match="cannot be read as gensim KeyedVectors"):
        read_saved(path)


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_any_layout(protocol, dtype, order, toy, tmp_path, as_dict):
    expected = as_dict(toy)
    toy.vectors = np.array(toy.vectors, dtype=dtype, order=order)
    path = tmp_path / "array.kv"
    path.write_bytes(pickle.dumps(toy, protocol=protocol))
    assert as_dict(read_saved(path)) == expected
