"""Entity recognizers in two states of training, for tests of what they learn and of what they give."""

import pytest
from small_pipelines import ner_examples, small_pipeline, train
from thinc.api import fix_random_seed


@pytest.fixture(scope="session")
def saved():
    """Number of steps -> a pipeline trained so far, as bytes."""

    def after(steps):
        fix_random_seed(0)
        nlp = small_pipeline("bilstm_ner")
        train(nlp, ner_examples(nlp), steps=steps)
        return nlp.to_bytes()

    return {steps: after(steps) for steps in (7, 40)}


@pytest.fixture
def trained(saved):
    return small_pipeline("bilstm_ner").from_bytes(saved[40])


@pytest.fixture
def unsure(saved):
    """Trained a little, so that probabilities are between 0 and 1."""
    return small_pipeline("bilstm_ner").from_bytes(saved[7])
