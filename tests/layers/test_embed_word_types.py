"""The layer of TweetEmbed.v1, on features that are made up."""

import pickle

import numpy as np
import pytest
import spacy
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from spacy.tokens import Doc
from thinc.api import Adam, Model, set_dropout_rate

from spacy_bilstm_tagger.layers import tweet_embed
from spacy_bilstm_tagger.layers.tweet_embed import EmbedWordTypes
from spacy_bilstm_tagger.layers.word_cache import TokenRows
from spacy_bilstm_tagger.layers.word_features import GazetteerFeatures, HashedAttribute
from spacy_bilstm_tagger.lexicon.gazetteers import gazetteer_table
from spacy_bilstm_tagger.lexicon.table import CHECKSUM, GAZETTEERS
from spacy_bilstm_tagger.lexicon.vectors import set_vectors
from spacy_bilstm_tagger.models.tweet_embed import TweetEmbed

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
def test_rows_are_the_same_alone_in_a_batch_and_in_training(texts):
    model, docs = make_model(names=GazetteerFeatures()), make_docs(texts)
    Ys = model.predict(docs)
    for doc, Y, Z in zip(docs, Ys, model.begin_update(docs)[0]):
        assert Y.shape == (len(doc), 9)
        assert_array_equal(Y, model.predict([doc])[0])
        assert_array_equal(Y, Z)


@given(TEXTS, st.booleans())
def test_distinct_rows_make_the_token_rows(texts, with_names):
    model, docs = make_model(names=GazetteerFeatures() if with_names else None), make_docs(texts)
    Ys = model.predict(docs)
    if any(texts):
        assert isinstance(Ys, TokenRows)
        parts = [words.rows[words.index] for words in Ys.parts]
        assert_array_equal(np.concatenate(parts, axis=1), np.concatenate(Ys))
        for words in Ys.parts:
            assert len(words.rows) == len(np.unique(words.index))


@pytest.mark.parametrize("with_names", [False, True])
def test_word_types_are_embedded_in_parts(monkeypatch, with_names):
    model, docs = make_model(names=GazetteerFeatures() if with_names else None), make_docs(["abcdE", "", "aabbc"])
    expected = model.predict(docs)
    monkeypatch.setattr(tweet_embed, "TYPES_AT_ONCE", 2)
    for Y, rows in zip(model.predict(docs), expected):
        assert_array_equal(Y, rows)


def test_a_copy_is_the_same():
    model, docs = make_model(0.5, names=GazetteerFeatures()), make_docs(["abcdE", "aaaa"])
    twin = model.copy()
    for found, expected in zip(twin.predict(docs), model.predict(docs)):
        assert_array_equal(found, expected)
    set_dropout_rate(twin, 0.1)
    (Y, *_), _ = twin.begin_update(make_docs(["a" * 400]))
    assert 150 < Y[:, :3].any(axis=1).sum() < 250


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

    model = EmbedWordTypes([Model("zeros", forward, init=init, dims={"nO": None})], settings={"attrs": []}).initialize(X=docs)
    _, backprop = model.begin_update(docs)
    backprop([np.array([[1, 2], [4, 8], [16, 32]], dtype="f"), np.array([[64, 128]], dtype="f")])
    assert_array_equal(found["dY"], [[81, 162], [4, 8], [81, 162], [81, 162]])


