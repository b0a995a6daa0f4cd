import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from spacy.attrs import LOWER, NORM
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_bilstm_tagger.layers.doc_slice import DocSlice, slices

VOCAB = Vocab()


def make_doc(n):
    return Doc(VOCAB, words=[f"W{i}" for i in range(n)])


@pytest.mark.parametrize("attributes", ["ORTH", NORM, [LOWER, NORM], ["NORM", "SHAPE", "PREFIX"], ["NORM"]])
def test_arrays_are_those_of_the_doc(attributes):
    doc = make_doc(9)
    doc[3].norm_ = "other"
    expected = doc.to_array(attributes)[2:7]
    found = DocSlice(doc, 2, 7).to_array(attributes)
    assert found.shape == expected.shape
    assert_array_equal(found, expected)


@given(st.lists(st.integers(0, 12), max_size=6), st.integers(1, 9))
def test_every_token_once_in_order(lengths, most_tokens):
    docs = [make_doc(n) for n in lengths]
    found = list(slices(docs, most_tokens))
    assert all(sum(map(len, part)) == most_tokens for part in found[:-1])
    assert all(0 < sum(map(len, part)) <= most_tokens for part in found)
    orths = [piece.to_array("ORTH") for part in found for piece in part]
    assert_array_equal(np.concatenate([[], *orths]), np.concatenate([[], *(doc.to_array("ORTH") for doc in docs)]))
