import logging

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from spacy_bilstm_tagger.brown_table import set_brown
from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.layers.brown import BrownPrefixes


@pytest.fixture
def nlp(tweet_nlp):
    set_brown(tweet_nlp.vocab, {"so": "0", "good": "01101", "<@MENTION>": "0010"})
    return tweet_nlp


def test_prefixes(nlp):
    Y = BrownPrefixes([2, 4]).predict([nlp("so good"), nlp(""), nlp("zzz @x")])
    assert_array_equal(Y.data, [[0b10, 0b10], [0b101, 0b10110], [0, 0], [0b100, 0b10010]])
    assert_array_equal(Y.lengths, [2, 0, 2])
    assert Y.data.dtype == "uint64"


def test_texts_without_tokens(nlp):
    Y = BrownPrefixes([2, 4]).predict([nlp(""), nlp("")])
    assert Y.dataXd.shape == (0, 2)
    assert_array_equal(Y.lengths, [0, 0])


def test_alone_or_in_a_batch(nlp):
    docs = [nlp("so good"), nlp("@x"), nlp("zzz so")]
    model = BrownPrefixes([1, 3])
    alone = np.concatenate([model.predict([doc]).data for doc in docs])
    assert_array_equal(model.predict(docs).data, alone)


def test_prefixes_are_saved(nlp):
    loaded = BrownPrefixes([9]).from_bytes(BrownPrefixes([2, 4]).to_bytes())
    assert_array_equal(loaded.predict([nlp("good")]).data, [[0b101, 0b10110]])


def test_coverage_is_said_once_at_initialization(nlp, caplog):
    with caplog.at_level(logging.INFO, logger="spacy"):
        BrownPrefixes([2, 4]).initialize(X=[nlp("so so good"), nlp("zzz")])
    assert caplog.messages == [
        "Brown clusters: 75.0% of the tokens (66.7% of the word types) of the first 2 texts have a path: "
        "3 by LOWER, 0 by NORM, 0 by a stand-in for their NORM; 1 by none"
    ]


def test_nothing_is_said_without_tokens(nlp, caplog):
    with caplog.at_level(logging.INFO, logger="spacy"):
        BrownPrefixes([2]).initialize()
        BrownPrefixes([2]).initialize(X=[nlp("")])
    assert caplog.messages == []


def test_spacy_prints_it_though_its_own_logger_is_silent():
    ours = logging.getLogger("spacy.bilstm_tagger")
    assert ours.isEnabledFor(logging.INFO)
    assert not logging.getLogger("spacy").isEnabledFor(logging.INFO)
    assert ours.propagate
    assert ours.parent is logging.getLogger("spacy")
    assert ours.parent.handlers


@pytest.mark.parametrize("text", ["so", ""])
def test_missing_clusters_are_refused_at_initialization(tweet_nlp, text):
    with pytest.raises(ConfigError, match="has brown_prefixes, but the pipeline has no Brown clusters"):
        BrownPrefixes([2]).initialize(X=[tweet_nlp(text)])


def test_missing_clusters_are_refused_at_prediction(tweet_nlp):
    with pytest.raises(ConfigError, match="Set brown in"):
        BrownPrefixes([2]).predict([tweet_nlp("so")])
