import logging

import numpy as np
import pytest
import spacy
from numpy.testing import assert_array_equal
from spacy.strings import get_string_id
from spacy.vectors import Vectors

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.layers.word_features import (
    BrownPrefixes,
    GazetteerFeatures,
    NormVectors,
    TableVectors,
    TunedVectors,
    cut_paths,
)
from spacy_bilstm_tagger.lexicon.brown import MAX_BITS, brown_table
from spacy_bilstm_tagger.lexicon.gazetteers import MAX_TOKENS, gazetteer_table
from spacy_bilstm_tagger.lexicon.table import BROWN, GAZETTEERS, WordTable, WordTypes


def of(*docs):
    return WordTypes.of(docs)


def token_rows(model, *docs):
    types = of(*docs)
    return model.predict(types)[types.index]


def set_vectors(nlp, keys, rows):
    for key in keys:
        nlp.vocab.strings.add(key)
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=np.array(rows, dtype="f"), keys=keys)


class TestNormVectors:
    @pytest.fixture
    def nlp(self, tweet_nlp):
        set_vectors(tweet_nlp, ["so", "<user>"], [[1, 2], [3, 4]])
        return tweet_nlp

    def rows_of(self, nlp, text):
        return token_rows(NormVectors().initialize(X=of(nlp(text))), nlp(text))

    def test_rows_are_found_by_norm(self, nlp):
        assert_array_equal(self.rows_of(nlp, "SOOO @x"), [[1, 2], [3, 4]])

    def test_unknown_words_get_zeros_or_the_unk_row(self, nlp):
        assert_array_equal(self.rows_of(nlp, "so zzz"), [[1, 2], [0, 0]])
        set_vectors(nlp, ["so", "<unk>"], [[1, 2], [5, 6]])
        assert_array_equal(self.rows_of(nlp, "so zzz"), [[1, 2], [5, 6]])

    def test_half_precision_tables_are_read(self, nlp):
        nlp.vocab.vectors.data = nlp.vocab.vectors.data.astype("float16")
        assert self.rows_of(nlp, "so").dtype == "float32"

    def test_norm_keys_survive_saving(self, nlp, tmp_path):
        """spaCy's own Vectors(attr="NORM") forgets the attribute; this layer does not need it."""
        nlp.to_disk(tmp_path)
        loaded = spacy.load(tmp_path)
        assert_array_equal(self.rows_of(loaded, "SOOO"), [[1, 2]])

    def test_spacy_forgets_the_norm_attribute(self, tweet_nlp, tmp_path):
        vectors = Vectors(strings=tweet_nlp.vocab.strings, data=np.ones((1, 2), dtype="f"), keys=["so"], attr="NORM")
        tweet_nlp.vocab.vectors = vectors
        tweet_nlp.to_disk(tmp_path)
        assert spacy.load(tmp_path).vocab.vectors.attr != vectors.attr

    def test_texts_without_tokens(self, nlp):
        model = NormVectors().initialize(X=of(nlp("so")))
        assert model.predict(of(nlp(""), nlp(""))).shape == (0, 2)

    def test_missing_table_is_refused(self, tweet_nlp):
        with pytest.raises(ConfigError, match="include_static_vectors = true, but the pipeline has no vectors table"):
            NormVectors().initialize(X=of(tweet_nlp("so")))

    def test_table_of_another_width_is_refused(self, nlp):
        model = NormVectors().initialize(X=of(nlp("so")))
        set_vectors(nlp, ["so"], [[1, 2, 3]])
        with pytest.raises(ConfigError, match="built for vectors of width 2, but the pipeline's table has width 3"):
            model.predict(of(nlp("so")))

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_table_with_nan_is_refused(self, nlp, value):
        nlp.vocab.vectors.data[1, 0] = value
        with pytest.raises(ConfigError, match=r"NaN or infinity \(row 1, key '<user>'"):
            NormVectors().initialize(X=of(nlp("so")))

    def test_table_of_numbers_beyond_float32_is_refused(self, nlp):
        nlp.vocab.vectors.data = nlp.vocab.vectors.data.astype("float64")
        nlp.vocab.vectors.data[1, 0] = 1e39
        with pytest.raises(ConfigError, match=r"NaN or infinity \(row 1, key '<user>'"):
            NormVectors().initialize(X=of(nlp("so")))

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_table_that_holds_nan_later_is_refused(self, nlp, value):
        """As in a saved pipeline whose vectors were changed."""
        model = NormVectors().initialize(X=of(nlp("so")))
        nlp.vocab.vectors.data[1, 0] = value
        assert_array_equal(token_rows(model, nlp("so")), [[1, 2]])
        with pytest.raises(ConfigError, match=r"NaN or infinity \(row 1, key '<user>'"):
            model.predict(of(nlp("so @x")))

    def test_large_numbers_are_finite(self, nlp):
        largest = np.finfo("f").max
        set_vectors(nlp, ["so", "<user>"], [[largest, 2], [largest, 4]])
        model = NormVectors().initialize(X=of(nlp("so")))
        with np.errstate(over="ignore"):
            assert token_rows(model, nlp("so @x")).max() == largest

    def test_floret_table_is_refused(self, tweet_nlp):
        data = np.ones((4, 2), dtype="f")
        tweet_nlp.vocab.vectors = Vectors(strings=tweet_nlp.vocab.strings, data=data, mode="floret", minn=1, maxn=2)
        with pytest.raises(ConfigError, match="mode 'default', found mode 'floret'"):
            NormVectors().initialize(X=of(tweet_nlp("so")))

    def test_coverage_is_said_once_at_initialization(self, nlp, caplog):
        with caplog.at_level(logging.INFO, logger="spacy"):
            NormVectors().initialize(X=of(nlp("so so zzz"), nlp("@x")))
            set_vectors(nlp, ["so", "<unk>"], [[1, 2], [5, 6]])
            NormVectors().initialize(X=of(nlp("so so zzz"), nlp("@x")))
            NormVectors().initialize(X=of(nlp("")))
        assert caplog.messages == [
            "Vectors: 75.0% of the tokens (66.7% of the word types) of the first 2 texts have a row: "
            "3 by NORM, 0 by the word as written, 0 by LOWER; 1 by none, which get zeros",
            "Vectors: 50.0% of the tokens (33.3% of the word types) of the first 2 texts have a row: "
            "2 by NORM, 0 by the word as written, 0 by LOWER; 2 by none, which get that of <unk>",
        ]


