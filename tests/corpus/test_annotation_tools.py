"""Exports of the tools that people annotate with: read as their user expects."""

import pytest
from corpus_rows import check_read, docs_of, write

from spacy_bilstm_tagger.corpus import EntityRanges, read_corpus

# The content; its format; the texts as form/TAG/entity, "" for what is missing; parts of the notes.
READ = {
    "docs-as-json": (
        '{"text": "Mia left", "ents": [{"start": 0, "end": 3, "label": "PER"}], "tokens": [{"id": 0, "start": 0, "end": 3}]}\n'
        '{"text": "ok", "ents": [], "tokens": [{"id": 0, "start": 0, "end": 2}]}\n',
        "jsonl",
        ["Mia//B-PER left//O", "ok//O"],
        [],
    ),
    "argilla": (
        '{"text": "Mia left", "annotation": [{"label": "PER", "start": 0, "end": 3}], "prediction": [{"label": "LOC", "start": 4, '
        '"end": 8}], "status": "Validated"}\n'
        '{"text": "Bob ran", "annotation": [], "prediction": [{"label": "LOC", "start": 4, "end": 7}], "status": "Validated"}\n'
        '{"text": "so", "annotation": null, "prediction": [{"label": "LOC", "start": 0, "end": 2}], "status": "Default"}\n'
        '{"text": "no", "annotation": [], "prediction": null, "status": "Discarded"}\n',
        "jsonl",
        ["Mia//B-PER left//O", "Bob//O ran//O"],
        ["Left out, as their answer is 'not annotated': 1", "Left out, as their answer is 'Discarded': 1"],
    ),
    "argilla-by-pandas": (
        '{"text": "Bob ran", "annotation": [["PER", 0, 3]], "prediction": [["LOC", 4, 7]], "status": "Validated"}\n',
        "jsonl",
        ["Bob//B-PER ran//O"],
        [],
    ),
    "json-min-with-a-key-of-its-own": (
        '[{"id": 1, "text": "Mia left", "ner": [{"start": 0, "end": 3, "text": "Mia", "labels": ["PER "]}], "annotator": 1}, '
        '{"id": 2, "text": "ok", "annotator": 1}]',
        "jsonl",
        ["Mia//B-PER left//O", "ok//O"],
        [],
    ),
    "other-key-beside-an-empty-list": (
        '{"text": "Mia left", "spans": [], "ents": [{"start": 0, "end": 3, "label": "PER"}]}',
        "jsonl",
        ["Mia//B-PER left//O"],
        [],
    ),
    "other-lists-of-prodigy": (
        '{"text": "Mia left", "spans": [], "tokens": [{"text": "Mia"}, {"text": "left"}], "options": [1, 2]}\n'
        '{"text": "ok", "spans": [], "tokens": 1}',
        "jsonl",
        ["Mia//O left//O", "ok//O"],
        [],
    ),
    "ground-truth": (
        '[{"data": {"text": "Mia left"}, "annotations": [{"ground_truth": true, "result": [{"type": "labels", "value": '
        '{"start": 0, "end": 3, "labels": ["PER"]}}]}]}]',
        "jsonl",
        ["Mia//B-PER left//O"],
        [],
    ),
    "doccano": (
        '{"id": 1, "text": "Mia lives in Rome", "label": [[0, 3, "PER"], [12, 17, "LOC"]]}\n{"text": "ok", "label": []}\n',
        "jsonl",
        ["Mia//B-PER lives//O in//O Rome//B-LOC", "ok//O"],
        [],
    ),
    "doccano-entities": (
        '{"text": "Mia ran", "entities": [{"id": 5, "label": "PER", "start_offset": 0, "end_offset": 3}], "relations": []}\n',
        "jsonl",
        ["Mia//B-PER ran//O"],
        [],
    ),
    "prodigy": (
        '{"text": "Mia Lee ran", "spans": [{"start": 0, "end": 7, "label": "PER", "token_start": 0}], "answer": "accept"}\n'
        '{"text": "no", "spans": [], "answer": "reject"}\n',
        "jsonl",
        ["Mia//B-PER Lee//I-PER ran//O"],
        ["Left out, as their answer is 'reject': 1"],
    ),
    "label-studio": (
        '{"text": "Mia ran", "id": 3, "label": [{"start": 0, "end": 3, "text": "Mia", "labels": ["PER"]}]}\n',
        "jsonl",
        ["Mia//B-PER ran//O"],
        [],
    ),
}


@pytest.mark.parametrize(("content", "format", "expected", "noted"), READ.values(), ids=READ)
def test_read(tmp_path, content, format, expected, noted):
    check_read(tmp_path, content, format, expected, noted)


def test_ranges_that_cut_tokens_or_overlap_are_missing_counted_and_shown(tmp_path):
    content = '{"text": "in Lisbon Mia Lee", "label": [[3, 8, "LOC"], [10, 17, "PER"], [14, 17, "PER"]]}\n'
    path, ranges = write(tmp_path, content), EntityRanges()
    (doc,) = docs_of(path, read_corpus(path)[1], ranges=ranges)
    assert [token.ent_iob_ for token in doc] == ["O", "", "B", "I"]
    assert ranges.summary() == (
        "Entities that are left out: 1 cut a token (line 1: 'Lisbo' in 'Lisbon'), 1 overlap a longer one, or an equal one "
        "before (line 1: 'Lee' with 'Mia Lee'); their tokens count as missing, except those in other entities"
    )
