import logging

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from spacy.strings import get_string_id

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.layers.table_vectors import TableVectors
from spacy_bilstm_tagger.vector_tables import set_vector_table


def give_table(vocab, words, data):
    set_vector_table(vocab, "toy", np.array([get_string_id(word) for word in words], dtype="uint64"), data)


@pytest.fixture
def nlp(tweet_nlp):
    give_table(tweet_nlp.vocab, ["so", "good"], np.array([[0, 1], [2, 3]], dtype="float16"))
    return tweet_nlp


def test_rows_and_zeros(nlp):
    docs = [nlp("so zzz"), nlp(""), nlp("good")]
    model = TableVectors("toy").initialize(X=docs)
    Y, backprop = model(docs, is_train=True)
    assert model.get_dim("nO") == 2
    assert Y.dataXd.dtype == np.float32
    assert_array_equal(Y.dataXd, [[0, 1], [0, 0], [2, 3]])
    assert_array_equal(Y.lengths, [2, 0, 1])
    assert backprop(Y) == []


def test_a_batch_without_tokens(nlp):
    model = TableVectors("toy").initialize(X=[nlp("so")])
    assert model.predict([nlp("")]).dataXd.shape == (0, 2)


def test_coverage_is_said_at_initialization(nlp, caplog):
    with caplog.at_level(logging.INFO, "spacy.bilstm_tagger"):
        TableVectors("toy").initialize(X=[nlp("so so zzz good")])
    assert "Vector table toy: 75.0% of the tokens (66.7% of the word types) of the first 1 texts" in caplog.text
    assert "have a row: 3 by LOWER, 0 by LOWER without #, 0 by NORM; 1 by none" in caplog.text


def test_a_table_of_another_width_is_refused(nlp):
    model = TableVectors("toy").initialize(X=[nlp("so")])
    give_table(nlp.vocab, ["so"], np.zeros((1, 5), dtype="float32"))
    with pytest.raises(ConfigError, match="'toy' of width 2, but the pipeline's has width 5"):
        model.predict([nlp("so")])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_table_with_a_number_that_is_none_is_refused(nlp, bad):
    model = TableVectors("toy").initialize(X=[nlp("so")])
    give_table(nlp.vocab, ["so"], np.array([[bad, 1]], dtype="float32"))
    with pytest.raises(ConfigError, match="table 'toy' holds NaN or infinity"):
        model.predict([nlp("so")])
