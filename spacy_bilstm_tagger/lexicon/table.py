"""A table of words: sorted hashes, and for each word a row of numbers."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Callable, Optional, Sequence

import numpy as np
import srsly
from numpy.typing import NDArray
from spacy.lookups import Lookups, Table
from spacy.vocab import Vocab

from .word_types import Hashes, WordTypes

MISSING = -1
_HASHES, _ARRAYS, _INFO = "hashes", "arrays", "info"


@dataclass(frozen=True)
class WordTable:
    """What is known of some words. It lies in the vocabulary's lookups, as a few long strings of bytes that spaCy saves,
    copies and loads with the pipeline; one entry for each word would slow down spacy.load.

    hashes (uint64): (words,), sorted.
    arrays (dict): name -> (words, ...) array, one row for each word in the order of the hashes.
    info (dict): whatever else belongs to the table, of types that msgpack knows.
    """

    hashes: Hashes
    arrays: dict[str, np.ndarray]
    info: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def build(cls, hashes: Hashes, arrays: dict[str, np.ndarray], info: Optional[dict[str, Any]] = None) -> "WordTable":
        """From words in any order, each once."""
        order = np.argsort(hashes)
        return cls(hashes[order], {name: array[order] for name, array in arrays.items()}, info or {})

    def find(self, hashes: Hashes) -> NDArray[np.int64]:
        """The row of each hash, or MISSING."""
        if not len(self.hashes):
            return np.full(len(hashes), MISSING)
        at = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[at] == hashes, at, MISSING)

    @cached_property
    def checksum(self) -> str:
        """Of the content, whatever the name of the table."""
        digest = hashlib.sha256()
        for part in (self.hashes, *(self.arrays[name] for name in sorted(self.arrays))):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
        digest.update(srsly.msgpack_dumps(self.info))
        return digest.hexdigest()[:32]

    def to_vocab(self, vocab: Vocab, name: str) -> None:
        """Keep it under this name in the vocabulary's lookups, in the place of a table that has the name."""
        arrays = {key: _Array.of(array) for key, array in {_HASHES: self.hashes, **self.arrays}.items()}
        table = Table(name=name, data={_ARRAYS: arrays, _INFO: self.info})
        table.parsed = self  # type: ignore[attr-defined]
        vocab.lookups.set_table(name, table)

    @classmethod
    def from_lookups(cls, lookups: Lookups, name: str) -> Optional["WordTable"]:
        """The table of this name, or None. The arrays are views of the saved bytes."""
        if name not in lookups:
            return None
        table = lookups.get_table(name)
        parsed = getattr(table, "parsed", None)
        if parsed is None:
            arrays = {key: _Array.read(value) for key, value in table[_ARRAYS].items()}
            parsed = cls(arrays.pop(_HASHES), arrays, dict(table[_INFO]))
            table.parsed = parsed  # type: ignore[attr-defined]
        return parsed


class _Array:
    """An array as msgpack takes it."""

    @staticmethod
    def of(array: np.ndarray) -> dict[str, Any]:
        little = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
        return {"dtype": little.dtype.str, "shape": list(little.shape), "data": little.tobytes()}

    @staticmethod
    def read(saved: dict[str, Any]) -> np.ndarray:
        return np.frombuffer(saved["data"], dtype=saved["dtype"]).reshape(saved["shape"])


Key = Callable[[WordTypes, NDArray[np.int64]], Hashes]


def find_by_keys(table: WordTable, types: WordTypes, keys: dict[str, Key]) -> tuple[NDArray[np.int64], dict[str, int]]:
    """The row of each word type by the first key under which the table has it, or MISSING, (types,); and how many
    tokens were found by each key.

    keys (dict): name -> function of the types and the places (int) of those that are still missing, which returns a hash
        for each of them; in the order in which they are tried.
    """
    rows = np.full(len(types), MISSING)
    found_by = np.full(len(types), len(keys))
    missing = np.arange(len(types))
    for number, key in enumerate(keys.values()):
        rows[missing] = table.find(key(types, missing))
        found_by[missing[rows[missing] != MISSING]] = number
        missing = missing[rows[missing] == MISSING]
    counts = np.bincount(found_by[types.index], minlength=len(keys)).tolist()
    return rows, dict(zip(keys, counts))


def table_names(lookups: Lookups, prefix: str) -> Sequence[str]:
    """The names of the tables that begin with the prefix, sorted."""
    return sorted(name for name in lookups.tables if name.startswith(prefix))
