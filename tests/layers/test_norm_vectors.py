import logging

import numpy as np
import pytest
import spacy
from numpy.testing import assert_array_equal
from spacy.vectors import Vectors

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.layers.norm_vectors import NormVectors


@pytest.fixture
def nlp(tweet_nlp):
    set_table(tweet_nlp, ["so", "<user>"], [[1, 2], [3, 4]])
    return tweet_nlp


def set_table(nlp, keys, rows):
    for key in keys:
        nlp.vocab.strings.add(key)
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=np.array(rows, dtype="f"), keys=keys)


def rows_of(nlp, text):
    return NormVectors().initialize(X=[nlp(text)]).predict([nlp(text)]).data


def test_rows_are_found_by_norm(nlp):
    assert_array_equal(rows_of(nlp, "SOOO @x"), [[1, 2], [3, 4]])


def test_unknown_words_get_zeros_or_the_unk_row(nlp):
    assert_array_equal(rows_of(nlp, "so zzz"), [[1, 2], [0, 0]])
    set_table(nlp, ["so", "<unk>"], [[1, 2], [5, 6]])
    assert_array_equal(rows_of(nlp, "so zzz"), [[1, 2], [5, 6]])


def test_half_precision_tables_are_read(nlp):
    nlp.vocab.vectors.data = nlp.vocab.vectors.data.astype("float16")
    assert rows_of(nlp, "so").dtype == "float32"


def test_norm_keys_survive_saving(nlp, tmp_path):
    """spaCy's own Vectors(attr="NORM") forgets the attribute; this layer does not need it."""
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert_array_equal(rows_of(loaded, "SOOO"), [[1, 2]])


def test_spacy_forgets_the_norm_attribute(tweet_nlp, tmp_path):
    vectors = Vectors(strings=tweet_nlp.vocab.strings, data=np.ones((1, 2), dtype="f"), keys=["so"], attr="NORM")
    tweet_nlp.vocab.vectors = vectors
    tweet_nlp.to_disk(tmp_path)
    assert spacy.load(tmp_path).vocab.vectors.attr != vectors.attr


def test_texts_without_tokens(nlp):
    model = NormVectors().initialize(X=[nlp("so")])
    Y = model.predict([nlp(""), nlp("")])
    assert Y.dataXd.shape == (0, 2)
    assert_array_equal(Y.lengths, [0, 0])


def test_missing_table_is_refused(tweet_nlp):
    with pytest.raises(ConfigError, match="include_static_vectors = true, but the pipeline has no vectors table"):
        NormVectors().initialize(X=[tweet_nlp("so")])


def test_table_of_another_width_is_refused(nlp):
    model = NormVectors().initialize(X=[nlp("so")])
    set_table(nlp, ["so"], [[1, 2, 3]])
    with pytest.raises(ConfigError, match="built for vectors of width 2, but the pipeline's table has width 3"):
        model.predict([nlp("so")])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_table_with_nan_is_refused(nlp, value):
    nlp.vocab.vectors.data[1, 0] = value
    with pytest.raises(ConfigError, match=r"NaN or infinity \(row 1, key '<user>'"):
        NormVectors().initialize(X=[nlp("so")])


def test_table_of_numbers_beyond_float32_is_refused(nlp):
    nlp.vocab.vectors.data = nlp.vocab.vectors.data.astype("float64")
    nlp.vocab.vectors.data[1, 0] = 1e39
    with pytest.raises(ConfigError, match=r"NaN or infinity \(row 1, key '<user>'"):
        NormVectors().initialize(X=[nlp("so")])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_table_that_holds_nan_later_is_refused(nlp, value):
    """As in a saved pipeline whose vectors were changed."""
    model = NormVectors().initialize(X=[nlp("so")])
    nlp.vocab.vectors.data[1, 0] = value
    assert_array_equal(model.predict([nlp("so")]).data, [[1, 2]])
    with pytest.raises(ConfigError, match=r"NaN or infinity \(row 1, key '<user>'"):
        model.predict([nlp("so @x")])


def test_large_numbers_are_finite(nlp):
    largest = np.finfo("f").max
    set_table(nlp, ["so", "<user>"], [[largest, 2], [largest, 4]])
    model = NormVectors().initialize(X=[nlp("so")])
    with np.errstate(over="ignore"):
        assert model.predict([nlp("so @x")]).data.max() == largest


def test_floret_table_is_refused(tweet_nlp):
    data = np.ones((4, 2), dtype="f")
    tweet_nlp.vocab.vectors = Vectors(strings=tweet_nlp.vocab.strings, data=data, mode="floret", minn=1, maxn=2)
    with pytest.raises(ConfigError, match="mode 'default', found mode 'floret'"):
        NormVectors().initialize(X=[tweet_nlp("so")])


def test_coverage_is_said_once_at_initialization(nlp, caplog):
    with caplog.at_level(logging.INFO, logger="spacy"):
        NormVectors().initialize(X=[nlp("so so zzz"), nlp("@x")])
        set_table(nlp, ["so", "<unk>"], [[1, 2], [5, 6]])
        NormVectors().initialize(X=[nlp("so so zzz"), nlp("@x")])
        NormVectors().initialize(X=[nlp("")])
    assert caplog.messages == [
        "Vectors: 75.0% of the tokens (66.7% of the word types) of the first 2 texts have a row; "
        "the other 1 tokens get zeros",
        "Vectors: 50.0% of the tokens (33.3% of the word types) of the first 2 texts have a row; "
        "the other 2 tokens get that of <unk>",
    ]
