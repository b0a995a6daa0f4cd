"""A bounded cache of what depends on the word type alone, for prediction on the CPU: rows of an embedding, and what later
layers compute of them."""

import contextlib
import os
import threading
import weakref
from dataclasses import dataclass
from itertools import pairwise, starmap
from typing import Any, Callable, Hashable, Iterator, Optional, Sequence

import numpy as np
from thinc.model import Model
from thinc.shims.shim import Shim
from thinc.types import Floats2d

from ..crf.packing import split_rows
from ..lexicon.table import NO_ROW, Hashes, distinct_rows
from ..types import Floats, Ints

SLOT_OVERHEAD = 250  # bytes of a word type besides its rows and keys: an entry of a dict, and some numbers
FEW = 64  # tokens, of which it takes longer to find the distinct ones than to read all of them
FREED = 16  # a sixteenth of the slots is freed at once


@dataclass
class Words:
    """The distinct words of a batch; of a few tokens that are all cached, those of each token.

    keys (uint64): (words, columns), which tell them apart.
    rows (float32): (words, width); blocks (list of slice): columns of them that belong together.
    index (int64): (tokens,), the word of each token.
    cache (WordCache or None), slots, fills (int64): where they are cached: (words,) each. fills tells whether a slot still
        holds the same word.
    """

    keys: Hashes
    rows: Floats
    blocks: list[slice]
    index: Ints
    cache: Optional["WordCache"] = None
    slots: Optional[Ints] = None
    fills: Optional[Ints] = None

    def derive(self, owner: Hashable, version: Hashable, width: int, compute: Callable[[Floats], Floats]) -> Floats:
        """(words, width): what a layer makes of each row. It is cached with the words.

        owner: the layer; version: another one whenever its weights change.
        compute (callable): from rows, (some words, width of a row), to (some words, width).
        """
        if self.cache is None or self.slots is None or self.fills is None:
            return compute(self.rows)
        return self.cache.derive(self.rows, self.slots, self.fills, (owner, version, width), compute)


class TokenRows(list[Floats2d]):
    """A list with one (tokens, nO) array for each doc, made of the rows of distinct words.

    A layer that knows this type can keep what it makes of each word, see `Words.derive`; any other takes the list.

    rows (float32): (tokens of all docs, nO).
    parts (list): words whose rows, laid side by side, are those of the tokens.
    """

    def __init__(self, rows: Floats2d, lengths: Ints, parts: list[Words]) -> None:
        """lengths (int64): (docs,), tokens of each doc."""
        super().__init__(split_rows(rows, lengths))
        self.rows, self.parts = rows, parts


