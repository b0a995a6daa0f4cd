"""The distinct words of a batch, and tables with rows for words, which lie in the lookups of a vocabulary."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence, cast

import numpy as np
import srsly
from numpy.typing import NDArray
from spacy.attrs import IDS, LOWER, NORM, ORTH
from spacy.lookups import Lookups, Table
from spacy.strings import get_string_id
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Model

from ..errors import ConfigError
from ..tokenizer.characters import unescaped
from ..types import Floats, Ints

Hashes = NDArray[np.uint64]

# Names in the vocabulary's lookups.
BROWN = "brown_paths"
GAZETTEERS = "gazetteers"
VECTORS_PREFIX = "vectors_"  # followed by the name of a further vector table

ROWS = "rows"  # the array of a table of vectors
CODES, BOOK, PARTS = "codes", "book", "parts"  # in its place: see `WordTable.rows`

NO_ROW = -1
_HASHES, _ARRAYS, _INFO = "hashes", "arrays", "info"

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
        keys, lengths = token_keys(docs, attrs)
        first, index = distinct_rows(keys)
        return cls.of_keys(keys[first], index, lengths, docs[0].vocab)

    @classmethod
    def of_keys(cls, keys: Hashes, index: Ints, lengths: Ints, vocab: Vocab) -> "WordTypes":
        """keys (uint64): (types, columns), as `token_keys` gives them; the others as in this class."""
        return cls(keys[:, 0], keys[:, 1], keys[:, 2], keys[:, 3:], index, lengths, vocab)

    def chunks(self, size: int) -> Iterator["WordTypes"]:
        """The types in parts of at most `size`, without the tokens."""
        nothing = np.zeros(0, dtype=np.int64)
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            columns = (self.orth[part], self.norm[part], self.lower[part], self.attributes[part])
            yield WordTypes(*columns, nothing, nothing, self.vocab)

    def texts(self, hashes: Hashes) -> list[str]:
        """The strings of these hashes."""
        strings = self.vocab.strings
        return [strings[key] for key in hashes.tolist()]


def token_keys(docs: Sequence[Doc], attrs: Sequence[str] = ()) -> tuple[Hashes, Ints]:
    """ORTH, NORM, LOWER and the further attributes of each token of at least one doc, (tokens, columns), and the tokens of
    each doc, (docs,)."""
    columns = [ORTH, NORM, LOWER, *(IDS[attr.upper()] for attr in attrs)]
    parts = [cast(Hashes, doc.to_array(columns).reshape(-1, len(columns))) for doc in docs]
    keys = np.concatenate(parts) if len(parts) > 1 else parts[0]
    _unescape(keys, columns, docs[0].vocab)
    return keys, np.array([len(doc) for doc in docs], dtype=np.int64)


def _unescape(keys: Hashes, columns: Sequence[int], vocab: Vocab) -> None:
    """Give words with HTML entities the keys of what they stand for, n't for n&#39;t. They are found by their NORM, which is made
    of these characters, so that it differs from LOWER."""
    texts = {orth: vocab.strings[orth] for orth in set(keys[keys[:, 1] != keys[:, 2], 0].tolist())}
    words = {orth: word for orth, text in texts.items() if "&" in text and (word := unescaped(text)) != text}
    rows = Doc(vocab, words=list(words.values())).to_array(list(columns)) if words else ()
    for orth, row in zip(words, rows):
        keys[keys[:, 0] == orth] = row


def distinct_rows(rows: Hashes) -> tuple[Ints, Ints]:
    """The first place of each distinct row, and for each row the number of the distinct row that it equals.

    Rows are sorted by a hash of their columns. Should two different rows share a hash, the columns are compared.
    """
    _, first, index = np.unique(_mix_columns(rows), return_index=True, return_inverse=True)
    if not np.array_equal(rows[first][index], rows):
        _, first, index = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return first, index.reshape(-1)


def _mix_columns(rows: Hashes) -> Hashes:
    """A hash of each row; (rows,)."""
    key = rows[:, 0].copy()
    for column in range(1, rows.shape[1]):
        key = (key ^ (key >> np.uint64(31))) * _MULTIPLIERS[column % 2] + rows[:, column]
    return key


@dataclass(frozen=True)
class WordTable:
    """What is known of some words.

    A table lies in the vocabulary's lookups as a few arrays, which spaCy saves, copies and loads with the pipeline. So
    all components, and all members of an ensemble, share one copy, in memory and on disk. One entry for each word, as in
    spaCy's own tables, would slow down spacy.load by a third of a second for 100,000 words.

    hashes (uint64): (words,), sorted.
    arrays (dict): name -> (words, ...) array, one row for each word in the order of the hashes.
    info (dict): whatever else belongs to the table, of types that msgpack knows.
    """

    hashes: Hashes
    arrays: Mapping[str, np.ndarray]
    info: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def build(cls, hashes: Hashes, info: Optional[dict[str, Any]] = None, **arrays: np.ndarray) -> "WordTable":
        """From words in any order, each once."""
        order = np.argsort(hashes)
        return cls(hashes[order], {name: array[order] for name, array in arrays.items()}, info or {})

    def find(self, hashes: Hashes) -> Ints:
        """The row of each hash, or NO_ROW; 0 is the hash of the empty string, which no word has."""
        if not len(self.hashes):
            return np.full(len(hashes), NO_ROW)
        at = np.minimum(self.hashes.searchsorted(hashes), len(self.hashes) - 1)
        return np.where((self.hashes[at] == hashes) & (hashes != 0), at, NO_ROW)

    def find_types(self, types: WordTypes, keys: Mapping[str, "Key"]) -> tuple[Ints, Ints]:
        """The row of each word type by the first of the keys under which the table has it, or NO_ROW; and the number
        of that key, or the number of keys; (types,) each.

        keys (mapping): name -> key, in the order in which they are tried.
        """
        rows = np.full(len(types), NO_ROW)
        found_by = np.full(len(types), len(keys))
        missing = np.arange(len(types))
        for number, key in enumerate(keys.values()):
            rows[missing] = found = self.find(key(types, missing))
            found_by[missing[found != NO_ROW]] = number
            missing = missing[found == NO_ROW]
        return rows, found_by

    @property
    def width(self) -> int:
        """Of the rows of a table of vectors."""
        rows: np.ndarray = self.arrays[ROWS] if ROWS in self.arrays else self.info[BOOK]
        return rows.shape[1]

    def rows(self, at: Ints) -> Floats:
        """The vectors of these words, (words, width).

        They are an array, or coded by product quantization (Jegou, Douze and Schmid 2011, "Product quantization for nearest
        neighbor search"): the columns fall into parts, and of each part a word has the number of one of 256 centroids.
        codes (uint8): (all words, parts); book: (256, width), the centroids of all parts side by side; parts (int64):
        (width,), the part of each column. The two last are in the info.
        """
        if ROWS in self.arrays:
            return self.arrays[ROWS][at].astype(np.float32)
        codes = self.arrays[CODES][at][:, self.info[PARTS]]
        return cast(Floats, self.info[BOOK][codes, np.arange(self.width)].astype(np.float32))

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the content, whatever the name of the table. It tells tables of the same shape apart, and finds a
        damaged one."""
        digest = hashlib.sha256()
        for part in (self.hashes, *(self.arrays[name] for name in sorted(self.arrays))):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
        digest.update(srsly.msgpack_dumps(dict(self.info)))
        return digest.hexdigest()[:32]

    def to_lookups(self, lookups: Lookups, name: str) -> None:
        """Keep it under this name, in the place of a table that has the name."""
        content = {_HASHES: self.hashes, _ARRAYS: dict(self.arrays), _INFO: dict(self.info)}
        table = Table(name=name, data=content)
        table.parsed = _Cache(self)  # type: ignore[attr-defined]
        lookups.set_table(name, table)

    @classmethod
    def from_lookups(cls, lookups: Lookups, name: str) -> Optional["WordTable"]:
        """The table of this name, or None. Its arrays are those of the lookups, not copies."""
        if name not in lookups:
            return None
        table = lookups.get_table(name)
        cache = getattr(table, "parsed", None)
        if cache is None or cache.table is None:
            cache = table.parsed = _Cache(cls(table[_HASHES], table[_ARRAYS], table[_INFO]))  # type: ignore[attr-defined]
        return cache.table


class _Cache:
    """A table as read from the lookups, with its checksum. It is neither pickled nor copied with them."""

    def __init__(self, table: Optional[WordTable] = None) -> None:
        self.table = table

    def __reduce__(self) -> tuple:
        return _Cache, ()


def get_table(vocab: Vocab, name: str) -> WordTable:
    """The table of this name in the vocabulary's lookups.

    RAISES: ConfigError where there is none, or what is there cannot be read.
    """
    try:
        table = WordTable.from_lookups(vocab.lookups, name)
    except Exception:  # damaged data can raise anything
        raise ConfigError(f"The pipeline's {describe(name)} cannot be read: the pipeline is damaged; get it again") from None
    if table is None:
        raise ConfigError(_missing(vocab, name))
    return table


# A layer that reads a table keeps its name and checksum among its attrs, which are saved with the weights. Tables of the
# same shape may hold quite other clusters, names or rows, so the name alone tells too little.
NAME, CHECKSUM = "word_table", "word_table_checksum"


def remember_table(model: Model, vocab: Vocab) -> WordTable:
    """The table that the layer is to read; keeps its checksum."""
    table = get_table(vocab, model.attrs[NAME])
    model.attrs[CHECKSUM] = table.checksum
    return table


def claimed_table(model: Model, vocab: Vocab) -> WordTable:
    """The table that the layer reads, of the vocabulary of its docs.

    RAISES: ConfigError where there is none, or one of another content than the model was trained with.
    """
    table = get_table(vocab, model.attrs[NAME])
    if table.checksum != model.attrs.get(CHECKSUM, table.checksum):
        raise ConfigError(
            f"The model was trained with {describe(model.attrs[NAME])} of another content than the pipeline has. Load the "
            "pipeline with the tables that the model was trained with, or train again. If nothing was exchanged, the "
            "pipeline is damaged: get it again"
        )
    return table


def describe(name: str) -> str:
    """What the table of this name holds, for messages."""
    kinds = {BROWN: "Brown clusters", GAZETTEERS: "gazetteers"}
    return kinds.get(name, f"a vector table {name.removeprefix(VECTORS_PREFIX)!r}")


def _missing(vocab: Vocab, name: str) -> str:
    callback = '[initialize.before_init] with @callbacks = "spacy-bilstm-tagger.load_vectors.v1"'
    replaced = "is set there, [initialize] lookups took their place; set lookups = null"
    if name == BROWN:
        return (
            f"TweetEmbed.v1 has brown_prefixes, but the pipeline has no Brown clusters. Set brown in {callback} to a "
            f"file of them, or brown_prefixes = []. If brown {replaced}"
        )
    if name == GAZETTEERS:
        return (
            f"TweetEmbed.v1 has gazetteers, but the pipeline has none. Set gazetteers in {callback} to a folder of "
            f"lists, or gazetteers = false. If it {replaced}"
        )
    own = name.removeprefix(VECTORS_PREFIX)
    others = [each.removeprefix(VECTORS_PREFIX) for each in vocab.lookups.tables if each.startswith(VECTORS_PREFIX)]
    return (
        f"TweetEmbed.v1 has tables = [{own!r}], but the pipeline has no vector table of this name (it has: "
        f"{', '.join(sorted(others)) or 'none'}). Name it in tables of {callback}; in the recipes --paths.{own} is its "
        "folder, and embed.tables '[]' does without. A pipeline that was put together by add_pipe(source=...) takes the tables "
        "with its first text: give it one before you save it"
    )


# A key gives a hash for each of some word types. The second argument are the places (int64) of these types.
Key = Callable[[WordTypes, Ints], Hashes]


def by_lower(types: WordTypes, at: Ints) -> Hashes:
    return types.lower[at]


def by_lower_without_sign(types: WordTypes, at: Ints) -> Hashes:
    """Of a hashtag without its #; 0, which no word has, for others."""
    words = types.texts(types.lower[at])
    bare = map(without_sign, words)
    return np.array([0 if one == word else get_string_id(one) for one, word in zip(bare, words)], dtype=np.uint64)


def without_sign(word: str) -> str:
    """A hashtag without its #; other words as they are."""
    return word[1:] if len(word) > 1 and word[0] in "#＃" else word


def by_norm(types: WordTypes, at: Ints) -> Hashes:
    return types.norm[at]
