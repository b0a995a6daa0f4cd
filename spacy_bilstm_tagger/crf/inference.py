"""The scores of a linear-chain conditional random field, and inference with them: log partition, marginals, best path.

Lafferty, McCallum and Pereira 2001, "Conditional random fields: probabilistic models for segmenting and labeling
sequence data". A label sequence y of a text with n tokens has the score

    start[y_1] + sum_t emissions[t, y_t] + sum_t transitions[y_t-1, y_t] + end[y_n]

and a probability proportional to its exponential. A score of -inf makes a label or a transition impossible. A softmax
over the labels of each token is the chain without transitions.
The texts of a batch lie one after another in a flat array of token rows and are read in packed order (see `packing`):
nothing is padded, and each step of a recursion is one matrix product for all texts that are still running.
"""

from dataclasses import dataclass, replace
from typing import Any, Callable, Optional

import numpy as np
import torch
from torch import Tensor

from ..types import Ints, Mask
from .lattice import Lattice, log_passes
from .packing import Layout, Lengths

_SCALED_EVERY = 16  # tokens of one text, in which double precision does not run out
_LARGEST = float(np.finfo(np.float32).max)
LONG_TEXT = 1000  # tokens from which on single precision does not hold the score of a sequence well enough


@dataclass(frozen=True, eq=False)
class ChainScores:
    """Scores of the label sequences of a batch of texts, as natural logarithms; or the gradient of a loss with respect
    to them, in the same shapes.

    emissions (Tensor): (tokens of all texts, labels).
    lengths (sequence of int): tokens of each text.
    transitions (Tensor or None): (labels, labels), from row to column; None for independent tokens, as are start and
        end.
    start, end (Tensor or None): (labels,).
    """

    emissions: Tensor
    lengths: Lengths
    transitions: Optional[Tensor] = None
    start: Optional[Tensor] = None
    end: Optional[Tensor] = None

    @property
    def is_chain(self) -> bool:
        """Whether there are scores between neighbouring labels."""
        return self.transitions is not None

    @property
    def layout(self) -> Layout:
        """The packed order of the tokens. Until Python 3.12, cached_property has a lock, which may be locked after a fork."""
        layout: Layout = self.__dict__.get("_layout") or Layout(self.lengths, self.emissions.device)
        self.__dict__["_layout"] = layout
        return layout

    @property
    def chain(self) -> tuple[Tensor, Tensor, Tensor]:
        """Transitions, start and end; zeros if the tokens are independent."""
        if self.transitions is None or self.start is None or self.end is None:
            n_labels = self.emissions.shape[1]
            zeros = self.emissions.new_zeros((n_labels + 2, n_labels))
            return zeros[:-2], zeros[-2], zeros[-1]
        return self.transitions, self.start, self.end

    def with_emissions(self, emissions: Tensor) -> "ChainScores":
        """The same texts and transitions."""
        return self._keep_layout(replace(self, emissions=emissions))

    def with_chain(self, transitions: Tensor, start: Tensor, end: Tensor) -> "ChainScores":
        """The same texts and emissions."""
        return self._keep_layout(replace(self, transitions=transitions, start=start, end=end))

    def map(self, function: Callable[[Tensor], Tensor]) -> "ChainScores":
        """Apply a function that keeps shapes to each tensor."""
        scores = self.with_emissions(function(self.emissions))
        return scores.with_chain(*map(function, self.chain)) if self.is_chain else scores

    def allow(self, mask: Tensor) -> "ChainScores":
        """-inf for the emissions where the mask, (tokens, labels), is False."""
        return self.with_emissions(self.emissions.masked_fill(~mask, -torch.inf))

    def labels(self, labels: slice) -> "ChainScores":
        """The chain of some of the labels alone."""
        scores = self.with_emissions(self.emissions[:, labels])
        if not self.is_chain:
            return scores
        transitions, start, end = self.chain
        return scores.with_chain(transitions[labels, labels], start[labels], end[labels])

    def texts(self, kept: Mask) -> tuple["ChainScores", Tensor]:
        """The scores of some of the texts, and which tokens are theirs, (tokens,) bool. kept (bool): (texts,)."""
        lengths = np.asarray(self.lengths)
        tokens = torch.from_numpy(np.repeat(kept, lengths)).to(self.emissions.device)
        return ChainScores(self.emissions[tokens], lengths[kept], self.transitions, self.start, self.end), tokens

    def add_texts(self, some: "ChainScores", tokens: Tensor) -> "ChainScores":
        """These gradients with those of some of the texts added. tokens (bool): which are theirs, see `texts`."""
        emissions = self.emissions.clone()
        emissions[tokens] += some.emissions
        scores = self.with_emissions(emissions)
        return scores.with_chain(*map(torch.add, self.chain, some.chain)) if self.is_chain else scores

    def cpu(self) -> "ChainScores":
        """The same on the CPU, by one copy."""
        if self.emissions.device.type == "cpu":
            return self
        if not self.is_chain:
            return replace(self, emissions=self.emissions.cpu())
        transitions, start, end = self.chain
        rows = torch.cat([self.emissions, transitions, start.unsqueeze(0), end.unsqueeze(0)]).cpu()
        emissions, transitions, edges = rows.tensor_split([len(self.emissions), len(rows) - 2])
        return ChainScores(emissions, self.lengths, transitions, edges[0], edges[1])

    def _keep_layout(self, other: "ChainScores") -> "ChainScores":
        if "_layout" in self.__dict__:
            other.__dict__["_layout"] = self.layout
        return other


