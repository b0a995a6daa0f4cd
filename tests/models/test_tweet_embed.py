import numpy as np
import pytest
from numpy.testing import assert_array_equal
from spacy.ml.models.tok2vec import build_Tok2Vec_model
from spacy.vectors import Vectors

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.models import BiLSTMEncoder, TweetEmbed


@pytest.fixture
def nlp(tweet_nlp):
    data = np.arange(6, dtype="f").reshape(2, 3)
    tweet_nlp.vocab.vectors = Vectors(strings=tweet_nlp.vocab.strings, data=data, keys=["so", "good"])
    return tweet_nlp


FULL = {"attrs": ["NORM", "SHAPE"], "rows": [50, 20], "feature_width": 4, "include_static_vectors": True}


@pytest.mark.parametrize(
    ("settings", "width"),
    [
        ({"attrs": [], "rows": [], "include_static_vectors": True}, 3),
        ({"attrs": ["NORM"], "rows": [9], "feature_width": 4, "include_static_vectors": False}, 4),
        (
            {
                "attrs": [],
                "rows": [],
                "include_static_vectors": False,
                "char_kernels": [3],
                "char_filters": 5,
            },
            5,
        ),
        (FULL, 11),
        ({**FULL, "char_kernels": [2, 3], "char_filters": 5}, 21),
        ({**FULL, "width": 11}, 11),
        ({**FULL, "mix": True, "width": 7}, 7),
    ],
)
def test_width_is_the_sum_of_the_parts_or_that_of_the_mix(nlp, settings, width):
    docs = [nlp("so good @x"), nlp(""), nlp("so")]
    model = TweetEmbed(**settings).initialize(X=docs)
    assert model.get_dim("nO") == width
    assert [Y.shape for Y in model.predict(docs)] == [(3, width), (0, width), (1, width)]
    loaded = TweetEmbed(**settings).from_bytes(model.to_bytes())
    assert loaded.get_dim("nO") == width
    for Y, Z in zip(model.predict(docs), loaded.predict(docs)):
        assert_array_equal(Y, Z)


def test_vectors_alone_pass_through_unchanged(nlp):
    doc = nlp("good so")
    model = TweetEmbed(attrs=[], rows=[], include_static_vectors=True).initialize(X=[doc])
    assert_array_equal(model.predict([doc])[0], [[3, 4, 5], [0, 1, 2]])


def test_a_batch_without_tokens_is_fine(nlp):
    model = TweetEmbed(**FULL, char_kernels=[3]).initialize(X=[nlp("so")])
    assert [Y.shape for Y in model.predict([nlp(""), nlp("")])] == [(0, 43), (0, 43)]
    assert model.predict([]) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rows": [50]}, "attrs has 2 entries and rows has 1"),
        ({"attrs": [], "rows": [], "include_static_vectors": False}, "there is nothing to embed"),
        ({"mix": True}, "mix = true needs a width"),
        ({"feature_width": 0}, "feature_width = 0; expected a whole number of at least 1"),
        ({"rows": [50, 0]}, "rows = 0; expected a whole number of at least 1"),
        ({"char_kernels": [0]}, "char_kernels = 0; expected a whole number of at least 1"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        TweetEmbed(**{**FULL, **settings})


def test_width_that_does_not_fit_the_vectors_is_refused(nlp):
    model = TweetEmbed(attrs=[], rows=[], include_static_vectors=True, width=100)
    with pytest.raises(ConfigError, match=r"width = 100, but without a mixing layer .* the features are 3 wide"):
        model.initialize(X=[nlp("so")])


def test_makes_a_tok2vec_with_the_encoder(nlp):
    tok2vec = build_Tok2Vec_model(TweetEmbed(**FULL), BiLSTMEncoder(width=6, depth=1))
    assert tok2vec.get_dim("nO") == 6
    tok2vec.initialize(X=[nlp("so good")])
    assert tok2vec.predict([nlp("so good")])[0].shape == (2, 6)
