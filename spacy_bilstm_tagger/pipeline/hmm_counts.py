"""What a hidden Markov model is made of: how often a tag follows another, and how often a word has it."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Iterable, Optional

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from .hmm_estimates import Ints
from .hmm_words import ending_contexts, word_contexts

FORMAT_VERSION = 1

# (text, norm, label number or None where the tag is missing) of each token.
TaggedText = list[tuple[str, str, Optional[int]]]


@dataclass(frozen=True)
class HMMCounts:
    """Counts of labels, by the label before and by context (see `hmm_words`), the latter as sparse rows.

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

    @property
    def n_labels(self) -> int:
        return len(self.transitions) - 1

    def rows(self, contexts: Iterable[str]) -> list[int]:
        """The rows of those contexts that were seen."""
        return [self.contexts[context] for context in contexts if context in self.contexts]

    def level(self, row: int) -> tuple[Ints, Ints]:
        """The labels of a row, and how often each was seen."""
        span = slice(self.offsets[row], self.offsets[row + 1])
        return self.labels[span], self.numbers[span]

    def to_bytes(self) -> bytes:
        arrays = {
            "transitions": self.transitions,
            "tags": self.tags,
            "offsets": self.offsets,
            "labels": self.labels,
            "numbers": self.numbers,
        }
        header = {"format_version": FORMAT_VERSION, "contexts": list(self.contexts)}
        return save_arrays(arrays, metadata={"spacy_bilstm_tagger_hmm": json.dumps(header)})

    @classmethod
    def from_bytes(cls, data: bytes) -> "HMMCounts":
        """RAISES: ValueError, with the reason alone, for data that is damaged, foreign or newer."""
        try:
            arrays = load_arrays(data)
            length = int.from_bytes(data[:8], "little")
            header = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["spacy_bilstm_tagger_hmm"])
            contexts = {context: row for row, context in enumerate(header["contexts"])}
            fields = (arrays[name] for name in ("offsets", "labels", "numbers"))
            counts = cls(arrays["transitions"], arrays["tags"], contexts, *fields)
        except (SafetensorError, ValueError, KeyError, TypeError) as error:
            raise ValueError(str(error) or type(error).__name__) from None
        if header["format_version"] > FORMAT_VERSION:
            raise ValueError(f"format version {header['format_version']}, known up to {FORMAT_VERSION}")
        counts._check()
        return counts

    def _check(self) -> None:
        arrays = (self.transitions, self.tags, self.offsets, self.labels, self.numbers)
        size = self.transitions.shape[0] if self.transitions.ndim == 2 else 0
        fits = (
            all(array.dtype == np.int64 for array in arrays)
            and self.transitions.shape == (size, size)
            and self.tags.shape == (size - 1,)
            and self.offsets.shape == (len(self.contexts) + 1,)
            and self.labels.shape == self.numbers.shape == (self.offsets[-1],)
            and self.offsets[0] == 0
            and bool((np.diff(self.offsets) > 0).all())
            and bool(((self.labels >= 0) & (self.labels < size - 1)).all())
            and bool((self.numbers > 0).all() and (self.transitions >= 0).all())
        )
        if not fits:
            raise ValueError("the tables do not fit each other")


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
