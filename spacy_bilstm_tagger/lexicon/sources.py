"""Where vectors come from: a gensim-data name, or a file in any of the formats that gensim reads."""

import re
import shutil
import tempfile
import zipfile
import zlib
from codecs import BOM_UTF8
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Iterator, Optional

import numpy as np

from ..errors import DataError, Errors
from ..tokenizer.characters import MOJIBAKE
from ..types import Floats
from ..util import archive_kind, check_file, is_stream, open_bytes, wrong_download
from .files import keeping_reason
from .pickles import read_saved
from .text_rows import MAX_LINE, is_header, read_text_rows

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

_OTHER_FILES = {
    # https://github.com/facebookresearch/fastText, src/fasttext.cc: 793712314
    "a model of fastText; give the .vec file that comes with it": rb"\xba\x16\x4f\x2f",
    "a gzip archive inside of another one; unpack it, and give the file inside": rb"\x1f\x8b",
    "an array of numpy, which has no words; write each word with its row as a line of text": rb"\x93NUMPY",
    "a file of safetensors; expected one of vectors, or the folder that 'spacy-bilstm vectors' made": rb'(?s).{8}\{\s*"',
    "a Parquet file; write each word with its row as a line of text": rb"PAR1[\x0e-\x1f]",
    "a database of SQLite; write each word with its row as a line of text": rb"SQLite format 3",
    "JSON; write each word with its row as a line of text": rb'(?:\[\s*)?\{\s*"[^"\n]*"\s*:',
    "CSV; write it again with blanks between the numbers (pandas: sep=' ')": rb"[^\s,]*(?:,[^\s,]+){2,}(?:,|\r?\n|\Z)",
}
# What most keys of a file may be, that are not words as tokens have them: the form, and the share from which it is refused.
_OTHER_KEYS = {
    "as the ConceptNet Numberbatch of all languages; get the file of one language (numberbatch-en)": (
        r"/c/\w+/.*",
        1.0,
    ),
    "numbers, so the words are missing; write each word before its numbers": (r"[-+]?[\d.]+(?:[eE][-+]?\d+)?", 0.9),
    "with a blank inside; if a number of the row is before each word, leave it out": (r".*\S\s.*", 0.9),
    "with a part of speech; write words alone": (
        r".+[_/|](?:NOUN|VERB|ADJ|ADV|PROPN|PRON|DET|AUX|ADP|NN[PS]*|VB\w?|JJ\w?|RB\w?)",
        0.5,
    ),
    "as Python shows bytes; decode them": (r"b'.*'|b\".*\"", 0.9),
    "pieces of words; expected vectors of whole words": (r".+</w>|.+@@|[▁Ġ].+|##.+", 0.3),
}
_FEW_KEYS, _MANY_KEYS = 3, 2000  # how many of a file are looked at, the most frequent ones
_WIDTH = re.compile(r"\.\d+d\.")  # in the names of Stanford's files
_NO_WORD = "{path}: row {row:,} has no word, so it is not in the table"
_LARGEST = 1e6  # in a vector of a word; those of GloVe and word2vec are below 20
_MOST_PACKED = 100  # the text of vectors becomes 2 to 5 times smaller in a zip
GENSIM_NAMES = ("glove-twitter-25", "glove-twitter-50", "glove-twitter-100", "glove-twitter-200")


def read_vectors(
    source: str, *, max_rows: Optional[int] = None, dim: Optional[int] = None, notes: Optional[list[str]] = None
) -> "KeyedVectors":
    """The vectors of a file, or of a data set that gensim downloads once and keeps in ~/gensim-data.

    source (str): a path, or one of GENSIM_NAMES. Files: GloVe text without a header (also .gz, or Stanford's
        .zip), word2vec text or binary (also .gz), KeyedVectors or a model saved by gensim.
    max_rows (int or None): read only the first rows, which are the most frequent words.
    dim (int or None): the width, by which a file of a zip is chosen.
    notes (list or None): gets lines about words that are there twice, and about a row without a word.
    RAISES: DataError with the file and the line (or the key) that is wrong.
    """
    path, notes = Path(source), [] if notes is None else notes
    if is_stream(path):
        check_file(path)
    if not path.is_file():
        path = download(source)
    vectors = _read_file(path, max_rows, dim, notes)
    _check_keys(path, vectors.index_to_key[:_MANY_KEYS])
    _check_counts(path, vectors.vectors[:_MANY_KEYS])
    if dim and vectors.vector_size != dim:
        raise DataError(f"{path}: holds vectors of width {vectors.vector_size}, expected {dim} by --dim; leave it out")
    return vectors


