import multiprocessing

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose, assert_array_equal
from spacy.ml.models.tok2vec import build_Tok2Vec_model
from spacy.strings import get_string_id
from spacy.vectors import Vectors
from thinc.api import Adam, fix_random_seed

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.lexicon.brown import brown_table
from spacy_bilstm_tagger.lexicon.gazetteers import gazetteer_table
from spacy_bilstm_tagger.lexicon.table import BROWN as BROWN_TABLE
from spacy_bilstm_tagger.lexicon.table import GAZETTEERS, WordTable
from spacy_bilstm_tagger.models import BiLSTMEncoder, TweetEmbed


@pytest.fixture
def nlp(tweet_nlp):
    data = np.arange(6, dtype="f").reshape(2, 3)
    tweet_nlp.vocab.vectors = Vectors(strings=tweet_nlp.vocab.strings, data=data, keys=["so", "good"])
    lookups = tweet_nlp.vocab.lookups
    brown_table({"so": "0", "good": "01101", "is": "0111"}).to_lookups(lookups, BROWN_TABLE)
    table = WordTable.build(np.array([get_string_id("so")], dtype="uint64"), rows=np.ones((1, 2), "f"))
    table.to_lookups(lookups, "vectors_toy")
    return tweet_nlp


FULL = {"attrs": ["NORM", "SHAPE"], "rows": [50, 20], "feature_width": 4, "include_static_vectors": True}
BROWN = {"attrs": [], "rows": [], "include_static_vectors": False, "brown_prefixes": [2, 4]}


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
        ({**FULL, "finetune_vectors": True}, 11),
        ({**BROWN, "brown_width": 5}, 10),
        ({**FULL, "brown_prefixes": [4]}, 27),
        ({**FULL, "tables": ["toy"]}, 13),
    ],
)
def test_width_is_the_sum_of_the_parts(nlp, settings, width):
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
        (
            {"attrs": ["NOPE"], "rows": [9]},
            "attrs has 'NOPE', which is no attribute of spaCy's tokens; expected some of",
        ),
        ({"tables": ["own", "other", "own"]}, "tables has 'own' twice; expected each vector table once"),
        ({"feature_width": 0}, "feature_width = 0; expected a whole number of at least 1"),
        ({"rows": [50, 0]}, "rows = 0; expected a whole number of at least 1"),
        ({"char_kernels": [0]}, "char_kernels = 0; expected a whole number of at least 1"),
        ({"finetune_vectors": True, "include_static_vectors": False}, "finetune_vectors = True needs include_static"),
        ({"brown_prefixes": [4, 0]}, "brown_prefixes = 0; expected a whole number of at least 1"),
        ({"brown_rows": 0}, "brown_rows = 0; expected a whole number of at least 1"),
        ({"brown_width": 0}, "brown_width = 0; expected a whole number of at least 1"),
        ({"norm_dropout": 1.0}, "norm_dropout = 1.0; expected a number from 0 up to, but not including, 1"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        TweetEmbed(**{**FULL, **settings})


def test_makes_a_tok2vec_with_the_encoder(nlp):
    tok2vec = build_Tok2Vec_model(TweetEmbed(**FULL), BiLSTMEncoder(width=6, depth=1))
    assert tok2vec.get_dim("nO") == 6
    tok2vec.initialize(X=[nlp("so good")])
    assert tok2vec.predict([nlp("so good")])[0].shape == (2, 6)


class TestBrown:
    """so has the path 0, good 01101, is (and so 's) 0111."""

    @pytest.fixture
    def model(self, nlp):
        return TweetEmbed(**BROWN, brown_rows=40, brown_width=3).initialize(X=[nlp("so")])

    def test_words_that_share_a_prefix_share_its_columns(self, model, nlp):
        so, good, be, unknown = model.predict([nlp("so good is zzz")])[0]
        assert_array_equal(good[:3], be[:3])
        for one, other in [(good[3:], be[3:]), (so[:3], good[:3]), (so, unknown), (good, unknown)]:
            assert (one != other).all()

    def test_words_without_a_path_share_a_row(self, model, nlp):
        one, other = model.predict([nlp("zzz qqq")])[0]
        assert_array_equal(one, other)

    def test_alone_or_in_a_batch(self, model, nlp):
        docs = [nlp("so good zzz"), nlp(""), nlp("is so"), nlp("good")]
        for doc, Y in zip(docs, model.predict(docs)):
            assert_array_equal(model.predict([doc])[0], Y)

    def test_gradient(self, model, nlp):
        """The sum of dY * Y is linear in a table's values: differences over any step are exact but for rounding."""
        docs = [nlp("so good"), nlp("zzz so")]
        Ys, backprop = model.begin_update(docs)
        dYs = [np.random.default_rng(0).normal(size=Y.shape).astype("f") for Y in Ys]
        backprop(dYs)
        tables = [node for node in model.walk() if node.name == "hashembed"]
        assert len(tables) == 2
        for table in tables:
            E, dE = table.get_param("E"), table.get_grad("E").copy()
            expected = np.zeros_like(dE)
            for at in np.ndindex(*E.shape):
                E[at] += 1.0
                moved = model.predict(docs)
                E[at] -= 1.0
                expected[at] = sum((dY * (Z - Y)).sum() for dY, Z, Y in zip(dYs, moved, Ys))
            assert_allclose(dE, expected, atol=1e-5)
            assert np.count_nonzero(dE.any(axis=1)) > 4

    def test_other_parts_start_with_the_same_weights(self, nlp):
        def first_rows(**more):
            fix_random_seed(0)
            return TweetEmbed(**FULL, char_kernels=[2], **more).initialize(X=[nlp("so")]).predict([nlp("so good")])[0]

        without, with_brown = first_rows(), first_rows(brown_prefixes=[2, 4])
        assert_array_equal(with_brown[:, : without.shape[1]], without)

    def test_clusters_that_are_missing_are_refused(self, tweet_nlp):
        with pytest.raises(ConfigError, match="has brown_prefixes, but the pipeline has no Brown clusters"):
            TweetEmbed(**BROWN).initialize(X=[tweet_nlp("so")])

    @pytest.mark.slow
    def test_in_a_pipeline(self, nlp, make_examples, tmp_path):
        """Trained, saved, loaded; in spawned processes too."""
        embed = {"@architectures": "spacy-bilstm-tagger.TweetEmbed.v1", **BROWN}
        encode = {"@architectures": "spacy-bilstm-tagger.BiLSTMEncoder.v1", "width": 6, "depth": 1}
        tok2vec = {"@architectures": "spacy.Tok2Vec.v2", "embed": embed, "encode": encode}
        nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": tok2vec}})
        examples = make_examples(nlp)
        nlp.initialize(lambda: examples)
        for _ in range(9):
            nlp.update(examples, drop=0.1)
        nlp.to_disk(tmp_path)
        texts = ["so good", "is zzz so", ""]
        tags = [[token.tag_ for token in nlp(text)] for text in texts]
        assert len({tag for text in tags for tag in text}) > 1
        loaded = spacy.load(tmp_path)
        assert [[token.tag_ for token in doc] for doc in loaded.pipe(texts)] == tags
        start = multiprocessing.get_start_method()
        multiprocessing.set_start_method("spawn", force=True)
        try:
            assert [[token.tag_ for token in doc] for doc in loaded.pipe(texts, n_process=2, batch_size=1)] == tags
        finally:
            multiprocessing.set_start_method(start, force=True)


class TestGazetteers:
    ONLY = {"attrs": [], "rows": [], "include_static_vectors": False}

    @pytest.fixture
    def nlp(self, nlp):
        gazetteer_table({"place": ["New York"], "person": ["York"]}).to_lookups(nlp.vocab.lookups, GAZETTEERS)
        return nlp

    @pytest.mark.parametrize(("gazetteers", "width"), [(True, 4), (["person"], 2)])
    def test_columns(self, nlp, gazetteers, width):
        docs = [nlp("New York"), nlp(""), nlp("so")]
        model = TweetEmbed(**self.ONLY, gazetteers=gazetteers).initialize(X=docs)
        assert model.get_dim("nO") == width
        rows = [[1, 0, 0, 0], [0, 1, 1, 0]] if gazetteers is True else [[0, 0], [1, 0]]
        loaded = TweetEmbed(**self.ONLY, gazetteers=gazetteers).from_bytes(model.to_bytes())
        for each in (model, loaded):
            assert_array_equal(each.predict(docs)[0], rows)
            assert_array_equal(each.predict(docs)[2], np.zeros((1, width)))

    def test_they_stand_behind_the_others(self, nlp):
        docs = [nlp("so York")]
        model = TweetEmbed(**FULL, gazetteers=["person"]).initialize(X=docs)
        Ys, backprop = model.begin_update(docs)
        assert Ys[0].shape == (2, 13)
        assert_array_equal(Ys[0][:, 11:], [[0, 0], [1, 0]])
        assert backprop(Ys) is not None

    def test_in_a_config(self, nlp, make_examples, tmp_path):
        embed = {"@architectures": "spacy-bilstm-tagger.TweetEmbed.v1", **self.ONLY, "gazetteers": ["person"]}
        encode = {"@architectures": "spacy-bilstm-tagger.BiLSTMEncoder.v1", "width": 6, "depth": 1}
        tok2vec = {"@architectures": "spacy.Tok2Vec.v2", "embed": embed, "encode": encode}
        nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": tok2vec}})
        nlp.initialize(lambda: make_examples(nlp))
        nlp.to_disk(tmp_path)
        loaded = spacy.load(tmp_path)
        one, other = (pipeline.get_pipe("tagger").model.predict([pipeline("so York")])[0] for pipeline in (nlp, loaded))
        assert_array_equal(one, other)

    def test_lists_that_are_missing_are_refused(self, nlp, tweet_nlp):
        with pytest.raises(ConfigError, match="no gazetteer city; expected some of: place, person"):
            TweetEmbed(**self.ONLY, gazetteers=["city"]).initialize(X=[nlp("so")])


class TestStaticVectors:
    """so has the row 0 1 2, good 3 4 5."""

    ONLY = {"attrs": [], "rows": [], "include_static_vectors": True}

    def test_finetuning_in_a_pipeline(self, nlp, make_examples, tmp_path):
        """Rows of the trained words move; averages, saving and loading know them; the table is as it was."""
        embed = {"@architectures": "spacy-bilstm-tagger.TweetEmbed.v1", **self.ONLY, "finetune_vectors": True}
        encode = {"@architectures": "spacy-bilstm-tagger.BiLSTMEncoder.v1", "width": 6, "depth": 1}
        tok2vec = {"@architectures": "spacy.Tok2Vec.v2", "embed": embed, "encode": encode}
        nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": tok2vec}})
        nlp.initialize(lambda: make_examples(nlp))
        sgd = Adam(0.01, use_averages=True)
        for _ in range(3):
            nlp.update(make_examples(nlp), sgd=sgd)
        E = self._rows(nlp)
        assert (nlp.vocab.vectors.data != E).all()  # both words are in the examples
        assert_array_equal(nlp.vocab.vectors.data, np.arange(6).reshape(2, 3))
        with nlp.get_pipe("tagger").model.use_params(sgd.averages):
            assert (self._rows(nlp) != E).any()
        nlp.to_disk(tmp_path)
        assert_array_equal(self._rows(spacy.load(tmp_path)), E)

    def _rows(self, nlp):
        model = nlp.get_pipe("tagger").model
        return next(node for node in model.walk() if node.name == "tuned_vectors").get_param("E").copy()


class TestSettingsThatGoWithTheWeights:
    """A config that changes one after training is refused: thinc would take the saved value, or the layer another table."""

    BASE = {"attrs": ["NORM"], "rows": [9], "feature_width": 4, "include_static_vectors": False}

    @pytest.fixture
    def nlp(self, nlp):
        for name in ("a", "b"):
            table = WordTable.build(np.array([get_string_id("so")], dtype="uint64"), rows=np.ones((1, 3), "f"))
            table.to_lookups(nlp.vocab.lookups, f"vectors_{name}")
        gazetteer_table({"place": ["so"]}).to_lookups(nlp.vocab.lookups, GAZETTEERS)
        return nlp

    @pytest.mark.parametrize(
        ("trained", "changed", "name"),
        [
            ({}, {"attrs": ["LOWER"]}, "attrs"),
            ({"tables": ["a"]}, {"tables": ["b"]}, "tables"),
            ({"tables": ["a", "b"]}, {"tables": ["b", "a"]}, "tables"),
            ({"tables": ["a"]}, {"include_static_vectors": True}, "include_static_vectors"),
            ({"include_static_vectors": True}, {"tables": ["a"]}, "include_static_vectors"),
            (
                {"include_static_vectors": True},
                {"include_static_vectors": True, "finetune_vectors": True},
                "finetune_vectors",
            ),
            (
                {"include_static_vectors": True, "finetune_vectors": True},
                {"include_static_vectors": True},
                "finetune_vectors",
            ),
            ({"char_kernels": [2]}, {"char_kernels": [3]}, "char_kernels"),
            ({"brown_prefixes": [2]}, {"brown_prefixes": [3]}, "brown_prefixes"),
            ({"gazetteers": True}, {"gazetteers": ["place"]}, "gazetteers"),
        ],
    )
    def test_are_refused_if_they_change(self, nlp, trained, changed, name):
        saved = TweetEmbed(**{**self.BASE, **trained}).initialize(X=[nlp("so good")]).to_bytes()
        assert TweetEmbed(**{**self.BASE, **trained}).from_bytes(saved)
        with pytest.raises(ConfigError, match=rf"TweetEmbed.v1: {name} = .*, but the weights were trained with"):
            TweetEmbed(**{**self.BASE, **changed}).from_bytes(saved)

    def test_dropout_of_the_norm_is_that_of_the_config(self, nlp):
        saved = TweetEmbed(**self.BASE).initialize(X=[nlp("so good")]).to_bytes()
        model = TweetEmbed(**self.BASE, norm_dropout=0.99).from_bytes(saved)
        model.attrs["dropout_rate"] = 0.1
        Y, _ = model.begin_update([nlp("so good " * 50)])
        assert np.mean(~Y[0].any(axis=1)) > 0.8
