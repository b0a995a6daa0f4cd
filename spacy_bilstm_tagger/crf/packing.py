"""Packed order: recurrent networks and the recursions of a CRF read the tokens of a batch step by step, without padding."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Indices = NDArray[np.int64]
Lengths = Sequence[int] | NDArray[np.int64]


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
            rows, running = take_sequences(self.batch_sizes, self.sequence, first, end)
            flat = owner[rows]
            owned = np.flatnonzero(flat >= 0)
            yield Block(self.gather[rows], running, self.sequence[rows] - first, owned, flat[owned])
            first = end


def split_rows(rows: Any, lengths: Lengths) -> list[Any]:
    """(tokens of all texts, ...) -> (tokens, ...) of each text, without copying. rows: an array or tensor."""
    ends = np.cumsum(lengths).tolist()
    return [rows[begin:end] for begin, end in pairwise([0, *ends])]


def take_sequences(batch_sizes: Indices, sequence: Indices, first: int, end: int) -> tuple[Indices, Indices]:
    """The packed rows of the sequences from number `first` up to `end`, and the batch sizes of these alone."""
    running = np.clip(batch_sizes - first, 0, end - first)
    return np.flatnonzero((sequence >= first) & (sequence < end)), running[running > 0]


def pack(lengths: Lengths, window: int = 0, overlap: int = 0) -> Packing:
    """Packed order for texts of the given lengths, laid one after another in a flat array.

    lengths (Sequence[int] or array): tokens per text; zeros are allowed and add nothing.
    window (int): texts longer than this are read in windows of this many tokens; 0 reads every text whole.
    overlap (int): tokens that two neighbouring windows share. A token's result is taken from the window in which it
        is farther from the edge.
    """
    text_lengths = np.asarray(lengths, dtype=np.int64)
    if len(text_lengths) == 1 and (0 < text_lengths[0] <= window or not window):
        rows = np.arange(text_lengths[0])
        return Packing(rows, rows, np.ones_like(rows), np.zeros_like(rows))
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


class Layout:
    """Packed order as index tensors, for recursions over the tokens of whole texts.

    lengths (int64): (texts,), tokens of each text.
    gather (Tensor): (tokens,), flat row of each packed row; scatter (Tensor): (tokens,), the inverse.
    steps (list of slice): the packed rows of each time step; texts that continue come first.
    sizes (list of int): rows of each step.
    first, last (Tensor): (texts that are not empty,), packed row of their first and last token.
    before (Tensor): (tokens - texts,), for the packed rows from the second step on, the row of the token before.
    text (Tensor): (tokens,), the number of the text that a packed row belongs to.
    """

    def __init__(self, lengths: Lengths, device: torch.device) -> None:
        counts = np.asarray(lengths, dtype=np.int64)
        self.lengths = counts
        self.n_texts = len(counts)
        if len(counts) == 1 and counts[0]:
            self._set_one(int(counts[0]), device)
            return
        packing = pack(lengths)
        used = counts[counts > 0]
        ends = np.cumsum(used)
        begins = np.cumsum(packing.batch_sizes) - packing.batch_sizes
        row = np.arange(len(packing.gather))
        time = np.repeat(np.arange(len(begins)), packing.batch_sizes)
        self.sizes: list[int] = packing.batch_sizes.tolist()
        self.steps = [slice(begin, begin + size) for begin, size in zip(begins.tolist(), self.sizes)]
        n_first = self.sizes[0] if self.sizes else 0
        indices = {
            "gather": packing.gather,
            "scatter": packing.scatter,
            "first": packing.scatter[ends - used],
            "last": packing.scatter[ends - 1],
            "before": (row - begins[time] + begins[time - 1])[n_first:],
            "text": np.repeat(np.arange(len(counts)), counts)[packing.gather],
        }
        bounds = np.cumsum([len(index) for index in indices.values()])
        joined = torch.from_numpy(np.concatenate(list(indices.values()))).to(device)  # one copy
        self.gather, self.scatter, self.first, self.last, self.before, self.text = joined.tensor_split(bounds[:-1].tolist())

    def _set_one(self, length: int, device: torch.device) -> None:
        """Of one text, which is in packed order already."""
        rows = torch.arange(length, device=device)
        self.sizes, self.steps = [1] * length, [slice(at, at + 1) for at in range(length)]
        self.gather = self.scatter = rows
        self.first, self.last, self.before = rows[:1], rows[-1:], rows[:-1]
        self.text = torch.zeros_like(rows)

    def rows_before(self, rows: Tensor, i: int) -> Tensor:
        """The rows of step i - 1 whose texts continue at step i; a view."""
        begin = self.steps[i - 1].start
        return rows[begin : begin + self.sizes[i]]

    def sum_by_text(self, values: Tensor) -> Tensor:
        """(tokens,) in packed order -> (texts,) in the given order."""
        return values.new_zeros(self.n_texts).index_add_(0, self.text, values)
