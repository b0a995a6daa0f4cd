"""Probabilities of a first-order hidden Markov model, from counts.

Brants 2000, "TnT: a statistical part-of-speech tagger", is the model for deleted interpolation, for the use of endings
and for learning them from rare words. In place of its fixed weights, each level weighs by what was counted there:
Witten and Bell 1991, "The zero-frequency problem", as in Chen and Goodman 1998, section 2.6.
"""

from typing import Iterable, Optional

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Added to each outcome's count where nothing more general is left to smooth with (Krichevsky and Trofimov 1981).
PSEUDO_COUNT = 0.5


def distribution(counts: Ints) -> Floats:
    """(n,) counts -> (n,) probabilities, none of them 0."""
    smoothed = counts + PSEUDO_COUNT
    return smoothed / smoothed.sum()


def transition_probabilities(counts: Ints, unigram_weight: Optional[float] = None) -> Floats:
    """P(to | from), mixed from bigrams and unigrams; the shape of `counts`. Each row sums to 1 and holds no 0.

    counts: (labels + 1, labels + 1), how often a label (row; the last is the start of a text) is followed by another
        (column; the last is the end of a text).
    unigram_weight (float or None): share of P(to), in a row that has counts; by deleted interpolation if None.
    """
    unigram = distribution(counts.sum(axis=0))
    total = counts.sum(axis=1, keepdims=True)
    bigram = counts / np.maximum(total, 1)
    weight = deleted_interpolation(counts) if unigram_weight is None else unigram_weight
    return np.where(total > 0, weight * unigram + (1 - weight) * bigram, unigram)


def deleted_interpolation(counts: Ints) -> float:
    """The weight of unigrams against bigrams (Brants 2000, figure 1).

    Each bigram is taken out of the counts; what is left then predicts it better by the label before or without, and
    that side gets its vote. Each side starts with one vote, so that neither weight is ever 0.
    """
    seen = counts > 0
    before = np.broadcast_to(counts.sum(axis=1, keepdims=True), counts.shape)[seen]
    after = np.broadcast_to(counts.sum(axis=0), counts.shape)[seen]
    votes = counts[seen]
    by_bigram = (votes - 1) / np.maximum(before - 1, 1)
    by_unigram = (after - 1) / max(int(counts.sum()) - 1, 1)
    for_unigram = int(votes[by_unigram > by_bigram].sum())
    return (for_unigram + 1) / (int(votes.sum()) + 2)


def back_off(prior: Floats, levels: Iterable[tuple[Ints, Ints]], weight: float) -> Floats:
    """P(label | the most specific level); each level is smoothed with the one before, the first with the prior.

    A level with n tokens of k different labels gives its own estimate the weight n / (n + weight * k).
    prior: (labels,); levels: for each the labels that were seen, and how often; weight (float): more trusts the
        general levels more.
    """
    probs = prior
    for labels, counts in levels:
        trust = weight * len(labels)
        total = counts.sum() + trust
        probs = probs * (trust / total)
        probs[labels] += counts / total
    return probs
