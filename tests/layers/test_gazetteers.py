import logging

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.gazetteer_table import LONGEST, set_gazetteers
from spacy_bilstm_tagger.layers.doc_slice import slices
from spacy_bilstm_tagger.layers.gazetteers import GazetteerFeatures


@pytest.fixture
def nlp(tweet_nlp):
    set_gazetteers(tweet_nlp.vocab, {"place": ["New York", "York"], "person": ["York"]})
    return tweet_nlp


def test_columns(nlp):
    docs = [nlp("in New York"), nlp(""), nlp("york")]
    Y = GazetteerFeatures().initialize(X=docs).predict(docs)
    # place begins, person begins, place goes on, person goes on
    expected = [[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 1, 0], [1, 1, 0, 0]]
    assert_array_equal(Y.data, expected)
    assert_array_equal(Y.lengths, [3, 0, 1])
    assert Y.data.dtype == "float32"


def test_some_of_the_lists(nlp):
    model = GazetteerFeatures(["person"])
    assert model.get_dim("nO") == 2
    assert_array_equal(model.predict([nlp("New York")]).data, [[0, 0], [1, 0]])


def test_texts_without_tokens(nlp):
    Y = GazetteerFeatures().initialize(X=[nlp("")]).predict([nlp(""), nlp("")])
    assert Y.dataXd.shape == (0, 4)
    assert_array_equal(Y.lengths, [0, 0])


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_slices_know_the_names_that_reach_over_their_ends(nlp, size):
    set_gazetteers(nlp.vocab, {"names": ["a b c d", "b c", "c d e f g h", "e f"], "others": ["d e", "h a"]})
    docs = [nlp("a b c d e f g h a b c d"), nlp("b c d e"), nlp("d e f")]
    model = GazetteerFeatures().initialize(X=docs)
    parts = [model.predict(part).data for part in slices(docs, size)]
    assert_array_equal(np.concatenate(parts), model.predict(docs).data)


def test_a_token_does_not_depend_on_tokens_far_away(nlp):
    rng = np.random.default_rng(0)
    names = [" ".join(rng.choice(list("abc"), size=n)) for n in (2, 3, 4, 5, 6, 6, 5, 4)]
    set_gazetteers(nlp.vocab, {"names": names})
    words = rng.choice(list("abc"), size=40)
    model = GazetteerFeatures().initialize(X=[nlp("a")])
    whole = model.predict([nlp(" ".join(words))]).data
    reach = LONGEST - 1
    for at in range(reach, 40 - reach):
        near = nlp(" ".join(words[at - reach : at + reach + 1]))
        assert_array_equal(model.predict([near]).data[reach], whole[at])


def test_lists_are_saved_with_the_model(nlp):
    model = GazetteerFeatures().initialize(X=[nlp("york")])
    loaded = GazetteerFeatures().from_bytes(model.to_bytes())
    assert_array_equal(loaded.predict([nlp("york")]).data, [[1, 1, 0, 0]])
    set_gazetteers(nlp.vocab, {"other": ["york"], "person": ["york"], "place": ["x y"]})
    assert_array_equal(loaded.predict([nlp("york")]).data, [[0, 1, 0, 0]])  # found by name
    set_gazetteers(nlp.vocab, {"other": ["york"]})
    with pytest.raises(ConfigError, match="no gazetteer place, person; expected some of: other"):
        loaded.predict([nlp("york")])
    assert model.initialize(X=[nlp("york")]).get_dim("nO") == 2


def test_coverage_is_said_once_at_initialization(nlp, caplog):
    with caplog.at_level(logging.INFO, logger="spacy"):
        GazetteerFeatures().initialize(X=[nlp("in New York"), nlp("zzz zzz york")])
    assert caplog.messages == [
        "Gazetteers: 50.0% of the tokens of the first 2 texts are in a name; most are on the list place (50.0%), "
        "0 of 2 lists have none"
    ]


def test_nothing_is_said_without_tokens(nlp, caplog):
    with caplog.at_level(logging.INFO, logger="spacy"):
        GazetteerFeatures().initialize()
        GazetteerFeatures().initialize(X=[nlp("")])
    assert caplog.messages == []


@pytest.mark.parametrize("text", ["so", ""])
def test_missing_gazetteers_are_refused_at_initialization(tweet_nlp, text):
    with pytest.raises(ConfigError, match="has gazetteers, but the pipeline has none"):
        GazetteerFeatures().initialize(X=[tweet_nlp(text)])
