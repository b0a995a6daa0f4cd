"""The bridge between thinc's optimizer, averages and serialization, and a torch module."""

import contextlib
import copy
import json
import os
from typing import Any, Callable, Iterator, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from thinc.api import Optimizer, PyTorchGradScaler, PyTorchShim, get_torch_default_device
from thinc.shims.shim import Shim
from thinc.types import ArgsKwargs, FloatsXd
from thinc.util import torch2xp, xp2torch

from ..errors import Errors
from .torch_module import TorchModule

FORMAT_VERSION = 1


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
        self._model.to(get_torch_default_device())

    def predict(self, inputs: ArgsKwargs) -> Any:
        with torch.no_grad(), self._autocast():
            return self._model(*inputs.args, **inputs.kwargs).float()

    def begin_update(self, inputs: ArgsKwargs) -> tuple[Any, Callable[[ArgsKwargs], Any]]:
        with self._autocast():
            output = self._model(*inputs.args, **inputs.kwargs).float()

        def backprop(grads: ArgsKwargs) -> Any:
            X = inputs.args[0]  # token rows, which take a gradient, or indices, which do not
            grad_tensors = grads.kwargs["grad_tensors"]
            if not self._in_half_precision:
                torch.autograd.backward(grads.args[0], grad_tensors)
                return X.grad
            grad_tensors = self._grad_scaler.scale(grad_tensors, inplace=True)
            torch.autograd.backward(grads.args[0], grad_tensors)
            gradients = [p.grad for p in [*self._model.parameters(), X] if p.grad is not None]
            if self._grad_scaler.unscale(gradients):  # some gradient was too large to scale: leave this batch out
                for gradient in gradients:
                    gradient.zero_()
            return X.grad

        return output, backprop

    def finish_update(self, optimizer: Optimizer) -> None:
        skip = self._in_half_precision and self._grad_scaler.found_inf
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

    def copy(self) -> "TorchShim":
        """An independent twin. It gets an id of its own: the optimizer keeps moments and averages by id."""
        twin = copy.deepcopy(self)
        with Shim.global_id_lock:
            Shim.global_id += 1
            twin.id = Shim.global_id
        return twin

    def to_bytes(self) -> bytes:
        header = {"format_version": FORMAT_VERSION, "input_width": self._model.input_width}
        tensors = {name: weight.detach().cpu().contiguous() for name, weight in self._model.named_parameters()}
        return save_tensors(tensors, metadata={"spacy_bilstm_tagger": json.dumps(header)})

    def from_bytes(self, data: bytes) -> "TorchShim":
        """Read weights. Raises ValueError for data that is damaged, foreign, newer, or of another shape; the module
        is then as it was."""
        header, tensors = _read_weights(data)
        fresh = self._model.unbuilt()
        if header["input_width"] is not None:
            fresh.build(header["input_width"])
        try:
            fresh.load_state_dict(tensors)
        except RuntimeError as error:
            detail = " ".join(str(error).split("\n\t")[1:]) or str(error)
            raise ValueError(Errors.WEIGHTS_SHAPE.format(detail=detail)) from None
        self._model = fresh.to(get_torch_default_device())
        return self

    @property
    def _in_half_precision(self) -> bool:
        """Mixed precision acts on a GPU only, as in thinc: few CPUs have recurrent kernels for it."""
        return self._mixed_precision and self.device.type == "cuda"

    def _autocast(self) -> contextlib.AbstractContextManager:
        return torch.autocast("cuda", enabled=self._in_half_precision)


def _read_weights(data: bytes) -> tuple[dict, dict[str, torch.Tensor]]:
    try:
        tensors = load_tensors(data)
        length = int.from_bytes(data[:8], "little")
        header = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["spacy_bilstm_tagger"])
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ValueError(Errors.WEIGHTS_DAMAGED.format(reason=str(error) or type(error).__name__)) from None
    if header["format_version"] > FORMAT_VERSION:
        raise ValueError(Errors.WEIGHTS_NEWER.format(found=header["format_version"], known=FORMAT_VERSION))
    return header, tensors


def _use_one_thread_after_fork() -> None:
    """A forked child has none of its parent's OpenMP threads, and would wait for them for ever."""
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_use_one_thread_after_fork)
