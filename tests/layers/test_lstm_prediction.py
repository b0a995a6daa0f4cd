"""The LSTM over cached rows, against torch's."""

from itertools import accumulate, pairwise, starmap

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from spacy_bilstm_tagger.crf.packing import pack
from spacy_bilstm_tagger.layers import bilstm
from spacy_bilstm_tagger.layers.lstm_prediction import HALF_ROWS, WIDE, Weights, gates_of, predict_lstm
from spacy_bilstm_tagger.layers.word_cache import TokenRows, Words
from spacy_bilstm_tagger.models import BiLSTMEncoder


def words(lengths, *, n_words=7, widths=(5,), scale=1.0):
    """Texts of words that are drawn, whose rows lie in a part for each of the widths."""
    rng = np.random.default_rng(0)
    parts = []
    for width in widths:
        rows = (scale * rng.normal(size=(n_words, width))).astype("f")
        index = rng.integers(0, n_words, sum(lengths))
        parts.append(Words(np.zeros((n_words, 0), dtype=np.uint64), rows, [slice(0, width)], index))
    rows = np.concatenate([part.rows[part.index] for part in parts], axis=1)
    return TokenRows(rows, np.array(lengths), parts)


LENGTHS = np.random.default_rng(0).integers(4, 9, 40).tolist()


@given(
    lengths=st.lists(st.integers(0, 12), min_size=1, max_size=9).filter(any),
    window=st.sampled_from([0, 5]),
    widths=st.lists(st.integers(1, 9), min_size=1, max_size=2),
    hidden=st.sampled_from([1, 2, 8, 33]),
    scale=st.sampled_from([0.1, 1.0, 30.0]),
)
def test_output_is_that_of_torch(lengths, window, widths, hidden, scale):
    torch.manual_seed(0)
    layer = nn.LSTM(sum(widths), hidden, bidirectional=True)
    packing = pack(lengths, window, 2 if window else 0)
    batch_sizes, sequence = torch.from_numpy(packing.batch_sizes), torch.from_numpy(packing.sequence)
    tokens = words(lengths, widths=widths, scale=scale)
    with torch.no_grad():
        weights = Weights.of(layer)
        gates = gates_of(weights, tokens, "layer").of_packed(packing.gather)
        found = predict_lstm(weights, gates, batch_sizes, sequence)
        expected = layer(PackedSequence(torch.from_numpy(tokens.rows[packing.gather]), batch_sizes))[0].data
    assert_allclose(found, expected, atol=2e-6 if len(widths) == 1 else 1e-5)  # sums in another order


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_columns_that_are_zero_in_many_rows(share, place):
    """At the beginning, in the middle and at the end of the input, beside narrow blocks."""
    widths = [3, 2, 4]
    widths[place] = WIDE
    layer = nn.LSTM(sum(widths), 4, bidirectional=True)
    tokens = words([60], n_words=50, widths=[sum(widths)])
    (part,), rng = tokens.parts, np.random.default_rng(0)
    part.blocks = list(starmap(slice, pairwise(accumulate(widths, initial=0))))
    part.rows[rng.random(len(part.rows)) >= share, part.blocks[place]] = 0
    weights = Weights.of(layer)
    ((products, _),) = gates_of(weights, tokens, "layer").parts
    expected = torch.from_numpy(part.rows) @ weights.into + weights.bias
    assert_allclose(products.view(len(expected), -1), expected, atol=1e-5)


@pytest.fixture
def calls(monkeypatch):
    found = []

    def count(*args, **options):
        found.append(options)
        return predict_lstm(*args, **options)

    monkeypatch.setattr(bilstm, "predict_lstm", count)
    return found


@pytest.mark.parametrize("options", [{}, {"depth": 3}, {"depth": 2, "residual": True}, {"hidden_width": 2}])
def test_encoder_gives_the_same_in_training_and_at_prediction(options, calls):
    model = BiLSTMEncoder(**{"width": 6, "depth": 1, **options})
    texts = words(LENGTHS)
    model.initialize(X=texts[:1])
    expected, _ = model.begin_update(texts)
    plain = model.predict(list(texts))
    assert not calls
    found = model.predict(texts)
    assert len(calls) == 1  # only the first layer's rows are words
    for Y, rows, others in zip(found, expected, plain):
        assert_allclose(Y, rows, atol=2e-6)
        assert_allclose(Y, others, atol=2e-6)


def test_windows_and_blocks_read_distinct_rows_too(calls, monkeypatch):
    texts = words(LENGTHS)
    model = BiLSTMEncoder(width=6, depth=1, window=5, overlap=2).initialize(X=texts[:1])
    expected = model.predict(list(texts))
    for rows, others in zip(model.predict(texts), expected):
        assert_allclose(rows, others, atol=2e-6)
    assert len(calls) == 1
    monkeypatch.setattr(bilstm, "BLOCK_ROWS", 60)
    for rows, others in zip(model.predict(texts), expected):
        assert_allclose(rows, others, atol=2e-6)


def test_other_cells_are_torch_s(calls):
    texts = words(LENGTHS)
    model = BiLSTMEncoder(width=6, depth=1, cell="gru").initialize(X=texts[:1])
    model.predict(texts)
    assert not calls


def test_weights_that_change_are_followed():
    texts = words(LENGTHS)
    model = BiLSTMEncoder(width=6, depth=1).initialize(X=texts[:1])
    before = model.predict(texts)
    with torch.no_grad():
        model.shims[0].module.layers[0].weight_ih_l0 += 1
        expected = model.predict(list(texts))
    assert np.abs(before[0] - expected[0]).max() > 0.01
    for rows, others in zip(model.predict(texts), expected):
        assert_allclose(rows, others, atol=2e-6)


def test_products_of_bfloat16():
    """As close as numbers of eight bits can be, where there are enough rows; a text alone is read in float32."""
    texts = words(LENGTHS, widths=[30])
    single = BiLSTMEncoder(width=60, depth=1).initialize(X=texts[:1])
    half = BiLSTMEncoder(width=60, depth=1, precision="bfloat16").initialize(X=texts[:1])
    half.from_bytes(single.to_bytes())
    found, expected = np.concatenate(half.predict(texts)), np.concatenate(single.predict(texts))
    assert 1e-5 < np.abs(found - expected).max() < 0.02
    one = words(LENGTHS[:1], widths=[30])
    assert np.array_equal(half.predict(one)[0], single.predict(one)[0])
    few = words(LENGTHS[: HALF_ROWS - 1], widths=[30])
    assert np.array_equal(np.concatenate(half.predict(few)), np.concatenate(single.predict(few)))


def test_precision_belongs_to_the_config(calls):
    texts = words(LENGTHS)
    half = BiLSTMEncoder(width=6, depth=1, precision="bfloat16").initialize(X=texts[:1])
    for model in (
        half,
        half.copy(),
        BiLSTMEncoder(width=6, depth=1).initialize(X=texts[:1]).from_bytes(half.to_bytes()),
    ):
        model.predict(texts)
    assert [options["half"] for options in calls] == [True, True, False]
