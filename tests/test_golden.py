"""A pipeline that an earlier version saved is loaded and annotates as it did then."""

import pytest
import srsly
from golden.make import GOLDEN
from tiny import annotate


def test_it_is_small():
    assert sum(path.stat().st_size for path in GOLDEN.rglob("*") if path.is_file()) < 200_000


def test_annotations_are_those_of_the_version_that_saved_it():
    expected = srsly.read_json(GOLDEN / "annotations.json")
    found = annotate(GOLDEN / "pipeline", [text["text"] for text in expected])
    assert any(text["entities"] for text in expected)
    for new, old in zip(found, expected, strict=True):
        assert [tag for tag, _ in new["tags"]] == [tag for tag, _ in old["tags"]]
        assert [entity[:3] for entity in new["entities"]] == [entity[:3] for entity in old["entities"]]
        for kind in ("tags", "entities"):
            scores = [found[-1] for found in old[kind]]
            assert [found[-1] for found in new[kind]] == pytest.approx(scores, abs=1e-4)
