"""The forward and backward passes over a linear chain."""

from dataclasses import dataclass
from typing import Optional

import torch
from torch import Tensor

from .chain import Chain, Layout


@dataclass(frozen=True)
class Lattice:
    """What both passes leave; token rows in packed order.

    For a token, let x be the text up to and including it, and z the rest of the text.
    forward (Tensor): (tokens, labels), P(label | x).
    backward (Tensor): (tokens, labels), P(z | label, x) / P(z | x).
    step (Tensor): (tokens, labels), the factor of entering a label, so that forward = (forward of the token before
        @ transitions) * step.
    start (Tensor): (labels,), transitions (Tensor): (labels, labels), the factors of the chain.
    marginals (Tensor): (tokens, labels), P(label | text).
    pairs (Tensor): (labels, labels), expected number of times that each transition is taken, in all texts together.
    log_partition (Tensor): (texts,), in the given order, double precision; 0 for an empty text, -inf where no
        sequence is possible. Such a text has marginals of 0 and adds nothing to pairs.
    in_logs (bool): forward, backward, step, start and transitions are logarithms, since the numbers would be too large
        or too small for double precision.
    """

    forward: Tensor
    backward: Tensor
    step: Tensor
    start: Tensor
    transitions: Tensor
    marginals: Tensor
    pairs: Tensor
    log_partition: Tensor
    in_logs: bool = False


def forward_backward(chain: Chain, emissions: Tensor, layout: Layout) -> Lattice:
    """Both passes over all texts of a batch (Rabiner 1989, "A tutorial on hidden Markov models and selected
    applications in speech recognition", section V.A).

    Probabilities are scaled to sum to 1 at each token, in the precision of the emissions, single at least. Where
    numbers of that precision end too early, in double precision, and beyond that as logarithms, exact and slower.
    emissions: (tokens, labels), in flat order.
    """
    for dtype in dict.fromkeys((torch.promote_types(emissions.dtype, torch.float32), torch.float64)):
        scores = emissions.index_select(0, layout.gather).to(dtype)
        lattice = _scaled_passes(chain.to(dtype), scores, layout)
        if lattice is not None:
            return lattice
    return _log_passes(chain.to(torch.float64), emissions.index_select(0, layout.gather).double(), layout)


def _scaled_passes(chain: Chain, scores: Tensor, layout: Layout) -> Optional[Lattice]:
    """None where the precision of the scores is not enough, or a text has no possible sequence.

    scores: (tokens, labels), in packed order; overwritten.
    """
    steps = layout.steps
    transitions, best_transition = _exp_below_max(chain.transitions.flatten())
    transitions = transitions.view_as(chain.transitions)
    start, best_start = _exp_below_max(chain.start)
    end, best_end = _exp_below_max(chain.end)
    best_score = _finite_max(scores)
    step = scores.sub_(best_score).exp_()
    forward, scale = torch.empty_like(step), torch.empty_like(best_score)
    for i, at in enumerate(steps):
        rows = forward[at]
        if i == 0:
            torch.mul(step[at], start, out=rows)
        else:
            torch.mm(layout.rows_before(forward, i), transitions, out=rows)
            rows *= step[at]
        rows /= torch.sum(rows, dim=1, keepdim=True, out=scale[at])
    step /= scale
    at_end = (forward.index_select(0, layout.last) * end).sum(dim=1, keepdim=True)
    backward, pairs = torch.empty_like(step), torch.zeros_like(transitions)
    backward[layout.last] = end / at_end
    into = transitions.T.contiguous()
    for i in reversed(range(1, len(steps))):
        onward = step[steps[i]] * backward[steps[i]]
        pairs.addmm_(layout.rows_before(forward, i).T, onward)
        torch.mm(onward, into, out=layout.rows_before(backward, i))
    # A number below the smallest one is lost, and backward / scale is what it would have been multiplied by. Nothing
    # is missed while that stays far under 1 / smallest; where it does not, or is not a number, these passes are void.
    limits = torch.finfo(scores.dtype)
    if len(scores) and not bool(backward.amax() / scale.amin() <= 1e-6 * limits.eps / limits.tiny):
        return None
    logs = scale.double().log_().add_(best_score).add_(_entry(layout, best_start, best_transition))
    logs[layout.last] += at_end.double().log_() + best_end
    return Lattice(
        forward=forward,
        backward=backward,
        step=step,
        start=start,
        transitions=transitions,
        marginals=forward * backward,
        pairs=pairs * transitions,
        log_partition=layout.sum_by_text(logs.squeeze(1)),
    )


def _log_passes(chain: Chain, scores: Tensor, layout: Layout) -> Lattice:
    steps = layout.steps
    lowest = torch.finfo(scores.dtype).min
    forward = scores.clone()
    for i, at in enumerate(steps):
        if i == 0:
            forward[at] += chain.start
        else:
            forward[at] += (layout.rows_before(forward, i).unsqueeze(2) + chain.transitions).logsumexp(dim=1)
    log_partition = scores.new_zeros(layout.n_texts)
    log_partition[layout.text[layout.last]] = (forward[layout.last] + chain.end).logsumexp(dim=1)
    log_z = log_partition[layout.text].clamp(min=lowest).unsqueeze(1)
    backward = torch.empty_like(scores)
    backward[layout.last] = chain.end
    pairs = torch.zeros_like(chain.transitions)
    for i in reversed(range(1, len(steps))):
        onward = (scores[steps[i]] + backward[steps[i]]).unsqueeze(1) + chain.transitions
        log_pairs = layout.rows_before(forward, i).unsqueeze(2) + onward - log_z[steps[i]].unsqueeze(2)
        pairs += log_pairs.exp().sum(dim=0)
        layout.rows_before(backward, i).copy_(onward.logsumexp(dim=2))
    total = forward.logsumexp(dim=1, keepdim=True).clamp(min=lowest)
    before = torch.zeros_like(total)
    before[len(total) - len(layout.before) :] = total[layout.before]
    return Lattice(
        forward=forward - total,
        backward=backward + total - log_z,
        step=scores + before - total,
        start=chain.start,
        transitions=chain.transitions,
        marginals=(forward + backward - log_z).exp(),
        pairs=pairs,
        log_partition=log_partition,
        in_logs=True,
    )


def _exp_below_max(values: Tensor) -> tuple[Tensor, Tensor]:
    """exp(values - best) and best, the maximum over the last axis."""
    best = _finite_max(values)
    return (values - best).exp_(), best


def _finite_max(values: Tensor) -> Tensor:
    """The maximum over the last axis; a finite number even where all are -inf."""
    return values.amax(dim=-1, keepdim=True).clamp_(min=torch.finfo(values.dtype).min)


def _entry(layout: Layout, start: Tensor, transition: Tensor) -> Tensor:
    """(tokens, 1): `start` for the first token of each text, `transition` for the others."""
    values = transition.expand(len(layout.gather), 1).clone()
    values[layout.first] = start
    return values
