"""The encoder: a stack of bidirectional recurrent layers over packed rows, as a thinc layer and as the torch module in it."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Callable, Literal, Optional, cast

import numpy as np
import torch
import torch.nn.functional as F
from thinc.api import Model
from thinc.types import ArgsKwargs, Floats2d
from thinc.util import torch2xp
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ..crf.packing import Block, Packing, Windows, pack, split_rows, take_sequences
from ..errors import ConfigError
from ..types import Ints, Rows
from ..util import no_gradient
from .lstm_prediction import Gates, Precision, Weights, gates_of, has_bfloat16, predict_lstm
from .shim import TorchModule, TorchShim, join_rows, to_torch
from .word_cache import TokenRows

Cell = Literal["lstm", "gru", "rnn_tanh", "rnn_relu"]
DropoutPlace = Literal["input", "between", "output"]
Initialization = Literal["orthogonal", "torch"]

BLOCK_ROWS = 32_768  # packed rows that are computed at once at prediction; more only take more memory
LONG_SEQUENCE = 256  # tokens, see `PackedRNN._read`
PADDING = 8  # rows a step that cost as much as packing does, see `PackedRNN._read`

FirstLayer = Optional[tuple[Weights, Gates]]  # weights, and the products of all tokens' rows


@dataclass(frozen=True)
class PackedRNNConfig:
    """The shape of a `PackedRNN`, without the input width, which is known from the data: see `BiLSTMEncoder`."""

    width: int
    hidden_width: int
    depth: int
    cell: Cell
    residual: bool
    initialization: Initialization


@dataclass(frozen=True)
class DropoutConfig:
    """Where and how dropout acts in training, see `BiLSTMEncoder`; the rate itself is an argument."""

    places: tuple[DropoutPlace, ...]
    locked: bool
    word_rate: float


def BiLSTM(
    config: PackedRNNConfig, dropout: DropoutConfig, *, windows: Windows, precision: Precision, mixed_precision: bool
) -> Model[Rows, Rows]:
    """One (tokens, nI) array a text in, one (tokens, nO) array a text out, nO = config.width.

    A text's rows do not depend on the other texts of its batch. `dropout_rate` is set by `nlp.update(drop=...)`.
    The windows and the precision belong to the config and not to the weights: a saved model is read with those of its config.
    """
    return Model(
        "bilstm",
        forward,
        init=init,
        shims=[TorchShim(PackedRNN(config, dropout, windows, precision), mixed_precision=mixed_precision)],
        dims={"nI": None, "nO": config.width},
        attrs={"dropout_rate": 0.0},
    )


def forward(model: Model[Rows, Rows], Xs: Rows, is_train: bool) -> tuple[Rows, Callable[[Rows], Rows]]:
    shim, module = _shim(model)
    lengths = [len(X) for X in Xs]
    if not any(lengths):  # torch's layers need a row
        return _empty(model, Xs, "nO"), lambda dYs: _empty(model, Xs, "nI")
    X_rows = Xs.rows if isinstance(Xs, TokenRows) else join_rows(model.ops, Xs)
    _check_width(module, X_rows)
    packing = pack(lengths, module.windows.size, module.windows.overlap)
    X = to_torch(X_rows, shim.device)
    if not is_train:
        Y_flat = _predict(shim, packing, X, _gates(shim, Xs), model.get_dim("nO"))
        return split_rows(torch2xp(Y_flat), lengths), no_gradient
    scatter = torch.from_numpy(packing.scatter).to(shim.device)
    X.requires_grad_()
    Y, backprop_packed = shim.begin_update(_inputs(X, packing, rate=model.attrs["dropout_rate"]))
    Ys = split_rows(torch2xp(Y.detach()[scatter]), lengths)

    def backprop(dYs: Rows) -> Rows:
        dY = torch.zeros_like(Y)
        dY[scatter] = to_torch(join_rows(model.ops, dYs), shim.device)
        dX = backprop_packed(ArgsKwargs(args=((Y,),), kwargs={"grad_tensors": (dY,)}))
        return split_rows(torch2xp(dX), lengths)

    return Ys, backprop


def init(model: Model[Rows, Rows], X: Optional[Rows] = None, Y: Optional[Rows] = None) -> None:
    if X:
        model.set_dim("nI", X[0].shape[1], force=True)
    if model.has_dim("nI"):
        _shim(model)[0].build(model.get_dim("nI"))


def _shim(model: Model) -> tuple[TorchShim, "PackedRNN"]:
    shim = cast(TorchShim, model.shims[0])
    return shim, cast(PackedRNN, shim.module)


def _inputs(X: Tensor, part: Packing | Block, *, rate: float, first_layer: FirstLayer = None) -> ArgsKwargs:
    index, sequence = (torch.from_numpy(array).to(X.device) for array in (part.gather, part.sequence))
    args = X, index, torch.from_numpy(part.batch_sizes), sequence
    return ArgsKwargs(args=args, kwargs={"rate": rate, "first_layer": first_layer})


def auto_weights(model: Model) -> list[Weights]:
    """Those of the encoders in a model that choose their precision by themselves, where the CPU has a choice."""
    shims = (shim for node in model.walk() for shim in node.shims if isinstance(shim, TorchShim))
    found = [shim for shim in shims if isinstance(shim.module, PackedRNN) and shim.module.precision == "auto"]
    return [shim.derive(_first_layer) for shim in found if has_bfloat16() and _is_derivable(shim)]


def _is_derivable(shim: TorchShim) -> bool:
    layers = cast(PackedRNN, shim.module).layers
    return len(layers) > 0 and type(layers[0]) is nn.LSTM and shim.device.type == "cpu"


def _gates(shim: TorchShim, Xs: Rows) -> FirstLayer:
    """The first layer's products, where they are cached, and not of so many words that they would take much memory."""
    if not isinstance(Xs, TokenRows) or not _is_derivable(shim):
        return None
    if max(len(words.rows) for words in Xs.parts) > BLOCK_ROWS:
        return None
    weights = shim.derive(_first_layer)
    return weights, gates_of(weights, Xs, shim.id)


