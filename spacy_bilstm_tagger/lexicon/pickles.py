"""Vectors that gensim saved. Such a file is a pickle, which could run code, so only its data is taken."""

import os
import pickle
import pickletools
import re
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Callable

import numpy as np

from ..errors import DataError
from ..util import open_bytes
from .files import keeping_reason

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

_KEYS = {"index_to_key", "index2word"}  # the latter up to gensim 3
# Containers and numbers: the only names that are looked up.
_BUILT_IN = {
    ("builtins", "int"),
    ("builtins", "float"),
    ("builtins", "frozenset"),
    ("builtins", "set"),
    ("collections", "OrderedDict"),
    ("collections", "defaultdict"),
}
# Saved inside of models, and of no use for their vectors.
_UNUSED = {("builtins", "hash"), ("gensim.utils", "call_on_class_only"), ("numpy", "ndarray")}
_NUMPY_CORE = ("numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric", "numpy._core.numeric")
_OLD_NAMES = {"__builtin__": "builtins"}  # of pickle protocol 2


def read_saved(path: Path) -> "KeyedVectors":
    """The vectors of KeyedVectors or of a model, with large arrays from the .npy files beside it.

    Objects of gensim's classes are read as plain attributes; their own loading would unpickle more files.
    RAISES: DataError for a file that names anything else, or that is damaged.
    """
    with keeping_reason(path, "gensim KeyedVectors"):
        with open_bytes(path) as file:
            _check_sizes(file)
        with open_bytes(path) as file:
            saved = _DataUnpickler(path, file).load()
        attributes = vars(saved) if isinstance(saved, _Attributes) else {}
        is_model = isinstance(attributes.get("wv"), _Attributes)
        if is_model:
            attributes = vars(attributes["wv"])
        if not _KEYS.intersection(attributes):
            raise DataError(f"{path}: holds a {type(saved).__name__}, expected gensim KeyedVectors or a model that has them as .wv")
        where = f"{path}.wv" if is_model else str(path)
        return _rebuild(partial(_find, attributes=attributes, where=where, packed=path.suffix == ".gz"))


# Bytes of an opcode's argument; below 0, what `pickletools` gives for those whose length the file holds.
_SIZES = {ord(opcode.code): opcode.arg.n if opcode.arg else 0 for opcode in pickletools.opcodes}
_LENGTH_BYTES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
_MEMO_PUTS = {pickle.BINPUT[0], pickle.LONG_BINPUT[0]}
_STOP = pickle.STOP[0]
_MAX_LINE = 1 << 12  # bytes of a name


def _check_sizes(file: IO[bytes]) -> None:
    """Find a false length or memo index before memory is taken for it, faster than `pickletools.genops` would.

    RAISES: EOFError for an argument that ends behind the file; ValueError for a memo index above its position in the file:
        each object has at least one byte.
    """
    chunk, at, start = b"", 0, 0  # start: of the chunk in the file
    while True:
        if len(chunk) - at < 2 * _MAX_LINE:
            file.seek(max(at - len(chunk), 0), os.SEEK_CUR)
            chunk, at, start = chunk[at:] + file.read(1 << 20), 0, start + at
        if at >= len(chunk):
            raise EOFError("the pickle is cut off")
        code = chunk[at]
        size = _SIZES.get(code)
        at += 1
        if size is None:
            raise pickle.UnpicklingError(f"byte {start + at - 1} is {code}, which begins nothing in a pickle")
        if size >= 0:
            at += size
            if code in _MEMO_PUTS:
                _check_memo_index(int.from_bytes(chunk[at - size : at], "little"), start + at)
            elif code == _STOP:
                return
        elif size == pickletools.UP_TO_NEWLINE:
            for _ in range(2 if code in b"ci" else 1):  # a module and a name
                line, at = at, chunk.find(b"\n", at, at + _MAX_LINE) + 1
                if not at:
                    raise pickle.UnpicklingError(f"no line ends behind byte {start + line}")
            if code == pickle.PUT[0]:
                _check_memo_index(int(chunk[line : at - 1]), start + at)
        else:
            width = _LENGTH_BYTES[size]
            at += width + int.from_bytes(chunk[at : at + width], "little")


def _check_memo_index(index: int, position: int) -> None:
    if index > position:
        raise ValueError(f"a memo index of {index:,} after {position:,} bytes")


