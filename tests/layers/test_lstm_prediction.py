"""The LSTM that computes the input product of distinct rows once, against torch's."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from spacy_bilstm_tagger.crf.packing import pack
from spacy_bilstm_tagger.layers import bilstm
from spacy_bilstm_tagger.layers.lstm_prediction import predict_lstm
from spacy_bilstm_tagger.models import BiLSTMEncoder
from spacy_bilstm_tagger.types import TokenRows

N_TYPES = 7


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(0, 12), min_size=1, max_size=9).filter(any),
    window=st.sampled_from([0, 5]),
    width=st.integers(1, 9),
    hidden=st.sampled_from([1, 2, 8, 33]),
    scale=st.sampled_from([0.1, 1.0, 30.0]),
)
def test_output_is_that_of_torch(lengths, window, width, hidden, scale):
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    layer = nn.LSTM(width, hidden, bidirectional=True)
    packing = pack(lengths, window, 2 if window else 0)
    batch_sizes, sequence = torch.from_numpy(packing.batch_sizes), torch.from_numpy(packing.sequence)
    distinct = torch.from_numpy(scale * rng.normal(size=(N_TYPES, width)).astype("f"))
    index = torch.from_numpy(rng.integers(0, N_TYPES, len(packing.gather)))
    with torch.no_grad():
        found = predict_lstm(layer, distinct, index, batch_sizes, sequence)
        expected = layer(PackedSequence(distinct[index], batch_sizes))[0].data
    assert_allclose(found, expected, atol=2e-6)


@pytest.fixture
def calls(monkeypatch):
    found = []

    def count(*args):
        found.append(args)
        return predict_lstm(*args)

    monkeypatch.setattr(bilstm, "predict_lstm", count)
    return found


def words(n_texts, n_words=30, width=5):
    rng = np.random.default_rng(0)
    lengths = rng.integers(4, 9, n_texts)
    drawn = rng.integers(0, n_words, lengths.sum())
    used, row_of = np.unique(drawn, return_inverse=True)
    distinct = rng.normal(size=(len(used), width)).astype("f")
    rows = TokenRows(np.split(distinct[row_of], np.cumsum(lengths)[:-1]))
    rows.distinct, rows.row_of = distinct, row_of
    return rows


@pytest.mark.parametrize("options", [{}, {"depth": 3}, {"depth": 2, "residual": True}, {"hidden_width": 2}])
def test_encoder_gives_the_same_in_training_and_at_prediction(options, calls):
    model = BiLSTMEncoder(**{"width": 6, "depth": 1, **options})
    texts = words(40)
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
    texts = words(40)
    model = BiLSTMEncoder(width=6, depth=1, window=5, overlap=2).initialize(X=texts[:1])
    expected = model.predict(list(texts))
    for rows, others in zip(model.predict(texts), expected):
        assert_allclose(rows, others, atol=2e-6)
    assert len(calls) == 1
    monkeypatch.setattr(bilstm, "BLOCK_ROWS", 60)
    for rows, others in zip(model.predict(texts), expected):
        assert_allclose(rows, others, atol=2e-6)


@pytest.mark.parametrize(
    ("options", "texts"),
    [({}, words(3)), ({}, words(40, n_words=10_000)), ({"cell": "gru"}, words(40))],
    ids=["few texts", "few words twice", "another cell"],
)
def test_where_it_does_not_pay_torch_computes(options, texts, calls):
    model = BiLSTMEncoder(width=6, depth=1, **options).initialize(X=texts[:1])
    model.predict(texts)
    assert not calls
