"""A bidirectional LSTM over packed rows that are made of cached rows. For prediction on the CPU."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Hashable, Literal, Optional, Sequence
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from ..crf.packing import Indices
from ..types import Floats
from .word_cache import TokenRows

MOST_USED = 0.8  # share of rows in which a block of columns is used, up to which it pays to leave it out elsewhere
WIDE = 64  # columns of a block from which on it pays to look; narrower ones, of hashed attributes, are used in all rows
ENDS = ("l0", "l0_reverse")  # of the names of torch's weights, by direction
HALF_ROWS = 8  # rows of a step from which on products in bfloat16 are faster
SAMPLE = 4096  # tokens on which "auto" compares the labels of both precisions
AGREEMENT = 0.999  # share of these tokens whose labels must be the same

Precision = Literal["float32", "bfloat16", "auto"]
# In the place of the setting, while both precisions are compared; then a single text is read in bfloat16, too.
FORCED: ContextVar[Optional[Precision]] = ContextVar("FORCED", default=None)


@dataclass
class Agreement:
    """Of how many tokens the labels of both precisions were compared, and for how many they were the same."""

    tokens: int = 0
    same: int = 0

    @property
    def is_known(self) -> bool:
        return self.tokens >= SAMPLE

    @property
    def is_good(self) -> bool:
        return self.is_known and self.same >= AGREEMENT * self.tokens


@dataclass(frozen=True)
class Gates:
    """What the input adds to the gates of each direction: for a token the sum of a row of each part.

    parts (list): (2 * words, 4 * hidden) float32, row 2 w of a word for the first direction, 2 w + 1 for the second; and
        each token's word, (tokens,) int64.
    """

    parts: Sequence[tuple[Tensor, Indices]]

    def of_packed(self, gather: Indices) -> "Gates":
        """For packed rows. gather (int64): (packed rows,), the token of each."""
        return Gates([(rows, index[gather]) for rows, index in self.parts])


@dataclass(eq=False)
class Weights:
    """The weights of a bidirectional layer, by direction, the gates in the order leave, enter, forget, content. Those of the
    cell's content are doubled: all gates are then sigmoids, which torch computes faster than tanh: tanh(x) = 2 sigmoid(2 x) - 1.

    into (Tensor): (inputs, 2 * 4 * hidden), one direction behind the other; bias (Tensor): (2 * 4 * hidden,);
    recurrent (Tensor): (2, hidden, 4 * hidden).
    single (float32): as recurrent, nothing doubled.
    readers (dict): who makes labels of the rows -> Agreement; n_compared (int): tokens that were read in both precisions;
        is_used (bool): whether texts were read by these weights at all.
    """

    into: Tensor
    bias: Tensor
    recurrent: Tensor
    single: Floats
    readers: "WeakKeyDictionary[Any, Agreement]" = field(default_factory=WeakKeyDictionary)
    n_compared: int = 0
    is_used: bool = False

    @cached_property
    def half(self) -> Tensor:
        """As recurrent, bfloat16."""
        return self.recurrent.bfloat16()

    def use_half(self, precision: Precision) -> bool:
        """Whether products of states and weights are those of bfloat16."""
        self.is_used = True
        precision = FORCED.get() or precision
        if precision != "auto":
            return precision == "bfloat16"
        found = self.agreements()
        return bool(found) and all(each.is_good for each in found)

    def agreements(self) -> list[Agreement]:
        """Those of all readers. Another thread may add one at the same time, which an iteration over the values does not bear."""
        keys = (reference() for reference in self.readers.keyrefs())
        return [each for key in keys if key is not None and (each := self.readers.get(key)) is not None]

    @classmethod
    @torch.no_grad()
    def of(cls, layer: nn.LSTM) -> "Weights":
        hidden = layer.hidden_size

        def stack(name: str) -> Tensor:
            both = torch.stack([getattr(layer, f"{name}_{end}") for end in ENDS]).roll(hidden, dims=1)
            both[:, 3 * hidden :] *= 2
            return both

        into, recurrent = stack("weight_ih"), stack("weight_hh").transpose(1, 2).contiguous()
        bias = stack("bias_ih") + stack("bias_hh")
        single = recurrent.clone()
        single[:, :, 3 * hidden :] /= 2
        return cls(into.reshape(-1, into.shape[2]).T.contiguous(), bias.reshape(-1), recurrent, single.numpy())


def gates_of(weights: Weights, tokens: TokenRows, owner: Hashable) -> Gates:
    """The products of the input weights with the tokens' rows; each word's is computed once. owner: see `Words.derive`."""
    parts, first = [], 0
    for number, words in enumerate(tokens.parts):
        end = first + words.rows.shape[1]
        bias = weights.bias if not number else torch.zeros_like(weights.bias)
        compute = partial(_multiply, into=weights.into[first:end], bias=bias, blocks=words.blocks)
        rows = torch.from_numpy(words.derive((owner, number), weights, len(bias), compute))
        parts.append((rows.view(2 * len(rows), -1), words.index))
        first = end
    return Gates(parts)


@torch.no_grad()
def _multiply(rows: Floats, *, into: Tensor, bias: Tensor, blocks: Sequence[slice]) -> Floats:
    """Columns that are zero in many rows, as those of a table are for words that it does not have, are left out there."""
    X, Y = torch.from_numpy(rows), bias.repeat(len(rows), 1)
    start = 0  # of the columns that are not multiplied yet, for which no weights are copied
    for block in (block for block in blocks if block.stop - block.start >= WIDE):
        used = np.flatnonzero(rows[:, block].any(axis=1))
        if len(used) <= MOST_USED * len(rows):
            if start < block.start:
                Y.addmm_(X[:, start : block.start], into[start : block.start])
            if len(used):
                at = torch.from_numpy(used)
                Y.index_add_(0, at, X[at, block] @ into[block])
            start = block.stop
    if start < X.shape[1]:
        Y.addmm_(X[:, start:], into[start:])
    products: Floats = Y.numpy()
    return products


def has_bfloat16() -> bool:
    """Whether the CPU multiplies numbers of bfloat16 itself. Without, that is slower than float32."""
    known: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()  # torch 2.4 cannot tell
    return any(known.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


def predict_lstm(weights: Weights, gates: Gates, batch_sizes: Tensor, sequence: Tensor, *, half: bool = False) -> Tensor:
    """(packed rows, 2 * hidden): the output of a bidirectional layer (Hochreiter and Schmidhuber 1997, "Long short-term
    memory", with the forget gate of Gers et al. 2000, "Learning to forget").

    gates: of the packed rows; batch_sizes: (steps,); sequence: (packed rows,), as in `Packing`.
    half: multiply states and weights in bfloat16, where there are enough rows; gates and cells stay float32.
    """
    least = 1 if FORCED.get() else HALF_ROWS
    if len(batch_sizes) == len(sequence) and not (half and least == 1):
        return torch.from_numpy(_predict_one(weights, gates))
    hidden = weights.recurrent.shape[1]
    sizes = batch_sizes.tolist()
    backwards = torch.from_numpy(_backwards(batch_sizes.numpy(), sequence.numpy()))
    inputs = []
    for rows, index in gates.parts:
        first = torch.from_numpy(2 * index)
        inputs.append((rows, _steps(first, first[backwards] + 1, batch_sizes)))
    # In packed order, where the second direction reads each sequence backwards.
    H = weights.bias.new_empty(2, len(sequence), hidden)
    state = cell = weights.bias.new_zeros(2, sizes[0], hidden)
    memory = weights.bias.new_empty(2 * sizes[0], 4 * hidden)
    at = 0
    for size in sizes:
        step = slice(2 * at, 2 * (at + size))
        gate = memory[: 2 * size]
        for number, (rows, at_step) in enumerate(inputs):
            if number:
                gate += rows.index_select(0, at_step[step])
            else:
                torch.index_select(rows, 0, at_step[step], out=gate)
        gate = gate.view(2, size, 4 * hidden)
        if at and half and size >= least:
            gate += torch.bmm(state[:, :size].bfloat16(), weights.half)
        elif at:
            gate.baddbmm_(state[:, :size], weights.recurrent)
        leave, enter, forget, content = gate.sigmoid_().split(hidden, dim=2)
        cell = cell[:, :size]
        cell.mul_(forget).addcmul_(enter, content, value=2).sub_(enter)
        state = H[:, at : at + size]
        torch.mul(leave, torch.mul(cell, 2).sigmoid_(), out=state).mul_(2).sub_(leave)
        at += size
    return torch.cat([H[0], H[1].index_select(0, backwards)], dim=1)


def _predict_one(weights: Weights, gates: Gates) -> Floats:
    """Of one text, (tokens, 2 * hidden). By numpy, whose calls take less time than torch's where there is little to compute.
    All arrays of a step lie one behind the other, gate by gate, so that a call does as much as it can."""
    hidden = weights.single.shape[1]
    inputs = np.zeros((len(gates.parts[0][1]), 4, 2, hidden), dtype=np.float32)
    for rows, index in gates.parts:
        words = rows.numpy().reshape(-1, 2, 4, hidden)
        inputs[:, :, 0] += words[index, 0]
        inputs[:, :, 1] += words[index[::-1], 1]
    inputs[:, 3] /= 2
    H = np.empty((len(inputs), 2, 1, hidden), dtype=np.float32)
    products = np.zeros((2, 1, 4 * hidden), dtype=np.float32)
    by_gate = products.reshape(2, 4, hidden).transpose(1, 0, 2)
    memory = np.zeros((5, 2, hidden), dtype=np.float32)
    (leave, _, _, content, cell), factors, summands = memory, memory[1:3], memory[3:]
    sigmoids = torch.from_numpy(memory[:3])  # torch's is the faster one
    for step, before, row in zip(inputs, [None, *H], H[:, :, 0]):
        if before is not None:
            np.matmul(before, weights.single, out=products)
        np.add(by_gate, step, out=memory[:4])
        sigmoids.sigmoid_()
        np.tanh(content, out=content)
        np.multiply(factors, summands, out=summands)  # enter * content, forget * cell
        np.add(content, cell, out=cell)
        np.tanh(cell, out=content)
        np.multiply(leave, content, out=row)
    return np.concatenate([H[:, 0, 0], H[::-1, 1, 0]], axis=1)


def _backwards(batch_sizes: np.ndarray, sequence: np.ndarray) -> np.ndarray:
    """(rows,): the packed row that stands as far from the end of its sequence as each one from its beginning."""
    starts = np.cumsum(batch_sizes) - batch_sizes
    step = np.repeat(np.arange(len(batch_sizes)), batch_sizes)
    return starts[np.bincount(sequence)[sequence] - 1 - step] + sequence


def _steps(first: Tensor, second: Tensor, batch_sizes: Tensor) -> Tensor:
    """Both in one array: of each step the rows of the first direction, then those of the second."""
    sizes = batch_sizes.repeat_interleave(batch_sizes)
    at = torch.arange(len(first)) + (batch_sizes.cumsum(0) - batch_sizes).repeat_interleave(batch_sizes)
    return first.new_empty(2 * len(first)).index_copy_(0, at, first).index_copy_(0, at + sizes, second)
