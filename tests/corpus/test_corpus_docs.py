from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.training import Corpus

from spacy_bilstm_tagger.corpus import AnnotatedText, to_docbin
from spacy_bilstm_tagger.errors import DataError

PATH = Path("tweets")
MISSING, INSIDE, OUTSIDE, BEGIN = 0, 1, 2, 3


def annotated(words, *, tags=None, ents=None, raw=None):
    words = words.split(" ")
    return AnnotatedText(words, tags, ents, raw, list(range(1, len(words) + 1)))


def docs_of(*texts):
    """The Docs, read back from bytes with another vocabulary."""
    data = to_docbin(PATH, list(texts)).to_bytes()
    return list(DocBin().from_bytes(data).get_docs(spacy.blank("en").vocab))


def test_without_raw_text_the_spaces_are_unknown():
    (doc,) = docs_of(annotated("do n't", tags=["VB", "RB"]))
    assert [token.text for token in doc] == ["do", "n't"]
    assert doc.has_unknown_spaces


@pytest.mark.parametrize(
    ("words", "raw"),
    [
        ("do n't go", "don't go"),
        ("a b", "a b"),
        ('" no " !', '"no"!'),
        ("😭 😭 ok", "😭😭 ok"),
        ("a a a", "aa a"),
        ("x", "x"),
    ],
)
def test_with_raw_text_the_doc_has_exactly_that_text(words, raw):
    (doc,) = docs_of(annotated(words, raw=raw))
    assert doc.text == raw
    assert [token.text for token in doc] == words.split(" ")
    assert not doc.has_unknown_spaces


def test_texts_of_both_kinds_live_in_one_docbin():
    docs = docs_of(annotated("a b", raw="ab"), annotated("a b"))
    assert [doc.has_unknown_spaces for doc in docs] == [False, True]


def test_tags_are_kept_and_missing_ones_empty():
    (doc,) = docs_of(annotated("a b c", tags=["DT", "", "NN"]))
    assert [token.tag_ for token in doc] == ["DT", "", "NN"]
    assert not doc.has_annotation("ENT_IOB")


def test_entities_are_kept_and_missing_ones_are_neither_inside_nor_outside():
    (doc,) = docs_of(annotated("a b c d e", ents=["B-geo-loc", "I-geo-loc", "O", "-", "B-per"]))
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("a b", "geo-loc"), ("e", "per")]
    assert [token.ent_iob for token in doc] == [BEGIN, INSIDE, OUTSIDE, MISSING, BEGIN]
    assert not doc.has_annotation("TAG")


@pytest.mark.parametrize(("tag", "expected"), [("O", OUTSIDE), ("-", MISSING)])
def test_texts_without_entities_tell_outside_from_missing(tag, expected):
    (doc,) = docs_of(annotated("a b", ents=[tag, tag]))
    assert [token.ent_iob for token in doc] == [expected, expected]


def test_adjacent_entities_stay_apart():
    (doc,) = docs_of(annotated("a b", ents=["B-per", "B-per"]))
    assert [ent.text for ent in doc.ents] == ["a", "b"]


def test_spacy_trains_on_the_gold_tokens_where_the_spaces_are_unknown(tmp_path):
    texts = [annotated("do n't :)", tags=["VB", "RB", "UH"]), annotated("( a )", raw="(a)")]
    to_docbin(PATH, texts).to_disk(tmp_path / "gold.spacy")
    unknown, known = Corpus(tmp_path / "gold.spacy")(spacy.blank("xx"))
    assert [token.text for token in unknown.predicted] == ["do", "n't", ":)"]
    assert unknown.get_aligned("TAG", as_string=True) == ["VB", "RB", "UH"]
    assert known.predicted.text == "(a)"


@pytest.mark.parametrize(
    ("words", "raw", "message"),
    [
        ("do not", "don't", "line 2: the token 'not' does not continue the text \"don't\"; expected \"n't\""),
        ("a b", "b a", "line 1: the token 'a' does not continue the text 'b a'; expected 'b'"),
        ("a b", "a", "line 2: the token 'b' does not continue the text 'a'; expected the end of the text"),
        ("a", "a bc", "line 1: 'a' is the last token of the text 'a bc'; expected tokens for 'bc' after it"),
        ("a", "", "line 1: the token 'a' does not continue the text ''; expected the end of the text"),
    ],
)
def test_tokens_that_do_not_spell_the_raw_text_are_refused(words, raw, message):
    with pytest.raises(DataError) as error:
        to_docbin(PATH, [annotated(words, raw=raw)])
    assert str(error.value) == f"tweets, {message}"
