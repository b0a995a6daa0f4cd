"""Reading text in any encoding, writing a file or folder completely or not at all, and numbers."""

import codecs
import ctypes
import errno
import gzip
import hashlib
import os
import platform
import re
import shutil
import sys
import tempfile
import warnings
import zlib
from collections import Counter
from contextlib import contextmanager
from difflib import get_close_matches
from http import HTTPStatus
from io import BytesIO
from pathlib import Path, PurePath
from typing import IO, Any, Callable, Iterable, Iterator, Optional, cast

from .errors import ConfigError, DataError, Errors, damaged

GZIP = b"\x1f\x8b"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
COMMON_ENCODINGS = "cp1252 (Windows, Western Europe) or cp1251 (Cyrillic)"
LONGEST_LINE = 100_000_000  # bytes, of a text; a file of JSON may be one line


@contextmanager
def write_beside(path: Path) -> Iterator[Path]:
    """A temporary path for a file or folder, beside `path`. It replaces `path` at the end of the block, or is removed
    if the block raises an error. A link stays one, and a file or folder keeps its mode.

    RAISES: DataError for a path that leads nowhere, to a pipe or to a device, and where there is no room.
    """
    path = follow(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise DataError(f"{path}: is a pipe or a device, which no file can replace; give another name")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise DataError(f"{path}: a part of this path is a file, expected folders; give another name") from None
    _sweep(path)
    tmp_dir = Path(tempfile.mkdtemp(prefix=f".{path.name}.{platform.node()}.{os.getpid()}-", dir=path.parent))
    try:
        draft = tmp_dir / path.name
        yield draft
        if path.exists():
            draft.chmod(path.stat().st_mode)
        if draft.is_dir() and path.exists():
            _exchange(draft, path)
        else:
            draft.replace(path)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise DataError(
                f"{path}: cannot be written ({error.strerror}), and is as it was before; make room, and give the same command again"
            ) from None
        raise
    finally:
        shutil.rmtree(tmp_dir, ignore_errors=True)


def check_output(path: Path, inputs: Iterable[Path] = (), *, example: str) -> None:
    """To be called before the work. RAISES: DataError for an output that is no name of a file, and for one that is an input too,
    also by a link, or a corpus in a folder that is one. example (str): a name that would do."""
    if path.is_dir() or str(path) == "-" or is_stream(path):
        raise DataError(f"{path}: is no name of a file; expected one, such as {example}")
    there = follow(path)
    for each in map(follow, inputs):
        if there == each or (path.suffix == ".spacy" and path.exists() and each.is_dir() and each in there.parents):
            raise DataError(f"{path}: is read too, and would be replaced; give another name")


def follow(path: Path) -> Path:
    """Where a path leads. RAISES: DataError for a link to itself."""
    try:
        return path.resolve()
    except (RuntimeError, OSError):  # RuntimeError until Python 3.12
        raise DataError(f"{path}: is a link that leads to itself; give another name") from None


def _exchange(draft: Path, path: Path) -> None:
    """Exchange two folders in one step where the system can, so that there is always one under the name."""
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None) if sys.platform == "linux" else None
    if renameat2 is not None and not renameat2(-100, os.fsencode(draft), -100, os.fsencode(path), 2):
        return  # AT_FDCWD and RENAME_EXCHANGE of Linux, renameat2(2)
    old = draft.with_name("old")
    path.rename(old)
    try:
        draft.rename(path)
    except BaseException:
        old.rename(path)
        raise


def _sweep(path: Path) -> None:
    """Remove the drafts of killed processes of this machine, and warn of others, which may still be written."""
    draft_name = re.compile(rf"\.{re.escape(path.name)}\.(.+)\.(\d+)-\w+")
    for draft in list(path.parent.iterdir()):
        found = draft_name.fullmatch(draft.name)
        if found is None or int(found[2]) == os.getpid():
            continue
        if found[1] == platform.node() and not _may_run(int(found[2])):
            shutil.rmtree(draft, ignore_errors=True)
        else:
            warnings.warn(f"{draft}: was left by another process; if none is writing {path.name}, remove it", stacklevel=5)


