"""Vectors that gensim saved. Such a file is a pickle, which could run code, so only its data is taken."""

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError, Errors
from .text import open_bytes

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

_KEYS = {"index_to_key", "index2word"}  # the latter up to gensim 3
# Containers, numbers and arrays: the only names that are looked up.
_DATA = {
    ("builtins", "int"),
    ("builtins", "float"),
    ("builtins", "frozenset"),
    ("builtins", "set"),
    ("collections", "OrderedDict"),
    ("collections", "defaultdict"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
}
# Saved inside of models, and of no use for their vectors.
_UNUSED = {("builtins", "hash"), ("gensim.utils", "call_on_class_only")}
_OLD_NAMES = {"__builtin__": "builtins"}  # of pickle protocol 2


def read_saved(path: Path) -> "KeyedVectors":
    """The vectors of KeyedVectors or of a model, with large arrays from the .npy files beside it.

    Objects of gensim's classes are read as plain attributes. Their own loading would unpickle other files too.
    RAISES: DataError for a file that names anything else, or that is damaged.
    """
    try:
        with open_bytes(path) as file:
            saved = _DataUnpickler(path, file).load()
        attributes = vars(saved) if isinstance(saved, _Attributes) else {}
        is_model = isinstance(attributes.get("wv"), _Attributes)
        if is_model:
            attributes = vars(attributes["wv"])
        if not _KEYS.intersection(attributes):
            raise DataError(Errors.VECTORS_NOT_KEYED.format(path=path, found=type(saved).__name__))
        where = f"{path}.wv" if is_model else str(path)
        return _rebuild(_Fields(attributes, where, packed=path.suffix == ".gz"))
    except DataError:
        raise
    except Exception as error:  # damaged data can raise anything
        raise damaged(path, "gensim KeyedVectors", error) from None


def damaged(path: Path, kind: str, error: Exception) -> DataError:
    """The error's reason, in one line."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return DataError(Errors.VECTORS_DAMAGED.format(path=path, kind=kind, reason=reason))


class _Attributes:
    """Stands for any class: takes whatever the file holds for it, and does nothing with it."""

    def __new__(cls, *args: Any) -> "_Attributes":
        return super().__new__(cls)

    def __init__(self, *args: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            vars(self).update(state)


class _DataUnpickler(pickle.Unpickler):
    """Looks up containers and arrays; puts `_Attributes` for gensim's classes; refuses every other name."""

    def __init__(self, path: Path, file: Any) -> None:
        super().__init__(file, encoding="latin1")
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        module = _OLD_NAMES.get(module, module)
        if (module, name) in _DATA:
            return super().find_class(module, name)
        if (module, name) == ("_codecs", "encode"):
            return _encode_latin1
        is_gensim_class = module.startswith("gensim.models.") and name[:1].isupper() and "." not in name
        if is_gensim_class or module.startswith("numpy.random.") or (module, name) in _UNUSED:
            return type(name, (_Attributes,), {})
        raise DataError(Errors.VECTORS_PICKLE.format(path=self._path, name=f"{module}.{name}"))


def _encode_latin1(text: str, encoding: str) -> bytes:
    """How pickle protocol 2 writes bytes. `_codecs.encode` itself would look up any codec by name."""
    return text.encode("latin1")


class _Fields:
    """The attributes of saved KeyedVectors, from the pickle or from the file that gensim put beside it."""

    def __init__(self, attributes: dict[str, Any], where: str, packed: bool) -> None:
        self._attributes = attributes
        self._where = where
        self._packed = packed
        self._beside = attributes.get("__numpys") or ()

    def find(self, *names: str) -> Any:
        """The first of the names, newest first, that there is; None if there is none."""
        for name in names:
            if name in self._beside:
                return self._read_array(name)
            if self._attributes.get(name) is not None:
                return self._attributes[name]
        return None

    def _read_array(self, name: str) -> np.ndarray:
        if self._packed:
            with np.load(f"{self._where}.{name}.npz", allow_pickle=False) as arrays:
                return arrays["val"]
        return np.load(f"{self._where}.{name}.npy", allow_pickle=False)


def _rebuild(fields: _Fields) -> "KeyedVectors":
    from gensim.models import KeyedVectors

    keys = fields.find("index_to_key", "index2word")
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise ValueError("its keys are not all strings")
    vectors = fields.find("vectors", "syn0")
    if vectors is None:
        vectors = _sum_subwords(keys, fields)
    if not isinstance(vectors, np.ndarray) or vectors.dtype.kind != "f" or vectors.shape[:-1] != (len(keys),):
        raise ValueError(f"found no row of numbers for each of its {len(keys)} keys")
    rebuilt = KeyedVectors(vectors.shape[1], dtype=vectors.dtype)
    rebuilt.add_vectors(keys, vectors)
    return rebuilt


def _sum_subwords(keys: list[str], fields: _Fields) -> np.ndarray:
    """fastText's rows are not saved: they follow from those of the words and of their character n-grams."""
    from gensim.models.fasttext import FastTextKeyedVectors

    words = np.asarray(fields.find("vectors_vocab"), dtype="float32")
    n_grams = {name: int(fields.find(name)) for name in ("min_n", "max_n", "bucket")}
    whole = FastTextKeyedVectors(words.shape[1], **n_grams)
    whole.index_to_key = keys
    whole.vectors_vocab = words
    whole.vectors_ngrams = np.asarray(fields.find("vectors_ngrams"), dtype="float32")
    whole.recalc_char_ngram_buckets()
    whole.adjust_vectors()
    return whole.vectors
