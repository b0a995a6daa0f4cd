import logging

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from spacy.vectors import Vectors
from thinc.types import Ragged

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.layers.norm_vectors import NormVectors
from spacy_bilstm_tagger.layers.tuned_vectors import TunedVectors


@pytest.fixture
def nlp(tweet_nlp):
    set_table(tweet_nlp, ["<unk>", "so", "<user>"], [[5, 6], [1, 2], [3, 4]])
    return tweet_nlp


@pytest.fixture
def model(nlp):
    return TunedVectors().initialize(X=[nlp("so")])


def set_table(nlp, keys, rows):
    for key in keys:
        nlp.vocab.strings.add(key)
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=np.array(rows, dtype="f"), keys=keys)


def test_rows_begin_as_the_frozen_ones(model, nlp):
    docs = [nlp("SOOO @x zzz"), nlp(""), nlp("so")]
    Y = model.predict(docs)
    assert_array_equal(Y.data, [[1, 2], [3, 4], [5, 6], [1, 2]])
    assert_array_equal(Y.data, NormVectors().initialize(X=docs).predict(docs).data)
    assert_array_equal(Y.lengths, [3, 0, 1])


def test_gradient_is_summed_over_the_tokens_of_known_words(model, nlp):
    Y, backprop = model.begin_update([nlp("so zzz so"), nlp("@x")])
    dY = np.array([[1, 2], [4, 8], [16, 32], [64, 128]], dtype="f")
    assert backprop(Ragged(dY, Y.lengths)) == []
    assert_array_equal(model.get_grad("E"), [[0, 0], [17, 34], [64, 128]])  # that of <unk> is frozen


def test_gradients_of_several_batches_add_up(model, nlp):
    for _ in range(2):
        Y, backprop = model.begin_update([nlp("so")])
        backprop(Ragged(np.ones_like(Y.data), Y.lengths))
    assert_array_equal(model.get_grad("E"), [[0, 0], [2, 2], [0, 0]])


def test_rows_that_were_changed_are_used_saved_and_copied(model, nlp):
    model.set_param("E", model.get_param("E") + 1)
    assert_array_equal(nlp.vocab.vectors.data, [[5, 6], [1, 2], [3, 4]])
    for each in (model, TunedVectors().from_bytes(model.to_bytes()), model.copy()):
        assert_array_equal(each.predict([nlp("so zzz")]).data, [[2, 3], [6, 7]])


def test_table_without_a_row_for_unknown_words(nlp):
    set_table(nlp, ["so"], [[1, 2]])
    model = TunedVectors().initialize(X=[nlp("so")])
    Y, backprop = model.begin_update([nlp("so zzz")])
    assert_array_equal(Y.data, [[1, 2], [0, 0]])
    backprop(Y)
    assert_array_equal(model.get_grad("E"), [[1, 2]])


def test_half_precision_tables_are_trained_in_single(nlp):
    nlp.vocab.vectors.data = nlp.vocab.vectors.data.astype("float16")
    assert TunedVectors().initialize(X=[nlp("so")]).get_param("E").dtype == "float32"


def test_texts_without_tokens(model, nlp):
    Y = model.predict([nlp(""), nlp("")])
    assert Y.dataXd.shape == (0, 2)


def test_missing_table_is_refused(tweet_nlp):
    with pytest.raises(ConfigError, match="include_static_vectors = true, but the pipeline has no vectors table"):
        TunedVectors().initialize(X=[tweet_nlp("so")])


def test_another_table_is_refused(model, nlp):
    set_table(nlp, ["so"], [[1, 2]])
    with pytest.raises(ConfigError, match=r"a vectors table of 3 rows of width 2, but the pipeline's has 1 rows"):
        model.predict([nlp("so")])


def test_coverage_is_said_once_at_initialization(nlp, caplog):
    with caplog.at_level(logging.INFO, logger="spacy"):
        TunedVectors().initialize(X=[nlp("so zzz")])
    assert caplog.messages[0].startswith("Vectors: 50.0% of the tokens")
