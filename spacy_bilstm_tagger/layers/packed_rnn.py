"""The torch side of the encoder: a stack of bidirectional recurrent layers over packed rows."""

from dataclasses import asdict, dataclass
from typing import Any, Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from .lstm_prediction import predict_lstm
from .packing import Windows
from .repeated_rows import find_repeated_rows
from .torch_module import TorchModule

CELLS = ("lstm", "gru", "rnn_tanh", "rnn_relu")
DROPOUT_PLACES = ("input", "between", "output")
INITIALIZATIONS = ("orthogonal", "torch")
LEAST_ROWS = 16  # of a step on average, where it pays to look for words that occur again


@dataclass(frozen=True)
class PackedRNNConfig:
    """The shape of a `PackedRNN`, but for the input width, which is known from the data.

    width (int): output width.
    hidden_width (int): width of one direction's state; where 2 * hidden_width is not width, a linear layer follows.
    depth (int): number of recurrent layers.
    cell (str): one of CELLS.
    residual (bool): add a layer's input to its output where the widths agree.
    initialization (str): "orthogonal" (see `initialize_orthogonal`) or "torch" (torch's own uniform scheme).
    """

    width: int
    hidden_width: int
    depth: int
    cell: str
    residual: bool
    initialization: str


@dataclass(frozen=True)
class DropoutConfig:
    """Where and how dropout acts in training; the rate itself comes with every call.

    places (tuple of str): any of DROPOUT_PLACES. "output" is that of the whole module, behind the linear layer.
    locked (bool): one mask for all time steps of a sequence (Gal and Ghahramani 2016, "A theoretically grounded
        application of dropout in recurrent neural networks") instead of one for every token. A text that is read in
        windows has one mask for each of them.
    word_rate (float): share of tokens whose whole input is dropped, so that the context has to speak for them.
    """

    places: tuple[str, ...]
    locked: bool
    word_rate: float


class PackedRNN(TorchModule):
    """(rows, input_width) -> (rows, width), both in packed order.

    The module holds no state besides its weights and never looks at its training flag: dropout acts when a rate is
    passed. So one module may serve several threads.
    """

    def __init__(self, config: PackedRNNConfig, dropout: DropoutConfig, windows: Windows) -> None:
        super().__init__()
        self.config = config
        self.dropout = dropout
        self.windows = windows
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
        return PackedRNN(self.config, self.dropout, self.windows)

    @property
    def settings(self) -> dict[str, Any]:
        settings = asdict(self.config)
        del settings["initialization"]  # means nothing to weights that are there
        return settings

    def flatten_weights(self) -> None:
        for layer in self.layers:
            assert isinstance(layer, nn.RNNBase)
            layer.flatten_parameters()

    def forward(self, X: Tensor, batch_sizes: Tensor, sequence: Tensor, rate: float) -> Tensor:
        """
        X: (rows, input_width); batch_sizes: (steps,), on the CPU as torch wants it; sequence: (rows,);
        rate: dropout rate, 0 at prediction.
        """
        if rate > 0 and self.dropout.word_rate > 0:
            X = X * (torch.rand(len(X), 1, device=X.device) >= self.dropout.word_rate)
        X = self._drop("input", X, sequence, rate)
        for i, layer in enumerate(self.layers):
            if i:
                X = self._drop("between", X, sequence, rate)
            Y = _apply(layer, X, batch_sizes, sequence)
            X = X + Y if self.config.residual and X.shape == Y.shape else Y
        if self.project is not None:
            X = self.project(X)
        return self._drop("output", X, sequence, rate)

    def _drop(self, place: str, X: Tensor, sequence: Tensor, rate: float) -> Tensor:
        if rate <= 0 or place not in self.dropout.places:
            return X
        if not self.dropout.locked:
            return F.dropout(X, rate, training=True)
        n_sequences = int(sequence.max()) + 1 if len(sequence) else 0
        mask = F.dropout(X.new_ones(n_sequences, X.shape[1]), rate, training=True)
        return X * mask[sequence]


def _apply(layer: nn.Module, X: Tensor, batch_sizes: Tensor, sequence: Tensor) -> Tensor:
    at_prediction_on_cpu = not torch.is_grad_enabled() and X.device.type == "cpu"
    if at_prediction_on_cpu and isinstance(layer, nn.LSTM) and len(X) >= LEAST_ROWS * len(batch_sizes):
        repeated = find_repeated_rows(X)
        if repeated is not None:
            return predict_lstm(layer, repeated, batch_sizes, sequence)
    return layer(PackedSequence(X, batch_sizes))[0].data


def _recurrent_layer(cell: str, input_width: int, hidden_width: int) -> nn.RNNBase:
    if cell == "lstm":
        return nn.LSTM(input_width, hidden_width, bidirectional=True)
    if cell == "gru":
        return nn.GRU(input_width, hidden_width, bidirectional=True)
    return nn.RNN(input_width, hidden_width, bidirectional=True, nonlinearity=cell.removeprefix("rnn_"))


@torch.no_grad()
def initialize_orthogonal(layer: nn.RNNBase, cell: str) -> None:
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