@torch.no_grad()
def marginals(scores: ChainScores) -> Tensor:
    """P(label | text) of each token; (tokens, labels). 0 throughout in a text without a possible sequence."""
    if not scores.is_chain:
        return scores.emissions.softmax(dim=1)
    lattice = forward_backward(scores)
    return lattice.marginals.index_select(0, lattice.layout.scatter).to(scores.emissions.dtype)


@torch.no_grad()
def viterbi(scores: ChainScores) -> Tensor:
    """The best label sequence of each text (Viterbi 1967); (tokens,) label numbers, on the device of the emissions.

    The forward steps keep best scores only, no back pointers: on the way back, the origin of a label is found for the
    one label that matters.
    Of equal sequences, the one with the lower number for its last label, and so on back. In a text without a possible
    sequence the labels mean nothing.
    """
    if not scores.is_chain:
        return scores.emissions.argmax(dim=1)
    emissions = scores.emissions
    is_plain = emissions.device.type == "cpu" and emissions.dtype in (torch.float32, torch.float64)
    if is_plain and len(scores.lengths) == 1 and len(emissions) <= LONG_TEXT:
        return torch.from_numpy(_viterbi_one(scores))
    layout = scores.layout
    rows = emissions.index_select(0, layout.gather)
    if len(layout.steps) > LONG_TEXT:  # the sum over a text would lose digits that decide
        rows = rows.double()
    transitions, start, end = (part.to(rows.dtype) for part in scores.chain)
    into = transitions.T.contiguous()  # (to, from)
    for i, step in enumerate(layout.steps):
        if i == 0:
            rows[step] += start
        else:
            # (from, to, texts): the maximum over the first axis is many times as fast as over the last.
            before = layout.rows_before(rows, i).T.contiguous()
            rows[step] += (before.unsqueeze(1) + transitions.unsqueeze(2)).amax(dim=0).T
    rows[layout.last] += end
    best = torch.empty(len(rows), dtype=torch.int64, device=rows.device)
    for i in reversed(range(len(layout.steps))):
        if i + 1 < len(layout.steps):
            layout.rows_before(rows, i + 1).add_(into.index_select(0, best[layout.steps[i + 1]]))
        torch.argmax(rows[layout.steps[i]], dim=1, out=best[layout.steps[i]])
    return best[layout.scatter]


