"""Probabilities of a first-order hidden Markov model, from counts, and the model as scores of a linear chain.

Brants 2000, "TnT: a statistical part-of-speech tagger", is the model for deleted interpolation, for the use of endings
and for learning them from rare words. In place of its fixed weights, each level weighs by its counts: Witten and Bell
1991, "The zero-frequency problem", as in Chen and Goodman 1998, section 2.6.
"""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Callable, Iterable, Optional

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays
from spacy.tokens import Doc
from thinc.api import Model, deserialize_attr, serialize_attr

from ...crf.inference import ChainScores
from ...layers.label_scores import ScoresModel
from ...lexicon.table import WordTypes
from ...tokenizer.glove_keys import glove_key
from ...types import Ints
from ...util import no_gradient

Floats = NDArray[np.float64]
# Added to each outcome's count if nothing more general is left to smooth with (Krichevsky and Trofimov 1981).
PSEUDO_COUNT = 0.5
CACHE_SIZE = 50_000  # word types whose emissions are kept
_HEADER = "spacy_bilstm_tagger_hmm"

# (text, norm, label number or None where the tag is missing) of each token.
TaggedText = list[tuple[str, str, Optional[int]]]


@dataclass(frozen=True)
class HMMCounts:
    """Counts of labels, by the label before and by context, the latter as sparse rows.

    transitions: (labels + 1, labels + 1), from row to column; the last row is the start, the last column the end.
    tags: (labels,), how often each label was seen.
    contexts (dict): the number of each context's row.
    offsets: (contexts + 1,), where each row begins in the next two.
    labels, numbers: (seen pairs,), the label and how often it was seen.
    """

    transitions: Ints
    tags: Ints
    contexts: dict[str, int]
    offsets: Ints
    labels: Ints
    numbers: Ints

    def rows(self, contexts: Iterable[str]) -> list[int]:
        """The rows of those contexts that were seen."""
        return [self.contexts[context] for context in contexts if context in self.contexts]

    def level(self, row: int) -> tuple[Ints, Ints]:
        """The labels of a row, and how often each was seen."""
        span = slice(self.offsets[row], self.offsets[row + 1])
        return self.labels[span], self.numbers[span]

    @classmethod
    def nothing(cls) -> "HMMCounts":
        """Before anything is counted."""
        empty = np.zeros(0, dtype=np.int64)
        return cls(np.zeros((1, 1), dtype=np.int64), empty, {}, np.zeros(1, dtype=np.int64), empty, empty)

    def to_bytes(self, settings: dict[str, Any]) -> bytes:
        """As safetensors, with the settings of the model."""
        names = ("transitions", "tags", "offsets", "labels", "numbers")
        arrays = {name: getattr(self, name) for name in names}
        header = {"contexts": list(self.contexts), "settings": settings}
        return save_arrays(arrays, metadata={_HEADER: json.dumps(header)})

    @classmethod
    def from_bytes(cls, data: bytes) -> tuple["HMMCounts", dict[str, Any]]:
        """The counts and the settings."""
        arrays = load_arrays(data)
        length = int.from_bytes(data[:8], "little")
        header = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][_HEADER])
        contexts = {context: row for row, context in enumerate(header["contexts"])}
        return cls(contexts=contexts, **arrays), header["settings"]


def count_tags(texts: Iterable[TaggedText], n_labels: int, *, suffix_length: int, rare: int) -> HMMCounts:
    """Count transitions and, for each context, labels.

    A token without a label counts for nothing: not its word, and neither the transition to it nor the one from it.
    suffix_length (int): the longest ending, in characters.
    rare (int): words seen up to so many times teach endings; frequent words have endings of their own kind.
    """
    transitions = np.zeros((n_labels + 1, n_labels + 1), dtype=np.int64)
    words: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for text in texts:
        before: Optional[int] = n_labels
        for word, norm, label in text:
            if label is not None:
                words[word, norm][label] += 1
                if before is not None:
                    transitions[before, label] += 1
            before = label
        if text and before is not None:
            transitions[before, n_labels] += 1
    contexts: dict[str, Counter[int]] = defaultdict(Counter)
    for (word, norm), labels in words.items():
        seen_in = word_contexts(word, norm)
        if labels.total() <= rare:
            seen_in += ending_contexts(word, suffix_length)
        for context in seen_in:
            contexts[context].update(labels)
    tags = np.zeros(n_labels, dtype=np.int64)
    for labels in words.values():
        for label, number in labels.items():
            tags[label] += number
    pairs = [sorted(labels.items()) for labels in contexts.values()]
    offsets = np.cumsum([0, *map(len, pairs)], dtype=np.int64)
    table = np.array([pair for row in pairs for pair in row], dtype=np.int64).reshape(-1, 2)
    rows = {context: row for row, context in enumerate(contexts)}
    return HMMCounts(transitions, tags, rows, offsets, table[:, 0].copy(), table[:, 1].copy())


