"""The bridge between thinc's optimizer, averages and serialization, and a torch module.

Weights are saved as safetensors, which can hold no code, with a header of ours.
"""

import contextlib
import copy
import json
import os
import threading
from abc import ABC, abstractmethod
from typing import Any, Callable, ContextManager, Iterator, Optional, Sequence, cast

import numpy as np
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from thinc.api import Ops, Optimizer, PyTorchGradScaler, PyTorchShim, get_torch_default_device
from thinc.shims.shim import Shim
from thinc.types import ArgsKwargs, Floats2d, FloatsXd
from thinc.util import torch2xp, xp2torch
from torch import Tensor, nn

from ..errors import DataError, Errors
from ..types import Rows

FORMAT_VERSION = 3
HEADER = "spacy_bilstm_tagger"
FEW_TEXTS = 32  # of a batch, up to which it does not pay to read two at the same time


class TorchModule(nn.Module, ABC):
    """A torch module that `TorchShim` wraps: its forward is a pure function of its weights and arguments, and its input
    width may be known only from the data.

    input_width (int or None): None while there are no weights.
    """

    input_width: Optional[int] = None

    @abstractmethod
    def build(self, input_width: int) -> None:
        """Make fresh weights for inputs of this width."""

    @abstractmethod
    def unbuilt(self) -> "TorchModule":
        """Another module of the same settings, without weights."""

    @property
    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """The settings that give the weights their meaning, of types that JSON knows; saved with them."""

    def flatten_weights(self) -> None:
        """Lay the weights into one piece of memory again, as cuDNN wants them."""


class TorchShim(PyTorchShim):
    """Wraps a `TorchModule`. Unlike thinc's shim, it does not flip modes, rebind weights or unpickle.

    Prediction never changes the module, so threads may share it. Weights are updated in place, so that cuDNN's
    flat buffers stay flat. Averages are found under the keys that the optimizer really uses. Weights load on any device.
    """

    _model: TorchModule
    _changes = 0
    _derived: Optional[tuple[tuple[int, ...], Any]] = None

    def __init__(self, model: TorchModule, *, mixed_precision: bool = False) -> None:
        super().__init__(model, mixed_precision=mixed_precision, grad_scaler=PyTorchGradScaler(mixed_precision))

    @property
    def module(self) -> TorchModule:
        return self._model

    def forget(self) -> None:
        """Weights have changed: what was made of them is void. To be called by whoever writes to `weight.data`, which torch
        does not count as a change."""
        self._changes += 1

    @property
    def version(self) -> tuple[int, ...]:
        """Another one whenever a weight has changed."""
        version = [self._changes]
        for weight in _weights(self._model):
            version += id(weight), weight.data_ptr(), 0 if weight.is_inference() else weight._version
        return tuple(version)

    def derive(self, compute: Callable[[TorchModule], Any]) -> Any:
        """What the function makes of the weights. It is kept while they stay, so it must always be the same function."""
        version = self.version
        if self._derived is None or self._derived[0] != version:
            self._derived = version, compute(self._model)
        return self._derived[1]

    def build(self, input_width: int) -> None:
        """Make fresh weights for inputs of this width, on thinc's current device."""
        self._model.build(input_width)
        self._place(self._model)
        self.forget()

    def predict(self, inputs: ArgsKwargs) -> Any:
        with torch.no_grad(), self._autocast():
            return self._call(inputs).float()

    def begin_update(self, inputs: ArgsKwargs) -> tuple[Any, Callable[[ArgsKwargs], Any]]:
        with self._autocast():
            output = self._call(inputs).float()

        def backprop(grads: ArgsKwargs) -> Any:
            X = inputs.args[0]  # token rows, which take a gradient, or indices, which do not
            grad_tensors = grads.kwargs["grad_tensors"]
            if not self._in_half_precision:
                torch.autograd.backward(grads.args[0], grad_tensors)
                return X.grad
            torch.autograd.backward(grads.args[0], self._grad_scaler.scale(grad_tensors, inplace=True))
            # The weights' gradients stay scaled until finish_update: more batches may be added to them before it.
            if X.grad is not None and self._grad_scaler.unscale([X.grad]):
                X.grad.zero_()  # some gradient was too large to scale
            return X.grad

        return output, backprop

    def finish_update(self, optimizer: Optimizer) -> None:
        gradients = [weight.grad for weight in self._model.parameters() if weight.grad is not None]
        skip = self._in_half_precision and self._grad_scaler.unscale(gradients)
        for name, weight in self._model.named_parameters():
            if weight.grad is None:
                continue
            if not skip:
                arrays = cast(FloatsXd, torch2xp(weight.data)), cast(FloatsXd, torch2xp(weight.grad))
                updated, _ = optimizer((self.id, name), *arrays)
                weight.data.copy_(xp2torch(updated, device=weight.device))
            weight.grad.zero_()
        self.forget()
        if self._in_half_precision:
            self._grad_scaler.update()

    @contextlib.contextmanager
    def use_params(self, params: dict) -> Iterator[None]:
        """Lend the module other weights, such as an optimizer's averages, for as long as the context lasts."""
        weights = dict(self._model.named_parameters())
        lent = {name: params[self.id, name] for name in weights if (self.id, name) in params}
        own = {name: weights[name].detach().clone() for name in lent}
        for name, array in lent.items():
            weights[name].data.copy_(xp2torch(array, device=weights[name].device))
        self.forget()
        try:
            yield
        finally:
            for name, tensor in own.items():
                weights[name].data.copy_(tensor)
            self.forget()

    def __deepcopy__(self, memo: dict) -> "TorchShim":
        """An independent twin."""
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        twin.__setstate__(copy.deepcopy(self.__getstate__(), memo))
        return twin

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_derived": None}

    def __setstate__(self, state: dict) -> None:
        """Whatever is copied or unpickled gets an id of its own: the optimizer keeps moments and averages by id."""
        self.__dict__.update(state)
        with Shim.global_id_lock:
            Shim.global_id += 1
            self.id = Shim.global_id
        self._derived = None
        self.forget()
        if isinstance(self._model, TorchModule):  # and not a transformer's
            self._model.flatten_weights()

    def to_device(self, device_type: str, device_id: int) -> None:
        super().to_device(device_type, device_id)
        self._grad_scaler.to_(self.device)
        self.forget()

    def to_bytes(self) -> bytes:
        return write_weights(self._model)

    def from_bytes(self, data: bytes) -> "TorchShim":
        """Read weights. Raises DataError for data that is damaged, foreign, newer, or of other settings or another
        shape; the module is then as it was."""
        self._model = self._place(read_weights(data, self._model))
        self.forget()
        return self

    def _place(self, module: TorchModule) -> TorchModule:
        """Move to thinc's current device."""
        device = get_torch_default_device()
        self._grad_scaler.to_(device)
        module.to(device)
        module.flatten_weights()
        return module

    @property
    def _in_half_precision(self) -> bool:
        """Mixed precision acts on a GPU only, as in thinc: few CPUs have recurrent kernels for it."""
        return self._mixed_precision and self.device.type == "cuda"

    def _call(self, inputs: ArgsKwargs) -> torch.Tensor:
        return self._model(*inputs.args, **inputs.kwargs)

    def _autocast(self) -> contextlib.AbstractContextManager:
        return torch.autocast("cuda", enabled=self._in_half_precision)


