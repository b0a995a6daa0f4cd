import json

import pyarrow as pa
import pytest
import spacy
from golden.make import GOLDEN
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_bilstm_tagger.annotate.annotation import FIELDS, check_fields, schema, to_annotation
from spacy_bilstm_tagger.annotate.outputs import Form, encode, to_batch
from spacy_bilstm_tagger.annotate.records import Record
from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.pipeline.base import ARE_ENTS

BLANK = spacy.blank("en")


@pytest.fixture
def doc():
    doc = Doc(
        Vocab(),
        words=["😭", "happy", "in", "Lisbon"],
        spaces=[True, True, True, False],
        tags=["UH", "JJ", "IN", "NNP"],
        sent_starts=[True, False, False, False],
        ents=["O", "O", "O", "B-location"],
    )
    doc.spans["ents"] = [doc.ents[0]]
    doc.spans["ents"].attrs.update({"scores": [0.98765], ARE_ENTS: True})
    doc.spans["toxic"] = [Span(doc, 1, 3, "toxic")]
    return doc


def test_all_of_a_doc(doc):
    assert to_annotation(doc) == {
        "text": "😭 happy in Lisbon",
        "tokens": [
            {"text": "😭", "start": 0, "end": 1, "tag": "UH"},
            {"text": "happy", "start": 2, "end": 7, "tag": "JJ"},
            {"text": "in", "start": 8, "end": 10, "tag": "IN"},
            {"text": "Lisbon", "start": 11, "end": 17, "tag": "NNP"},
        ],
        "sents": [{"start": 0, "end": 17}],
        "ents": [{"text": "Lisbon", "label": "location", "start": 11, "end": 17, "score": 0.9877}],
        "spans": [{"key": "toxic", "text": "happy in", "label": "toxic", "start": 2, "end": 10, "score": None}],
    }


def test_utf16_counts_an_emoji_as_two(doc):
    found = to_annotation(doc, offsets="utf16")
    assert [(token["start"], token["end"]) for token in found["tokens"]] == [(0, 2), (3, 8), (9, 11), (12, 18)]
    assert (found["ents"][0]["start"], found["ents"][0]["end"]) == (12, 18)
    assert found["sents"] == [{"start": 0, "end": 18}]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_places_fit_the_text_in_both_counts(text):
    doc = BLANK.make_doc(text)
    points, units = (to_annotation(doc, offsets=offsets)["tokens"] for offsets in ("codepoint", "utf16"))
    coded = text.encode("utf-16-le")
    for point, unit in zip(points, units, strict=True):
        assert text[point["start"] : point["end"]] == point["text"]
        assert coded[2 * unit["start"] : 2 * unit["end"]].decode("utf-16-le") == point["text"]


@pytest.mark.parametrize(
    ("fields", "keys"),
    [
        (("tokens",), {"text", "tokens"}),
        (("ents",), {"text", "ents"}),
        ((), {"text"}),
        (FIELDS, {"text", "tokens", "sents", "ents", "spans"}),
    ],
)
def test_each_field_can_be_left_out(doc, fields, keys):
    found = to_annotation(doc, fields)
    assert set(found) == keys
    assert set(schema(fields).names) == keys
    if fields == ("tokens",):
        assert found["tokens"][0] == {"text": "😭", "start": 0, "end": 1}


def test_a_trained_pipeline():
    nlp = spacy.load(GOLDEN / "pipeline")
    doc = nlp("so happy in Lisbon")
    found = to_annotation(doc)
    assert [token["tag"] for token in found["tokens"]] == [token.tag_ for token in doc]
    assert [ent["score"] for ent in found["ents"]] == [round(ent._.score, 4) for ent in doc.ents]
    assert not found["spans"]  # they repeat the entities


def test_kept_values_that_json_does_not_know():
    record = Record("a", "so", {"n": {"x": [float("nan"), 1.5]}, "b": b"\xff"})
    doc = BLANK("so")
    line = encode(Form(keep=("n", "b"), has_ids=True, fields=()), [record], [doc]).decode()
    assert json.loads(line, parse_constant=pytest.fail) == {
        "id": "a",
        "n": {"x": [None, 1.5]},
        "b": "/w==",
        "text": "so",
    }


def test_kept_lists_of_parquet(tmp_path):
    form = Form(format="parquet", keep=("n",), has_ids=True, fields=(), types={"n": pa.list_(pa.int64())})
    batch = to_batch(form, [{"id": "a", "text": "so", "n": [1, 2]}])
    assert batch.to_pylist() == [{"id": "a", "text": "so", "n": [1, 2]}]


def test_an_empty_doc():
    assert to_annotation(Doc(Vocab()))["tokens"] == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (["tokens", "tags"], "found 'tags', expected names of tokens, tag"),
        (["tag"], "tag belongs to tokens; add tokens"),
    ],
)
def test_wrong_fields_are_told(fields, message):
    with pytest.raises(DataError, match=message):
        check_fields(fields)