def _first_layer(module: TorchModule) -> Weights:
    return Weights.of(cast(nn.LSTM, cast(PackedRNN, module).layers[0]))


def _predict(shim: TorchShim, packing: Packing, X: Tensor, first_layer: FirstLayer, width: int) -> Tensor:
    """(tokens, nO), in memory that grows with the texts by this array only."""
    if len(packing.gather) <= BLOCK_ROWS:
        Y = shim.predict(_inputs(X, packing, rate=0.0, first_layer=first_layer))
        return Y.index_select(0, torch.from_numpy(packing.scatter).to(X.device))
    Y = X.new_empty(len(packing.scatter), width)
    for block in packing.blocks(BLOCK_ROWS):
        owned, flat = (torch.from_numpy(rows).to(X.device) for rows in (block.owned, block.flat))
        Y[flat] = shim.predict(_inputs(X, block, rate=0.0, first_layer=first_layer))[owned]
    return Y


def _empty(model: Model[Rows, Rows], Xs: Rows, dim: str) -> Rows:
    return [model.ops.alloc2f(0, model.get_dim(dim)) for _ in Xs]


def _check_width(module: "PackedRNN", X: Floats2d) -> None:
    expected = module.input_width
    if expected is None:
        raise ValueError("BiLSTMEncoder.v1 has no weights yet. Call nlp.initialize() or load a trained pipeline first")
    if X.shape[1] != expected:
        raise ConfigError(
            f"BiLSTMEncoder.v1 was built for inputs of width {expected}, but gets {X.shape[1]}. "
            "The embedding below it is not the one it was trained with"
        )


