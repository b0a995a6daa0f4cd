import numpy as np
import pytest
from numpy.testing import assert_array_equal
from thinc.api import set_dropout_rate

from spacy_bilstm_tagger.layers.row_dropout import RowDropout


@pytest.fixture
def X():
    return np.ones((400, 3), dtype="f")


def test_whole_rows_are_dropped_and_their_gradients(X):
    model = RowDropout(0.5).initialize(X=X)
    set_dropout_rate(model, 0.1)
    Y, backprop = model.begin_update(X)
    assert set(Y.sum(axis=1)) == {0, 3}
    assert 150 < (Y[:, 0] == 0).sum() < 250
    assert_array_equal(backprop(X), Y)


def test_prediction_and_updates_without_dropout_keep_every_row(X):
    model = RowDropout(0.5).initialize(X=X)
    assert_array_equal(model.begin_update(X)[0], X)
    set_dropout_rate(model, 0.1)
    assert_array_equal(model.predict(X), X)
