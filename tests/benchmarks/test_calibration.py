"""The calibration error of entities, by hand."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Span
from spacy.training import Example

from benchmarks.calibration import calibration_error, probabilities_and_right


def test_a_bins_distance_counts_by_its_entities():
    found = np.array([(0.95, 1), (0.93, 0), (0.25, 0), (0.21, 1)])
    assert calibration_error(found) == pytest.approx(0.5 * (0.94 - 0.5) + 0.5 * (0.5 - 0.23))


def test_probabilities_that_are_right_as_often_as_they_say_have_no_error():
    assert calibration_error(np.array([(0.5, 1), (0.5, 0)])) == 0
    assert calibration_error(np.array([(1.0, 1)])) == 0


def test_an_entity_is_right_with_its_boundaries_and_its_type():
    nlp = spacy.blank("en")
    gold, found = nlp.make_doc("Ada met Bob Ross"), nlp.make_doc("Ada met Bob Ross")
    gold.ents = [Span(gold, 0, 1, "person"), Span(gold, 2, 4, "person")]
    found.spans["ents"] = [Span(found, 0, 1, "person"), Span(found, 0, 1, "group"), Span(found, 2, 3, "person")]
    found.spans["ents"].attrs["scores"] = np.array([0.9, 0.2, 0.6])
    rows = probabilities_and_right([Example(found, gold)], "ents")
    assert rows.tolist() == [[0.9, 1], [0.2, 0], [0.6, 0]]
