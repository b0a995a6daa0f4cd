"""Whose probability `span._.score`, `tag` and `annotate` give."""

import json

import numpy as np
import pytest
import spacy
from small_pipelines import ner_examples, small_pipeline
from spacy.tokens import Doc, DocBin, Span, SpanGroup
from spacy.tokens.underscore import Underscore

from spacy_bilstm_tagger.annotate.annotation import to_annotation
from spacy_bilstm_tagger.pipeline.base import scored_spans, span_group
from spacy_bilstm_tagger.util import set_computed

TEXT = "Mara Lune and Bob went to New York City"


@pytest.fixture
def doc():
    """Entities with their group, and another component's group with the same spans and other scores, which came first."""
    doc = spacy.blank("en")(TEXT)
    bounds = [(0, 2), (6, 9)]
    doc.spans["other"] = span_group(doc, "other", [Span(doc, *each, "x") for each in bounds], [0.1, 0.2])
    doc.ents = [Span(doc, *each, "x") for each in bounds]
    doc.spans["ents"] = span_group(doc, "ents", list(doc.ents), [0.8, 0.9], are_ents=True)
    return doc


def scores(spans):
    return [None if span._.score is None else round(span._.score, 2) for span in spans]


def round_trip(doc):
    packed = DocBin(docs=[doc], store_user_data=True).to_bytes()
    return next(iter(DocBin().from_bytes(packed).get_docs(doc.vocab)))


@pytest.mark.parametrize("read", [lambda doc: doc, Doc.copy, round_trip], ids=["doc", "copy", "docbin"])
def test_entities_have_those_of_their_recognizer(doc, read):
    doc = read(doc)
    assert scores(doc.ents) == [0.8, 0.9]
    found = to_annotation(doc)
    assert [ent["score"] for ent in found["ents"]] == [0.8, 0.9]
    assert [(span["key"], span["score"]) for span in found["spans"]] == [("other", 0.1), ("other", 0.2)]


def test_entities_of_others_have_none(doc):
    doc.ents = [Span(doc, 3, 4, "x")]
    doc.spans["other"] = span_group(doc, "other", list(doc.ents), [0.1])
    assert scores(doc.ents) == [None]
    assert [ent["score"] for ent in to_annotation(doc)["ents"]] == [None]
    # The recognizer's spans are no entities any more, so they are told with their key.
    assert [span["key"] for span in to_annotation(doc)["spans"]] == ["other", "ents", "ents"]
    assert scores(doc.spans["ents"]) == [0.8, 0.9]


@pytest.mark.parametrize("read", [lambda doc: doc, Doc.copy, round_trip], ids=["doc", "copy", "docbin"])
def test_a_span_that_a_merge_has_made_longer_has_none(doc, read):
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[1:4])
    doc = read(doc)
    assert [span.text for span in doc.spans["ents"]] == ["Mara Lune and Bob", "New York City"]
    assert scores(doc.ents) == [None, 0.9]
    found = to_annotation(doc)
    assert [ent["score"] for ent in found["ents"]] == [None, 0.9]
    assert "NaN" not in json.dumps(found)


@pytest.mark.parametrize("attrs", [{}, {"scores": np.array([0.5, 0.5])}], ids=["none", "array"])
def test_attrs_of_somebody_else_do_not_break_a_merge(doc, attrs):
    group = doc.spans["ents"]
    group.attrs = {**group.attrs, **attrs} if attrs else {}
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[1:4])
    assert [span.text for span in group] == ["Mara Lune and Bob", "New York City"]
    assert [score for _, score in scored_spans(group)] == ([None, 0.5] if attrs else [None, None])


def test_a_merge_of_whole_entities_leaves_them(doc):
    spacy.blank("en").create_pipe("merge_entities")(doc)
    assert scores(doc.ents) == [0.8, 0.9]
    assert None not in doc.spans["ents"].attrs["scores"]


