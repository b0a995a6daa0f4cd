"""The thinc side of the encoder: lists of token rows in, lists of token rows out, through `PackedRNN`."""

from typing import Callable, Optional, cast

import numpy as np
import torch
from thinc.api import Model
from thinc.types import ArgsKwargs, Floats2d, Ints1d
from thinc.util import torch2xp, xp2torch
from torch import Tensor

from ..errors import ConfigError
from .packed_rnn import DropoutConfig, PackedRNN, PackedRNNConfig
from .packing import Block, Packing, Windows, pack
from .shim import TorchShim

BLOCK_ROWS = 32_768  # packed rows that are computed at once at prediction; more only bring more memory

BiLSTMInT = list[Floats2d]
BiLSTMOutT = list[Floats2d]


def BiLSTM(
    config: PackedRNNConfig,
    dropout: DropoutConfig,
    *,
    windows: Windows,
    mixed_precision: bool,
) -> Model[BiLSTMInT, BiLSTMOutT]:
    """One (tokens, nI) array a text in, one (tokens, nO) array a text out, nO = config.width.

    A text's rows do not depend on the other texts of its batch. `dropout_rate` is set by `nlp.update(drop=...)`.
    The windows belong to the config and not to the weights: a saved model is read with those of its config.
    """
    return Model(
        "bilstm",
        forward,
        init=init,
        shims=[TorchShim(PackedRNN(config, dropout, windows), mixed_precision=mixed_precision)],
        dims={"nI": None, "nO": config.width},
        attrs={"dropout_rate": 0.0},
    )


def forward(
    model: Model[BiLSTMInT, BiLSTMOutT], Xs: BiLSTMInT, is_train: bool
) -> tuple[BiLSTMOutT, Callable[[BiLSTMOutT], BiLSTMInT]]:
    shim = model.shims[0]
    assert isinstance(shim, TorchShim)
    lengths = cast(Ints1d, np.array([len(X) for X in Xs], dtype="i"))
    if not lengths.sum():
        return _nothing(model, Xs)
    X_flat = Xs[0] if len(Xs) == 1 else model.ops.flatten(Xs)  # (tokens, nI)
    _check_width(shim, X_flat)
    assert isinstance(shim.module, PackedRNN)
    windows = shim.module.windows
    packing = pack(np.asarray(lengths), windows.size, windows.overlap)
    device = shim.device
    X_torch = xp2torch(X_flat, device=device)
    if not is_train and len(packing.gather) > BLOCK_ROWS:
        Y_flat = _predict_in_blocks(shim, packing, X_torch, model.get_dim("nO"))
        return model.ops.unflatten(cast(Floats2d, torch2xp(Y_flat)), lengths), _no_gradient
    gather = torch.from_numpy(packing.gather).to(device)
    scatter = torch.from_numpy(packing.scatter).to(device)
    X = X_torch[gather]  # (packed rows, nI)
    if is_train:
        X.requires_grad_()
    inputs = _inputs(X, packing, rate=model.attrs["dropout_rate"] if is_train else 0.0)
    Y, backprop_packed = shim(inputs, is_train)
    Ys = model.ops.unflatten(cast(Floats2d, torch2xp(Y.detach()[scatter])), lengths)

    def backprop(dYs: BiLSTMOutT) -> BiLSTMInT:
        dY = torch.zeros_like(Y)
        dY[scatter] = xp2torch(model.ops.flatten(dYs), device=device)
        dX = backprop_packed(ArgsKwargs(args=((Y,),), kwargs={"grad_tensors": (dY,)}))
        dX_flat = torch.zeros((len(X_flat), X.shape[1]), dtype=dX.dtype, device=device)
        dX_flat.index_add_(0, gather, dX)
        return model.ops.unflatten(cast(Floats2d, torch2xp(dX_flat)), lengths)

    return Ys, backprop


def init(
    model: Model[BiLSTMInT, BiLSTMOutT],
    X: Optional[BiLSTMInT] = None,
    Y: Optional[BiLSTMOutT] = None,
) -> None:
    if X:
        model.set_dim("nI", X[0].shape[1], force=True)
    if model.has_dim("nI"):
        shim = model.shims[0]
        assert isinstance(shim, TorchShim)
        shim.build(model.get_dim("nI"))


def _inputs(X: Tensor, part: Packing | Block, *, rate: float) -> ArgsKwargs:
    batch_sizes, sequence = torch.from_numpy(part.batch_sizes), torch.from_numpy(part.sequence).to(X.device)
    return ArgsKwargs(args=(X, batch_sizes, sequence), kwargs={"rate": rate})


def _predict_in_blocks(shim: TorchShim, packing: Packing, X: Tensor, width: int) -> Tensor:
    """(tokens, nI) -> (tokens, nO), in memory that grows with the texts by these two arrays only."""
    Y = X.new_empty(len(X), width)
    for block in packing.blocks(BLOCK_ROWS):
        gather, owned, flat = (torch.from_numpy(rows).to(X.device) for rows in (block.gather, block.owned, block.flat))
        Y[flat] = shim.predict(_inputs(X[gather], block, rate=0.0))[owned]
    return Y


def _no_gradient(dYs: BiLSTMOutT) -> BiLSTMInT:
    """Of a prediction."""
    return []


def _check_width(shim: TorchShim, X: Floats2d) -> None:
    expected = shim.module.input_width
    if expected is None:
        raise ValueError("BiLSTMEncoder.v1 has no weights yet. Call nlp.initialize() or load a trained pipeline first")
    if X.shape[1] != expected:
        raise ConfigError(
            f"BiLSTMEncoder.v1 was built for inputs of width {expected}, but gets {X.shape[1]}. The embedding "
            "below it is not the one it was trained with"
        )


def _nothing(
    model: Model[BiLSTMInT, BiLSTMOutT], Xs: BiLSTMInT
) -> tuple[BiLSTMOutT, Callable[[BiLSTMOutT], BiLSTMInT]]:
    """For a batch without a single token."""

    def backprop(dYs: BiLSTMOutT) -> BiLSTMInT:
        return [model.ops.alloc2f(0, X.shape[1]) for X in Xs]

    return [model.ops.alloc2f(0, model.get_dim("nO")) for _ in Xs], backprop
