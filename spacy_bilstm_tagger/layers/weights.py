"""The bytes in which a torch module's weights are kept: safetensors, which can hold no code, with a header of ours."""

import hashlib
import json
from typing import Any

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from ..errors import DataError, Errors
from .torch_module import TorchModule

# 2: settings and sha256 in the header. Version 1 had neither, and is still read.
FORMAT_VERSION = 2
HEADER = "spacy_bilstm_tagger"


def write_weights(module: TorchModule) -> bytes:
    tensors = {name: weight.detach().cpu().contiguous() for name, weight in module.named_parameters()}
    numbers = _split(save_tensors(tensors))[1]
    header = {
        "format_version": FORMAT_VERSION,
        "input_width": module.input_width,
        "settings": module.settings,
        "sha256": hashlib.sha256(numbers).hexdigest(),
    }
    return save_tensors(tensors, metadata={HEADER: json.dumps(header)})


def read_weights(data: bytes, like: TorchModule) -> TorchModule:
    """A module with the settings of `like` and the weights of the data, on the CPU.

    RAISES: DataError for data that is damaged, foreign or newer, and for weights of other settings or another shape.
    """
    try:
        header, numbers = _read_header(data)
        version = _whole_number(header, "format_version")
        if version <= FORMAT_VERSION:
            return _read(data, header, numbers, like)
    except DataError:
        raise
    except Exception as error:  # whatever damaged bytes make the readers raise
        reason = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise DataError(Errors.WEIGHTS_DAMAGED.format(reason=reason)) from None
    raise DataError(
        f"The torch weights have format version {version}, this spacy-bilstm-tagger reads up to {FORMAT_VERSION}. "
        "Install a newer spacy-bilstm-tagger"
    )


def _read(data: bytes, header: dict, numbers: bytes, like: TorchModule) -> TorchModule:
    width = None if header["input_width"] is None else _whole_number(header, "input_width")
    if header["format_version"] > 1:
        if header["sha256"] != hashlib.sha256(numbers).hexdigest():
            raise ValueError("the numbers do not agree with their checksum")
        _compare(header["settings"], like.settings)
    tensors = load_tensors(data)
    with torch.device("meta"):  # shapes without memory, however large the number in the header
        _compare(_shapes(tensors), _shapes(dict(_build(like, width).named_parameters())))
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} holds NaN or infinity")
    module = _build(like, width)
    module.load_state_dict(tensors)
    return module


def _build(like: TorchModule, width: int | None) -> TorchModule:
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
    """RAISES: DataError that names what differs."""
    details = [
        f"{name} is {found.get(name, 'missing')}, expected {expected.get(name, 'none')}"
        for name in [*expected, *(set(found) - set(expected))]
        if found.get(name) != expected.get(name)
    ]
    if details:
        raise DataError(
            f"The torch weights do not fit the config: {'; '.join(details)}. The config or the weights file was changed"
        )


def _read_header(data: bytes) -> tuple[dict, bytes]:
    """Our part of the header, and the numbers of all tensors."""
    header, numbers = _split(data)
    found = json.loads(json.loads(header)["__metadata__"][HEADER])
    if not isinstance(found, dict):
        raise ValueError(f"the header is {found!r}")
    return found, numbers


def _split(data: bytes) -> tuple[bytes, bytes]:
    """A safetensors file begins with the length of its JSON header, in 8 bytes."""
    end = 8 + int.from_bytes(data[:8], "little")
    return data[8:end], data[end:]


def _whole_number(header: dict, name: str) -> int:
    value = header[name]
    if type(value) is not int or value < 1:
        raise ValueError(f"{name} is {value!r}")
    return value