def _viterbi_one(scores: ChainScores) -> Ints:
    """Of one text, by numpy, whose calls take less time than torch's where there is little to compute."""
    transitions, start, end = (part.numpy() for part in scores.chain)
    table = scores.emissions.numpy().copy()
    pairs, best_before = np.empty_like(transitions), np.empty_like(start)
    best: list[int] = []
    with np.errstate(invalid="ignore"):  # a text without a possible sequence
        table[:1] += start
        rows = list(table)
        for before, row in zip(table[:, :, None], rows[1:]):
            np.add(transitions, before, out=pairs)
            np.maximum.reduce(pairs, axis=0, out=best_before)
            row += best_before
        table[-1:] += end
        into = transitions.T
        for row in reversed(rows):
            if best:
                row += into[best[-1]]
            best.append(int(row.argmax()))
    return np.array(best[::-1], dtype=np.int64)


@torch.no_grad()
def forward_backward(scores: ChainScores) -> Lattice:
    """Both passes over all texts of a batch (Rabiner 1989, "A tutorial on hidden Markov models and selected
    applications in speech recognition", section V.A).

    Probabilities are scaled to sum to 1 at each token, in the precision of the emissions, single at least. If numbers
    of that precision do not reach far enough, double precision is used, and beyond that logarithms, exact and slower.
    """
    layout, precision = scores.layout, torch.promote_types(scores.emissions.dtype, torch.float32)
    if len(scores.lengths) == 1 and len(scores.emissions) and scores.emissions.device.type == "cpu":
        lattice = _passes_of_one(scores.map(torch.Tensor.float) if precision != scores.emissions.dtype else scores, precision)
        if lattice is not None:
            return lattice
    for dtype in dict.fromkeys((precision, torch.float64)):
        rows = scores.emissions.index_select(0, layout.gather).to(dtype)
        transitions, start, end = (part.to(dtype) for part in scores.chain)
        lattice = _scaled_passes(transitions, start, end, rows, layout)
        if lattice is not None:
            return lattice
    transitions, start, end = (part.double() for part in scores.chain)
    return log_passes(transitions, start, end, scores.emissions.index_select(0, layout.gather).double(), layout)


def _scaled_passes(transitions: Tensor, start: Tensor, end: Tensor, rows: Tensor, layout: Layout) -> Optional[Lattice]:
    """None if the precision of the rows is not enough, or a text has no possible sequence.

    rows: (tokens, labels), emissions in packed order; overwritten.
    """
    factors, best_transition = _exp_below_max(transitions.flatten())
    factors = factors.view_as(transitions)
    start, best_start = _exp_below_max(start)
    end, best_end = _exp_below_max(end)
    best_score = _finite_max(rows)
    step = rows.sub_(best_score).exp_()
    steps = layout.steps
    forward, scale = torch.empty_like(step), torch.empty_like(best_score)
    for i, at in enumerate(steps):
        here = forward[at]
        if i == 0:
            torch.mul(step[at], start, out=here)
        else:
            torch.mm(layout.rows_before(forward, i), factors, out=here)
            here *= step[at]
        here /= torch.sum(here, dim=1, keepdim=True, out=scale[at])
    step /= scale
    at_end = (forward.index_select(0, layout.last) * end).sum(dim=1, keepdim=True)
    backward, pairs = torch.empty_like(step), torch.zeros_like(factors)
    backward[layout.last] = end / at_end
    into = factors.T.contiguous()
    for i in reversed(range(1, len(steps))):
        onward = step[steps[i]] * backward[steps[i]]
        pairs.addmm_(layout.rows_before(forward, i).T, onward)
        torch.mm(onward, into, out=layout.rows_before(backward, i))
    # A number below the smallest one is lost, and backward / scale is its factor. Nothing is missed while that stays far
    # under 1 / smallest; otherwise, or if it is not a number, these passes are void.
    limits = torch.finfo(rows.dtype)
    if len(rows) and not bool(backward.amax() / scale.amin() <= 1e-6 * limits.eps / limits.tiny):
        return None
    entry = best_transition.expand(len(rows), 1).clone().index_fill_(0, layout.first, best_start.squeeze(0))
    logs = scale.double().log_().add_(best_score).add_(entry)
    logs.index_add_(0, layout.last, at_end.double().log_() + best_end)
    return Lattice(
        forward=forward,
        backward=backward,
        step=step,
        start=start,
        transitions=factors,
        marginals=forward * backward,
        pairs=pairs * factors,
        log_partition=layout.sum_by_text(logs.squeeze(1)),
        layout=layout,
    )