class TestTunedVectors:
    @pytest.fixture
    def nlp(self, tweet_nlp):
        set_vectors(tweet_nlp, ["<unk>", "so", "<user>"], [[5, 6], [1, 2], [3, 4]])
        return tweet_nlp

    @pytest.fixture
    def model(self, nlp):
        return TunedVectors().initialize(X=of(nlp("so")))

    def test_rows_begin_as_the_frozen_ones(self, model, nlp):
        docs = [nlp("SOOO @x zzz"), nlp(""), nlp("so")]
        Y = token_rows(model, *docs)
        assert_array_equal(Y, [[1, 2], [3, 4], [5, 6], [1, 2]])
        assert_array_equal(Y, token_rows(NormVectors().initialize(X=of(*docs)), *docs))

    def test_gradient_is_that_of_known_words(self, model, nlp):
        types = of(nlp("so SO zzz"), nlp("@x"))
        Y, backprop = model.begin_update(types)
        dY = np.zeros_like(Y)
        dY[types.index] = [[1, 2], [16, 32], [4, 8], [64, 128]]
        assert backprop(dY) == []
        assert_array_equal(model.get_grad("E"), [[0, 0], [17, 34], [64, 128]])  # that of <unk> is frozen

    def test_gradients_of_several_batches_add_up(self, model, nlp):
        for _ in range(2):
            Y, backprop = model.begin_update(of(nlp("so")))
            backprop(np.ones_like(Y))
        assert_array_equal(model.get_grad("E"), [[0, 0], [2, 2], [0, 0]])

    def test_rows_that_were_changed_are_used_saved_and_copied(self, model, nlp):
        model.set_param("E", model.get_param("E") + 1)
        assert_array_equal(nlp.vocab.vectors.data, [[5, 6], [1, 2], [3, 4]])
        for each in (model, TunedVectors().from_bytes(model.to_bytes()), model.copy()):
            assert_array_equal(token_rows(each, nlp("so zzz")), [[2, 3], [6, 7]])

    def test_table_without_a_row_for_unknown_words(self, nlp):
        set_vectors(nlp, ["so"], [[1, 2]])
        model = TunedVectors().initialize(X=of(nlp("so")))
        types = of(nlp("so zzz"))
        Y, backprop = model.begin_update(types)
        assert_array_equal(Y[types.index], [[1, 2], [0, 0]])
        backprop(Y)
        assert_array_equal(model.get_grad("E"), [[1, 2]])

    def test_half_precision_tables_are_trained_in_single(self, nlp):
        nlp.vocab.vectors.data = nlp.vocab.vectors.data.astype("float16")
        assert TunedVectors().initialize(X=of(nlp("so"))).get_param("E").dtype == "float32"

    def test_texts_without_tokens(self, model, nlp):
        assert model.predict(of(nlp(""), nlp(""))).shape == (0, 2)

    def test_missing_table_is_refused(self, tweet_nlp):
        with pytest.raises(ConfigError, match="include_static_vectors = true, but the pipeline has no vectors table"):
            TunedVectors().initialize(X=of(tweet_nlp("so")))

    def test_another_table_is_refused(self, model, nlp):
        set_vectors(nlp, ["so"], [[1, 2]])
        with pytest.raises(ConfigError, match=r"a vectors table of 3 rows of width 2, but the pipeline's has 1 rows"):
            model.predict(of(nlp("so")))

    def test_coverage_is_said_once_at_initialization(self, nlp, caplog):
        with caplog.at_level(logging.INFO, logger="spacy"):
            TunedVectors().initialize(X=of(nlp("so zzz")))
        assert caplog.messages[0].startswith("Vectors: 50.0% of the tokens")


