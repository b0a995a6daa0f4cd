"""Where vectors come from: a gensim-data name, or a file in any of the formats that gensim reads."""

import shutil
import tempfile
import zipfile
import zlib
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from tqdm import tqdm

from ..errors import DataError, Errors
from ..util import open_bytes
from .files import keeping_reason
from .pickles import read_saved

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

GENSIM_NAMES = ("glove-twitter-25", "glove-twitter-50", "glove-twitter-100", "glove-twitter-200")


def read_vectors(source: str, *, max_rows: Optional[int] = None, dim: Optional[int] = None) -> "KeyedVectors":
    """The vectors of a file, or of a data set that gensim downloads once and keeps in ~/gensim-data.

    source (str): a path, or one of GENSIM_NAMES. Files: GloVe text without a header (also .gz, or Stanford's
        .zip), word2vec text or binary (also .gz), KeyedVectors or a model saved by gensim.
    max_rows (int or None): read only the first rows, which are the most frequent words.
    dim (int or None): which file of a zip, by its width.
    RAISES: DataError with the file and the line (or the key) that is wrong.
    """
    path = Path(source)
    if not path.is_file():
        path = download(source)
    with keeping_reason(path, "word vectors", (EOFError, OSError, zlib.error, zipfile.BadZipFile)):
        if zipfile.is_zipfile(path):
            return _read_zip(path, max_rows, dim)
        with open_bytes(path) as file:
            start = file.read(4)
        if start == b"PK\x03\x04":
            raise zipfile.BadZipFile("a zip archive that is cut off")
        return _first_rows(read_saved(path), max_rows) if start[:1] == b"\x80" else _read_word2vec(path, max_rows)


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
        with keeping_reason(path, "word2vec binary vectors"):
            return KeyedVectors.load_word2vec_format(str(path), binary=True, limit=max_rows)
    check_rows(path, has_header=has_header, max_rows=max_rows)
    try:
        with keeping_reason(path, "vectors in text form"):
            return KeyedVectors.load_word2vec_format(str(path), binary=False, no_header=not has_header, limit=max_rows)
    except DataError:
        check_rows(path, has_header=has_header, max_rows=max_rows, parse=True)  # to name the line
        raise


def _read_zip(path: Path, max_rows: Optional[int], dim: Optional[int]) -> "KeyedVectors":
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
                return _read_word2vec(unpacked, max_rows)
            except DataError as error:
                raise DataError(str(error).replace(str(unpacked), f"{path}, {wanted[0]}")) from None


def check_rows(path: Path, *, has_header: bool, max_rows: Optional[int], parse: bool = False) -> int:
    """Compare every row with the first: a key and as many numbers. Returns the number of rows.

    parse (bool): also parse what looks like numbers, as gensim does right after.
    RAISES: DataError for the first row of another width, with a part that is no number, NaN or infinity, or
        that is not UTF-8; and for a file without rows, or with fewer than its header says.
    """
    width = 0
    rows = 0
    promised = 0
    with open_bytes(path) as file:
        if has_header:
            promised, width = (int(part) for part in file.readline().split())
        file_rows = islice(file, max_rows)
        for row in tqdm(file_rows, desc=f"Checking {path.name}", unit=" rows", disable=None, leave=False):
            line = rows + 1 + has_header
            found = row.rstrip().count(b" ")
            width = width or found
            if not width:
                break
            if found != width:
                start = f"{path}, line {line}: found {found} numbers, expected {width} as"
                raise DataError(
                    f"{start} in the rows before. The file is damaged or cut off there; download it again, or read the "
                    f"part before with --max-rows {rows}"
                    if rows
                    else f"{start} the first line says"
                )
            _check_key_and_numbers(path, line, row, parse)
            rows += 1
    if not rows:
        raise DataError(Errors.VECTORS_EMPTY.format(path=path))
    if rows < min(promised, max_rows or promised):
        raise DataError(
            f"{path}, line {rows + 1}: the file ends after {rows} rows, expected {promised} as its first line "
            f"says. Get it again, or read the part with --max-rows {rows}"
        )
    return rows


def _check_key_and_numbers(path: Path, line: int, row: bytes, parse: bool) -> None:
    key, _, numbers = row.rstrip().partition(b" ")
    try:
        key.decode("utf8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}, line {line}: not UTF-8 (byte {error.start} of the row); expected UTF-8 text"
        ) from None
    # Only digits, signs, points and exponents: cheaper than parsing, and almost always enough.
    if not parse and not numbers.translate(None, b"0123456789.-+eE "):
        return
    for part in numbers.split(b" "):
        try:
            finite = float(part) - float(part) == 0
        except ValueError:
            found = part.decode("utf8", "replace")
            raise DataError(f"{path}, line {line}: found {found!r} where a number is expected") from None
        if not finite:
            where = f"{path}, line {line}"
            raise DataError(Errors.VECTORS_NOT_FINITE.format(path=where, key=key.decode("utf8"), dtype="float32"))


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
