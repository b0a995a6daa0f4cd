"""The linear-chain conditional random field: log partition, marginals, loss with its gradient, and best path.

Lafferty, McCallum and Pereira 2001, "Conditional random fields: probabilistic models for segmenting and labeling
sequence data". A label sequence y of a text with n tokens has the score

    start[y_1] + sum_t emissions[t, y_t] + sum_t transitions[y_t-1, y_t] + end[y_n]

and a probability proportional to its exponential. A score of -inf makes a label or a transition impossible.
The texts of a batch lie one after another in a flat array of token rows and are read in packed order (see `packing`):
nothing is padded, and each step of a recursion is one matrix product for all texts that are still running.
"""

from dataclasses import dataclass, replace
from typing import Optional

import numpy as np
import torch
from torch import Tensor

from .chain import Chain, Layout, Lengths
from .lattice import forward_backward

LONG_TEXT = 1000  # tokens, from where on single precision does not hold the score of a sequence well enough

__all__ = ["Chain", "Gradient", "divergence", "log_partition", "marginals", "negative_log_likelihood", "viterbi"]


@dataclass(frozen=True)
class Gradient:
    """emissions: (tokens, labels), in flat order; transitions: (labels, labels); start, end: (labels,)."""

    emissions: Tensor
    transitions: Tensor
    start: Tensor
    end: Tensor

    def divided_by(self, count: int) -> "Gradient":
        return Gradient(*(part / count for part in (self.emissions, self.transitions, self.start, self.end)))


@torch.no_grad()
def log_partition(chain: Chain, emissions: Tensor, lengths: Lengths) -> Tensor:
    """Logarithm of the sum of exp(score) over all label sequences of each text; (texts,), double precision."""
    return forward_backward(chain, emissions, Layout(lengths, emissions)).log_partition


@torch.no_grad()
def marginals(chain: Chain, emissions: Tensor, lengths: Lengths) -> Tensor:
    """P(label | text) of each token; (tokens, labels). 0 throughout in a text without a possible sequence."""
    layout = Layout(lengths, emissions)
    rows = forward_backward(chain, emissions, layout).marginals
    return rows.index_select(0, layout.scatter).to(emissions.dtype)


@torch.no_grad()
def viterbi(chain: Chain, emissions: Tensor, lengths: Lengths) -> Tensor:
    """The best label sequence of each text (Viterbi 1967); (tokens,) label numbers, on the device of the emissions.

    The forward steps keep best scores only, no back pointers: where a label came from is found on the way back, for
    the one label that matters.
    emissions: (tokens, labels); lengths: tokens of each text. Of equal sequences, the one with the lower number for
    its last label, and so on back. In a text without a possible sequence the labels mean nothing.
    """
    layout = Layout(lengths, emissions)
    scores = emissions.index_select(0, layout.gather)
    if len(layout.steps) > LONG_TEXT:  # the sum over a text would lose digits that decide
        scores = scores.double()
    chain = chain.to(scores.dtype)
    into = chain.transitions.T.contiguous()  # (to, from)
    for i, step in enumerate(layout.steps):
        if i == 0:
            scores[step] += chain.start
        else:
            # (from, to, texts): the maximum over the first axis is many times as fast as over the last.
            before = layout.rows_before(scores, i).T.contiguous()
            scores[step] += (before.unsqueeze(1) + chain.transitions.unsqueeze(2)).amax(dim=0).T
    scores[layout.last] += chain.end
    best = torch.empty(len(scores), dtype=torch.int64, device=scores.device)
    for i in reversed(range(len(layout.steps))):
        if i + 1 < len(layout.steps):
            layout.rows_before(scores, i + 1).add_(into.index_select(0, best[layout.steps[i + 1]]))
        torch.argmax(scores[layout.steps[i]], dim=1, out=best[layout.steps[i]])
    return best[layout.scatter]