def word_contexts(text: str, norm: str) -> list[str]:
    """The word under its NORM and as it is spelled, from general to specific."""
    return [f"norm:{norm}", f"text:{text}"]


def ending_contexts(text: str, suffix_length: int) -> list[str]:
    """The contexts of an unknown word, from general to specific: its class, then its last letters in that class.

    suffix_length (int): the longest ending, in characters.
    """
    kind = word_class(text)
    lower = text.lower()
    longest = min(suffix_length, len(lower))
    return [f"class:{kind}", *(f"ending:{kind}:{lower[-length:]}" for length in range(1, longest + 1))]


def word_class(text: str) -> str:
    """<user>, <hashtag>, <url>, <number>, <smile> and other GloVe keys of the kind; else digit, mark (no letters),
    upper (two capitals or more and nothing small), title, or lower."""
    key = glove_key(text)
    if key.startswith("<") and key.endswith(">"):
        return key
    if any(char.isdigit() for char in text):
        return "digit"
    letters = "".join(filter(str.isalpha, text))
    if not letters:
        return "mark"
    if len(letters) > 1 and letters.isupper():
        return "upper"
    return "title" if text[0].isupper() else "lower"


class HiddenMarkovModel:
    """P(tag | tag before) and P(word | tag), the latter by Bayes' rule: P(tag | word) / P(tag), up to P(word), which is
    the same for all tags.

    counts (HMMCounts): all that was learned.
    settings (dict): suffix_length, suffix_smoothing, word_smoothing, transition_smoothing; see `make_hmm_tagger`.
    """

    def __init__(self, counts: HMMCounts, settings: dict[str, Any]) -> None:
        self.counts = counts
        self.settings = settings
        self.prior = distribution(counts.tags)
        self.transitions = transition_probabilities(counts.transitions, settings["transition_smoothing"])
        scores = torch.from_numpy(np.log(self.transitions).astype("f"))
        # transitions, start, end
        self.chain = scores[:-1, :-1].contiguous(), scores[-1, :-1].contiguous(), scores[:-1, -1].contiguous()
        self._by_ending: dict[int, Floats] = {}  # of the most specific ending that was seen; at most as many as those
        self._emissions: dict[tuple[int, int], NDArray[np.float32]] = {}  # by (ORTH, NORM)

    def tag_probabilities(self, text: str, norm: str) -> Floats:
        """P(tag | word) whatever the words around it; (labels,).

        From general to specific: all words, the word's class, its endings, its NORM, its spelling.
        """
        probs = self._ending_probabilities(text)
        known = self.counts.rows(word_contexts(text, norm))
        return back_off(probs, map(self.counts.level, known), self.settings["word_smoothing"]) if known else probs

    def emissions(self, types: WordTypes) -> NDArray[np.float32]:
        """log P(word | tag) up to a term that is the same for all tags; (types, labels)."""
        cache, strings = self._emissions, types.vocab.strings
        rows = []
        for key in zip(types.orth.tolist(), types.norm.tolist()):
            row = cache.get(key)
            if row is None:
                orth, norm = key
                row = np.log(self.tag_probabilities(strings[orth], strings[norm]) / self.prior).astype("f")
                if len(cache) >= CACHE_SIZE:
                    cache.clear()
                cache[key] = row
            rows.append(row)
        return np.stack(rows)

    def _ending_probabilities(self, text: str) -> Floats:
        rows = self.counts.rows(ending_contexts(text, self.settings["suffix_length"]))
        if not rows:
            return self.prior
        probs = self._by_ending.get(rows[-1])
        if probs is None:
            probs = back_off(self.prior, map(self.counts.level, rows), self.settings["suffix_smoothing"])
            self._by_ending[rows[-1]] = probs
        return probs


def HMM(settings: dict[str, Any]) -> ScoresModel:
    """The model as a layer; attrs["hmm"] holds it. There are no weights, and there is no gradient."""
    return Model("hmm", forward, dims={"nO": None}, attrs={"hmm": HiddenMarkovModel(HMMCounts.nothing(), settings)})


def forward(model: ScoresModel, docs: list[Doc], is_train: bool) -> tuple[ChainScores, Callable[[ChainScores], list[Doc]]]:
    hmm: HiddenMarkovModel = model.attrs["hmm"]
    types = WordTypes.of(docs)
    emissions = torch.from_numpy(hmm.emissions(types)[types.index])
    return ChainScores(emissions, [len(doc) for doc in docs], *hmm.chain), no_gradient


@serialize_attr.register(HiddenMarkovModel)
def _serialize(_: Any, value: HiddenMarkovModel, name: str, model: Model) -> bytes:
    return value.counts.to_bytes(value.settings)


@deserialize_attr.register(HiddenMarkovModel)
def _deserialize(_: Any, value: bytes, name: str, model: Model) -> HiddenMarkovModel:
    return HiddenMarkovModel(*HMMCounts.from_bytes(value))


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

    Each bigram is taken out of the counts; the rest then predicts it better by the label before or without, and that
    side gets its vote. Each side starts with one vote, so that neither weight is ever 0.
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
