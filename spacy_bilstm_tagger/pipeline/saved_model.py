"""Does what a model was saved as fit the model that is to read it?"""

import numpy as np
import srsly
from thinc.api import Model

from ..errors import DataError, Errors

# The shapes of the weights of thinc's layers and ours, in the dimensions of their layers. Torch's have their own check.
SHAPES: dict[str, dict[str, tuple[str, ...]]] = {
    "chain_scores": {"transitions": ("nO", "nO"), "start": ("nO",), "end": ("nO",)},
    "hashembed": {"E": ("nV", "nO")},
    "layernorm": {"G": ("nO",), "b": ("nO",)},
    "linear": {"W": ("nO", "nI"), "b": ("nO",)},
    "maxout": {"W": ("nO", "nP", "nI"), "b": ("nO", "nP")},
}


def check_saved(model: Model, data: bytes) -> None:
    """thinc reads a file that lacks weights, and leaves those of the model as they are; it reads any shape, and NaN.

    RAISES: DataError that names the layer.
    """
    message = srsly.msgpack_loads(data)
    for node, saved in zip(model.walk(), message["nodes"]):
        for dim, found in saved["dims"].items():
            expected = node.get_dim(dim) if node.has_dim(dim) else None
            if found is not None and expected not in (None, found):
                detail = {"layer": node.name, "dim": dim, "found": found, "expected": expected}
                raise DataError(Errors.COMPONENT_SHAPE.format(**detail))
    is_trained = any(array is not None for params in message["params"] for array in params.values())
    for node, saved, params, shims in zip(model.walk(), message["nodes"], message["params"], message["shims"]):
        if set(params) != set(node.param_names) or len(shims) != len(node.shims):
            raise DataError(Errors.COMPONENT_INCOMPLETE.format(layer=node.name))
        for name, array in params.items() if is_trained else ():
            if array is None:
                raise DataError(Errors.COMPONENT_INCOMPLETE.format(layer=node.name))
            _check_numbers(node.name, name, array, saved["dims"])


def _check_numbers(layer: str, name: str, array: np.ndarray, dims: dict[str, int]) -> None:
    axes = SHAPES.get(layer, {}).get(name)
    expected = array.shape if axes is None else tuple(dims[axis] for axis in axes)
    if array.shape != expected:
        detail = {"layer": layer, "dim": f"the shape of {name}", "found": array.shape, "expected": expected}
        raise DataError(Errors.COMPONENT_SHAPE.format(**detail))
    if array.dtype != np.float32 or not np.isfinite(array).all():
        found = array.dtype if array.dtype != np.float32 else "NaN or infinity"
        raise DataError(
            f"Its weight {name} of the layer {layer!r} holds {found}, expected finite numbers of type float32. "
            "The file is damaged: get it again"
        )
