"""The thinc side of the encoder: lists of token rows in, lists of token rows out, through `PackedRNN`."""

from typing import Callable, Optional, cast

import numpy as np
import torch
from thinc.api import Model
from thinc.types import ArgsKwargs, Floats2d, Ints1d
from thinc.util import torch2xp, xp2torch

from ..errors import ConfigError, Errors
from .packed_rnn import DropoutConfig, PackedRNN, PackedRNNConfig
from .packing import pack
from .shim import TorchShim

BiLSTMInT = list[Floats2d]
BiLSTMOutT = list[Floats2d]


def BiLSTM(
    config: PackedRNNConfig,
    dropout: DropoutConfig,
    *,
    window: int,
    overlap: int,
    mixed_precision: bool,
) -> Model[BiLSTMInT, BiLSTMOutT]:
    """One (tokens, nI) array a text in, one (tokens, nO) array a text out, nO = config.width.

    A text's rows do not depend on the other texts of its batch. `dropout_rate` is set by `nlp.update(drop=...)`.
    """
    return Model(
        "bilstm",
        forward,
        init=init,
        shims=[TorchShim(PackedRNN(config, dropout), mixed_precision=mixed_precision)],
        dims={"nI": None, "nO": config.width},
        attrs={"dropout_rate": 0.0, "window": window, "overlap": overlap},
    )


def forward(
    model: Model[BiLSTMInT, BiLSTMOutT], Xs: BiLSTMInT, is_train: bool
) -> tuple[BiLSTMOutT, Callable[[BiLSTMOutT], BiLSTMInT]]:
    shim = model.shims[0]
    assert isinstance(shim, TorchShim)
    lengths = cast(Ints1d, np.array([len(X) for X in Xs], dtype="i"))
    if not lengths.sum():
        return _nothing(model, Xs)
    X_flat = model.ops.flatten(Xs)  # (tokens, nI)
    _check_width(shim, X_flat)
    packing = pack(np.asarray(lengths), model.attrs["window"], model.attrs["overlap"])
    device = shim.device
    gather = torch.from_numpy(packing.gather).to(device)
    scatter = torch.from_numpy(packing.scatter).to(device)
    X = xp2torch(X_flat, device=device)[gather]  # (packed rows, nI)
    if is_train:
        X.requires_grad_()
    inputs = ArgsKwargs(
        args=(X, torch.from_numpy(packing.batch_sizes), torch.from_numpy(packing.sequence).to(device)),
        kwargs={"rate": model.attrs["dropout_rate"] if is_train else 0.0},
    )
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


def _check_width(shim: TorchShim, X: Floats2d) -> None:
    expected = shim.module.input_width
    if expected is None:
        raise ValueError(Errors.ENCODER_UNINITIALIZED)
    if X.shape[1] != expected:
        raise ConfigError(Errors.ENCODER_INPUT_WIDTH.format(expected=expected, found=X.shape[1]))


def _nothing(
    model: Model[BiLSTMInT, BiLSTMOutT], Xs: BiLSTMInT
) -> tuple[BiLSTMOutT, Callable[[BiLSTMOutT], BiLSTMInT]]:
    """For a batch without a single token."""

    def backprop(dYs: BiLSTMOutT) -> BiLSTMInT:
        return [model.ops.alloc2f(0, X.shape[1]) for X in Xs]

    return [model.ops.alloc2f(0, model.get_dim("nO")) for _ in Xs], backprop
