"""Where vectors come from: a gensim-data name, or a file in any of the formats that gensim reads."""

import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Iterator, Optional
from urllib.error import URLError

from ..errors import DataError, Errors
from .pickles import check_pickle
from .text import check_rows, open_bytes

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

GENSIM_NAMES = ("glove-twitter-25", "glove-twitter-50", "glove-twitter-100", "glove-twitter-200")
_PICKLE = b"\x80"


def read_vectors(source: str, *, max_rows: Optional[int] = None, dim: Optional[int] = None) -> "KeyedVectors":
    """The vectors of a file, or of a data set that gensim downloads once and keeps in ~/gensim-data.

    source (str): a path, or one of GENSIM_NAMES. Files: GloVe text without a header (also .gz, or Stanford's .zip),
        word2vec text or binary (also .gz), KeyedVectors or a model saved by gensim.
    max_rows (int or None): read only the first rows, which are the most frequent words.
    dim (int or None): which file of a zip, by its width.
    RAISES: DataError with the file and the line (or the key) that is wrong.
    """
    path = Path(source)
    if not path.is_file():
        path = download(source)
    try:
        if zipfile.is_zipfile(path):
            return _read_zip(path, max_rows, dim)
        with open_bytes(path) as file:
            start = file.read(2)
        if start[:1] == _PICKLE:
            return _read_saved(path, max_rows)
        return _read_word2vec(path, max_rows)
    except (EOFError, OSError, zipfile.BadZipFile) as error:
        message = Errors.VECTORS_DAMAGED.format(path=path, kind="word vectors", reason=error)
        raise DataError(message) from None


def download(name: str) -> Path:
    """The data file of a gensim-data set. gensim also stores a Python file beside it, which is not run.

    RAISES: DataError for another name, or without network.
    """
    if name not in GENSIM_NAMES:
        raise DataError(Errors.VECTORS_UNKNOWN_SOURCE.format(source=name, names=", ".join(GENSIM_NAMES)))
    import gensim.downloader

    try:
        return Path(gensim.downloader.load(name, return_path=True))
    except (URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(Errors.VECTORS_NO_NETWORK.format(source=name, reason=reason)) from None


def _read_word2vec(path: Path, max_rows: Optional[int]) -> "KeyedVectors":
    """Text with or without a header line, or word2vec's binary form, which always has one."""
    from gensim.models import KeyedVectors

    with open_bytes(path) as file:
        first = file.readline()
        following = file.read(1 << 16)
    has_header = len(first.split()) == 2 and all(part.isdigit() for part in first.split())
    # Binary rows are float32 bytes, so in a sample of them there are always some that no text has.
    binary = has_header and (b"\0" in following or not _is_utf8(following))
    if binary:
        with _keeping_reason(path, "word2vec binary vectors"):
            return KeyedVectors.load_word2vec_format(str(path), binary=True, limit=max_rows)
    check_rows(path, has_header=has_header, max_rows=max_rows)
    return KeyedVectors.load_word2vec_format(str(path), binary=False, no_header=not has_header, limit=max_rows)


def _read_zip(path: Path, max_rows: Optional[int], dim: Optional[int]) -> "KeyedVectors":
    """One text file of an archive, unpacked beside the system's other temporary files."""
    import shutil
    import tempfile

    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".txt")]
        wanted = [name for name in names if f".{dim}d." in name] if dim else names
        if not wanted:
            expected = f"{dim}d" if dim else "text"
            found = ", ".join(names or archive.namelist()) or "nothing"
            raise DataError(Errors.VECTORS_ZIP_MEMBER.format(path=path, expected=expected, found=found))
        if len(wanted) > 1:
            raise DataError(Errors.VECTORS_ZIP_CHOICE.format(path=path, found=", ".join(wanted)))
        with tempfile.TemporaryDirectory() as folder:
            unpacked = Path(folder) / Path(wanted[0]).name
            with archive.open(wanted[0]) as member, unpacked.open("wb") as file:
                shutil.copyfileobj(member, file)
            return _read_word2vec(unpacked, max_rows)


def _read_saved(path: Path, max_rows: Optional[int]) -> "KeyedVectors":
    """What gensim's `save` wrote. It is a pickle, so it is looked through before it is loaded."""
    from gensim.models import KeyedVectors
    from gensim.utils import SaveLoad

    check_pickle(path)
    with _keeping_reason(path, "gensim KeyedVectors"):
        saved = SaveLoad.load(str(path))
    saved = getattr(saved, "wv", saved)
    if not isinstance(saved, KeyedVectors):
        raise DataError(Errors.VECTORS_NOT_KEYED.format(path=path, found=type(saved).__name__))
    if not max_rows or max_rows >= len(saved.index_to_key):
        return saved
    first = KeyedVectors(saved.vector_size, dtype=saved.vectors.dtype)
    first.add_vectors(saved.index_to_key[:max_rows], saved.vectors[:max_rows])
    return first


@contextmanager
def _keeping_reason(path: Path, kind: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # unpickling damaged data can raise anything
        reason = f"{type(error).__name__}: {error}"
        raise DataError(Errors.VECTORS_DAMAGED.format(path=path, kind=kind, reason=reason)) from None


def _is_utf8(sample: bytes) -> bool:
    try:
        sample.decode("utf8")
    except UnicodeDecodeError as error:
        return error.start >= len(sample) - 4  # cut inside the last character
    return True
