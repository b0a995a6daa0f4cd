"""How far the probabilities of entities are from the share of them that are right."""

from typing import Iterable

import numpy as np
from spacy.training import Example

N_BINS = 10


def probabilities_and_right(examples: Iterable[Example], spans_key: str) -> np.ndarray:
    """(entities found, 2): the probability of each, and whether it is right."""
    rows = []
    for example in examples:
        gold = {(ent.start_char, ent.end_char, ent.label_) for ent in example.reference.ents}
        group = example.predicted.spans[spans_key]
        for span, probability in zip(group, group.attrs["scores"]):
            rows.append((float(probability), (span.start_char, span.end_char, span.label_) in gold))
    return np.array(rows, dtype=float).reshape(-1, 2)


def calibration_error(found: np.ndarray) -> float:
    """The expected calibration error (Guo et al. 2017, "On calibration of modern neural networks") over ten bins of
    equal width: the mean distance between the probability of a bin's entities and the share of them that are right,
    weighted by their number.

    found ((entities, 2)): as of `probabilities_and_right`.
    """
    return sum(len(part) / len(found) * abs(part[:, 0].mean() - part[:, 1].mean()) for _, part in bins(found))


def bins(found: np.ndarray) -> Iterable[tuple[float, np.ndarray]]:
    """The lower edge and the rows of each bin that is not empty."""
    number = np.minimum((found[:, 0] * N_BINS).astype(int), N_BINS - 1)
    for i in range(N_BINS):
        if (number == i).any():
            yield i / N_BINS, found[number == i]
