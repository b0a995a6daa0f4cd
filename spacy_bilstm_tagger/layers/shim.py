"""The bridge between thinc's optimizer, averages and serialization, and a torch module."""

import contextlib
import copy
import os
from typing import Any, Callable, Iterator, cast

import torch
from thinc.api import Optimizer, PyTorchGradScaler, PyTorchShim, get_torch_default_device
from thinc.shims.shim import Shim
from thinc.types import ArgsKwargs, FloatsXd
from thinc.util import torch2xp, xp2torch

from .torch_module import TorchModule
from .weights import read_weights, write_weights


class TorchShim(PyTorchShim):
    """Wraps a `TorchModule`. Where thinc's shim would flip modes, rebind weights or unpickle, this one does not.

    Prediction never changes the module, so threads may share it. Weights are updated in place, so that cuDNN's
    flat buffers stay flat. Averages are found under the keys the optimizer really uses. Weights are saved as
    safetensors, which can hold no code, and load on any device.
    """

    _model: TorchModule

    def __init__(self, model: TorchModule, *, mixed_precision: bool = False) -> None:
        super().__init__(model, mixed_precision=mixed_precision, grad_scaler=PyTorchGradScaler(mixed_precision))

    @property
    def module(self) -> TorchModule:
        return self._model

    def build(self, input_width: int) -> None:
        """Make fresh weights for inputs of this width, on thinc's current device."""
        self._model.build(input_width)
        self._place(self._model)

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
        try:
            yield
        finally:
            for name, tensor in own.items():
                weights[name].data.copy_(tensor)

    def __deepcopy__(self, memo: dict) -> "TorchShim":
        """An independent twin."""
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        twin.__setstate__(copy.deepcopy(self.__dict__, memo))
        return twin

    def __setstate__(self, state: dict) -> None:
        """Whatever is copied or unpickled gets an id of its own: the optimizer keeps moments and averages by id."""
        self.__dict__.update(state)
        with Shim.global_id_lock:
            Shim.global_id += 1
            self.id = Shim.global_id
        self._flatten_weights()

    def _flatten_weights(self) -> None:
        self._model.flatten_weights()

    def to_device(self, device_type: str, device_id: int) -> None:
        super().to_device(device_type, device_id)
        self._grad_scaler.to_(self.device)

    def to_bytes(self) -> bytes:
        return write_weights(self._model)

    def from_bytes(self, data: bytes) -> "TorchShim":
        """Read weights. Raises DataError for data that is damaged, foreign, newer, or of other settings or another
        shape; the module is then as it was."""
        self._model = self._place(read_weights(data, self._model))
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


def _use_one_thread_after_fork() -> None:
    """A forked child has none of its parent's OpenMP threads, and would wait for them for ever."""
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_use_one_thread_after_fork)
