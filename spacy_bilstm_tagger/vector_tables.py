"""Further vector tables inside of a vocabulary, beside `vocab.vectors`, and the row of each token in them.

A table is three entries of one of the vocabulary's lookups tables: the words' sorted hashes, their rows in the same
order, and the rows' type. spaCy saves and copies it with the vocabulary, and loads it as it would one long string.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import LOWER, NORM
from spacy.lookups import Table
from spacy.strings import StringStore, get_string_id
from spacy.tokens import Doc
from spacy.vocab import Vocab

from .errors import ConfigError

PREFIX = "vectors_"
MISSING = -1


@dataclass(frozen=True)
class VectorTable:
    """hashes (uint64): sorted, (words,); data (float32 or float16): (words, width)."""

    hashes: NDArray[np.uint64]
    data: np.ndarray

    @property
    def width(self) -> int:
        return int(self.data.shape[1])

    def find(self, hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The row of each hash, or MISSING."""
        at = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[at] == hashes, at, MISSING)


def set_vector_table(vocab: Vocab, name: str, hashes: np.ndarray, data: np.ndarray) -> None:
    """Give the vocabulary a table of this name.

    hashes (uint64): of the words, (words,), in any order; data: their rows, (words, width).
    """
    order = np.argsort(hashes)
    content = {
        "words": hashes[order].astype("<u8").tobytes(),
        "rows": np.ascontiguousarray(data[order]).tobytes(),
        "dtype": data.dtype.newbyteorder("<").str,
        "width": int(data.shape[1]),
    }
    vocab.lookups.set_table(PREFIX + name, Table(name=PREFIX + name, data=content))


def has_vector_table(vocab: Vocab, name: str) -> bool:
    return PREFIX + name in vocab.lookups


def get_vector_table(vocab: Vocab, name: str) -> VectorTable:
    """RAISES: ConfigError where the vocabulary has no such table."""
    if not has_vector_table(vocab, name):
        found = sorted(each.removeprefix(PREFIX) for each in vocab.lookups.tables if each.startswith(PREFIX))
        raise ConfigError(
            f"TweetEmbed.v1 has tables = [{name!r}], but the pipeline has no vector table of this name (it has: "
            f"{', '.join(found) or 'none'}). Name it in tables of [initialize.before_init] with @callbacks = "
            f'"spacy-bilstm-tagger.load_vectors.v1"; in the recipes --paths.{name} is its folder, and '
            "embed.tables '[]' does without"
        )
    table = vocab.lookups.get_table(PREFIX + name)
    rows = np.frombuffer(table["rows"], dtype=table["dtype"]).reshape(-1, table["width"])
    return VectorTable(np.frombuffer(table["words"], dtype="<u8"), rows)


def find_token_rows(docs: list[Doc], table: VectorTable) -> NDArray[np.int64]:
    """The row of each token, or MISSING; (tokens,). It is that of the token's LOWER, or else of its LOWER without
    a leading #, or else of its NORM."""
    return find_rows_and_ways(docs, table)[0]


def find_rows_and_ways(docs: list[Doc], table: VectorTable) -> tuple[NDArray[np.int64], dict[str, int]]:
    """As `find_token_rows`, and how many tokens were found by each of these, in the order in which they are tried."""
    attributes = np.concatenate([doc.to_array([LOWER, NORM]).reshape(-1, 2) for doc in docs])
    pairs, token_type = np.unique(attributes, axis=0, return_inverse=True)  # one look-up for every word type
    token_type = token_type.reshape(-1)
    strings = docs[0].vocab.strings
    rows, way = np.full(len(pairs), MISSING), np.full(len(pairs), len(_WAYS))
    missing = np.arange(len(pairs))
    for number, keys in enumerate(_WAYS.values()):
        rows[missing] = table.find(keys(pairs[missing], strings))
        way[missing[rows[missing] != MISSING]] = number
        missing = missing[rows[missing] == MISSING]
    counts = np.bincount(way[token_type], minlength=len(_WAYS)).tolist()
    return rows[token_type], dict(zip(_WAYS, counts))


# The keys of word types, (types,), from their LOWER and NORM, (types, 2).


def _lower(pairs: np.ndarray, strings: StringStore) -> np.ndarray:
    return pairs[:, 0]


def _lower_without_sign(pairs: np.ndarray, strings: StringStore) -> np.ndarray:
    words = [strings[lower] for lower in pairs[:, 0].tolist()]
    has_sign = [len(word) > 1 and word[0] in "#＃" for word in words]
    return np.array([get_string_id(word[1:]) if sign else 0 for word, sign in zip(words, has_sign)], dtype="uint64")


def _norm(pairs: np.ndarray, strings: StringStore) -> np.ndarray:
    return pairs[:, 1]


_WAYS = {"LOWER": _lower, "LOWER without #": _lower_without_sign, "NORM": _norm}