class TestTableVectors:
    @pytest.fixture
    def nlp(self, tweet_nlp):
        self.give_table(tweet_nlp.vocab, ["so", "good"], np.array([[0, 1], [2, 3]], dtype="float16"))
        return tweet_nlp

    def give_table(self, vocab, words, rows):
        hashes = np.array([get_string_id(word) for word in words], dtype="uint64")
        WordTable.build(hashes, rows=rows).to_lookups(vocab.lookups, "vectors_toy")

    def test_rows_and_zeros(self, nlp):
        types = of(nlp("so zzz"), nlp(""), nlp("good"))
        model = TableVectors("toy").initialize(X=types)
        Y, backprop = model(types, is_train=True)
        assert model.get_dim("nO") == 2
        assert Y.dtype == np.float32
        assert_array_equal(Y[types.index], [[0, 1], [0, 0], [2, 3]])
        assert backprop(Y) == []

    def test_a_batch_without_tokens(self, nlp):
        model = TableVectors("toy").initialize(X=of(nlp("so")))
        assert model.predict(of(nlp(""))).shape == (0, 2)

    def test_coverage_is_said_at_initialization(self, nlp, caplog):
        with caplog.at_level(logging.INFO, "spacy.bilstm_tagger"):
            TableVectors("toy").initialize(X=of(nlp("so so zzz good")))
        assert "Vector table toy: 75.0% of the tokens (66.7% of the word types) of the first 1 texts" in caplog.text
        assert "have a row: 3 by LOWER, 0 by LOWER without #, 0 by NORM; 1 by none" in caplog.text

    def test_a_table_of_another_width_is_refused(self, nlp):
        model = TableVectors("toy").initialize(X=of(nlp("so")))
        self.give_table(nlp.vocab, ["so"], np.zeros((1, 5), dtype="float32"))
        with pytest.raises(ConfigError, match="trained with a vector table 'toy' of another content"):
            model.predict(of(nlp("so")))

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_a_table_with_a_number_that_is_none_is_refused(self, nlp, bad):
        self.give_table(nlp.vocab, ["so"], np.array([[bad, 1]], dtype="float32"))
        with pytest.raises(ConfigError, match="table 'toy' holds NaN or infinity"):
            TableVectors("toy").initialize(X=of(nlp("so")))


