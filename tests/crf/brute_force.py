"""Random chains, and sums over all their label sequences."""

from itertools import product
from typing import NamedTuple

import torch
from hypothesis import strategies as st

from spacy_bilstm_tagger.crf.packing import Layout

INF = torch.inf
TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-10}
NEVER = -1e4  # exp(NEVER) is 0
PARTS = ["transitions", "start", "end"]


class Chain(NamedTuple):
    """Scores between labels."""

    transitions: torch.Tensor
    start: torch.Tensor
    end: torch.Tensor

    def to(self, dtype):
        return Chain(*(part.to(dtype) for part in self))


class Scores:
    """Random scores, from a seed: normal numbers times `spread`, and -inf for a share of them.

    transitions, start, end, emissions: as in the CRF; lengths (list of int): tokens of each text.
    """

    def __init__(self, seed, lengths, n_labels, *, spread=1.0, impossible=0.0, dtype=torch.float64):
        self.random = torch.Generator().manual_seed(seed)
        self.lengths = lengths
        shapes = [(n_labels, n_labels), (n_labels,), (n_labels,), (sum(lengths), n_labels)]
        drawn = [spread * torch.randn(shape, generator=self.random, dtype=dtype) for shape in shapes]
        holed = [scores.masked_fill(self.bools(scores.shape, impossible), -INF) for scores in drawn]
        self.chain = Chain(*holed[:3])
        self.emissions = holed[3]
        self.tolerance = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype], "check_dtype": False}

    def bools(self, shape, share):
        return torch.rand(shape, generator=self.random) < share

    def gold(self):
        """(tokens, labels): for each text, at random, one label a token, a set, one or all, or all missing."""
        rows = []
        for length in self.lengths:
            n_labels = self.emissions.shape[1]
            one = torch.nn.functional.one_hot(torch.randint(n_labels, (length,), generator=self.random), n_labels) > 0
            kinds = [one, one | self.bools(one.shape, 0.5), one | self.bools((length, 1), 0.5), one | True]
            rows.append(kinds[int(torch.randint(4, (), generator=self.random))])
        return torch.cat([self.emissions.new_zeros((0, self.emissions.shape[1]), dtype=torch.bool), *rows])

    def texts(self, rows):
        return torch.split(rows, self.lengths) if self.lengths else ()

    def by_passes(self, passes, dtype):
        layout = Layout(self.lengths, self.emissions.device)
        return passes(*self.chain.to(dtype), self.emissions[layout.gather].to(dtype), layout)


@st.composite
def scores(draw, impossible=(0.0, 0.3, 0.6), spread=(1.0, 10.0, 1000.0)):
    return Scores(
        draw(st.integers(0, 2**32)),
        draw(st.lists(st.integers(0, 5), max_size=4)),
        draw(st.integers(1, 4)),
        spread=draw(st.sampled_from(spread)),
        impossible=draw(st.sampled_from(impossible)),
        dtype=draw(st.sampled_from([torch.float32, torch.float64])),
    )


def scheme_chain(scheme, scores):
    allowed = [torch.from_numpy(getattr(scheme, part)) for part in PARTS]
    return Chain(*(getattr(scores.chain, part).masked_fill(~mask, -INF) for part, mask in zip(PARTS, allowed)))


def every_sequence(chain, emissions):
    """(sequences, tokens) and the score of each, double precision."""
    tokens, n_labels = emissions.shape
    labels = torch.tensor(list(product(range(n_labels), repeat=tokens)))
    chain = chain.to(torch.float64)
    total = emissions.double()[torch.arange(tokens), labels].sum(dim=1)
    total += chain.start[labels[:, 0]] + chain.end[labels[:, -1]]
    return labels, total + chain.transitions[labels[:, :-1], labels[:, 1:]].sum(dim=1)


def brute_force(chain, emissions):
    """Log partition, marginals and expected transitions of one text."""
    marginals = torch.zeros(emissions.shape, dtype=torch.float64)
    pairs = torch.zeros(chain.transitions.shape, dtype=torch.float64)
    if not len(emissions):
        return 0.0, marginals, pairs
    labels, total = every_sequence(chain, emissions)
    log_z = float(total.logsumexp(dim=0))
    if log_z > -INF:
        p = (total - log_z).exp()
        for i in range(len(emissions)):
            marginals[i].index_add_(0, labels[:, i], p)
        for i in range(1, len(emissions)):
            pairs.index_put_((labels[:, i - 1], labels[:, i]), p, accumulate=True)
    return log_z, marginals, pairs


def brute_force_batch(chain, texts, n_labels):
    found = [brute_force(chain, text) for text in texts]
    log_z = torch.tensor([z for z, _, _ in found], dtype=torch.float64)
    return log_z, torch.cat([torch.zeros(0, n_labels), *(m for _, m, _ in found)]), [p for _, _, p in found]


def plain_loss(transitions, start, end, emissions, lengths, gold):
    """The loss in logarithms, one text at a time: what autograd differentiates. No -inf, of which it makes nan."""
    loss = emissions.new_zeros(())
    for text, allowed in zip(torch.split(emissions, lengths), torch.split(gold, lengths)):
        for rows, sign in [(text, 1), (text.masked_fill(~allowed, NEVER), -1)]:
            alpha = start + rows[0]
            for row in rows[1:]:
                alpha = (alpha.unsqueeze(1) + transitions).logsumexp(dim=0) + row
            loss = loss + sign * (alpha + end).logsumexp(dim=0)
    return loss
