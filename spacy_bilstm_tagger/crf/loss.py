"""Losses of a linear chain with their gradients: differences of expected counts, in place of autograd."""

from typing import Optional

import numpy as np
import torch
from torch import Tensor

from .inference import ChainScores, forward_backward
from .packing import Layout


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


@torch.no_grad()
def divergence(scores: ChainScores, teacher: ChainScores) -> tuple[Tensor, ChainScores]:
    """Kullback-Leibler divergence in nats from a teacher's distribution over label sequences to this one, summed over
    the texts, and its gradient.

    teacher (ChainScores): scores of the same texts. If one of both forbids a label or a transition, the other has to
        forbid it too.
    """
    if not scores.is_chain:
        logs, aims = scores.emissions.log_softmax(dim=1), teacher.emissions.log_softmax(dim=1)
        return (aims.exp() * (aims - logs)).sum(), scores.with_emissions(logs.exp() - aims.exp())
    layout = scores.layout
    own, aim = forward_backward(scores), forward_backward(teacher)
    transitions, start, end = scores.chain
    teacher_transitions, teacher_start, teacher_end = teacher.chain
    rows = (teacher.emissions - scores.emissions).index_select(0, layout.gather).double()
    rows[layout.first] += teacher_start - start
    rows[layout.last] += teacher_end - end
    pairs = aim.pairs * (teacher_transitions - transitions)
    # If both are impossible, the count is 0 and the difference of the scores is not a number.
    loss = (aim.marginals * rows).nansum() + pairs.nansum() + (own.log_partition - aim.log_partition).sum()
    return loss, _gradient(scores, own.marginals - aim.marginals, own.pairs - aim.pairs)


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
    kept, lengths = texts.cpu().numpy(), scores.layout.lengths
    tokens = torch.from_numpy(np.repeat(kept, lengths)).to(allowed.device)
    some = ChainScores(scores.emissions[tokens], lengths[kept], *scores.chain)
    _, gradient = negative_log_likelihood(some, allowed[tokens])
    rows = torch.zeros_like(scores.emissions)
    rows[tokens] = gradient.emissions
    return scores.with_emissions(rows).with_chain(*gradient.chain)


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
