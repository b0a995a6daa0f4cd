import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_bilstm_tagger.layers import repeated_rows
from spacy_bilstm_tagger.layers.repeated_rows import find_repeated_rows


@settings(deadline=None)
@given(
    index=st.lists(st.integers(0, 5), min_size=8, max_size=30),
    width=st.integers(1, 9),
)
def test_index_leads_from_the_distinct_rows_to_all(index, width):
    X = torch.from_numpy(np.random.default_rng(0).normal(size=(6, width)).astype("f"))[index]
    found = find_repeated_rows(X)
    assert (found is None) == (len(set(index)) > 0.75 * len(index))
    if found is not None:
        assert len(found.distinct) == len(set(index))
        assert torch.equal(found.distinct[found.index], X)


def test_rows_that_differ_in_one_bit_are_two():
    X = torch.ones(8, 4)
    X[1, 2] = float(np.nextafter(np.float32(1), np.float32(2)))
    found = find_repeated_rows(X)
    assert found is None or (len(found.distinct) == 2 and torch.equal(found.distinct[found.index], X))


def test_nothing_is_taken_for_equal_that_is_not(monkeypatch):
    """Rows whose sums agree by chance."""
    X = torch.eye(8)
    monkeypatch.setattr(repeated_rows, "_keys", lambda X: np.zeros(len(X), dtype=np.int64))
    assert find_repeated_rows(X) is None
    assert find_repeated_rows(torch.ones(8, 8)) is not None


def test_what_is_no_number_is_equal_to_nothing():
    assert find_repeated_rows(torch.full((8, 4), float("nan"))) is None