@pytest.fixture
def recognizers():
    """Two recognizers of one pipeline, which are untrained, so find something nearly everywhere."""
    nlp = small_pipeline("bilstm_ner", threshold=0.01, spans_key="e1")
    config = {**nlp.get_pipe_config("bilstm_ner"), "spans_key": "e2", "overwrite": True}
    nlp.add_pipe("bilstm_ner", name="second", config={key: value for key, value in config.items() if key != "factory"})
    nlp.initialize(lambda: ner_examples(nlp))
    return nlp


@pytest.mark.parametrize("key", ["e2", None])
def test_the_last_recognizer_that_sets_the_entities(recognizers, key):
    recognizers.get_pipe("second").spans_key = key
    doc = recognizers("so good in Lisbon")
    assert doc.ents
    expected = [None] * len(doc.ents) if key is None else [round(score, 2) for score in doc.spans["e2"].attrs["scores"]]
    assert scores(doc.ents) == pytest.approx(expected)
    assert [span["key"] for span in to_annotation(doc)["spans"]] == ["e1"] * len(doc.spans["e1"])


def test_a_second_recognizer_keeps_the_scores_of_the_first(recognizers):
    recognizers.get_pipe("second").spans_key = "e2"
    recognizers.get_pipe("second").overwrite = False
    doc = recognizers("so good in Lisbon")
    first = {(s.start, s.end, s.label): score for s, score in zip(doc.spans["e1"], doc.spans["e1"].attrs["scores"])}
    found = {(ent.start, ent.end, ent.label): ent._.score for ent in doc.ents}
    assert {place: found[place] for place in first} == first


def test_what_is_computed_cannot_be_set(doc):
    for owner, name in ((doc.ents[0], "score"), (doc[0], "tweet_kind"), (doc[0], "tag_scores")):
        with pytest.raises(AttributeError, match="computed from what a pipeline has set, and cannot be set itself"):
            setattr(owner._, name, 0.3)
    assert scores(doc.ents) == [0.8, 0.9]


@pytest.mark.parametrize("read", [lambda doc: doc, Doc.copy, round_trip], ids=["doc", "copy", "docbin"])
def test_a_group_that_is_changed_keeps_the_scores_of_its_spans(doc, read):
    doc = read(doc)
    group = doc.spans["ents"]
    group.append(Span(doc, 3, 4, label="x"))
    assert scores(group) == [0.8, 0.9, None]
    group[0] = Span(doc, 6, 9, label="y")
    again = round_trip(doc)
    for each in (doc, again):
        assert [(span.text, span._.score) for span in each.spans["ents"]] == [
            ("New York City", None),
            ("New York City", 0.9),
            ("Bob", None),
        ]
    doc.ents = list(group)[1:]
    assert [ent["score"] for ent in to_annotation(doc)["ents"]] == [None, 0.9]


def test_a_group_that_is_sorted(doc):
    first, second = doc.spans["other"]
    doc.spans["other"][0], doc.spans["other"][1] = second, first
    assert [(span["text"], span["score"]) for span in to_annotation(doc)["spans"]] == [
        ("New York City", 0.2),
        ("Mara Lune", 0.1),
    ]


def test_scores_of_spacy_count_by_their_order(doc):
    """Its spancat sets an array, and no places."""
    doc.spans["sc"] = SpanGroup(doc, name="sc", spans=[Span(doc, 3, 4, "z")], attrs={"scores": np.array([0.25], dtype="f")})
    assert scores(doc.spans["sc"]) == [0.25]


def test_an_attribute_of_another_library_stays(monkeypatch):
    monkeypatch.setattr(Underscore, "span_extensions", {"score": (7, None, None, None)})
    with pytest.warns(UserWarning, match=r"Span._.score is an attribute of another library, and stays it"):
        set_computed(Span, "score", lambda span: 0.5)
    assert Span(spacy.blank("en")("so good"), 0, 1)._.score == 7