@torch.no_grad()
def negative_log_likelihood(chain: Chain, emissions: Tensor, lengths: Lengths, gold: Tensor) -> tuple[Tensor, Gradient]:
    """-log P(gold | text) in nats, (texts,), and the gradient of its sum: expected counts instead of autograd.

    emissions: (tokens, labels).
    gold (bool): (tokens, labels), the labels that a token may have. One: annotated; all: missing; some: partly known.
        All sequences they allow are summed over (Tsuboi et al. 2008, "Training conditional random fields using
        incomplete annotations"). A text whose gold is impossible in this chain has the loss inf, and no gradient.
    """
    layout = Layout(lengths, emissions)
    free = forward_backward(chain, emissions, layout)
    rows, pairs = free.marginals, free.pairs
    labels = _single_labels(gold)
    if labels is not None:
        score = _follow(chain, emissions, labels.index_select(0, layout.gather), layout, rows, pairs)
    else:
        clamped = forward_backward(chain, emissions.masked_fill(~gold, -torch.inf), layout)
        score = clamped.log_partition
        rows = rows - clamped.marginals
        pairs = pairs - clamped.pairs
    loss = free.log_partition - score
    possible = loss.isfinite()
    if not bool(possible.all()):
        return loss.masked_fill(~possible, torch.inf), _gradient_of_some(chain, emissions, layout, gold, possible)
    gradient = Gradient(
        emissions=rows.index_select(0, layout.scatter).to(emissions.dtype),
        transitions=pairs.to(chain.transitions.dtype),
        start=rows.index_select(0, layout.first).sum(dim=0).to(chain.start.dtype),
        end=rows.index_select(0, layout.last).sum(dim=0).to(chain.end.dtype),
    )
    return loss, gradient


def _gradient_of_some(chain: Chain, emissions: Tensor, layout: Layout, gold: Tensor, texts: Tensor) -> Gradient:
    """The gradient of these texts (bool, (texts,)) alone."""
    kept = texts.cpu().numpy()
    tokens = torch.from_numpy(np.repeat(kept, layout.lengths)).to(emissions.device)
    _, gradient = negative_log_likelihood(chain, emissions[tokens], layout.lengths[kept], gold[tokens])
    rows = torch.zeros_like(emissions)
    rows[tokens] = gradient.emissions
    return replace(gradient, emissions=rows)


@torch.no_grad()
def divergence(
    chain: Chain, emissions: Tensor, teacher: Chain, wanted: Tensor, lengths: Lengths
) -> tuple[Tensor, Gradient]:
    """Kullback-Leibler divergence in nats from a teacher's distribution over label sequences to this one, summed over
    the texts, and its gradient: the difference of the expected counts.

    emissions, wanted: (tokens, labels) of this chain and the teacher's. What one forbids the other has to forbid.
    """
    layout = Layout(lengths, emissions)
    own = forward_backward(chain, emissions, layout)
    aim = forward_backward(teacher, wanted, layout)
    rows = (wanted - emissions).index_select(0, layout.gather).double()
    rows[layout.first] += teacher.start - chain.start
    rows[layout.last] += teacher.end - chain.end
    pairs = aim.pairs * (teacher.transitions - chain.transitions)
    # where both are impossible, the count is 0 and the difference of the scores is not a number
    loss = (aim.marginals * rows).nansum() + pairs.nansum() + (own.log_partition - aim.log_partition).sum()
    rows = own.marginals - aim.marginals
    gradient = Gradient(
        emissions=rows.index_select(0, layout.scatter).to(emissions.dtype),
        transitions=own.pairs - aim.pairs,
        start=rows[layout.first].sum(dim=0),
        end=rows[layout.last].sum(dim=0),
    )
    return loss, gradient


def _single_labels(gold: Tensor) -> Optional[Tensor]:
    """(tokens,), the label of each token where all have exactly one."""
    cells = gold.nonzero()
    rows = torch.arange(len(gold), device=gold.device)
    return cells[:, 1].contiguous() if len(cells) == len(gold) and bool((cells[:, 0] == rows).all()) else None


def _follow(chain: Chain, emissions: Tensor, labels: Tensor, layout: Layout, rows: Tensor, pairs: Tensor) -> Tensor:
    """Score of one label sequence for each text; its labels and transitions are subtracted from rows and pairs.

    labels: (tokens,), in packed order, as rows are.
    """
    second = len(labels) - len(layout.before)
    source, target = labels[layout.before], labels[second:]
    scores = emissions[layout.gather, labels].double()
    scores[layout.first] += chain.start[labels[layout.first]]
    scores[layout.last] += chain.end[labels[layout.last]]
    scores[second:] += chain.transitions[source, target]
    rows[torch.arange(len(labels), device=rows.device), labels] -= 1
    taken = torch.bincount(source * len(pairs) + target, minlength=pairs.numel())
    pairs -= taken.view_as(pairs)
    return layout.sum_by_text(scores)
