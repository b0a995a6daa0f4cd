import numpy as np
import pytest
from numpy.testing import assert_array_equal
from spacy.attrs import LOWER, NORM, ORTH, SHAPE
from spacy.tokens import Doc

from spacy_bilstm_tagger.lexicon.distill import word_type
from spacy_bilstm_tagger.lexicon.table import WordTypes, distinct_rows


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("So", "so"),
        ("ÉTÉ", "été"),
        ("#YesWeCan", "yeswecan"),
        ("＃yes", "yes"),
        ("##yes", "#yes"),
        ("#", "#"),
        ("@Mara_Lune", "<user>"),
        ("<user>", "<user>"),
        ("@", "@"),
        ("https://t.co/x1", "<url>"),
        ("mara@lune.org", "<url>"),
        ("7pm", "7pm"),
        (":)", ":)"),
        ("SOOOO", "soooo"),
    ],
)
def test_word_type(text, expected):
    assert word_type(text) == expected


class TestTypes:
    @pytest.fixture
    def docs(self, tweet_nlp):
        return [tweet_nlp("so SO @x"), tweet_nlp(""), tweet_nlp("@x so so")]

    def test_each_token_has_the_attributes_of_its_type(self, docs):
        types = WordTypes.of(docs, ["SHAPE"])
        assert (len(types), types.lengths.tolist()) == (3, [3, 0, 3])
        tokens = np.concatenate([doc.to_array([ORTH, NORM, LOWER, SHAPE]) for doc in docs])
        columns = np.column_stack([types.orth, types.norm, types.lower, types.attributes])
        assert_array_equal(columns[types.index], tokens)
        assert sorted(types.texts(types.orth)) == ["@x", "SO", "so"]

    def test_html_entities_are_read_as_what_they_stand_for(self, tweet_nlp):
        escaped, plain = (
            WordTypes.of([tweet_nlp(text)], ["SHAPE", "SUFFIX"])
            for text in ("I DON&#39;T say &quot;at&quot; Q&amp;A &amp;#39; x", "I DON'T say \"at\" Q&A ' x")
        )
        assert escaped.texts(escaped.orth) == plain.texts(plain.orth)
        for name in ("norm", "lower", "attributes", "index"):
            assert_array_equal(getattr(escaped, name), getattr(plain, name))

    def test_tokens_that_differ_in_an_attribute_are_two_types(self, docs):
        docs[0][0].norm_ = "other"
        assert len(WordTypes.of(docs)) == 4
        spaced = Doc(docs[0].vocab, words=["so", "so"], spaces=[True, False])
        assert (len(WordTypes.of([spaced])), len(WordTypes.of([spaced], ["SPACY"]))) == (1, 2)

    def test_parts(self, docs):
        types = WordTypes.of(docs, ["SHAPE"])
        parts = list(types.chunks(2))
        assert [len(part) for part in parts] == [2, 1]
        for name in ("orth", "norm", "lower", "attributes"):
            assert_array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(types, name))

    def test_no_tokens(self, tweet_nlp):
        types = WordTypes.of([tweet_nlp(""), tweet_nlp("")], ["SHAPE"])
        assert (len(types), len(types.index), types.attributes.shape) == (0, 0, (0, 1))


def test_distinct_rows_of_equal_hashes(monkeypatch):
    """With multipliers of 0 only the last column is hashed."""
    monkeypatch.setattr("spacy_bilstm_tagger.lexicon.table._MULTIPLIERS", (np.uint64(0), np.uint64(0)))
    rows = np.array([[1, 5], [2, 5], [1, 5]], dtype="uint64")
    first, index = distinct_rows(rows)
    assert len(first) == 2
    assert_array_equal(rows[first][index], rows)