def _read_file(path: Path, max_rows: Optional[int], dim: Optional[int], notes: list[str]) -> "KeyedVectors":
    with keeping_reason(path, "word vectors", (EOFError, OSError, zlib.error, zipfile.BadZipFile)):
        if zipfile.is_zipfile(path):
            return _read_zip(path, max_rows, dim, notes)
        with open_bytes(path) as file:
            start = file.read(512)
        if start.startswith(b"PK\x03\x04"):
            raise zipfile.BadZipFile("a zip archive that is cut off")
        archive = archive_kind(start)
        kind = f"{archive}; unpack it, and give the file inside" if archive else None
        kind = kind or next((kind for kind, form in _OTHER_FILES.items() if re.match(form, start)), None)
        if kind := kind or wrong_download(start.decode("latin-1")):
            raise DataError(f"{path}: is {kind}; expected vectors")
        is_pickle = start.startswith(b"\x80")
        if not is_pickle:
            return _read_word2vec(path, max_rows, notes)
        vectors = _first_rows(read_saved(path), max_rows)
        if "" in vectors.key_to_index:
            notes.append(_NO_WORD.format(path=path, row=vectors.key_to_index[""] + 1))
        return vectors


def _check_keys(path: Path, keys: list[str]) -> None:
    """RAISES: DataError for keys of another form than words."""
    for kind, (form, share) in _OTHER_KEYS.items():
        found = [key for key in keys if re.fullmatch(form, key)]
        if found and len(found) >= share * len(keys) and (len(keys) >= _FEW_KEYS or share == 1):
            raise DataError(f"{path}: holds words such as {found[0][:40]!r}, {kind}")


def _check_counts(path: Path, rows: Floats) -> None:
    """RAISES: DataError for a first number of each row that is the count of the word."""
    if len(rows) < _FEW_KEYS or rows.shape[1] < 2:
        return
    is_whole = (rows == np.floor(rows)).all(axis=0)
    if is_whole[0] and not is_whole[1:].any() and (rows[:, 0] >= 1).all():
        raise DataError(
            f"{path}: the first number of each row is whole, such as {rows[0, 0]:,.0f}, and no other one; if it counts the word, "
            "write the file again without it"
        )


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
    with open_bytes(path) as file:
        first = file.readline(1 << 16)
        following = file.read(1 << 16)
    if first.startswith(BOM_UTF8) and b"\0" in following:
        raise DataError(f"{path}: found a byte order mark before binary vectors, expected none; get the file again")
    # Binary rows are float32 bytes, so in a sample of them there are always some that no text has.
    if is_header(first) and (b"\0" in following or not _is_utf8(following)):
        return _read_binary(path, max_rows, notes)
    with keeping_reason(path, "vectors in text form", (EOFError, OSError, zlib.error)):
        text = read_text_rows(path, max_rows=max_rows)
        if text.is_open:
            notes.append(f"{path}: its last row has no line break behind it; if the file was cut off there, get it again")
    return _keyed_vectors(path, text.keys, text.rows, text.duplicates, notes)


def _read_binary(path: Path, max_rows: Optional[int], notes: list[str]) -> "KeyedVectors":
    """Rows of a word, a blank and float32 numbers. word2vec ends them with a line end, gensim does not."""
    keys: dict[str, None] = {}
    numbers = bytearray()
    n_rows = 0
    with keeping_reason(path, "word2vec binary vectors"), open_bytes(path) as file:
        promised, width = map(int, file.readline().split())
        if not 0 < width <= MAX_LINE // 4:
            raise DataError(f"{path}: the first line promises vectors of width {width}, expected 1 to {MAX_LINE // 4}")
        rows = _binary_rows(file, 4 * width)
        for word, row in islice(rows, min(promised, max_rows or promised)):
            n_rows += 1
            key = word.decode("utf8", "replace")
            if key and (min(key) < " " or key.encode("utf8") != word):
                raise DataError(
                    f"{path}, row {n_rows}: found the word {key[:20]!r}, expected UTF-8 without control characters. A word "
                    "before it holds a blank, or the width in the first line is wrong: save the vectors as text"
                )
            if key not in keys:
                keys[key] = None
                numbers += row
        if n_rows < min(promised, max_rows or promised):
            raise EOFError(f"the file ends in row {n_rows + 1} of the {promised} that its first line promises")
        if (not max_rows or max_rows > promised) and next(rows, None):
            raise DataError(
                f"{path}: the first line promises {promised} rows, and more follow; correct it, or read the first ones "
                f"with --max-rows {promised} (in a config max_rows)"
            )
    if not keys:
        raise DataError(Errors.VECTORS_EMPTY.format(path=path))
    return _keyed_vectors(path, list(keys), np.frombuffer(numbers, "<f4").reshape(-1, width), n_rows - len(keys), notes)


