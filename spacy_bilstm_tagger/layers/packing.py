"""The order in which a packed recurrent network reads the tokens of a batch."""

from dataclasses import dataclass
from typing import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Windows:
    """How texts are read that are longer than a window.

    size (int): tokens of a window; 0 reads every text whole.
    overlap (int): tokens that two neighbouring windows share.
    """

    size: int
    overlap: int


@dataclass(frozen=True)
class Block:
    """Some sequences of a `Packing`, in packed order by themselves.

    gather, batch_sizes, sequence: as in `Packing`.
    owned (int64): packed rows of the block that are written back; flat (int64): the flat row of each of them.
    """

    gather: Indices
    batch_sizes: Indices
    sequence: Indices
    owned: Indices
    flat: Indices


@dataclass(frozen=True)
class Packing:
    """Index arrays that carry flat token rows into packed order and back.

    Packed order is time-major, longest sequence first, as in `torch.nn.utils.rnn.PackedSequence`: the first tokens of
    all sequences, then all second tokens, and so on. Nothing is padded.

    gather (int64, packed rows): the flat row that each packed row reads. Where windows overlap, a row is read twice.
    scatter (int64, flat rows): the packed row that each flat row is written from.
    batch_sizes (int64, longest sequence): how many sequences are still running at each time step.
    sequence (int64, packed rows): the number of the sequence (tweet or window) that a packed row belongs to.
    """

    gather: Indices
    scatter: Indices
    batch_sizes: Indices
    sequence: Indices

    def blocks(self, most_rows: int) -> Iterator[Block]:
        """Parts of at most so many packed rows, or of a single sequence that is longer."""
        sizes = np.bincount(self.sequence)
        owner = np.full(len(self.gather), -1, dtype=np.int64)
        owner[self.scatter] = np.arange(len(self.scatter))
        first = 0
        while first < len(sizes):
            fitting = int(np.searchsorted(np.cumsum(sizes[first:]), most_rows, side="right"))
            end = first + max(fitting, 1)
            rows = (self.sequence >= first) & (self.sequence < end)
            running = np.clip(self.batch_sizes - first, 0, end - first)
            flat = owner[rows]
            owned = np.flatnonzero(flat >= 0)
            yield Block(self.gather[rows], running[running > 0], self.sequence[rows] - first, owned, flat[owned])
            first = end


def pack(lengths: Sequence[int] | NDArray, window: int = 0, overlap: int = 0) -> Packing:
    """Packed order for texts of the given lengths, laid one after another in a flat array.

    lengths (Sequence[int] or array): tokens per text; zeros are allowed and add nothing.
    window (int): texts longer than this are read in windows of this many tokens; 0 reads every text whole.
    overlap (int): tokens that two neighbouring windows share. A token's result is taken from the window in which it
        is farther from the edge.
    """
    text_lengths = np.asarray(lengths, dtype=np.int64)
    first = np.cumsum(text_lengths) - text_lengths
    if window and len(text_lengths) and text_lengths.max() > window:
        starts, sizes, keep_from = _windows(first, text_lengths, window, overlap)
    else:
        used = text_lengths > 0
        starts, sizes = first[used], text_lengths[used]
        keep_from = starts
    longest_first = np.argsort(-sizes, kind="stable")
    rank = np.empty_like(longest_first)
    rank[longest_first] = np.arange(len(sizes))
    batch_sizes = len(sizes) - np.searchsorted(np.sort(sizes), np.arange(sizes.max(initial=0)), side="right")
    step_start = np.cumsum(batch_sizes) - batch_sizes
    row_rank = np.repeat(rank, sizes)
    time = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    flat = np.repeat(starts, sizes) + time
    packed_row = step_start[time] + row_rank
    order = np.empty_like(packed_row)
    order[packed_row] = np.arange(len(packed_row))
    # Where windows overlap, the later one owns the rows from the middle of the overlap on: assign in text order.
    scatter = np.empty(int(text_lengths.sum()), dtype=np.int64)
    owned = flat >= np.repeat(keep_from, sizes)
    scatter[flat[owned]] = packed_row[owned]
    return Packing(flat[order], scatter, batch_sizes, row_rank[order])


def _windows(first: Indices, lengths: Indices, window: int, overlap: int) -> tuple[Indices, Indices, Indices]:
    """Start, size and first owned row of every window, in text order."""
    starts, sizes, keep_from = [], [], []
    stride = window - overlap
    for begin, length in zip(first.tolist(), lengths.tolist()):
        offset = 0
        while length:
            size = min(window, length - offset)
            starts.append(begin + offset)
            sizes.append(size)
            keep_from.append(begin + offset + (overlap // 2 if offset else 0))
            if offset + size >= length:
                break
            offset += stride
    as_array = [np.asarray(values, dtype=np.int64) for values in (starts, sizes, keep_from)]
    return as_array[0], as_array[1], as_array[2]