def _passes_of_one(scores: ChainScores, dtype: torch.dtype) -> Optional[Lattice]:
    """The same of one text, by numpy, as in `_viterbi_one`, and in double precision. The recursions need their rows only up to a
    factor, so these are scaled together at the end. dtype (torch.dtype): of the lattice."""
    parts = [part.numpy().astype(np.float64) for part in (*scores.chain, scores.emissions)]
    bests = [np.maximum(part.max(keepdims=True, axis=axis), -_LARGEST) for part, axis in zip(parts, (None, None, None, 1))]
    transitions, start, end, rows = (np.exp(part - best) for part, best in zip(parts, bests))
    forward, backward, onward = np.empty_like(rows), np.empty_like(rows), np.empty_like(rows)
    with np.errstate(all="ignore"):  # looked for below
        np.multiply(start, rows[0], out=forward[0])
        backward[-1] = end
        steps = list(zip(rows, forward, backward, onward))
        before = forward[0]
        for i, (row, here, _, _) in enumerate(steps[1:], 1):
            np.dot(before, transitions, out=here)
            here *= row
            if not i % _SCALED_EVERY:
                here /= here.sum()
            before = here
        for i in range(len(rows) - 1, 0, -1):
            row, _, behind, product = steps[i]
            np.multiply(row, behind, out=product)
            here = steps[i - 1][2]
            np.dot(transitions, product, out=here)
            if not i % _SCALED_EVERY:
                here /= here.sum()
        forward /= forward.sum(axis=1, keepdims=True)
        scale = np.append(start @ rows[0], ((forward[:-1] @ transitions) * rows[1:]).sum(axis=1))[:, None]
        at_end = forward[-1] @ end
        marginals = forward * backward
        sums = marginals.sum(axis=1, keepdims=True)
        backward /= sums
        marginals /= sums
        rows /= scale
        log_partition = np.log(scale).sum() + np.log(at_end) + sum(best.sum() for best in bests[1:])
        log_partition += (len(rows) - 1) * bests[0].sum()
        limits = np.finfo(np.float32 if dtype == torch.float32 else np.float64)
        if not backward.max() / scale.min() <= 1e-6 * limits.eps / limits.tiny:  # see `_scaled_passes`
            return None
        pairs = forward[:-1].T @ (rows * backward)[1:] * transitions
    arrays = {"forward": forward, "backward": backward, "step": rows, "start": start, "transitions": transitions}
    arrays.update(marginals=marginals, pairs=pairs)
    tensors: dict[str, Any] = {name: torch.from_numpy(array).to(dtype) for name, array in arrays.items()}
    return Lattice(**tensors, log_partition=torch.from_numpy(np.array([log_partition])), layout=scores.layout)


def _exp_below_max(values: Tensor) -> tuple[Tensor, Tensor]:
    """exp(values - best) and best, the maximum over the last axis."""
    best = _finite_max(values)
    return (values - best).exp_(), best


def _finite_max(values: Tensor) -> Tensor:
    """The maximum over the last axis; a finite number even if all are -inf."""
    return values.amax(dim=-1, keepdim=True).clamp_(min=torch.finfo(values.dtype).min)
