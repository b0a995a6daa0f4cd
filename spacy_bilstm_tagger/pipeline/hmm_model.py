"""A first-order hidden Markov model of tags and words, as the scores that the Viterbi algorithm reads."""

from typing import Optional

import numpy as np
import torch
from numpy.typing import NDArray

from ..layers.crf import Chain
from .hmm_counts import HMMCounts
from .hmm_estimates import Floats, back_off, distribution, transition_probabilities
from .hmm_words import ending_contexts, word_contexts


class HiddenMarkovModel:
    """P(tag | tag before) and P(word | tag), the latter by Bayes' rule: P(tag | word) / P(tag), up to P(word), which is
    the same for all tags.

    counts (HMMCounts): all that was learned.
    suffix_length, suffix_smoothing, word_smoothing, transition_smoothing: see `make_hmm_tagger`.
    """

    def __init__(
        self,
        counts: HMMCounts,
        *,
        suffix_length: int,
        suffix_smoothing: float,
        word_smoothing: float,
        transition_smoothing: Optional[float],
    ) -> None:
        self.counts = counts
        self.prior = distribution(counts.tags)
        self.transitions = transition_probabilities(counts.transitions, transition_smoothing)
        scores = torch.from_numpy(np.log(self.transitions).astype("f"))
        self.chain = Chain(scores[:-1, :-1].contiguous(), start=scores[-1, :-1], end=scores[:-1, -1].contiguous())
        self._suffix_length = suffix_length
        self._suffix_smoothing = suffix_smoothing
        self._word_smoothing = word_smoothing
        self._by_ending: dict[int, Floats] = {}  # of the most specific ending that was seen; at most as many as those

    def tag_probabilities(self, text: str, norm: str) -> Floats:
        """P(tag | word) whatever stands around it; (labels,).

        From general to specific: all words, the word's class, its endings, its NORM, its spelling.
        """
        probs = self._ending_probabilities(text)
        known = self.counts.rows(word_contexts(text, norm))
        return back_off(probs, map(self.counts.level, known), self._word_smoothing) if known else probs

    def emissions(self, text: str, norm: str) -> NDArray[np.float32]:
        """log P(word | tag) up to a term that is the same for all tags; (labels,)."""
        return np.log(self.tag_probabilities(text, norm) / self.prior).astype("f")

    def _ending_probabilities(self, text: str) -> Floats:
        rows = self.counts.rows(ending_contexts(text, self._suffix_length))
        if not rows:
            return self.prior
        probs = self._by_ending.get(rows[-1])
        if probs is None:
            probs = back_off(self.prior, map(self.counts.level, rows), self._suffix_smoothing)
            self._by_ending[rows[-1]] = probs
        return probs