class PackedRNN(TorchModule):
    """Rows of the input -> (packed rows, width), in packed order.

    The module holds no state besides its weights and never looks at its training flag: dropout acts when a rate is
    passed. So one module may serve several threads.

    any_auto (bool): whether one with precision = "auto" has read texts in this process.
    """

    any_auto = False

    def __init__(self, config: PackedRNNConfig, dropout: DropoutConfig, windows: Windows, precision: Precision = "float32") -> None:
        super().__init__()
        self.config = config
        self.dropout = dropout
        self.windows = windows
        self.precision = precision
        self.layers = nn.ModuleList()
        self.project: Optional[nn.Linear] = None

    def build(self, input_width: int) -> None:
        config = self.config
        self.input_width = input_width
        widths = [input_width] + [2 * config.hidden_width] * (config.depth - 1)
        self.layers = nn.ModuleList(_recurrent_layer(config.cell, n, config.hidden_width) for n in widths)
        if 2 * config.hidden_width != config.width:
            self.project = nn.Linear(2 * config.hidden_width, config.width)
        if config.initialization == "orthogonal":
            for layer in self.layers:
                assert isinstance(layer, nn.RNNBase)
                initialize_orthogonal(layer, config.cell)

    def unbuilt(self) -> "PackedRNN":
        return PackedRNN(self.config, self.dropout, self.windows, self.precision)

    @property
    def settings(self) -> dict[str, Any]:
        settings = asdict(self.config)
        del settings["initialization"]  # has no meaning for weights that are there
        return settings

    def flatten_weights(self) -> None:
        for layer in self.layers:
            assert isinstance(layer, nn.RNNBase)
            layer.flatten_parameters()

    def forward(
        self,
        X: Tensor,
        index: Tensor,
        batch_sizes: Tensor,
        sequence: Tensor,
        rate: float,
        first_layer: FirstLayer = None,
    ) -> Tensor:
        """
        X: (rows, input_width); index: (packed rows,), the row of X that each packed row reads;
        batch_sizes: (steps,), on the CPU as torch wants it; sequence: (packed rows,); rate: dropout rate, 0 at
        prediction; first_layer: its weights and products, if it is to be read by them.
        """
        if first_layer is not None:
            weights, gates = first_layer
            if self.precision == "auto":
                PackedRNN.any_auto = True
            half = weights.use_half(self.precision)
            Y = predict_lstm(weights, gates.of_packed(index.numpy()), batch_sizes, sequence, half=half)
            X = X[index] + Y if self.config.residual and X.shape[1] == Y.shape[1] else Y
            return self._layers_above(X, batch_sizes, sequence, rate, first=1)
        X = X[index]
        if rate > 0 and self.dropout.word_rate > 0:
            X = X * (torch.rand(len(X), 1, device=X.device) >= self.dropout.word_rate)
        return self._layers_above(self._drop("input", X, sequence, rate), batch_sizes, sequence, rate, first=0)

    def _layers_above(self, X: Tensor, batch_sizes: Tensor, sequence: Tensor, rate: float, *, first: int) -> Tensor:
        for i, layer in enumerate(self.layers[first:], start=first):
            if i:
                X = self._drop("between", X, sequence, rate)
            Y = self._read(layer, X, batch_sizes, sequence)
            X = X + Y if self.config.residual and X.shape == Y.shape else Y
        if self.project is not None:
            X = self.project(X)
        return self._drop("output", X, sequence, rate)

    def _read(self, layer: nn.Module, X: Tensor, batch_sizes: Tensor, sequence: Tensor) -> Tensor:
        """One layer. Torch's backward pass on the CPU takes steps times rows for packed sequences of unequal lengths, but rows
        for equal or padded ones. So in training, an LSTM reads padded sequences if they are not much more than the packed
        ones, and long sequences are read with those of their own length alone."""
        if X.device.type != "cpu" or not torch.is_grad_enabled():
            return layer(PackedSequence(X, batch_sizes))[0].data
        sizes, numbers = batch_sizes.numpy(), sequence.numpy()
        lengths = np.bincount(numbers)  # longest first
        if len(sizes) <= LONG_SEQUENCE:
            padding = len(sizes) * len(lengths) - len(X)
            if type(layer) is nn.LSTM and padding <= min(len(X), PADDING * len(sizes)):
                return _read_padded(layer, X, lengths, sizes, numbers)
            return layer(PackedSequence(X, batch_sizes))[0].data
        ends = np.flatnonzero((lengths[1:] != lengths[:-1]) & (lengths[:-1] > LONG_SEQUENCE)) + 1
        rows, Ys = [], []
        for first, end in pairwise([0, *ends.tolist(), len(lengths)]):
            part, running = take_sequences(sizes, numbers, first, end)
            rows.append(torch.from_numpy(part))
            Ys.append(layer(PackedSequence(X[rows[-1]], torch.from_numpy(running)))[0].data)
        return torch.cat(Ys)[torch.cat(rows).argsort()]

    def _drop(self, place: DropoutPlace, X: Tensor, sequence: Tensor, rate: float) -> Tensor:
        if rate <= 0 or place not in self.dropout.places:
            return X
        if not self.dropout.locked:
            return F.dropout(X, rate, training=True)
        n_sequences = int(sequence.max()) + 1 if len(sequence) else 0
        mask = F.dropout(X.new_ones(n_sequences, X.shape[1]), rate, training=True)
        return X * mask[sequence]


