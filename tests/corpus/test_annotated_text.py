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


def test_a_fingerprint_ignores_the_names_of_users_and_links_which_corpora_hide():
    found = text_fingerprint("RT @mara_lune: it's so good to be here again &amp; again http://t.co/x1")
    assert found == text_fingerprint("RT @USER12 : it 's so good to be here again & again URL3")
    assert found != text_fingerprint("RT @USER12: it's so bad to be here again & again URL3")
    assert text_fingerprint("@mara thanks!") != text_fingerprint("@tobi thanks!")  # others write that, too
