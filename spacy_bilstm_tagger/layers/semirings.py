"""Arithmetic on probabilities, or on their logarithms."""

from dataclasses import dataclass
from typing import Callable

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Semiring:
    """zero (float): what stands for the probability 0.
    times, matmul (callable): product of arrays, and of matrices.
    of (callable): what stands for a probability; probability (callable): the inverse.
    """

    zero: float
    times: Callable[..., NDArray]
    matmul: Callable[[NDArray, NDArray], NDArray]
    of: Callable[[float], float]
    probability: Callable[[NDArray], NDArray]


def _log_matmul(left: NDArray, right: NDArray) -> NDArray:
    """(rows, inner), (inner, columns) -> (rows, columns), by logsumexp."""
    terms = left[:, :, None] + right[None]
    best = terms.max(axis=1, initial=-np.inf)
    best = np.where(np.isfinite(best), best, 0.0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(terms - best[:, None]).sum(axis=1)) + best


PROBABILITIES = Semiring(0.0, np.multiply, np.matmul, float, np.asarray)
LOGARITHMS = Semiring(-np.inf, np.add, _log_matmul, np.log, np.exp)
