"""How much of the data a table knows: said once, when a model is initialized."""

import logging
from typing import Sequence

import numpy as np
from spacy.tokens import Doc

# Below spaCy's logger, so that its handler prints what is said here; it is itself silent below WARNING.
logger = logging.getLogger("spacy.bilstm_tagger")
logger.setLevel(logging.INFO)


def say_ways(ways: dict[str, int], n_tokens: int) -> str:
    """How many tokens were found by which key, and how many by none."""
    found = ", ".join(f"{count} by {way}" for way, count in ways.items())
    return f"{found}; {n_tokens - sum(ways.values())} by none"


def first_of_each_type(docs: Sequence[Doc]) -> np.ndarray:
    """The first token of each word type, counted through all docs; (types,)."""
    return np.unique(np.concatenate([doc.to_array("ORTH") for doc in docs]), return_index=True)[1]