class _Attributes:
    """Stands for any class: takes whatever the file holds for it, and does nothing with it."""

    def __new__(cls, *args: Any) -> "_Attributes":
        return super().__new__(cls)

    def __init__(self, *args: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            vars(self).update(state)


class _Dtype(_Attributes):
    """What `numpy.dtype` was saved with: ("f4", ...), and (version, byte order, ...)."""

    def __init__(self, name: Any = None, *args: Any) -> None:
        self.name = name
        self.byte_order = "="

    def __setstate__(self, state: Any) -> None:
        self.byte_order = state[1]

    def to_numpy(self) -> np.dtype:
        if not re.fullmatch("[fiu][1248]", self.name) or self.byte_order not in ("<", ">", "=", "|"):
            raise ValueError(f"an array of type {self.name!r}")
        return np.dtype(self.byte_order + self.name)


class _Array(_Attributes):
    """What an array was saved with. numpy's own loading trusts it, down to what of it are pointers."""

    def __setstate__(self, state: Any) -> None:
        _, self.shape, self.dtype, is_fortran, self.data = state
        self.order: Any = "F" if is_fortran else "C"

    @classmethod
    def from_buffer(cls, data: Any, dtype: Any, shape: Any, order: Any) -> "_Array":
        """How pickle protocol 5 writes arrays."""
        array = cls()
        array.__setstate__((1, shape, dtype, order == "F", data))
        return array

    def to_numpy(self) -> np.ndarray:
        data = self.data.encode("latin1") if isinstance(self.data, str) else self.data
        return np.frombuffer(data, dtype=self.dtype.to_numpy()).reshape(self.shape, order=self.order)


class _DataUnpickler(pickle.Unpickler):
    """Looks up containers; puts `_Attributes` for gensim's and numpy's classes; refuses every other name."""

    def __init__(self, path: Path, file: Any) -> None:
        super().__init__(file, encoding="latin1")
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        module = _OLD_NAMES.get(module, module)
        if (module, name) in _BUILT_IN:
            return super().find_class(module, name)
        if (module, name) == ("_codecs", "encode"):
            return _encode_latin1
        if (module, name) == ("numpy", "dtype"):
            return _Dtype
        if module in _NUMPY_CORE and name in ("_reconstruct", "_frombuffer", "scalar"):
            return {"_reconstruct": _Array, "_frombuffer": _Array.from_buffer, "scalar": _Attributes}[name]
        is_gensim_class = module.startswith("gensim.models.") and name[:1].isupper() and "." not in name
        if is_gensim_class or module.startswith("numpy.random.") or (module, name) in _UNUSED:
            return type(name, (_Attributes,), {})
        printable = repr(f"{module}.{name}")[1:-1]
        raise DataError(
            f"{self._path}: refused, because the file could run code when loaded (it names {printable}); expected "
            "KeyedVectors saved by gensim"
        )


def _encode_latin1(text: str, encoding: str) -> bytes:
    """How pickle protocol 2 writes bytes. `_codecs.encode` itself would look up any codec by name."""
    return text.encode("latin1")


Find = Callable[..., Any]


def _find(*names: str, attributes: dict[str, Any], where: str, packed: bool) -> Any:
    """The first of the attributes, newest first, that saved KeyedVectors have, from the pickle or from the file that gensim
    put beside it; None if there is none."""
    for name in names:
        if name in (attributes.get("__numpys") or ()):
            path = Path(f"{where}.{name}.{'npz' if packed else 'npy'}")
            if not path.exists():
                found = f"(No such file: {path}, which gensim wrote beside it)"
                raise DataError(f"{where}: cannot be read as gensim KeyedVectors {found}; copy it, too")
            if packed:
                with np.load(path, allow_pickle=False) as arrays:
                    return arrays["val"]
            return np.load(path, allow_pickle=False)
        value = attributes.get(name)
        if value is not None:
            return value.to_numpy() if isinstance(value, _Array) else value
    return None


def _rebuild(find: Find) -> "KeyedVectors":
    from gensim.models import KeyedVectors

    keys = find("index_to_key", "index2word")
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise ValueError("its keys are not all strings")
    vectors = find("vectors", "syn0")
    if vectors is None:
        vectors = _sum_subwords(keys, find)
    if not isinstance(vectors, np.ndarray) or vectors.dtype.kind != "f" or vectors.shape[:-1] != (len(keys),):
        raise ValueError(f"found no row of numbers for each of its {len(keys)} keys")
    rebuilt = KeyedVectors(vectors.shape[1], dtype=vectors.dtype)
    rebuilt.add_vectors(keys, vectors)
    return rebuilt


def _sum_subwords(keys: list[str], find: Find) -> np.ndarray:
    """fastText's rows are not saved: they follow from those of the words and of their character n-grams."""
    from gensim.models.fasttext import FastTextKeyedVectors

    words = np.asarray(find("vectors_vocab"), dtype="float32")
    n_grams = {name: int(find(name)) for name in ("min_n", "max_n", "bucket")}
    whole = FastTextKeyedVectors(words.shape[1], **n_grams)
    whole.index_to_key = keys
    whole.vectors_vocab = words
    whole.vectors_ngrams = np.asarray(find("vectors_ngrams"), dtype="float32")
    whole.recalc_char_ngram_buckets()
    whole.adjust_vectors()
    return whole.vectors
