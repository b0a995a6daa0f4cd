"""Losses over flat token rows, and what is known of each token."""

from typing import Optional

import numpy as np
from thinc.api import Ops
from thinc.types import Floats2d

from ..partial_labels import EITHER, UNKNOWN, is_either
from .chains import Mask


def allowed_labels(labels: list[Optional[str]], index: dict[str, int]) -> Mask:
    """Which labels each token may have, (tokens, labels): one where it is annotated, those of "a|b", or all for
    None, the empty label and "-". Raises KeyError for an unknown one."""
    allowed = np.zeros((len(labels), len(index)), dtype="bool")
    for row, label in zip(allowed, labels):
        if label and label in index:
            row[index[label]] = True
        elif not label or label == UNKNOWN:
            row[:] = True
        elif is_either(label, index.keys()):
            row[[index[part] for part in label.split(EITHER)]] = True
        else:
            raise KeyError(label)
    return allowed


def partial_cross_entropy(
    ops: Ops, emissions: Floats2d, allowed: Mask, *, label_smoothing: float = 0.0
) -> tuple[float, Floats2d]:
    """Softmax cross entropy in nats, summed over the rows, and its gradient: -log of the probability that the label is
    one of the allowed ones. It is 0 where all are allowed.

    emissions: (tokens, labels); allowed (bool): (tokens, labels), at least one in each row;
    label_smoothing: share of the allowed ones' probability that is spread evenly over all labels (Szegedy et al. 2016,
        "Rethinking the Inception architecture for computer vision", section 7), in the rows that do not allow all.
    """
    xp = ops.xp
    inside = emissions.copy()
    inside[xp.asarray(~allowed)] = -xp.inf
    total, probs = _softmax(ops, emissions)
    mass, shares = _softmax(ops, inside)
    hard = 1.0 - label_smoothing
    loss = hard * xp.sum(total - mass)
    gradient = hard * (probs - shares)
    if label_smoothing:
        known = xp.asarray(~allowed.all(axis=1))
        loss += label_smoothing * xp.sum((total - emissions)[known]) / emissions.shape[1]
        gradient[known] += label_smoothing * (probs[known] - 1 / emissions.shape[1])
    return float(loss), gradient


def soft_cross_entropy(ops: Ops, emissions: Floats2d, wanted: Floats2d) -> tuple[float, Floats2d]:
    """The same against whole distributions."""
    total, probs = _softmax(ops, emissions)
    return float(ops.xp.sum(wanted * (total - emissions))), probs - wanted


def _softmax(ops: Ops, emissions: Floats2d) -> tuple[Floats2d, Floats2d]:
    """The logarithm of the sum, (tokens, 1), and the probabilities, (tokens, labels)."""
    top = ops.xp.max(emissions, axis=1, keepdims=True)
    probs = ops.xp.exp(emissions - top)
    mass = probs.sum(axis=1, keepdims=True)
    return top + ops.xp.log(mass), probs / mass