def _read_padded(layer: nn.LSTM, X: Tensor, lengths: Ints, batch_sizes: Ints, sequence: Ints) -> Tensor:
    """(packed rows, nI) -> (packed rows, 2 * hidden width). Each direction reads the padding last, so it changes nothing."""
    steps, texts = len(batch_sizes), len(lengths)
    step = np.repeat(np.arange(steps), batch_sizes)
    directions = []
    for suffix, place in (("", step), ("_reverse", lengths[sequence] - 1 - step)):
        at = torch.from_numpy(place * texts + sequence)
        padded = X.new_zeros(steps * texts, X.shape[1]).index_copy(0, at, X).view(steps, texts, -1)
        weights = [getattr(layer, f"{name}_l0{suffix}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        start = X.new_zeros(1, texts, layer.hidden_size)
        Y = torch.lstm(padded, (start, start), weights, True, 1, 0.0, True, False, False)[0]
        directions.append(Y.view(steps * texts, -1)[at])
    return torch.cat(directions, dim=1)


def _recurrent_layer(cell: Cell, input_width: int, hidden_width: int) -> nn.RNNBase:
    if cell == "lstm":
        return nn.LSTM(input_width, hidden_width, bidirectional=True)
    if cell == "gru":
        return nn.GRU(input_width, hidden_width, bidirectional=True)
    return nn.RNN(input_width, hidden_width, bidirectional=True, nonlinearity=cell.removeprefix("rnn_"))


@torch.no_grad()
def initialize_orthogonal(layer: nn.RNNBase, cell: Cell) -> None:
    """Glorot input weights, orthogonal recurrent weights gate by gate, zero biases, and per cell:

    lstm: a forget-gate bias of 1, so that a fresh network remembers (Jozefowicz et al. 2015, "An empirical exploration
        of recurrent network architectures", section 2.2).
    rnn_relu: identity recurrent weights (Le, Jaitly and Hinton 2015, "A simple way to initialize recurrent networks of
        rectified linear units", section 2).
    """
    width = layer.hidden_size
    for name, weight in layer.named_parameters():
        if name.startswith("weight_ih"):
            for gate in weight.split(width):
                nn.init.xavier_uniform_(gate)
        elif name.startswith("weight_hh"):
            for gate in weight.split(width):
                if cell == "rnn_relu":
                    nn.init.eye_(gate)
                else:
                    nn.init.orthogonal_(gate)
        else:
            weight.zero_()
            # torch orders an LSTM's gates as input, forget, cell, output, and adds two biases.
            if cell == "lstm" and name.startswith("bias_ih"):
                weight[width : 2 * width].fill_(1.0)
