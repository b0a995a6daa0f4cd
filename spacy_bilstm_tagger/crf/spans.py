"""Probabilities of whole spans in a linear chain: not of their tokens one by one, but of exactly this span."""

from dataclasses import dataclass
from typing import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..types import Floats, Ints
from .inference import ChainScores
from .lattice import Lattice

Spans = tuple[Ints, Ints, Ints]  # start, end (exclusive), type of each span, as flat token rows


@dataclass(frozen=True)
class SpanTags:
    """The labels that spell a span of each type: unit, or first, inside ..., last.

    unit, first, inside, last (int64): (types,).
    precede, follow (bool): (types, labels), the labels that may stand before and after the span.
    """

    unit: Ints
    first: Ints
    inside: Ints
    last: Ints
    precede: NDArray[np.bool_]
    follow: NDArray[np.bool_]


@dataclass(frozen=True)
class Semiring:
    """Arithmetic on probabilities, or on their logarithms.

    zero (float): the probability 0.
    times, matmul (callable): product of arrays, and of matrices.
    from_probability, to_probability (callable): conversions.
    """

    zero: float
    times: Callable[..., NDArray]
    matmul: Callable[[NDArray, NDArray], NDArray]
    from_probability: Callable[[float], float]
    to_probability: Callable[[NDArray], NDArray]


def _log_matmul(left: NDArray, right: NDArray) -> NDArray:
    """(rows, inner), (inner, columns) -> (rows, columns), by logsumexp."""
    terms = left[:, :, None] + right[None]
    best = terms.max(axis=1, initial=-np.inf)
    best = np.where(np.isfinite(best), best, 0.0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(terms - best[:, None]).sum(axis=1)) + best


PROBABILITIES = Semiring(0.0, np.multiply, np.matmul, float, np.asarray)
LOGARITHMS = Semiring(-np.inf, np.add, _log_matmul, np.log, np.exp)


class SpanProbabilities:
    """P(a text has exactly this span | text), from the passes over its lattice; on the CPU, for a batch.

    A span's probability is the sum over all label sequences that spell it, whatever they spell elsewhere: the mass that
    enters its first label, times the factors along it, times the mass of all that may follow. Spans that overlap exclude
    each other, so their probabilities add up to at most 1.
    """

    def __init__(self, lattice: Lattice, tags: SpanTags) -> None:
        layout = lattice.layout
        self.tags = tags
        self.semiring = ring = LOGARITHMS if lattice.in_logs else PROBABILITIES
        n_labels = lattice.forward.shape[1]
        rows = torch.cat([lattice.forward, lattice.backward, lattice.step], dim=1).index_select(0, layout.scatter)
        forward, backward, step = np.split(rows.cpu().numpy(), [n_labels, 2 * n_labels], axis=1)
        chain = torch.cat([lattice.transitions, lattice.start.unsqueeze(0)]).cpu().numpy()
        transitions, start = chain[:-1], chain[-1]
        n = len(forward)
        is_first, is_last = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
        ends = np.cumsum(layout.lengths)
        used = np.asarray(layout.lengths) > 0
        is_first[(ends - layout.lengths)[used]] = True
        is_last[ends[used] - 1] = True
        self.text_end = np.repeat(ends, layout.lengths)
        self.transitions, self.step, self.backward = transitions, step, backward
        # (tokens, types): the mass that enters a span here, and the mass that leaves one that ends here.
        before, after = np.full_like(forward, ring.zero), np.full_like(forward, ring.zero)
        before[1:] = forward[:-1]
        after[:-1] = ring.times(step, backward)[1:]
        enter = []
        for label in (tags.unit, tags.first):
            into = ring.matmul(before, np.where(tags.precede.T, transitions[:, label], ring.zero))
            enter.append(ring.times(np.where(is_first[:, None], start[label], into), step[:, label]))
        leave = []
        for label in (tags.unit, tags.last):
            out = ring.matmul(after, np.where(tags.follow, transitions[label], ring.zero).T)
            leave.append(np.where(is_last[:, None], backward[:, label], out))
        self.enter_unit, self.enter_first = enter
        self.leave_unit, self.leave_last = leave

    def score_spans(self, spans: Spans) -> Floats:
        """The probability of each of these spans; (spans,)."""
        starts, ends, types = spans
        times = self.semiring.times
        masses = times(self.enter_unit, self.leave_unit)[starts, types]
        mass = self.enter_first[starts, types]
        label = self.tags.first[types]
        at = starts + 1
        running = np.flatnonzero(at < ends)
        while len(running):
            mass_here, type_here, row = mass[running], types[running], at[running]
            closed = self._enter(mass_here, label[running], self.tags.last[type_here], row)
            masses[running] = times(closed, self.leave_last[row, type_here])  # overwritten until the span's own end
            mass[running] = self._enter(mass_here, label[running], self.tags.inside[type_here], row)
            label[running] = self.tags.inside[type_here]
            at[running] += 1
            running = running[at[running] < ends[running]]
        return self._probabilities(masses)

    def spans_above(self, floor: float) -> tuple[Spans, Floats]:
        """All spans with at least this probability, and their probabilities.

        floor (float): above 0. Spans grow from left to right, as long as an open span is as probable as that.
        """
        found: list[tuple[Ints, Ints, Ints, Floats]] = []
        times, least = self.semiring.times, self.semiring.from_probability(floor)
        unit = times(self.enter_unit, self.leave_unit)
        starts, types = np.nonzero(unit >= least)
        found.append((starts, starts + 1, types, unit[starts, types]))
        starts, types = np.nonzero(times(self.enter_first, self.backward[:, self.tags.first]) >= least)
        mass, label, at = self.enter_first[starts, types], self.tags.first[types], starts + 1
        while True:
            inside = np.flatnonzero(at < self.text_end[starts]) if len(starts) else starts
            if not len(inside):
                break
            starts, types, label, at = (array[inside] for array in (starts, types, label, at))
            mass = mass[inside]
            closed = times(self._enter(mass, label, self.tags.last[types], at), self.leave_last[at, types])
            likely = closed >= least
            found.append((starts[likely], at[likely] + 1, types[likely], closed[likely]))
            mass = self._enter(mass, label, self.tags.inside[types], at)
            label = self.tags.inside[types]
            still = times(mass, self.backward[at, label]) >= least
            starts, types, label, at = (array[still] for array in (starts, types, label, at + 1))
            mass = mass[still]
        start, end, type_, probability = (np.concatenate(parts) for parts in zip(*found))
        return (start, end, type_), self._probabilities(probability)

    def _enter(self, mass: NDArray, source: Ints, target: Ints, row: Ints) -> Floats:
        times = self.semiring.times
        return times(times(mass, self.transitions[source, target]), self.step[row, target])

    def _probabilities(self, masses: NDArray) -> Floats:
        return np.clip(self.semiring.to_probability(masses), 0.0, 1.0)


@torch.no_grad()
def constant_log_probability(scores: ChainScores, lattice: Lattice, label: int) -> Tensor:
    """log P(all tokens have this label | text), (texts,), double precision; 0 for an empty text.

    lattice (Lattice): of the same scores.
    """
    layout = scores.layout
    transitions, start, end = scores.chain
    values = scores.emissions[:, label].index_select(0, layout.gather).double()
    values[len(values) - len(layout.before) :] += transitions[label, label]
    values[layout.first] += start[label]
    values[layout.last] += end[label]
    return layout.sum_by_text(values) - lattice.log_partition
