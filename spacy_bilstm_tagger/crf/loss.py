"""Losses of a linear chain with their gradients: differences of expected counts, in place of autograd."""

from dataclasses import dataclass
from typing import Optional

import numpy as np
import torch
from torch import Tensor

from .inference import ChainScores, forward_backward
from .packing import Layout

_SMALLEST = 1e-8  # probability, so that a label that has none yet can get some

_PAIRS_AT_ONCE = 2048  # tokens


@torch.no_grad()
def expected_counts(scores: ChainScores) -> tuple[Tensor, Tensor]:
    """P(label | text) of each token, (tokens, labels), and how often each label is expected to follow each other in each
    text, (texts, labels, labels)."""
    layout = scores.layout
    if scores.is_chain:
        lattice = forward_backward(scores)
        left, right, factors = lattice.forward, lattice.backward, lattice.transitions
        right = lattice.step + right if lattice.in_logs else lattice.step * right
        rows, in_logs = lattice.marginals, lattice.in_logs
    else:
        rows = left = right = scores.emissions.index_select(0, layout.gather).softmax(dim=1)
        factors, in_logs = rows.new_ones(2 * (rows.shape[1],)), False
    second = len(rows) - len(layout.before)
    pairs = rows.new_zeros((layout.n_texts, *factors.shape))
    for at in range(0, len(layout.before), _PAIRS_AT_ONCE):
        chosen = slice(at, at + _PAIRS_AT_ONCE)
        source = left[layout.before[chosen]].unsqueeze(2)
        target = right[second:][chosen].unsqueeze(1)
        taken = (source + factors + target).exp() if in_logs else source * factors * target
        pairs.index_add_(0, layout.text[second:][chosen], taken)
    return rows.index_select(0, layout.scatter), pairs


@torch.no_grad()
def negative_log_likelihood(scores: ChainScores, allowed: Tensor) -> tuple[Tensor, ChainScores]:
    """-log P(gold | text) in nats, (texts,), and the gradient of its sum.

    allowed (bool): (tokens, labels), the labels that a token may have. One: annotated; all: missing; some: partly known.
        All sequences they allow are summed over (Tsuboi et al. 2008, "Training conditional random fields using
        incomplete annotations"). A text whose gold is impossible in this chain has the loss inf, and no gradient.
    """
    if not scores.is_chain:
        return _cross_entropy(scores, allowed)
    layout = scores.layout
    free = forward_backward(scores)
    rows, pairs = free.marginals, free.pairs
    labels = _single_labels(allowed)
    if labels is not None:
        score = _follow(scores, labels.index_select(0, layout.gather), rows, pairs)
    else:
        clamped = forward_backward(scores.allow(allowed))
        score = clamped.log_partition
        rows = rows - clamped.marginals
        pairs = pairs - clamped.pairs
    loss = free.log_partition - score
    possible = loss.isfinite()
    if not bool(possible.all()):
        return loss.masked_fill(~possible, torch.inf), _gradient_of_some(scores, allowed, possible)
    return loss, _gradient(scores, rows, pairs)


@dataclass(frozen=True)
class Counts:
    """What is needed of a distribution over label sequences to learn from it: expected counts.

    rows (Tensor): (tokens, labels), P(label | text) of each token, in the order of the texts.
    pairs (Tensor): (labels, labels), the expected number of times that each label follows each other, in all texts.
    """

    rows: Tensor
    pairs: Tensor

    def labels(self, labels: slice) -> "Counts":
        """The counts of some of the labels alone."""
        return Counts(self.rows[:, labels], self.pairs[labels, labels])


@torch.no_grad()
def cross_entropy(scores: ChainScores, aim: Counts, sets: Optional[Tensor] = None) -> tuple[Tensor, ChainScores]:
    """-sum P(sequence) log Q(sequence) in nats, of a teacher's distribution P with these counts and that of the scores,
    Q, summed over the texts; and its gradient.

    log Q is linear in the counts, so it takes no more of P than those, and the counts of a mean of several distributions
    are the means of their counts (Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network"; for
    chains Wang et al. 2020, "Structure-level knowledge distillation for multilingual sequence labeling").

    sets (bool or None): (labels of the teacher, labels), the labels that each of the teacher's stands for. The mass of a
        set is shared among its labels as Q shares it, which is the E step of Dempster, Laird and Rubin 1977. None if the
        labels are the same.
    """
    if not scores.is_chain:
        logs = scores.emissions.log_softmax(dim=1)
        own = logs.exp()
        rows = aim.rows if sets is None else _share(aim.rows, own, sets.to(own.dtype))
        return -(rows * _possible(logs)).sum(), scores.with_emissions(own - rows)
    layout = scores.layout
    free = forward_backward(scores)
    transitions, start, end = scores.chain
    rows, pairs = aim.rows.index_select(0, layout.gather).to(free.marginals.dtype), aim.pairs.to(free.pairs.dtype)
    if sets is not None:
        sets = sets.to(rows.dtype)
        rows = _share(rows, free.marginals, sets)
        own = free.pairs.clamp(min=_SMALLEST) * (free.pairs > 0)
        pairs = own * (sets.T @ (pairs / (sets @ own @ sets.T).clamp(min=_SMALLEST)) @ sets)
    values = scores.emissions.index_select(0, layout.gather).double()
    values[layout.first] += start
    values[layout.last] += end
    score = (rows * _possible(values)).sum() + (pairs * _possible(transitions.double())).sum()
    return free.log_partition.sum() - score, _gradient(scores, free.marginals - rows, free.pairs - pairs)


