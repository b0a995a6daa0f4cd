"""A bounded cache of what depends on the word type alone, for prediction on the CPU: rows of an embedding, and what later
layers compute of them."""

import contextlib
import threading
from dataclasses import dataclass, field
from itertools import pairwise, starmap
from typing import Any, Callable, Hashable, Iterator, Optional, Sequence

import numpy as np
from thinc.shims.shim import Shim
from thinc.types import Floats2d

from ..lexicon.table import NO_ROW, Hashes, distinct_rows, mix_columns
from ..types import Floats, Ints

SLOT_OVERHEAD = 200  # bytes of a word type besides its arrays: an entry of a dict and two numbers


@dataclass
class Derived:
    """What a later layer computes of cached rows. rows (float32): (capacity, width), of which `count` are there."""

    version: Hashable
    rows: Floats
    count: int = 0


@dataclass
class CachedRows:
    """Rows of word types. They are written once and never change or move, so whoever has slots may read their rows without a
    lock.

    keys (uint64): (capacity, columns), which tell word types apart; rows (float32): (capacity, width); last_used (int64):
    (capacity,). The first `count` of each are there. Memory that is not written yet takes none.
    slots (dict): hash of the key -> slot.
    blocks (sequence of slice): columns that belong together.
    """

    keys: Hashes
    rows: Floats
    last_used: Ints
    count: int = 0
    slots: dict[int, int] = field(default_factory=dict)
    blocks: Sequence[slice] = ()
    derived: dict[Hashable, Derived] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def empty(cls, capacity: int, columns: int, width: int) -> "CachedRows":
        keys, rows = np.empty((capacity, columns), dtype=np.uint64), np.empty((capacity, width), dtype=np.float32)
        return cls(keys, rows, np.zeros(capacity, dtype=np.int64))

    @property
    def slot_bytes(self) -> int:
        """Memory of a word type."""
        widths = [self.rows.shape[1], *(each.rows.shape[1] for each in self.derived.values())]
        return SLOT_OVERHEAD + self.keys.itemsize * self.keys.shape[1] + self.rows.itemsize * sum(widths)

    def find(self, keys: Hashes) -> Ints:
        """The slot of each key, or NO_ROW."""
        get = self.slots.get
        slots = np.array([get(each, NO_ROW) for each in mix_columns(keys).tolist()], dtype=np.int64)
        if self.count:
            slots[(self.keys[slots] != keys).any(axis=1)] = NO_ROW  # also of another key with the same hash
        return slots

    def add(self, keys: Hashes, rows: Floats) -> Ints:
        """The slots of new rows. There must be room for them."""
        first, end = self.count, self.count + len(rows)
        self.keys[first:end], self.rows[first:end] = keys, rows
        self.slots.update(zip(mix_columns(keys).tolist(), range(first, end)))
        self.count = end
        return np.arange(first, end)

    def derive(
        self, owner: Hashable, version: Hashable, width: int, compute: Callable[[Floats, Floats], None]
    ) -> Floats:
        """(capacity, width): what a layer makes of each row that is there, computed once.

        owner: the layer; version: another one whenever its weights change.
        compute (callable): of rows, its first argument, into its second.
        """
        with self.lock:
            kept = self.derived.get(owner)
            if kept is None or kept.version != version:
                kept = Derived(version, np.empty((len(self.rows), width), dtype=np.float32))
                self.derived[owner] = kept
            if kept.count < self.count:
                new = slice(kept.count, self.count)
                compute(self.rows[new], kept.rows[new])
                kept.count = new.stop
            return kept.rows

    def some(self, kept: Ints, capacity: int) -> "CachedRows":
        """A copy of some of the rows, in their order, with room for others. kept (int64): their slots, sorted."""
        copy = CachedRows.empty(capacity, self.keys.shape[1], self.rows.shape[1])
        copy.add(self.keys[kept], self.rows[kept])
        copy.last_used[: len(kept)] = self.last_used[kept]
        copy.blocks = self.blocks
        with self.lock:
            for owner, old in self.derived.items():
                new = Derived(old.version, np.empty((capacity, old.rows.shape[1]), dtype=np.float32))
                new.count = int(np.searchsorted(kept, old.count))
                new.rows[: new.count] = old.rows[kept[: new.count]]
                copy.derived[owner] = new
        return copy