class Slots:
    """Arrays with a slot for each cached word type.

    rows (float32): (slots, width); columns (int): of the keys, which tell word types apart.
    slot_of (dict): the bytes of a key -> its slot; key_of (list): the opposite.
    fills (int64): (slots,), the number of the time that a slot was filled; 0 for none.
    used (int64): (slots,), when a slot was last used.
    derived (dict): layer -> its version, (slots, width), and the fill that each row is of.
    """

    def __init__(self, count: int, columns: int, width: int) -> None:
        self.columns = columns
        self.rows = np.empty((count, width), dtype=np.float32)
        self.fills = np.zeros(count, dtype=np.int64)
        self.used = np.zeros(count, dtype=np.int64)
        self.slot_of: dict[bytes, int] = {}
        self.key_of = [b""] * count
        self.free = list(range(count))
        self.derived: dict[Hashable, tuple[Hashable, Floats, Ints]] = {}

    def find(self, keys: Hashes) -> Ints:
        """The slot of each key, or NO_ROW."""
        get = self.slot_of.get
        return np.array([get(key, NO_ROW) for key in _bytes_of(keys)], dtype=np.int64)

    def fill(self, keys: Hashes, rows: Floats, number: int) -> Ints:
        """The slots of new rows. Where none is free, some of those go that were not used for longest."""
        if not len(keys):
            return np.zeros(0, dtype=np.int64)
        if len(self.free) < len(keys):
            n_freed = max(len(keys), len(self.fills) // FREED) - len(self.free)
            taken = np.flatnonzero(self.fills)
            oldest = taken[np.argpartition(self.used[taken], n_freed - 1)[:n_freed]]
            for slot in oldest.tolist():
                if self.slot_of.get(self.key_of[slot]) == slot:
                    del self.slot_of[self.key_of[slot]]
            self.fills[oldest] = 0
            self.free += oldest.tolist()
        slots = np.array(self.free[-len(keys) :], dtype=np.int64)
        del self.free[-len(keys) :]
        self.rows[slots] = rows
        self.fills[slots] = self.used[slots] = number
        for key, slot in zip(_bytes_of(keys), slots.tolist()):
            self.slot_of[key], self.key_of[slot] = slot, key
        return slots


def _bytes_of(keys: Hashes) -> list[bytes]:
    data, size = keys.tobytes(), keys.itemsize * keys.shape[1]
    return [data[at : at + size] for at in range(0, len(data), size)]


class WordCache(Shim):
    """The rows of the word types that were used last, within a limit of memory.

    A shim, so that thinc tells when weights change. It has nothing that is saved.

    memory (int): bytes; 0 for none, which leaves sharing within a batch.
    widths (dict): layer -> the columns that it makes of a row, which count as memory.
    """

    def __init__(self, memory: int) -> None:
        super().__init__(None)
        self.memory = memory
        self.widths: dict[Hashable, int] = {}
        self.sources: Any = None  # for the layer: where to look whether something has changed
        self._lock = threading.Lock()
        self._number = 0
        self.forget()
        _CACHES.add(self)

    def forget(self) -> None:
        """Weights have changed: all rows are void."""
        with self._lock:
            self._slots: Optional[Slots] = None
            self._state: Sequence[Any] = ()

    def look_up(self, keys: Hashes, widths: Sequence[int], state: Sequence[Any], compute: Callable[[Hashes], Floats]) -> Words:
        """The words of some tokens.

        keys (uint64): (tokens, columns), of their word types; widths (sequence of int): of the blocks of a row.
        state: what the rows are computed from. Once a part of it is another object, or another number or bytes, all rows
            are computed anew.
        compute (callable): from the keys of distinct word types to their rows.
        """
        ends = [0, *np.cumsum(widths).tolist()]
        blocks = list(starmap(slice, pairwise(ends)))
        with self._lock:
            cached = self._valid(keys.shape[1], ends[-1], state)
            index = np.arange(len(keys))
            slots = cached.find(keys) if len(keys) <= FEW else None
            if slots is None or NO_ROW in slots:
                first, index = distinct_rows(keys)
                keys = keys[first]
                slots = cached.find(keys)
            if len(cached.fills):
                self._number += 1
                cached.used[slots[slots != NO_ROW]] = self._number
                rows, fills = cached.rows[slots], cached.fills[slots]
        if not len(cached.fills):
            return Words(keys, compute(keys), blocks, index)
        missing = np.flatnonzero(slots == NO_ROW)
        if len(missing):
            fills[missing] = NO_ROW
            rows[missing] = compute(keys[missing])
            # A batch takes half of the slots at most, so that its words do not push out one another.
            new = missing[: max(len(cached.fills) // 2 - (len(keys) - len(missing)), 0)]
            with self._lock:
                self._number += 1
                slots[new] = cached.fill(keys[new], rows[new], self._number)
                fills[new] = self._number
        return Words(keys, rows, blocks, index, self, slots, fills)

    def derive(
        self,
        rows: Floats,
        slots: Ints,
        fills: Ints,
        layer: tuple[Hashable, Hashable, int],
        compute: Callable[[Floats], Floats],
    ) -> Floats:
        """See `Words.derive`."""
        owner, version, width = layer
        with self._lock:
            cached = self._slots
            self.widths[owner] = width
            if cached is not None and not 0 < len(cached.fills) <= self._count(cached.columns, cached.rows.shape[1]):
                cached = None  # the next batch gets fewer slots, or none
            if cached is not None:
                kept = cached.derived.get(owner)
                if kept is None or kept[0] != version:
                    arrays = np.empty((len(cached.fills), width), dtype=np.float32), np.zeros_like(cached.fills)
                    kept = cached.derived[owner] = version, *arrays
                _, cached_rows, fills_of = kept
                slots = np.minimum(slots, len(cached.fills) - 1)  # there may be fewer by now
                found = cached_rows[slots]
                missing = np.flatnonzero(fills_of[slots] != fills)
        if cached is None:
            return compute(rows)
        if len(missing):
            found[missing] = compute(rows[missing])
            with self._lock:
                held = missing[cached.fills[slots[missing]] == fills[missing]]  # others may have taken the slot
                cached_rows[slots[held]] = found[held]
                fills_of[slots[held]] = fills[held]
        return found

    def _valid(self, columns: int, width: int, state: Sequence[Any]) -> Slots:
        """What is cached; nothing, if that is void or takes more memory than it may."""
        is_same = len(state) == len(self._state) and all(map(_is_same, state, self._state))
        count, slots = self._count(columns, width), self._slots
        if slots is None or not is_same or (slots.columns, slots.rows.shape[1]) != (columns, width):
            slots = None
        if slots is None or len(slots.fills) > count:
            slots = self._slots = Slots(count, columns, width)
            self._state = tuple(state)
        return slots

    def _count(self, columns: int, width: int) -> int:
        """The slots that the memory has room for."""
        return self.memory // (SLOT_OVERHEAD + 8 * columns + 4 * (width + sum(self.widths.values())))

    @contextlib.contextmanager
    def use_params(self, params: dict) -> Iterator[None]:
        """Weights are others for as long as the context lasts."""
        self.forget()
        try:
            yield
        finally:
            self.forget()

    def finish_update(self, optimizer: Any) -> None:
        self.forget()

    def to_device(self, device_type: str, device_id: int) -> None:
        self.forget()

    def to_bytes(self) -> bytes:
        return b""

    def from_bytes(self, data: bytes) -> "WordCache":
        self.forget()
        return self

    def __deepcopy__(self, memo: dict) -> "WordCache":
        return WordCache(self.memory)

    def __reduce__(self) -> tuple:
        return WordCache, (self.memory,)


def forget_words(model: Model) -> None:
    """Empty the caches of all layers, as if nothing had been read. The last bits of a word's numbers depend on the words that
    were computed with it."""
    for shim in (shim for node in model.walk() for shim in node.shims):
        if isinstance(shim, WordCache):
            shim.widths.clear()  # the first batch, which is to tell them, is computed without the cache
            shim.forget()


def _hold() -> None:
    """Before a fork: no thread is in the middle of a change, so that the child gets caches that it can use."""
    _HELD[:] = [(cache, cache._lock.acquire(timeout=0.1)) for cache in list(_CACHES)]


def _release() -> None:
    for cache, is_held in _HELD:
        if is_held:
            cache._lock.release()
    _HELD.clear()


def _release_in_child() -> None:
    """A lock that another thread of the parent held stays locked in the child."""
    for cache, is_held in _HELD:
        if not is_held:
            cache._lock, cache._slots = threading.Lock(), None
    _release()


_CACHES: "weakref.WeakSet[WordCache]" = weakref.WeakSet()
_HELD: list[tuple[WordCache, bool]] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=_release_in_child)


def _is_same(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, (bytes, int, tuple)) and bool(one == other))
