"""The counts of a hidden Markov model: how often a tag follows another, and how often a word has it.

A word is counted under its NORM and its spelling; endings and classes stand for words that are unknown.
"""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Iterable, Optional

import numpy as np
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from ...tokenizer.glove_keys import glove_key
from ...types import Ints

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