@torch.no_grad()
def divergence(scores: ChainScores, teacher: ChainScores) -> tuple[Tensor, ChainScores]:
    """Kullback-Leibler divergence in nats from a teacher's distribution over label sequences to this one, summed over
    the texts, and its gradient.

    teacher (ChainScores): scores of the same texts. If one of both forbids a label or a transition, the other has to
        forbid it too.
    """
    rows, pairs = expected_counts(teacher)
    aim = Counts(rows, pairs.sum(dim=0))
    loss, gradient = cross_entropy(scores, aim)
    entropy, _ = cross_entropy(teacher, aim)
    return loss - entropy, gradient


def _possible(values: Tensor) -> Tensor:
    """0 in the place of -inf: what is impossible adds nothing, even if the teacher has a little mass there."""
    return values.masked_fill(values.isneginf(), 0.0)


def _share(aim: Tensor, own: Tensor, sets: Tensor) -> Tensor:
    """The mass of each set, (tokens, sets), shared among its labels in proportion to their own; (tokens, labels)."""
    own = own.clamp(min=_SMALLEST) * (own > 0)
    return own * ((aim / (own @ sets.T).clamp(min=_SMALLEST)) @ sets)


def _cross_entropy(scores: ChainScores, allowed: Tensor) -> tuple[Tensor, ChainScores]:
    """For independent tokens: -log of the probability that the label is one of the allowed ones."""
    emissions, inside = scores.emissions, scores.allow(allowed).emissions
    by_token = emissions.logsumexp(dim=1).double() - inside.logsumexp(dim=1)
    texts = torch.from_numpy(np.repeat(np.arange(len(scores.lengths)), scores.lengths)).to(emissions.device)
    loss = by_token.new_zeros(len(scores.lengths)).index_add_(0, texts, by_token)
    return loss, scores.with_emissions(emissions.softmax(dim=1) - inside.softmax(dim=1))


def _gradient(scores: ChainScores, rows: Tensor, pairs: Tensor) -> ChainScores:
    """From the differences of expected counts. rows: (tokens, labels), in packed order; pairs: (labels, labels)."""
    layout = scores.layout
    transitions, start, end = scores.chain
    emissions = rows.index_select(0, layout.scatter).to(scores.emissions.dtype)
    first, last = (rows.index_select(0, at).sum(dim=0) for at in (layout.first, layout.last))
    chain = (pairs.to(transitions.dtype), first.to(start.dtype), last.to(end.dtype))
    return scores.with_emissions(emissions).with_chain(*chain)


def _gradient_of_some(scores: ChainScores, allowed: Tensor, texts: Tensor) -> ChainScores:
    """The gradient of these texts, (texts,) bool, alone."""
    some, tokens = scores.texts(texts.cpu().numpy())
    _, gradient = negative_log_likelihood(some, allowed[tokens])
    return scores.map(torch.zeros_like).add_texts(gradient, tokens)


def _single_labels(allowed: Tensor) -> Optional[Tensor]:
    """(tokens,), the label of each token if all have exactly one."""
    cells = allowed.nonzero()
    rows = torch.arange(len(allowed), device=allowed.device)
    is_single = len(cells) == len(allowed) and bool((cells[:, 0] == rows).all())
    return cells[:, 1].contiguous() if is_single else None


def _follow(scores: ChainScores, labels: Tensor, rows: Tensor, pairs: Tensor) -> Tensor:
    """Score of one label sequence for each text, (texts,); its labels and transitions are subtracted from rows and pairs.

    labels: (tokens,), in packed order, as rows are.
    """
    layout: Layout = scores.layout
    transitions, start, end = scores.chain
    second = len(labels) - len(layout.before)
    source, target = labels[layout.before], labels[second:]
    values = scores.emissions[layout.gather, labels].double()
    values[layout.first] += start[labels[layout.first]]
    values[layout.last] += end[labels[layout.last]]
    values[second:] += transitions[source, target]
    rows[torch.arange(len(labels), device=rows.device), labels] -= 1
    taken = torch.bincount(source * len(pairs) + target, minlength=pairs.numel())
    pairs -= taken.view_as(pairs)
    return layout.sum_by_text(values)
