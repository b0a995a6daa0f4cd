"""A setting changed at load counts; otherwise the one that was saved, which may have been set since training."""

import pytest
import spacy
from small_pipelines import ner_examples, small_pipeline, train


@pytest.fixture
def saved(tmp_path):
    nlp = small_pipeline("bilstm_ner", top_k=1)
    train(nlp, ner_examples(nlp), steps=5)
    nlp.get_pipe("bilstm_ner").threshold = 0.4
    nlp.to_disk(tmp_path)
    return tmp_path


def settings(path, **changes):
    nlp = spacy.load(path, config={"components": {"bilstm_ner": changes}} if changes else {})
    cfg = nlp.get_pipe("bilstm_ner").cfg
    return {key: cfg[key] for key in ("threshold", "top_k", "entity_odds", "temperature")}


def test_what_was_saved_counts(saved):
    assert settings(saved) == {"threshold": 0.4, "top_k": 1, "entity_odds": 1.0, "temperature": 1.0}


def test_what_is_changed_at_load_counts_more(saved):
    changed = settings(saved, threshold=0.2, top_k=5)
    assert changed == {"threshold": 0.2, "top_k": 5, "entity_odds": 1.0, "temperature": 1.0}


def test_a_change_is_saved_again(saved, tmp_path):
    spacy.load(saved, config={"components": {"bilstm_ner": {"top_k": 5}}}).to_disk(tmp_path / "again")
    assert settings(tmp_path / "again")["top_k"] == 5


def test_saving_changes_no_setting_of_the_live_pipeline(saved, tmp_path):
    nlp = small_pipeline("bilstm_ner", top_k=1)
    nlp.from_disk(saved)
    nlp.get_pipe("bilstm_ner").threshold = 0.7
    config, cfg = str(nlp.config), str(nlp.get_pipe("bilstm_ner").cfg)
    nlp.to_disk(tmp_path / "again")
    assert (str(nlp.config), str(nlp.get_pipe("bilstm_ner").cfg)) == (config, cfg)
    other = small_pipeline("bilstm_ner", top_k=1).from_bytes(nlp.to_bytes())
    assert other.get_pipe("bilstm_ner").threshold == pytest.approx(0.7)
