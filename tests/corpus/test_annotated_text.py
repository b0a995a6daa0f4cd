import pytest

from spacy_bilstm_tagger.corpus import AnnotatedText
from spacy_bilstm_tagger.corpus.annotated_text import text_fingerprints


def test_each_entity_has_its_type():
    ents = ["B-x", "I-x", "O", "B-geo-loc", "-", "B-y", "B-y", "I-y"]
    assert AnnotatedText(list("abcdefgh"), None, ents, None, []).entity_types == ["x", "geo-loc", "y", "y"]
    assert AnnotatedText(["a"], None, None, None, []).entity_types == []


@pytest.mark.parametrize(("raw", "text"), [("don't  go", "don't  go"), (None, "do n't go")])
def test_the_text_is_the_raw_text_or_the_tokens_with_spaces(raw, text):
    assert AnnotatedText(["do", "n't", "go"], None, None, raw, [1, 2, 3]).text == text


@pytest.mark.parametrize(
    ("text", "other", "is_same"),
    [
        ("Do n't\n GO ", "don't go", True),
        ("don't go", "dont go", False),
        (
            "RT @mara_lune: it's so good to be here again &amp; again http://t.co/x1",
            "RT @USER12 : it 's so good to be here again & again URL3",
            True,
        ),
        (
            "RT @mara_lune: it's so good to be here again http://t.co/x1",
            "RT @USER12: it's so bad to be here again URL3",
            False,
        ),
        ("RT @ mara_lune it's so good to be here again", "RT @mara_lune it's so good to be here again", True),
        ("@mara thanks!", "@tobi thanks!", False),  # others write that, too
    ],
)
def test_which_texts_are_the_same(text, other, is_same):
    assert set(text_fingerprints(text)).isdisjoint(text_fingerprints(other)) != is_same
