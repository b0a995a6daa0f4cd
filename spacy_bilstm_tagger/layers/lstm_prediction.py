"""An LSTM over packed rows of few distinct words. For prediction on the CPU."""

import numpy as np
import torch
from torch import Tensor, nn

ENDS = ("l0", "l0_reverse")  # of the names of torch's weights, by direction


def predict_lstm(layer: nn.LSTM, X: Tensor, index: Tensor, batch_sizes: Tensor, sequence: Tensor) -> Tensor:
    """(packed rows, 2 * hidden): the output of a bidirectional layer, `layer(PackedSequence(X[index], batch_sizes))`
    (Hochreiter and Schmidhuber 1997, "Long short-term memory", with the forget gate of Gers et al. 2000, "Learning to
    forget"). The product of its gates with the input, which is most of the work, is computed once for each distinct row.

    X: (distinct rows, input_width); index: (packed rows,); batch_sizes: (steps,); sequence: (packed rows,), as in
    `Packing`.
    """
    hidden = layer.hidden_size
    inputs = _gates_from_input(layer, X)
    recurrent = [getattr(layer, f"weight_hh_{end}").T for end in ENDS]
    sizes = batch_sizes.tolist()
    backwards = torch.from_numpy(_backwards(batch_sizes.numpy(), sequence.numpy()))
    rows = _steps(2 * index, 2 * index[backwards] + 1, batch_sizes)
    H = inputs.new_empty(2, len(index), hidden)  # in packed order, where the second reads each sequence backwards
    state = cell = inputs.new_zeros(2, sizes[0], hidden)
    memory = inputs.new_empty(2 * sizes[0], 4 * hidden)
    at = 0
    for size in sizes:
        gates = memory[: 2 * size]
        torch.index_select(inputs, 0, rows[2 * at : 2 * (at + size)], out=gates)
        gates = gates.view(2, size, 4 * hidden)
        if at:
            for direction, weight in enumerate(recurrent):
                gates[direction].addmm_(state[direction, :size], weight)
        # By sigmoids alone, which torch computes faster on some processors: tanh(x) = 2 sigmoid(2 x) - 1.
        gates[:, :, 2 * hidden : 3 * hidden].mul_(2)
        enter, forget, content, leave = gates.sigmoid_().split(hidden, dim=2)
        cell = cell[:, :size]
        cell.mul_(forget).addcmul_(enter, content, value=2).sub_(enter)
        state = H[:, at : at + size]
        torch.mul(leave, torch.mul(cell, 2).sigmoid_(), out=state).mul_(2).sub_(leave)
        at += size
    return torch.cat([H[0], H[1].index_select(0, backwards)], dim=1)


def _gates_from_input(layer: nn.LSTM, X: Tensor) -> Tensor:
    """(2 * types, 4 * hidden): row 2 t is that of row t for the first direction, 2 t + 1 for the second."""
    Y = X.new_empty(len(X), 2, 4 * layer.hidden_size)
    for direction, end in enumerate(ENDS):
        bias = getattr(layer, f"bias_ih_{end}") + getattr(layer, f"bias_hh_{end}")
        torch.addmm(bias, X, getattr(layer, f"weight_ih_{end}").T, out=Y[:, direction])
    return Y.view(-1, 4 * layer.hidden_size)


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
