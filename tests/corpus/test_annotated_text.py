import pytest

from spacy_bilstm_tagger.corpus import AnnotatedText
from spacy_bilstm_tagger.corpus.annotated_text import text_fingerprint


def test_each_entity_has_its_type():
    ents = ["B-x", "I-x", "O", "B-geo-loc", "-", "B-y", "B-y", "I-y"]
    assert AnnotatedText(list("abcdefgh"), None, ents, None, []).entity_types == ["x", "geo-loc", "y", "y"]
    assert AnnotatedText(["a"], None, None, None, []).entity_types == []


@pytest.mark.parametrize(("raw", "text"), [("don't  go", "don't  go"), (None, "do n't go")])
def test_the_text_is_the_raw_text_or_the_tokens_with_spaces(raw, text):
    assert AnnotatedText(["do", "n't", "go"], None, None, raw, [1, 2, 3]).text == text


def test_a_fingerprint_ignores_white_space_and_case():
    assert text_fingerprint("Do n't\n GO ") == text_fingerprint("don't go") != text_fingerprint("dont go")