class TokenRows(list[Floats2d]):
    """A list with one (tokens, nO) array for each doc, made of cached rows.

    A layer that knows this type can keep what it makes of each of them, see `CachedRows.derive`; any other takes the list.

    rows (float32): (tokens of all docs, nO).
    lengths (int64): (docs,), tokens of each doc.
    parts (list): cached rows, and which of them is each token's, (tokens,) int64; laid side by side they are `rows`.
    """

    def __init__(self, rows: Floats2d, lengths: Ints, parts: list[tuple[CachedRows, Ints]]) -> None:
        ends = np.cumsum(lengths).tolist()
        super().__init__(rows[end - length : end] for end, length in zip(ends, lengths.tolist()))
        self.rows, self.lengths, self.parts = rows, lengths, parts


class WordCache(Shim):
    """The rows of the word types that were used last, within a limit of memory.

    A shim, so that thinc tells when weights change. It has nothing that is saved.

    memory (int): bytes; 0 for none, which leaves sharing within a batch.
    """

    def __init__(self, memory: int) -> None:
        super().__init__(None)
        self.memory = memory
        self.sources: Any = None  # for the layer: where to look whether something has changed
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Weights have changed: all rows are void."""
        with self._lock:
            self._cached: Optional[CachedRows] = None
            self._state: Sequence[Any] = ()
            self._time = 0

    def look_up(
        self, keys: Hashes, widths: Sequence[int], state: Sequence[Any], compute: Callable[[Hashes], Floats]
    ) -> tuple[CachedRows, Ints]:
        """Rows, and which of them is each token's.

        keys (uint64): (tokens, columns), of their word types; widths (sequence of int): of the blocks of a row.
        state: what the rows are computed from. Once a part of it is another object, or another number, all rows are
            computed anew.
        compute (callable): from the keys of distinct word types to their rows.
        """
        with self._lock:
            cached = self._valid(keys.shape[1], widths, state)
            slots = cached.find(keys)
            self._time += 1
            cached.last_used[slots[slots != NO_ROW]] = self._time
        missing = np.flatnonzero(slots == NO_ROW)
        if not len(missing):
            return cached, slots
        first, index = distinct_rows(keys[missing])
        new_keys = keys[missing[first]]
        rows = compute(new_keys)
        with self._lock:
            capacity = min(self.memory // cached.slot_bytes, len(cached.rows))
            if cached.count + len(rows) > capacity:
                cached, slots = self._make_room(cached, slots, len(rows), capacity)
            new = cached.add(new_keys, rows)
            cached.last_used[new] = self._time
        slots[missing] = new[index]
        return cached, slots

    def _valid(self, columns: int, widths: Sequence[int], state: Sequence[Any]) -> CachedRows:
        """The rows that are cached, or none if they are void."""
        cached = self._cached
        is_same = len(state) == len(self._state) and all(map(_is_same, state, self._state))
        if cached is None or not is_same:
            ends = [0, *np.cumsum(widths).tolist()]
            slot_bytes = CachedRows.empty(0, columns, ends[-1]).slot_bytes
            cached = self._cached = CachedRows.empty(self.memory // slot_bytes, columns, ends[-1])
            cached.blocks = list(starmap(slice, pairwise(ends)))
            self._state = tuple(state)
        return cached

    def _make_room(self, cached: CachedRows, slots: Ints, n_new: int, capacity: int) -> tuple[CachedRows, Ints]:
        """The half that was used last, with room for others; or where a batch alone needs more than half, its own rows, for
        this batch. And its slots there."""
        used = np.unique(slots[slots != NO_ROW])
        self._time += 1
        cached.last_used[used] = self._time  # other threads may have used others since
        if len(used) + n_new > capacity // 2:
            kept = used
            copy = cached.some(kept, len(used) + n_new)
        else:
            kept = np.sort(np.argsort(cached.last_used[: cached.count], kind="stable")[-(capacity // 2) :])
            copy = cached.some(kept, capacity)
            if cached is self._cached:
                self._cached = copy
        moved = np.full(cached.count + 1, NO_ROW)  # the last for NO_ROW
        moved[kept] = np.arange(len(kept))
        return copy, moved[slots]

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


def _is_same(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, (int, tuple)) and bool(one == other))