def write_weights(module: TorchModule) -> bytes:
    """The weights as safetensors, with the input width and the settings."""
    tensors = {name: weight.detach().cpu().contiguous() for name, weight in module.named_parameters()}
    header = {"format_version": FORMAT_VERSION, "input_width": module.input_width, "settings": module.settings}
    return save_tensors(tensors, metadata={HEADER: json.dumps(header)})


def read_weights(data: bytes, like: TorchModule) -> TorchModule:
    """A module with the settings of `like` and the weights of the data, on the CPU.

    RAISES: DataError for data that is damaged, foreign or newer, and for weights of other settings or another shape.
    """
    try:
        header = _read_header(data)
        version, width, settings = (header[key] for key in ("format_version", "input_width", "settings"))
        if version <= FORMAT_VERSION:
            _compare(settings, like.settings)
            tensors = load_tensors(data)
            with torch.device("meta"):  # shapes without memory, however large the width
                _compare(_shapes(tensors), _shapes(dict(_build(like, width).named_parameters())))
            module = _build(like, width)
            module.load_state_dict(tensors)
            return module
    except DataError:
        raise
    except Exception as error:  # whatever damaged bytes make the readers raise
        raise DataError(Errors.WEIGHTS_DAMAGED.format(reason=f"{type(error).__name__}: {error}")) from None
    raise DataError(
        f"The torch weights have format version {version}, this spacy-bilstm-tagger reads up to {FORMAT_VERSION}. "
        "Install a newer spacy-bilstm-tagger"
    )


def _read_header(data: bytes) -> dict[str, Any]:
    """Our part of the header. A safetensors file begins with the length of its JSON header, in 8 bytes."""
    end = 8 + int.from_bytes(data[:8], "little")
    return json.loads(json.loads(data[8:end])["__metadata__"][HEADER])


def _build(like: TorchModule, width: Optional[int]) -> TorchModule:
    module = like.unbuilt()
    if width is not None:
        module.build(width)
    return module


def _shapes(tensors: dict[str, Tensor]) -> dict[str, str]:
    return {
        name: " x ".join(map(str, tensor.shape)) + f" {str(tensor.dtype).removeprefix('torch.')}"
        for name, tensor in tensors.items()
    }


def _compare(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """RAISES: DataError that names the differences."""
    details = [
        f"{name} is {found.get(name, 'missing')}, expected {expected.get(name, 'none')}"
        for name in [*expected, *(set(found) - set(expected))]
        if found.get(name) != expected.get(name)
    ]
    if details:
        raise DataError(
            f"The torch weights do not fit the config: {'; '.join(details)}. The config or the weights file was changed"
        )


def turn(texts: Sequence[Any]) -> ContextManager[Any]:
    """To be held while a batch is read: threads that read few texts take turns. Each of hundreds of small calls gives up Python's
    lock and waits for it again; with eight threads that takes twice as long as one thread does."""
    return _TURNS[0] if len(texts) <= FEW_TEXTS else contextlib.nullcontext()


_TURNS = [threading.RLock()]


def _begin_anew() -> None:
    """A forked child has none of its parent's threads. It would wait forever for those of OpenMP, and for one that had its turn."""
    torch.set_num_threads(1)
    _TURNS[0] = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


def to_torch(array: Any, device: Optional[torch.device] = None) -> Tensor:
    """As thinc's `xp2torch`, which takes ten times as long for an array of numpy that stays on the CPU."""
    if isinstance(array, np.ndarray) and (device is None or device.type == "cpu"):
        return torch.from_numpy(array)
    return xp2torch(array, device=device)


def join_rows(ops: Ops, Xs: Rows) -> Floats2d:
    """(tokens of all texts, width). The rows of a single text are not copied."""
    return Xs[0] if len(Xs) == 1 else ops.flatten(Xs)


def _weights(module: torch.nn.Module) -> list[Tensor]:
    """As `module.parameters()`, which takes several times as long."""
    found: list[Tensor] = [weight for weight in module._parameters.values() if weight is not None]
    for child in module._modules.values():
        if child is not None:
            found += _weights(child)
    return found
