"""What the algorithms on linear chains share: the scores between labels, and the order in which they read texts."""

from dataclasses import dataclass
from typing import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .packing import pack

Lengths = Sequence[int] | NDArray


@dataclass(frozen=True)
class Chain:
    """Scores between labels, as natural logarithms; -inf is impossible.

    transitions (Tensor): (labels, labels), from row to column; start, end (Tensor): (labels,).
    """

    transitions: Tensor
    start: Tensor
    end: Tensor

    def to(self, dtype: torch.dtype) -> "Chain":
        return Chain(self.transitions.to(dtype), self.start.to(dtype), self.end.to(dtype))


class Layout:
    """Packed order (see `packing`), as index tensors on the device of the rows.

    lengths (int64): (texts,), tokens of each text.
    gather (Tensor): (tokens,), flat row of each packed row; scatter (Tensor): (tokens,), the inverse.
    steps (list of slice): the packed rows of each time step; the texts that go on come first.
    sizes (list of int): rows of each step.
    first, last (Tensor): (texts that are not empty,), packed row of their first and last token.
    before (Tensor): (tokens - texts,), for the packed rows from the second step on, the row of the token before.
    text (Tensor): (tokens,), the number of the text that a packed row belongs to.
    """

    def __init__(self, lengths: Lengths, rows: Tensor) -> None:
        packing = pack(lengths)
        counts = np.asarray(lengths, dtype=np.int64)
        used = counts[counts > 0]
        ends = np.cumsum(used)
        begins = np.cumsum(packing.batch_sizes) - packing.batch_sizes
        row = np.arange(len(packing.gather))
        time = np.repeat(np.arange(len(begins)), packing.batch_sizes)
        self.lengths = counts
        self.n_texts = len(counts)
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
        joined = torch.from_numpy(np.concatenate(list(indices.values()))).to(rows.device)  # one copy
        self.gather, self.scatter, self.first, self.last, self.before, self.text = joined.tensor_split(
            bounds[:-1].tolist()
        )

    def rows_before(self, rows: Tensor, i: int) -> Tensor:
        """The rows of step i - 1 whose texts go on to step i; a view."""
        begin = self.steps[i - 1].start
        return rows[begin : begin + self.sizes[i]]

    def sum_by_text(self, values: Tensor) -> Tensor:
        """(tokens,) in packed order -> (texts,) in the given order."""
        return values.new_zeros(self.n_texts).index_add_(0, self.text, values)
