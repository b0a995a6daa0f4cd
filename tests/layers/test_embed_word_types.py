"""The layer of TweetEmbed.v1, on features that are made up."""

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from spacy.tokens import Doc
from thinc.api import Model, set_dropout_rate

from spacy_bilstm_tagger.layers import tweet_embed
from spacy_bilstm_tagger.layers.tweet_embed import EmbedWordTypes
from spacy_bilstm_tagger.layers.word_features import GazetteerFeatures, HashedAttribute
from spacy_bilstm_tagger.lexicon.gazetteers import gazetteer_table
from spacy_bilstm_tagger.lexicon.table import GAZETTEERS
from spacy_bilstm_tagger.types import TokenRows

VOCAB = spacy.blank("en").vocab
gazetteer_table({"letters": ["a b", "c"], "others": ["b c d"]}).to_lookups(VOCAB.lookups, GAZETTEERS)
TEXTS = st.lists(st.text("abcdE", max_size=12), min_size=1, max_size=5)


def make_docs(texts):
    return [Doc(VOCAB, words=list(text)) for text in texts]


def make_model(norm_dropout=0.0, names=None):
    norm, lower = HashedAttribute(0, width=3, rows=50), HashedAttribute(1, width=2, rows=50)
    features = {"norm": norm, "norm_dropout": norm_dropout, "names": names, "settings": {"attrs": ["NORM", "LOWER"]}}
    return EmbedWordTypes([norm, lower], **features).initialize(X=make_docs(["abcdE"]))


@given(TEXTS)
@settings(deadline=None)
def test_rows_are_the_same_alone_in_a_batch_and_in_training(texts):
    model, docs = make_model(names=GazetteerFeatures()), make_docs(texts)
    Ys = model.predict(docs)
    for doc, Y, Z in zip(docs, Ys, model.begin_update(docs)[0]):
        assert Y.shape == (len(doc), 9)
        assert_array_equal(Y, model.predict([doc])[0])
        assert_array_equal(Y, Z)


@given(TEXTS, st.booleans())
@settings(deadline=None)
def test_distinct_rows_make_the_token_rows(texts, with_names):
    model, docs = make_model(names=GazetteerFeatures() if with_names else None), make_docs(texts)
    Ys = model.predict(docs)
    if any(texts):
        assert isinstance(Ys, TokenRows)
        assert_array_equal(Ys.distinct[Ys.row_of], np.concatenate(Ys))
        assert len(np.unique(Ys.distinct, axis=0)) == len(Ys.distinct) == len(np.unique(Ys.row_of))


@pytest.mark.parametrize("with_names", [False, True])
def test_word_types_are_embedded_in_parts(monkeypatch, with_names):
    model, docs = make_model(names=GazetteerFeatures() if with_names else None), make_docs(["abcdE", "", "aabbc"])
    expected = model.predict(docs)
    monkeypatch.setattr(tweet_embed, "TYPES_AT_ONCE", 2)
    for Y, rows in zip(model.predict(docs), expected):
        assert_array_equal(Y, rows)


def test_names_alone():
    docs = make_docs(["abc", "", "E"])
    model = EmbedWordTypes([], settings={"attrs": []}, names=GazetteerFeatures()).initialize(X=docs)
    Ys, backprop = model.begin_update(docs)
    assert backprop(Ys) == []
    for found in (Ys, model.predict(docs)):
        assert_array_equal(np.concatenate(found), [[1, 0, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]])


def test_gradients_are_summed_over_the_tokens_of_a_type():
    docs = make_docs(["aba", "a"])
    found = {}

    def forward(model, types, is_train):
        def backprop(dY):
            found["dY"] = dY[types.index]
            return []

        return np.zeros((len(types), 2), dtype="f"), backprop

    def init(model, X=None, Y=None):
        model.set_dim("nO", 2)

    model = EmbedWordTypes([Model("zeros", forward, init=init, dims={"nO": None})], settings={"attrs": []}).initialize(
        X=docs
    )
    _, backprop = model.begin_update(docs)
    backprop([np.array([[1, 2], [4, 8], [16, 32]], dtype="f"), np.array([[64, 128]], dtype="f")])
    assert_array_equal(found["dY"], [[81, 162], [4, 8], [81, 162], [81, 162]])


class TestNormDropout:
    docs = make_docs(["a" * 400])

    def test_tokens_lose_the_columns_of_norm_and_their_gradients(self):
        model = make_model(0.5)
        set_dropout_rate(model, 0.1)
        for node in model.walk():
            if node.name == "hashembed":
                node.attrs["dropout_rate"] = 0.0
        (expected,) = model.predict(self.docs)
        (Y,), backprop = model.begin_update(self.docs)
        is_kept = Y[:, :3].any(axis=1)
        assert 150 < is_kept.sum() < 250
        assert_array_equal(Y, np.hstack([expected[:, :3] * is_kept[:, None], expected[:, 3:]]))
        backprop([np.ones_like(Y)])
        norm, lower = (node for node in model.walk() if node.name == "hashembed")
        assert_allclose(norm.get_grad("E").sum(axis=0), np.full(3, 4 * is_kept.sum()))
        assert_allclose(lower.get_grad("E").sum(axis=0), np.full(2, 4 * 400))

    def test_prediction_and_updates_without_dropout_keep_every_row(self):
        model = make_model(0.5)
        expected = model.predict(self.docs)[0]
        assert_array_equal(model.begin_update(self.docs)[0][0], expected)
        set_dropout_rate(model, 0.1)
        assert_array_equal(model.predict(self.docs)[0], expected)
