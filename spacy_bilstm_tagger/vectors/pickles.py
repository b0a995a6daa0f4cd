"""Looking through a pickle before it is loaded."""

import pickle
from pathlib import Path
from typing import Any

from ..errors import DataError, Errors
from .text import open_bytes

# What gensim's saved vectors and models are made of. Nothing else is looked up by a pickle that they wrote.
_GENSIM = "gensim.models."
_ALLOWED = {
    ("builtins", "slice"),
    ("collections", "defaultdict"),
    ("collections", "OrderedDict"),
    ("copyreg", "_reconstructor"),
    ("builtins", "object"),
    ("_codecs", "encode"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy.random._pickle", "__randomstate_ctor"),
    ("numpy.random._pickle", "__generator_ctor"),
    ("numpy.random._pickle", "__bit_generator_ctor"),
    ("numpy.random._mt19937", "MT19937"),
    ("numpy.random._pcg64", "PCG64"),
    ("builtins", "int"),
    ("builtins", "float"),
}


def check_pickle(path: Path) -> None:
    """Raise DataError if loading the file could look up anything but gensim's classes and numpy's arrays."""
    with open_bytes(path) as file:
        try:
            _Lookout(path, file).load()
        except DataError:
            raise
        except Exception as error:  # damaged data can raise anything
            reason = f"{type(error).__name__}: {error}"
            raise DataError(Errors.VECTORS_DAMAGED.format(path=path, kind="gensim KeyedVectors", reason=reason)) from None


class _Lookout(pickle.Unpickler):
    """Unpickles with nothing but what is allowed, so that it is safe to run to the end."""

    def __init__(self, path: Path, file: Any) -> None:
        super().__init__(file, encoding="latin1")
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        is_gensim_class = module.startswith(_GENSIM) and name[:1].isupper() and "." not in name
        if is_gensim_class or (module, name) in _ALLOWED:
            return super().find_class(module, name)
        raise DataError(Errors.VECTORS_PICKLE.format(path=self._path, name=f"{module}.{name}"))