def _binary_rows(file: IO[bytes], size: int) -> Iterator[tuple[bytes, bytes]]:
    """The word and the bytes of each row that is whole. size (int): of its numbers, in bytes."""
    data, at = b"", 0
    while True:
        blank = data.find(b" ", at)
        end = blank + 1 + size
        if blank < 0 or end > len(data):
            more = file.read(1 << 20)
            if not more or (blank < 0 and len(data) - at > MAX_LINE):
                return
            data, at = data[at:] + more, 0
        else:
            yield data[at:blank].lstrip(b"\n"), data[blank + 1 : end]
            at = end


def _keyed_vectors(path: Path, keys: list[str], rows: Floats, duplicates: int, notes: list[str]) -> "KeyedVectors":
    from gensim.models import KeyedVectors

    if duplicates:
        notes.append(f"{path}: {duplicates:,} rows are of words that were there before; the first of each is kept")
    if "" in keys:
        notes.append(_NO_WORD.format(path=path, row=keys.index("") + 1))
    if odd := [key for key in keys if "\ufeff" in key or "\ufffd" in key]:
        notes.append(
            f"{path}: {len(odd):,} words hold U+FEFF or U+FFFD, such as {odd[0]!a}, as where files were joined or decoded wrongly; "
            "get the file again"
        )
    broken = [key for key in keys if not key.isascii() and MOJIBAKE.search(key)]
    if len(broken) > sum(not key.isascii() for key in keys) / 3:  # tweets themselves hold some
        notes.append(
            f"{path}: {len(broken):,} words are UTF-8 that was read as another encoding, such as {broken[0]!r}; write the file "
            "again as UTF-8"
        )
    if rows.size and np.abs(rows).max() > _LARGEST:
        notes.append(
            f"{path}: holds numbers such as {np.abs(rows).max():,.0f}, and vectors of words are small; look whether these are "
            "counts, or the bytes of another machine"
        )
    vectors = KeyedVectors(rows.shape[1], dtype="float32")
    vectors.add_vectors(keys, rows)
    return vectors


def _read_zip(path: Path, max_rows: Optional[int], dim: Optional[int], notes: list[str]) -> "KeyedVectors":
    """One text file of an archive, unpacked beside the system's other temporary files."""
    with zipfile.ZipFile(path) as archive:
        members = [name for name in archive.namelist() if not name.startswith("__MACOSX/")]
        names = [name for name in members if name.endswith(".txt")]
        wanted = [name for name in names if f".{dim}d." in name] if dim else names
        has_widths = any(_WIDTH.search(name) for name in names)
        way_out = "Choose {}with --dim (in a config dim)" if has_widths else "Unpack it, and give {}file of vectors"
        if not wanted:
            expected = f"{dim}d" if dim else "text"
            found = ", ".join(names or members) or "nothing"
            raise DataError(f"{path}: the archive holds no {expected} vectors, found {found}. {way_out.format('')}")
        if len(wanted) > 1:
            raise DataError(f"{path}: the archive holds several files ({', '.join(wanted)}). {way_out.format('one ')}")
        size, packed = (getattr(archive.getinfo(wanted[0]), name) for name in ("file_size", "compress_size"))
        if size > _MOST_PACKED * max(packed, 1 << 10):
            raise DataError(
                f"{path}, {wanted[0]}: {packed:,} bytes unpack to {size:,}, which no numbers do; expected the text of vectors. "
                "Get the archive again"
            )
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
