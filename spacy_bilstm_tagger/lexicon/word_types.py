"""The distinct words of a batch, so that each is looked up and embedded once."""

from dataclasses import dataclass
from typing import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import IDS, LOWER, NORM, ORTH
from spacy.strings import StringStore
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..types import Ints

Hashes = NDArray[np.uint64]

# Odd 64-bit constants with well mixed bits (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number
# generators", the multipliers of SplitMix64).
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


@dataclass(frozen=True)
class WordTypes:
    """Word types of a batch of docs: tokens that agree in ORTH, NORM and all attributes that were asked for.

    orth, norm, lower (uint64): (types,), the hashes of the word as written, of its NORM and of its lower-cased form.
    attributes (uint64): (types, attributes), the attributes that were asked for, in their order.
    index (int64): (tokens,), the type of each token, all docs one after another.
    lengths (int64): (docs,), tokens of each doc.
    vocab (Vocab): the vocabulary of the docs.
    """

    orth: Hashes
    norm: Hashes
    lower: Hashes
    attributes: Hashes
    index: Ints
    lengths: Ints
    vocab: Vocab

    def __len__(self) -> int:
        return len(self.orth)

    @classmethod
    def of(cls, docs: Sequence[Doc], attrs: Sequence[str] = ()) -> "WordTypes":
        """The word types of at least one doc.

        attrs (sequence of str): names of further token attributes, such as PREFIX.
        """
        columns = [ORTH, NORM, LOWER, *(IDS[attr.upper()] for attr in attrs)]
        tokens = np.concatenate([doc.to_array(columns).reshape(-1, len(columns)) for doc in docs])
        first, index = distinct_rows(tokens)
        types = tokens[first]
        lengths = np.array([len(doc) for doc in docs], dtype=np.int64)
        return cls(types[:, 0], types[:, 1], types[:, 2], types[:, 3:], index, lengths, docs[0].vocab)

    def chunks(self, size: int) -> Iterator["WordTypes"]:
        """The types in parts of at most `size`, without the tokens."""
        nothing = np.zeros(0, dtype=np.int64)
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            columns = (self.orth[part], self.norm[part], self.lower[part], self.attributes[part])
            yield WordTypes(*columns, nothing, nothing, self.vocab)

    @property
    def strings(self) -> StringStore:
        """The strings of the hashes."""
        return self.vocab.strings

    def texts(self, hashes: Hashes) -> list[str]:
        """The strings of these hashes."""
        strings = self.strings
        return [strings[key] for key in hashes.tolist()]


def distinct_rows(rows: Hashes) -> tuple[Ints, Ints]:
    """The first place of each distinct row, and for each row the number of the distinct row that it equals.

    Rows are sorted by a hash of their columns. Should two different rows share a hash, the columns are compared.
    """
    key = rows[:, 0].copy()
    for column in range(1, rows.shape[1]):
        key = (key ^ (key >> np.uint64(31))) * _MULTIPLIERS[column % 2] + rows[:, column]
    _, first, index = np.unique(key, return_index=True, return_inverse=True)
    if not np.array_equal(rows[first][index], rows):
        _, first, index = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return first, index.reshape(-1)
