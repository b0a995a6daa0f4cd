import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from torch.nn.utils.rnn import pack_sequence

from spacy_bilstm_tagger.crf.packing import pack


def test_packed_order_is_torch_s():
    lengths = [2, 0, 4, 1]
    rows = torch.split(torch.arange(7), lengths)
    expected = pack_sequence([seq for seq in rows if len(seq)], enforce_sorted=False)
    packing = pack(lengths)
    assert_array_equal(packing.gather, expected.data)
    assert_array_equal(packing.batch_sizes, expected.batch_sizes)
    assert_array_equal(packing.gather[packing.scatter], np.arange(7))
    assert_array_equal(np.unique(packing.sequence), [0, 1, 2])


@given(st.lists(st.integers(0, 12), max_size=6))
def test_there_and_back(lengths):
    packing = pack(lengths)
    n = sum(lengths)
    assert_array_equal(np.sort(packing.gather), np.arange(n))
    assert_array_equal(packing.gather[packing.scatter], np.arange(n))
    assert packing.batch_sizes.sum() == n


@given(st.lists(st.integers(0, 40), max_size=5), st.integers(3, 9), st.integers(0, 1))
def test_windows_cover_every_row_once(lengths, window, half_overlap):
    overlap = 2 * half_overlap
    packing = pack(lengths, window, overlap)
    assert_array_equal(packing.gather[packing.scatter], np.arange(sum(lengths)))
    assert len(packing.batch_sizes) <= max(window, 1)


def test_windows_give_rows_to_the_window_where_they_are_farther_from_the_edge():
    # 10 rows in windows of 6 that share 2: rows 0-5 and 4-9. Row 4 belongs to the first window, row 5 to the second.
    packing = pack([10], window=6, overlap=2)
    assert_array_equal(packing.sequence[packing.scatter], [0] * 5 + [1] * 5)


@pytest.mark.parametrize("lengths", [[], [0], [0, 0]])
def test_nothing_to_pack(lengths):
    packing = pack(lengths)
    assert len(packing.gather) == len(packing.scatter) == len(packing.batch_sizes) == 0


@given(
    st.lists(st.integers(0, 40), max_size=6),
    st.sampled_from([(0, 0), (7, 2), (9, 0), (12, 4)]),
    st.integers(1, 90),
)
def test_blocks_are_the_same_sequences(lengths, windows, most_rows):
    packing = pack(lengths, *windows)
    written, sequences = [], 0
    for block in packing.blocks(most_rows):
        sizes = np.bincount(block.sequence)
        assert len(block.gather) <= most_rows or len(sizes) == 1
        assert block.batch_sizes.sum() == len(block.gather)
        assert_array_equal(block.batch_sizes, [(sizes > step).sum() for step in range(len(block.batch_sizes))])
        whole = packing.sequence >= sequences
        whole &= packing.sequence < sequences + len(sizes)
        assert_array_equal(block.gather, packing.gather[whole])
        assert_array_equal(block.gather[block.owned], block.flat)
        written.extend(block.flat.tolist())
        sequences += len(sizes)
    assert sorted(written) == list(range(sum(lengths)))