class TestBrownPrefixes:
    @pytest.fixture
    def nlp(self, tweet_nlp):
        paths = {"so": "0", "good": "01101", "<@MENTION>": "0010"}
        brown_table(paths).to_lookups(tweet_nlp.vocab.lookups, BROWN)
        return tweet_nlp

    def test_prefixes(self, nlp):
        Y = token_rows(BrownPrefixes([2, 4]), nlp("so good"), nlp(""), nlp("zzz @x"))
        assert_array_equal(Y, [[0b10, 0b10], [0b101, 0b10110], [0, 0], [0b100, 0b10010]])
        assert Y.dtype == "uint64"

    def test_texts_without_tokens(self, nlp):
        assert BrownPrefixes([2, 4]).predict(of(nlp(""), nlp(""))).shape == (0, 2)

    def test_alone_or_in_a_batch(self, nlp):
        docs = [nlp("so good"), nlp("@x"), nlp("zzz so")]
        model = BrownPrefixes([1, 3])
        alone = np.concatenate([token_rows(model, doc) for doc in docs])
        assert_array_equal(token_rows(model, *docs), alone)

    def test_prefixes_are_saved(self, nlp):
        loaded = BrownPrefixes([9]).from_bytes(BrownPrefixes([2, 4]).to_bytes())
        assert_array_equal(token_rows(loaded, nlp("good")), [[0b101, 0b10110]])

    def test_coverage_is_said_once_at_initialization(self, nlp, caplog):
        with caplog.at_level(logging.INFO, logger="spacy"):
            BrownPrefixes([2, 4]).initialize(X=of(nlp("so so good"), nlp("zzz")))
        assert caplog.messages == [
            "Brown clusters: 75.0% of the tokens (66.7% of the word types) of the first 2 texts have a path: "
            "3 by LOWER, 0 by NORM, 0 by a stand-in for their NORM; 1 by none"
        ]

    def test_tokens_with_a_stand_in_are_counted(self, nlp, caplog):
        with caplog.at_level(logging.INFO, logger="spacy"):
            BrownPrefixes([2]).initialize(X=of(nlp("SO soooo zzz"), nlp("@mara_lune @x so")))
        assert caplog.messages[0].endswith("2 by LOWER, 1 by NORM, 2 by a stand-in for their NORM; 1 by none")

    @pytest.mark.parametrize("length", [1, 2, 4, 51, 52, 60])
    @pytest.mark.parametrize("path", ["0", "1", "01", "0011", "10" * 26, "0" * MAX_BITS, "1" * MAX_BITS])
    def test_prefix_of_a_path(self, path, length):
        number = np.array([int("1" + path, 2)], dtype="uint64")
        assert cut_paths(number, length).tolist() == [int("1" + path[:length], 2)]

    def test_prefix_of_no_path(self):
        assert cut_paths(np.zeros(2, dtype="uint64"), 4).tolist() == [0, 0]

    def test_nothing_is_said_without_tokens(self, nlp, caplog):
        with caplog.at_level(logging.INFO, logger="spacy"):
            BrownPrefixes([2]).initialize()
            BrownPrefixes([2]).initialize(X=of(nlp("")))
        assert caplog.messages == []

    def test_spacy_prints_it_though_its_own_logger_is_silent(self):
        ours = logging.getLogger("spacy.bilstm_tagger")
        assert ours.isEnabledFor(logging.INFO)
        assert not logging.getLogger("spacy").isEnabledFor(logging.INFO)
        assert ours.propagate
        assert ours.parent is logging.getLogger("spacy")
        assert ours.parent.handlers

    @pytest.mark.parametrize("text", ["so", ""])
    def test_missing_clusters_are_refused_at_initialization(self, tweet_nlp, text):
        with pytest.raises(ConfigError, match="has brown_prefixes, but the pipeline has no Brown clusters"):
            BrownPrefixes([2]).initialize(X=of(tweet_nlp(text)))

    def test_missing_clusters_are_refused_at_prediction(self, tweet_nlp):
        with pytest.raises(ConfigError, match="Set brown in"):
            BrownPrefixes([2]).predict(of(tweet_nlp("so")))