def _may_run(process: int) -> bool:
    if os.name != "posix":  # elsewhere os.kill is no question
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def open_bytes(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked if it is gzip, whatever its name."""
    with path.open("rb") as file:
        packed = file.read(2) == GZIP
    return cast(IO[bytes], gzip.open(path)) if packed else path.open("rb")


def is_stream(path: Path) -> bool:
    """Whether it is the standard input, "-", or a pipe: it can be read once, and nobody can look at its beginning first."""
    return str(path) == "-" or path.is_fifo() or path.is_char_device()


def check_file(path: Path) -> None:
    """RAISES: DataError for what is no file, or none that can be read twice."""
    if is_stream(path):
        raise DataError(f"{path}: is a pipe, which can be read only once; expected a file: write it to one first")
    if path.is_dir():
        raise DataError(f"{path}: is a folder, expected a file")
    if not path.is_file():
        raise DataError(Errors.CORPUS_MISSING.format(path=path))


def read_text(path: Path, encoding: str = "utf-8") -> str:
    """The decoded file or stream, unpacked if it is gzip, without a byte order mark, its lines ended by LF alone.

    RAISES: DataError with the line of the first byte that does not fit the encoding, and for a missing or damaged file.
    """
    return decode(path, read_bytes(path), encoding)


def file_checksum(path: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def unpacked_suffix(path: PurePath, packed: tuple[str, ...] = (".gz",)) -> str:
    """The ending of a name in small letters; that before the ending of a packed file, if it has one."""
    suffix = path.suffix.lower()
    return PurePath(path.stem).suffix.lower() if suffix in packed else suffix


def read_lines(path: Path) -> Iterator[str]:
    """The lines of a text file in UTF-8, one after another, without their ends. Otherwise as `read_text`."""
    if is_stream(path):
        yield from read_text(path).split("\n")
        return
    check_file(path)
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else open_bytes(path) as file:
            for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), 1):
                if len(line) == LONGEST_LINE:
                    raise DataError(_too_long(path))
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                yield from text.rstrip("\r\n").split("\r")
    except UnicodeDecodeError as error:
        byte = f"0x{error.object[error.start]:02x}"
        raise DataError(f"{path}, line {number}: not utf-8; byte {byte} cannot be there. {_way_out(error.object)}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{damaged(path, 'a file of text', error)}; get the file again") from None


def read_bytes(path: Path) -> bytes:
    """Of a file or stream of text, unpacked if it is gzip. RAISES: DataError for a missing or damaged file."""
    try:
        if is_stream(path):
            data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
            return _read_all(path, cast(IO[bytes], gzip.open(BytesIO(data)))) if data.startswith(GZIP) else data
        check_file(path)
        with gzip.open(path) if path.suffix == ".gz" else open_bytes(path) as file:
            return _read_all(path, cast(IO[bytes], file))
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{damaged(path, 'a file of text', error)}; get the file again") from None


def _read_all(path: Path, file: IO[bytes]) -> bytes:
    """A megabyte can hold a line of a gigabyte, packed. RAISES: DataError for one."""
    blocks, length = [], 0
    for block in iter(lambda: file.read(1 << 24), b""):
        blocks.append(block)
        end = max(block.rfind(b"\n"), block.rfind(b"\r"))
        length = length + len(block) if end < 0 else len(block) - end
        if length > LONGEST_LINE:
            raise DataError(_too_long(path))
    return b"".join(blocks)


def _too_long(path: Path) -> str:
    return f"{path}: found a line of more than {LONGEST_LINE:,} bytes; expected lines of text. The file is damaged, or no text"


def utf_of(data: bytes) -> Optional[str]:
    """Which encoding a file begins in, of those that are utf but not utf-8: by its byte order mark, or by bytes of zero."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    start = data[:200]
    if b"\0" not in start:
        return None
    return "utf-16-be" if start[::2].count(0) > start[1::2].count(0) else "utf-16-le"


def _way_out(data: bytes) -> str:
    found = utf_of(data)
    return f"Save the file as UTF-8; it {f'is {found}' if found else f'may be {COMMON_ENCODINGS}'}"


def decode(path: Path, data: bytes, encoding: str, *, option: str = "", keep_ends: bool = False) -> str:
    """The text of these bytes of a file, as `read_text` gives it. keep_ends (bool): with the line ends of the file.

    option (str): another way out, for the message about a wrong encoding.
    """
    try:
        text = data.decode("utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding)
        return text if keep_ends else text.replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeError as error:
        if not isinstance(error, UnicodeDecodeError):
            raise DataError(f"--encoding {encoding}: cannot decode a text ({error}); expected a name such as utf-8") from None
        data = error.object  # without the byte order mark
        line, byte = data.count(b"\n", 0, error.start) + 1, f"0x{data[error.start]:02x}"
        advice = f"Save the file as UTF-8{option}" if option else _way_out(data)
        raise DataError(f"{path}, line {line}: not {encoding}; byte {byte} cannot be there. {advice}") from None
    except LookupError:
        expected = "expected a name such as utf-8 or latin-1"
        raise DataError(f"--encoding {encoding}: Python knows no such encoding; {expected}") from None


def refuse_utf8(name: Any, data: bytes, encoding: str, line: int = 1) -> None:
    """RAISES: DataError for UTF-8 outside of ASCII that is to be read as another encoding. line (int): that of the first byte."""
    start = re.search(rb"[\x80-\xff]", data)
    try:
        char = data[start.start() :].decode("utf-8")[0] if start else ""
    except UnicodeDecodeError:
        return
    if start and char:
        line, wrong = line + data.count(b"\n", 0, start.start()), char.encode("utf-8").decode(encoding, "replace")
        raise DataError(
            f"{name}, line {line}: the file is UTF-8, and {encoding} would make {wrong!r} of {char!r}; leave --encoding out"
        )


def no_text(text: str) -> str:
    """What keeps a string of JSON from being written as text; "" for almost all."""
    try:
        text.encode("utf8")
    except UnicodeEncodeError:
        return "half of a surrogate pair, which is no text"
    return "a NUL character, which is no text" if "\0" in text else ""


def check_argument(text: str) -> None:
    """RAISES: DataError for an argument of the command line that the terminal has sent in another encoding than Python expects."""
    if "surrogate" in no_text(text):
        expected = sys.getfilesystemencoding()
        raise DataError(f"found no text, but bytes that are not {expected}: {ascii(text)[:60]}; expected an argument in {expected}")


# What is found in the place of a file that was to be downloaded. A word of a table may be <html>, before a number.
_PHRASES = "|".join(["Invalid request", "Backend fetch", *(status.phrase for status in HTTPStatus if status >= 400)])
_WRONG_DOWNLOADS = {
    "a pointer of Git LFS and not the file itself; get that with 'git lfs pull'": r"\s*version https://git-lfs",
    "a web page (HTML); download the file itself, the raw one": r"(?i)\s*(?:<\?xml.*>\s*)?<(?:!doctype|html(?!> -?[\d.])|head)\b",
    "a line that tells Excel what separates columns; remove it": r"sep=[;,|\t][\t ]*(?:\n|\Z)",
    "XML; write columns of tokens and tags, or export them": r"(?i)\s*<\?xml\b",
    "the error message of a web server; look at the address, and download the file again": (
        rf"\s*(?:(?:HTTP/\S+ )?[45]\d\d:? (?:{_PHRASES})[^\t\n]*(?:\n.*){{0,4}}\Z|(?i:not found|404 page not found"
        r"|(?:entry|repository|page) not found|you have exceeded a secondary rate limit.*"
        r"|invalid username or password|access denied|forbidden|unauthorized|bad credentials"
        r"|bad gateway|too many requests|internal server error|service unavailable)\.?\s*\Z)"
    ),
}


def wrong_download(content: str) -> Optional[str]:
    """What a file is that is no data, and the way out; None if it may be some. content (str): the beginning of a long file."""
    return next((kind for kind, pattern in _WRONG_DOWNLOADS.items() if re.match(pattern, content)), None)


_ARCHIVES = {
    "a zip archive": rb"PK\x03\x04",
    "a tar archive": rb"(?s).{257}ustar",
    "a bzip2 archive": rb"BZh[1-9]",
    "an xz archive": rb"\xfd7zXZ\0",
    "a Zstandard archive": rb"\x28\xb5\x2f\xfd",
}


def without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object_pairs_hook of json. RAISES: DataError for a key that is there twice (RFC 8259, section 4: unpredictable)."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise DataError(f"the key {twice!r} is there twice in an object, expected it once")
    return found


def archive_kind(start: bytes) -> Optional[str]:
    """What kind of archive a file is that begins so; None for gzip, which is unpacked, and for other files."""
    return next((kind for kind, pattern in _ARCHIVES.items() if re.match(pattern, start)), None)


def runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The runs of neighbouring numbers, in order, as (start, end); end is exclusive."""
    found = set(numbers)
    starts, lasts = ({number for number in found if number + step not in found} for step in (-1, 1))
    return [(start, last + 1) for start, last in zip(sorted(starts), sorted(lasts))]


def no_gradient(d_output: Any) -> list:
    """Backprop of a prediction, or of a layer whose input takes no gradient, such as docs."""
    return []


def set_computed(owner: Any, name: str, getter: Callable) -> None:
    """Add an extension attribute that cannot be set. WARNS of one of another library, which stays."""
    if not owner.has_extension(name):
        owner.set_extension(name, getter=getter, setter=_refuse_change)
    elif getattr(owner.get_extension(name)[3], "__name__", "") != _refuse_change.__name__:
        warnings.warn(f"{owner.__name__}._.{name} is an attribute of another library, and stays it", stacklevel=3)


def _refuse_change(found: Any, value: Any) -> None:
    raise AttributeError("the attribute is computed from what a pipeline has set, and cannot be set itself")


def check_name(where: str, name: str, known: Iterable[str], others: Iterable[str] = ()) -> None:
    """RAISES: ConfigError for the name of a new attribute that is nearly one of the settings, or one of another component's."""
    if name in others:
        raise ConfigError(f"{where}: has no setting {name!r}, which is one of other components")
    if meant := get_close_matches(name, known, n=1, cutoff=0.8):
        raise ConfigError(f"{where}: has no setting {name!r}; did you mean {meant[0]!r}?")


def check_at_least(where: str, least: int, **settings: int) -> None:
    """RAISES: ConfigError for a setting below `least`. where (str): the function or component that has the settings."""
    for name, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ConfigError(f"{where}: {name} = {value!r}; expected a whole number of at least {least}")


def check_above_zero(where: str, **settings: float) -> None:
    """RAISES: ConfigError for a setting that is not above 0, or infinite, or 0 where it is saved in single precision."""
    for name, value in settings.items():
        if not is_number(value) or not 1e-30 < value < 1e30:
            raise ConfigError(f"{where}: {name} = {value!r}; expected a number above 0, from 1e-30 to 1e30")


def check_fraction(where: str, **settings: float) -> None:
    """RAISES: ConfigError for a setting below 0, or not below 1."""
    for name, value in settings.items():
        if not is_number(value) or not 0 <= value < 1:
            raise ConfigError(f"{where}: {name} = {value!r}; expected a number from 0 up to, but not including, 1")


def check_bool(where: str, **settings: bool) -> None:
    """RAISES: ConfigError for a setting that is neither True nor False."""
    for name, value in settings.items():
        if not isinstance(value, bool):
            raise ConfigError(f"{where}: {name} = {value!r}; expected true or false")


def is_number(value: Any) -> bool:
    """Whether it is an int or a float, and no bool."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