class TestCache:
    """With it, rows are what they are without, whatever changed in between."""

    @pytest.fixture
    def nlp(self):
        nlp = spacy.blank("en")
        set_vectors(nlp.vocab, ["a", "b", "<unk>"], np.eye(3, dtype="f"), name="some")
        gazetteer_table({"letters": ["a b", "c"], "others": ["b c d"]}).to_lookups(nlp.vocab.lookups, GAZETTEERS)
        return nlp

    def make(self, nlp, cache_mb):
        options = {"attrs": ["NORM", "SUFFIX"], "rows": [50, 50], "include_static_vectors": True, "char_kernels": [2]}
        model = TweetEmbed(**options, gazetteers=True, cache_mb=cache_mb)
        return model.initialize(X=[nlp.make_doc("a b c d")])

    def check(self, nlp, model):
        """The rows are those of a copy, whose cache is empty."""
        docs = [nlp.make_doc(text) for text in ("a b c d e", "", "e a f", "b c d")]
        for found, expected in zip(model.predict(docs), model.copy().predict(docs)):
            assert_array_equal(found, expected)
        return np.concatenate(model.predict(docs))

    def test_computes_no_word_twice(self, nlp, monkeypatch):
        model = self.make(nlp, 1)
        seen = []
        compute = tweet_embed._rows_of_types
        monkeypatch.setattr(tweet_embed, "_rows_of_types", lambda model, types: seen.extend(types.orth) or compute(model, types))
        for text in ("a b c", "c b a", "a d", "d d a"):
            model.predict([nlp.make_doc(text)])
        assert len(seen) == len(set(seen)) == 4
        uncached = self.make(nlp, 0)
        seen.clear()
        for _ in range(2):
            uncached.predict([nlp.make_doc("a b a")])
        assert len(seen) == 4

    @pytest.mark.parametrize(
        "change",
        [
            lambda nlp, model: nlp.vocab.set_vector("a", np.full(3, 7, dtype="f")),
            lambda nlp, model: nlp.vocab.set_vector("e", np.full(3, 7, dtype="f")),
            lambda nlp, model: set_vectors(nlp.vocab, ["e", "<unk>"], np.full((2, 3), 7, dtype="f"), name="other"),
            lambda nlp, model: nlp.vocab.vectors.data.__imul__(7),
            lambda nlp, model: embedding(model).set_param("E", embedding(model).get_param("E") * 7),
            lambda nlp, model: embedding(model).get_param("E").__imul__(7),
            lambda nlp, model: embedding(model).set_param("E", embedding(model).get_param("E")[::-1].copy()),
            lambda nlp, model: model.replace_node(embedding(model), embedding(make_twin(nlp))),
            lambda nlp, model: characters(model).add_(7),
            lambda nlp, model: setattr(module_of(model), "weight", torch.nn.Parameter(characters(model) + 7)),
        ],
        ids=[
            "a row",
            "a new word",
            "all vectors",
            "vectors in place",
            "hashed rows",
            "rows in place",
            "rows in another order",
            "another layer",
            "characters",
            "other characters",
        ],
    )
    def test_follows_what_changes(self, nlp, change):
        model = self.make(nlp, 1)
        before = self.check(nlp, model)
        with torch.no_grad():
            change(nlp, model)
        assert not np.array_equal(self.check(nlp, model), before)

    def test_follows_all_rows_in_place_text_by_text(self, nlp):
        model, docs = self.make(nlp, 1), [nlp.make_doc("a b c d")]
        before = model.predict(docs)[0]
        embedding(model).get_param("E")[:] += 1
        now = model.predict(docs)[0]
        assert not np.array_equal(now, before)
        assert_array_equal(now, model.copy().predict(docs)[0])

    def test_follows_lists_that_go_when_the_model_is_made_anew(self, nlp):
        model = self.make(nlp, 1)
        width = self.check(nlp, model).shape[1]
        gazetteer_table({"letters": ["a b", "c"]}).to_lookups(nlp.vocab.lookups, GAZETTEERS)
        model.initialize(X=[nlp.make_doc("a b c d")])
        assert self.check(nlp, model).shape[1] == model.get_dim("nO") == width - 2

    def test_made_where_torch_counts_no_changes(self, nlp):
        with torch.inference_mode():
            model = self.make(nlp, 1)
        self.check(nlp, model)

    def test_follows_training_and_averages(self, nlp):
        model = self.make(nlp, 1)
        before, optimizer = self.check(nlp, model), Adam(0.1)
        for _ in range(3):
            Ys, backprop = model.begin_update([nlp.make_doc("a b c e")])
            backprop([np.ones_like(Y) for Y in Ys])
            model.predict([nlp.make_doc("a b c e")])
            model.finish_update(optimizer)
            after = self.check(nlp, model)
            assert not np.array_equal(after, before)
            before = after
        with model.use_params(optimizer.averages):
            assert not np.array_equal(self.check(nlp, model), after)
        assert_array_equal(self.check(nlp, model), after)
        model.from_bytes(self.make(nlp, 1).to_bytes())
        assert not np.array_equal(self.check(nlp, model), after)

    def test_another_vocabulary_has_other_rows(self, nlp):
        model, other = self.make(nlp, 1), spacy.blank("en")
        set_vectors(other.vocab, ["a", "<unk>"], np.full((2, 3), 7, dtype="f"), name="other")
        gazetteer_table({"letters": ["e"], "others": ["f"]}).to_lookups(other.vocab.lookups, GAZETTEERS)
        model.layers[-1].attrs.pop(CHECKSUM)
        for each in (nlp, other, nlp, other):
            self.check(each, model)

    def test_a_memory_zone_leaves_it_valid(self, nlp):
        model = self.make(nlp, 1)
        before = self.check(nlp, model)
        with nlp.memory_zone():
            model.predict([nlp.make_doc(" ".join(f"word{i}" for i in range(2000)))])
        assert_array_equal(self.check(nlp, model), before)

    def test_is_not_saved_copied_or_pickled(self, nlp):
        model = self.make(nlp, 1)
        size = len(model.to_bytes())
        model.predict([nlp.make_doc(" ".join(f"word{i}" for i in range(500)))])
        assert len(model.to_bytes()) == size
        for twin in (model.copy(), pickle.loads(pickle.dumps(model.shims[0]))):
            cache = twin.shims[0] if isinstance(twin, Model) else twin
            assert cache._slots is None
            assert cache.memory == model.shims[0].memory


class TestWatched:
    def make(self, rows):
        node = Model("table", lambda model, X, is_train: (X, lambda dY: dY), params={"E": np.ones((rows, 3), dtype="f")})
        return node.get_param("E"), tweet_embed.Watched(node, "E")

    @pytest.mark.parametrize("rows", [1, 49, 50, 51, 799, 800, 1001])
    def test_sees_each_row(self, rows):
        """In a batch at once; text by text after as many texts as there are parts."""
        array, watched = self.make(rows)
        for row in {0, rows // 2, rows - 1}:
            before = watched.version(False)
            assert {watched.version(True) for _ in range(40)} == {before}
            array[row] += 1
            seen = [watched.version(True) for _ in range(tweet_embed.PARTS)]
            assert seen[-1] != before
            assert len(set(seen)) <= 2
            array[row] += 1
            assert watched.version(False) not in (before, seen[-1])

    def test_sees_a_change_of_all_rows_at_once(self):
        array, watched = self.make(1001)
        for _ in range(40):
            before = watched.version(True)
            array *= 2
            assert watched.version(True) != before

    def test_sees_another_array(self):
        array, watched = self.make(1001)
        before = watched.version(True)
        watched._node.set_param("E", array.copy())
        assert watched.version(True) != before

    def test_two_never_have_the_same_version(self):
        assert self.make(9)[1].version(True) != self.make(9)[1].version(True)


def embedding(model):
    return next(node for node in model.walk() if node.name == "hashembed")


def make_twin(nlp):
    return TestCache().make(nlp, 0)


def module_of(model):
    (node,) = (node for node in model.walk() if node.name == "char_cnn")
    return node.shims[0].module.characters


def characters(model):
    return module_of(model).weight


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
