"""What entity_odds and temperature make of the probabilities, by the sums they stand for: on a text of one token, whose
tag is O or begins an entity."""

import numpy as np
import pytest
from small_pipelines import ner_examples, small_pipeline, train
from thinc.api import fix_random_seed

from spacy_bilstm_tagger.errors import ConfigError


@pytest.fixture(scope="module")
def saved():
    fix_random_seed(0)
    nlp = small_pipeline("bilstm_ner")
    train(nlp, ner_examples(nlp), steps=7)
    return nlp.to_bytes()


def probabilities(saved, **settings):
    """Of each entity type, and last of none."""
    nlp = small_pipeline("bilstm_ner", top_k=9, threshold=1e-6, **settings).from_bytes(saved)
    nlp.get_pipe("bilstm_ner").cfg.update(top_k=9, threshold=1e-6, **settings)
    doc = nlp("Lune")
    found = {
        span.label_: score
        for group in (doc.spans["ents"], doc.spans["ents_alternatives"])
        for span, score in zip(group, group.attrs["scores"])
    }
    each = [found[label] for label in nlp.get_pipe("bilstm_ner").labels]
    return np.array([*each, 1 - sum(each)])


def test_odds_multiply_those_of_an_entity(saved):
    before, after = probabilities(saved), probabilities(saved, entity_odds=3.0)
    wanted = before * [*[3.0] * (len(before) - 1), 1.0]
    np.testing.assert_allclose(after, wanted / wanted.sum(), rtol=1e-4)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_temperature_divides_log_probabilities(saved, temperature):
    before, after = probabilities(saved), probabilities(saved, temperature=temperature)
    wanted = before ** (1 / temperature)
    np.testing.assert_allclose(after, wanted / wanted.sum(), rtol=1e-4)
    assert not np.allclose(after, before, rtol=0.02)


def test_temperature_changes_no_best_sequence(saved):
    nlp = small_pipeline("bilstm_ner").from_bytes(saved)
    texts = ["Lune sings in Lisbon", "who is Lune", "Lisbon Lune Lisbon"]
    before = [[str(ent) for ent in doc.ents] for doc in nlp.pipe(texts)]
    nlp.get_pipe("bilstm_ner").cfg["temperature"] = 4.0
    assert [[str(ent) for ent in doc.ents] for doc in nlp.pipe(texts)] == before


@pytest.mark.parametrize("setting", ["entity_odds", "temperature"])
def test_zero_is_refused(setting):
    with pytest.raises(ConfigError, match=f"{setting} = 0"):
        small_pipeline("bilstm_ner", **{setting: 0.0})
