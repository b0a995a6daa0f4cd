"""Where vectors come from: a gensim-data name, or a file in any of the formats that gensim reads."""

import shutil
import tempfile
import zipfile
import zlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from ..errors import DataError
from ..util import check_file, is_stream, open_bytes
from .files import keeping_reason
from .pickles import read_saved
from .text_rows import is_header, read_text_rows

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

_FASTTEXT_MAGIC = (793712314).to_bytes(4, "little")  # https://github.com/facebookresearch/fastText, src/fasttext.cc
GENSIM_NAMES = ("glove-twitter-25", "glove-twitter-50", "glove-twitter-100", "glove-twitter-200")


def read_vectors(
    source: str, *, max_rows: Optional[int] = None, dim: Optional[int] = None, notes: Optional[list[str]] = None
) -> "KeyedVectors":
    """The vectors of a file, or of a data set that gensim downloads once and keeps in ~/gensim-data.

    source (str): a path, or one of GENSIM_NAMES. Files: GloVe text without a header (also .gz, or Stanford's
        .zip), word2vec text or binary (also .gz), KeyedVectors or a model saved by gensim.
    max_rows (int or None): read only the first rows, which are the most frequent words.
    dim (int or None): which file of a zip, by its width.
    notes (list or None): gets lines about words that are there twice.
    RAISES: DataError with the file and the line (or the key) that is wrong.
    """
    path, notes = Path(source), [] if notes is None else notes
    if is_stream(path):
        check_file(path)
    if not path.is_file():
        path = download(source)
    with keeping_reason(path, "word vectors", (EOFError, OSError, zlib.error, zipfile.BadZipFile)):
        if zipfile.is_zipfile(path):
            return _read_zip(path, max_rows, dim, notes)
        with open_bytes(path) as file:
            start = file.read(512)
        if start.startswith(b"PK\x03\x04"):
            raise zipfile.BadZipFile("a zip archive that is cut off")
        for kind, is_it in (
            ("a tar archive; unpack it, and give the file inside", start[257:262] == b"ustar"),
            ("a model of fastText; give the .vec file that comes with it", start.startswith(_FASTTEXT_MAGIC)),
        ):
            if is_it:
                raise DataError(f"{path}: is {kind}")
        is_pickle = start.startswith(b"\x80")
        return _first_rows(read_saved(path), max_rows) if is_pickle else _read_word2vec(path, max_rows, notes)


def download(name: str) -> Path:
    """The data file of a gensim-data set. gensim also stores a Python file beside it, which is not run.

    RAISES: DataError for another name, or without network.
    """
    if name not in GENSIM_NAMES:
        raise DataError(
            f"{name}: no such file, and no vectors that gensim can download. Expected a file (GloVe "
            ".txt/.gz/.zip, word2vec .txt/.bin, KeyedVectors .kv), a folder made by 'spacy-bilstm vectors', or "
            f"one of: {', '.join(GENSIM_NAMES)}"
        )
    import gensim.downloader

    try:
        return Path(gensim.downloader.load(name, return_path=True))
    except Exception as error:  # a wrong checksum, for one, is a bare Exception
        reason = " ".join(str(getattr(error, "reason", None) or error).split())
        raise DataError(
            f"{name}: cannot be downloaded ({reason}). Download the file on another machine and give its path instead"
        ) from None


def _read_word2vec(path: Path, max_rows: Optional[int], notes: list[str]) -> "KeyedVectors":
    """Text with or without a header line, or word2vec's binary form, which always has one."""
    from gensim.models import KeyedVectors

    with open_bytes(path) as file:
        first = file.readline(1 << 16)
        following = file.read(1 << 16)
    # Binary rows are float32 bytes, so in a sample of them there are always some that no text has.
    if is_header(first) and (b"\0" in following or not _is_utf8(following)):
        return _read_binary(path, first, max_rows)
    with keeping_reason(path, "vectors in text form", (EOFError, OSError, zlib.error)):
        text = read_text_rows(path, max_rows=max_rows)
    if text.duplicates:
        notes.append(f"{path}: {text.duplicates:,} rows are of words that were there before; the first of each is kept")
    vectors = KeyedVectors(text.rows.shape[1], dtype="float32")
    vectors.add_vectors(text.keys, text.rows)
    return vectors


def _read_binary(path: Path, header: bytes, max_rows: Optional[int]) -> "KeyedVectors":
    """RAISES: DataError where more rows follow than the header promises, which gensim does not notice."""
    from gensim.models import KeyedVectors

    with keeping_reason(path, "word2vec binary vectors"):
        vectors = KeyedVectors.load_word2vec_format(str(path), binary=True, limit=max_rows)
        with open_bytes(path) as file:
            found = sum(map(len, iter(partial(file.read, 1 << 20), b""))) - len(header)
        promised, width = map(int, header.split())
        # A row is its word, a blank and the numbers; word2vec ends it with a line end, gensim does not.
        sizes = [len(key.encode("utf8")) + 1 + 4 * width for key in vectors.index_to_key]
        with open_bytes(path) as file:
            ends = file.read(len(header) + sizes[0] + 1)[-1:] == b"\n" if sizes else False
    expected = sum(sizes) + len(sizes) * ends
    # With repeated words the keys are fewer, and nothing is compared.
    if (max_rows or promised) >= promised == len(vectors) and found > expected + 1:
        raise DataError(
            f"{path}: the first line promises {promised} rows, and more follow; correct it, or read the first ones with "
            f"--max-rows {promised}"
        )
    return vectors


def _read_zip(path: Path, max_rows: Optional[int], dim: Optional[int], notes: list[str]) -> "KeyedVectors":
    """One text file of an archive, unpacked beside the system's other temporary files."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".txt")]
        wanted = [name for name in names if f".{dim}d." in name] if dim else names
        if not wanted:
            expected = f"{dim}d" if dim else "text"
            found = ", ".join(names or archive.namelist()) or "nothing"
            raise DataError(f"{path}: the archive holds no {expected} vectors, found {found}. Choose with --dim")
        if len(wanted) > 1:
            raise DataError(f"{path}: the archive holds several files ({', '.join(wanted)}). Choose one with --dim")
        with tempfile.TemporaryDirectory() as folder:
            unpacked = Path(folder) / Path(wanted[0]).name
            with keeping_reason(path, "a zip archive"), archive.open(wanted[0]) as member, unpacked.open("wb") as file:
                shutil.copyfileobj(member, file)
            try:
                return _read_word2vec(unpacked, max_rows, notes)
            except DataError as error:
                raise DataError(str(error).replace(str(unpacked), f"{path}, {wanted[0]}")) from None


def _first_rows(vectors: "KeyedVectors", max_rows: Optional[int]) -> "KeyedVectors":
    from gensim.models import KeyedVectors

    if not max_rows or max_rows >= len(vectors):
        return vectors
    first = KeyedVectors(vectors.vector_size, dtype=vectors.vectors.dtype)
    first.add_vectors(vectors.index_to_key[:max_rows], vectors.vectors[:max_rows])
    return first


def _is_utf8(sample: bytes) -> bool:
    try:
        sample.decode("utf8")
    except UnicodeDecodeError as error:
        return error.start >= len(sample) - 4  # cut inside the last character
    return True
