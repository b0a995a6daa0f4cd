import numpy as np
import pytest

from spacy_bilstm_tagger.models import BiLSTMEncoder


@pytest.fixture
def model():
    return BiLSTMEncoder(width=6, depth=1).initialize(X=[np.ones((3, 5), dtype="f")])


@pytest.fixture
def X():
    return [np.random.default_rng(0).normal(size=(4, 5)).astype("f")]
