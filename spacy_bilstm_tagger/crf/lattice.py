"""The results of the passes over a linear chain, and these passes in logarithms."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .packing import Layout


@dataclass(frozen=True)
class Lattice:
    """The results of both passes over the texts; token rows in packed order.

    For a token, let x be the text up to and including it, and z the rest of the text.
    forward (Tensor): (tokens, labels), P(label | x).
    backward (Tensor): (tokens, labels), P(z | label, x) / P(z | x).
    step (Tensor): (tokens, labels), the factor of entering a label, so that forward = (forward of the token before
        @ transitions) * step.
    start (Tensor): (labels,), transitions (Tensor): (labels, labels), the factors of the chain.
    marginals (Tensor): (tokens, labels), P(label | text).
    pairs (Tensor): (labels, labels), expected number of times that each transition is taken, in all texts together.
    log_partition (Tensor): (texts,), in the given order, double precision; 0 for an empty text, -inf for a text without
        a possible sequence. Such a text has marginals of 0 and adds nothing to pairs.
    layout (Layout): the packed order.
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
    layout: Layout
    in_logs: bool = False


def log_passes(transitions: Tensor, start: Tensor, end: Tensor, rows: Tensor, layout: Layout) -> Lattice:
    """Both passes in logarithms, whatever the scores: exact and slow. rows: (tokens, labels), emissions in packed order."""
    steps = layout.steps
    lowest = torch.finfo(rows.dtype).min
    forward = rows.clone()
    for i, at in enumerate(steps):
        if i == 0:
            forward[at] += start
        else:
            forward[at] += (layout.rows_before(forward, i).unsqueeze(2) + transitions).logsumexp(dim=1)
    log_partition = rows.new_zeros(layout.n_texts)
    log_partition[layout.text[layout.last]] = (forward[layout.last] + end).logsumexp(dim=1)
    log_z = log_partition[layout.text].clamp(min=lowest).unsqueeze(1)
    backward = torch.empty_like(rows)
    backward[layout.last] = end
    pairs = torch.zeros_like(transitions)
    for i in reversed(range(1, len(steps))):
        onward = (rows[steps[i]] + backward[steps[i]]).unsqueeze(1) + transitions
        log_pairs = layout.rows_before(forward, i).unsqueeze(2) + onward - log_z[steps[i]].unsqueeze(2)
        pairs += log_pairs.exp().sum(dim=0)
        layout.rows_before(backward, i).copy_(onward.logsumexp(dim=2))
    total = forward.logsumexp(dim=1, keepdim=True).clamp(min=lowest)
    before = torch.zeros_like(total)
    before[len(total) - len(layout.before) :] = total[layout.before]
    return Lattice(
        forward=forward - total,
        backward=backward + total - log_z,
        step=rows + before - total,
        start=start,
        transitions=transitions,
        marginals=(forward + backward - log_z).exp(),
        pairs=pairs,
        log_partition=log_partition,
        layout=layout,
        in_logs=True,
    )
