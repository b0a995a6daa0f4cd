"""Losses over flat token rows."""

from typing import Optional

from thinc.api import Ops
from thinc.types import Floats2d, Ints1d

MISSING = -1


def masked_cross_entropy(
    ops: Ops,
    emissions: Floats2d,
    targets: Ints1d,
    *,
    label_smoothing: float = 0.0,
) -> tuple[float, Floats2d]:
    """Softmax cross entropy in nats, summed over the rows that have a target, and its gradient.

    emissions: (tokens, labels); targets: (tokens,), a label's number or MISSING;
    label_smoothing: share of the target's probability that is spread evenly over all labels (Szegedy et al. 2016,
        "Rethinking the Inception architecture for computer vision", section 7).
    """
    n_labels = emissions.shape[1]
    present = targets != MISSING
    wanted = ops.xp.zeros_like(emissions)
    wanted[ops.xp.flatnonzero(present), targets[present]] = 1.0 - label_smoothing
    wanted[present] += label_smoothing / n_labels
    return soft_cross_entropy(ops, emissions, wanted)


def soft_cross_entropy(ops: Ops, emissions: Floats2d, wanted: Floats2d) -> tuple[float, Floats2d]:
    """The same against whole distributions; rows of `wanted` that are all zero do not count."""
    xp = ops.xp
    log_probs = emissions - xp.max(emissions, axis=1, keepdims=True)
    log_probs -= xp.log(xp.exp(log_probs).sum(axis=1, keepdims=True))
    mass = wanted.sum(axis=1, keepdims=True)
    loss = -xp.sum(wanted * log_probs)
    gradient = xp.exp(log_probs) * mass - wanted
    return float(loss), gradient


def label_numbers(ops: Ops, labels: list[Optional[str]], index: dict[str, int]) -> Ints1d:
    """The numbers of the labels, MISSING for None and the empty label. Raises KeyError for an unknown one."""
    return ops.asarray1i([index[label] if label else MISSING for label in labels])