class TestGazetteerFeatures:
    @pytest.fixture
    def nlp(self, tweet_nlp):
        self.give_lists(tweet_nlp.vocab, {"place": ["New York", "York"], "person": ["York"]})
        return tweet_nlp

    def give_lists(self, vocab, lists):
        gazetteer_table(lists).to_lookups(vocab.lookups, GAZETTEERS)

    def test_columns(self, nlp):
        docs = [nlp("in New York"), nlp(""), nlp("york")]
        Y = GazetteerFeatures().initialize(X=of(*docs)).predict(of(*docs))
        # place begins, person begins, place goes on, person goes on
        expected = [[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 1, 0], [1, 1, 0, 0]]
        assert_array_equal(Y, expected)
        assert Y.dtype == "float32"

    def test_some_of_the_lists(self, nlp):
        model = GazetteerFeatures(["person"])
        assert model.get_dim("nO") == 2
        assert_array_equal(model.predict(of(nlp("New York"))), [[0, 0], [1, 0]])

    def test_texts_without_tokens(self, nlp):
        Y = GazetteerFeatures().initialize(X=of(nlp(""))).predict(of(nlp(""), nlp("")))
        assert Y.shape == (0, 4)

    def test_a_token_does_not_depend_on_tokens_far_away(self, nlp):
        rng = np.random.default_rng(0)
        names = [" ".join(rng.choice(list("abc"), size=n)) for n in (2, 3, 4, 5, 6, 6, 5, 4)]
        self.give_lists(nlp.vocab, {"names": names})
        words = rng.choice(list("abc"), size=40)
        model = GazetteerFeatures().initialize(X=of(nlp("a")))
        whole = model.predict(of(nlp(" ".join(words))))
        reach = MAX_TOKENS - 1
        for at in range(reach, 40 - reach):
            near = nlp(" ".join(words[at - reach : at + reach + 1]))
            assert_array_equal(model.predict(of(near))[reach], whole[at])

    def test_lists_are_saved_with_the_model(self, nlp):
        model = GazetteerFeatures().initialize(X=of(nlp("york")))
        loaded = GazetteerFeatures().from_bytes(model.to_bytes())
        assert_array_equal(loaded.predict(of(nlp("york"))), [[1, 1, 0, 0]])
        self.give_lists(nlp.vocab, {"other": ["york"]})
        with pytest.raises(ConfigError, match="trained with gazetteers of another content"):
            loaded.predict(of(nlp("york")))
        with pytest.raises(ConfigError, match="no gazetteer place; expected some of: other"):
            GazetteerFeatures(["place"]).initialize(X=of(nlp("york")))
        assert model.initialize(X=of(nlp("york"))).get_dim("nO") == 2

    def test_coverage_is_said_once_at_initialization(self, nlp, caplog):
        with caplog.at_level(logging.INFO, logger="spacy"):
            GazetteerFeatures().initialize(X=of(nlp("in New York"), nlp("zzz zzz york")))
        assert caplog.messages == [
            "Gazetteers: 50.0% of the tokens of the first 2 texts are in a name; most are on the list place (50.0%), "
            "0 of 2 lists have none"
        ]

    def test_nothing_is_said_without_tokens(self, nlp, caplog):
        with caplog.at_level(logging.INFO, logger="spacy"):
            GazetteerFeatures().initialize()
            GazetteerFeatures().initialize(X=of(nlp("")))
        assert caplog.messages == []

    @pytest.mark.parametrize("text", ["so", ""])
    def test_missing_gazetteers_are_refused_at_initialization(self, tweet_nlp, text):
        with pytest.raises(ConfigError, match="has gazetteers, but the pipeline has none"):
            GazetteerFeatures().initialize(X=of(tweet_nlp(text)))


def test_a_table_of_cased_words(tweet_nlp, caplog):
    """Each word by its NORM, else as it is written, else in lower case."""
    set_vectors(tweet_nlp, ["lisbon", "Mia", "rome", "<unk>"], [[1, 1], [2, 2], [3, 3], [9, 9]])
    doc = tweet_nlp("Lisbon Mia ROME zzz")
    doc[2].norm_ = "x"
    with caplog.at_level(logging.INFO, "spacy.bilstm_tagger"):
        model = NormVectors().initialize(X=of(doc))
    assert_array_equal(token_rows(model, doc), [[1, 1], [2, 2], [3, 3], [9, 9]])
    assert "1 by NORM, 1 by the word as written, 1 by LOWER; 1 by none, which get that of <unk>" in caplog.text
