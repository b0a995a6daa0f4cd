"""Files of records: here or in an object store, packed or not, as lines or as bytes."""

import codecs
import glob
import io
import sys
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import IO, Any, Iterable, Iterator

from ..corpus.formats import CONTROL
from ..errors import DataError, damaged
from ..util import GZIP, archive_kind, is_stream, refuse_utf8, unpacked_suffix

FORMATS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv", ".parquet": "parquet", ".txt": "text"}
SPREADSHEETS = (".xlsx", ".xls", ".ods")
FROM_ARRAY = "jq -c '.[] | (strings | {text: .}) // .' FILE > FILE.jsonl"
PACKED = (".gz", ".zst", ".bz2", ".lz4")
_PACKED_STARTS = {GZIP + b"\x08": "gzip", b"PAR1\x15": "Parquet"}
LINE = 1 << 24  # bytes of a line; longer ones are not read


class Source:
    """A file that is read once.

    name (str): a path, an address such as s3://bucket/file, or "-" for the standard input.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._raw: Any = None
        self._read = 0

    def place(self) -> int:
        """Bytes that were read, as they lie in the file."""
        return self._read if self._raw is None else self._raw.tell()

    @contextmanager
    def open(self) -> Iterator[Any]:
        """The bytes as they lie there, a file of pyarrow."""
        file_system, path = _file_system(self.name)
        if "://" not in self.name and is_stream(Path(self.name)):
            raise DataError(f"{self.name}: is a pipe, which can be read only once; give - and send it to the standard input")
        try:
            with file_system.open_input_file(path) as self._raw:
                yield self._raw
        finally:
            self._read, self._raw = size(self.name), None

    def lines(self, encoding: str, *, keep_ends: bool = False) -> Iterator[tuple[int, str, str]]:
        """(number from 1, line without its end or with it, why it cannot be read or "")."""
        number, is_utf = 0, codecs.lookup(encoding).name.startswith("utf")
        may_be_utf8 = not is_utf
        try:
            with self._unpacked() as file:
                while line := file.readline(LINE):
                    number += 1
                    if number == 1:
                        self._check_first(line)
                    if len(line) == LINE and not line.endswith(b"\n"):
                        while line and not line.endswith(b"\n"):
                            line = file.readline(LINE)
                        yield number, "", f"a line longer than {LINE >> 20} MiB"
                        continue
                    if number == 1 and line.startswith(codecs.BOM_UTF8):
                        line = line.removeprefix(codecs.BOM_UTF8)
                    line = line if keep_ends else line.rstrip(b"\r\n")
                    if may_be_utf8 and not line.isascii():
                        refuse_utf8(self.name, line, encoding, number)
                        may_be_utf8 = False
                    try:
                        text = line.decode(encoding)
                        control = None if is_utf or line.isascii() else CONTROL.search(text)
                        found = f"0x{ord(control[0]):02x} is a control character in {encoding}" if control else ""
                        yield number, text, f"{found}, which no text has; give --encoding cp1252" if found else ""
                    except UnicodeDecodeError as error:
                        reason = f"not {encoding}: byte 0x{line[error.start]:02x} cannot be there; give --encoding, such as cp1252"
                        yield number, line.decode("utf-8", "backslashreplace"), reason
        except (OSError, EOFError) as error:
            place = Path(f"{self.name}, line {number + 1}")
            raise DataError(f"{damaged(place, 'a file of text', error)}; get the file again") from None

    def _check_first(self, line: bytes) -> None:
        """RAISES: DataError for a first line of what is no text in UTF-8, or of lines that end in CR alone."""
        if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or _looks_like_utf16(line):
            raise DataError(f"{self.name}: is UTF-16, expected UTF-8; save it so")
        kind = next((kind for start, kind in _PACKED_STARTS.items() if line.startswith(start)), archive_kind(line))
        if kind:
            raise DataError(f"{self.name}: is no text, but {kind}; unpack it, or give it the ending of its format")
        if b"\r" in line.rstrip(b"\r\n") and not line.endswith(b"\n"):
            raise DataError(f"{self.name}: its lines end in CR alone; save it with LF or CR LF")

    @contextmanager
    def _unpacked(self) -> Iterator[IO[bytes]]:
        if self.name == "-":
            yield sys.stdin.buffer
            return
        import pyarrow as pa

        with self.open() as raw:
            packing = pa.Codec.detect(self.name.lower()).name if self.name.lower().endswith(PACKED) else None
            yield io.BufferedReader(raw if packing is None else pa.CompressedInputStream(raw, packing), 1 << 16)


def _looks_like_utf16(line: bytes) -> bool:
    """Whether every second byte is zero, and most others are of ASCII."""
    for zeros, others in ((line[1::2], line[::2]), (line[::2], line[1::2])):
        if len(others) > 3 and zeros.count(0) > 0.9 * len(zeros) and sum(31 < byte < 127 for byte in others) > 0.8 * len(others):
            return True
    return False


def find_files(inputs: Iterable[str]) -> list[str]:
    """The files of these paths, patterns such as "tweets/*.jsonl", folders (all of a known format below them, by name) and
    addresses such as s3://bucket/folder.

    RAISES: DataError for what is not there.
    """
    found: dict[str, str] = {}  # by its place: a file is read once
    for given in inputs:
        files = [given] if given == "-" else _files_of(given)
        if not files:
            raise DataError(
                f"{given}: found no file, expected one or a folder of {', '.join(FORMATS)}, also packed as {', '.join(PACKED)}"
            )
        for file in files:
            found.setdefault(file if file == "-" or "://" in file else str(Path(file).resolve()), file)
    if not found:
        raise DataError("found no input, expected a file")
    return list(found.values())


def size(source: str) -> int:
    """Bytes of a file; 0 for the standard input."""
    if source == "-":
        return 0
    file_system, path = _file_system(source)
    return file_system.get_file_info(path).size or 0


def head(source: str, length: int) -> bytes:
    """The first bytes of a file as they lie there."""
    file_system, path = _file_system(source)
    with file_system.open_input_stream(path, compression=None) as stream:
        return bytes(stream.read(length))


def format_of(source: str) -> str:
    if source == "-":
        return "text"
    path = PurePath(source)
    suffix = unpacked_suffix(path, PACKED)
    if suffix in SPREADSHEETS:
        raise DataError(f"{source}: is a spreadsheet; save it as CSV, and name the column of the texts with --text-field")
    if suffix not in FORMATS:
        array = f" (of a JSON array: {FROM_ARRAY})" if suffix == ".json" else ""
        raise DataError(
            f"{source}: the ending {suffix!r} tells no format; expected {', '.join(FORMATS)}{array}, or give --input-format"
        )
    return FORMATS[suffix]


def _file_system(source: str) -> tuple[Any, str]:
    from pyarrow import ArrowException, fs

    if "://" not in source:
        return fs.LocalFileSystem(), source
    try:
        found, path = fs.FileSystem.from_uri(source)
    except (ArrowException, OSError, ValueError) as error:
        raise DataError(f"{source}: {error}") from None
    return found, path


def _files_of(given: str) -> list[str]:
    from pyarrow import fs

    is_pattern = "://" not in given and any(sign in given for sign in "*?[") and not Path(given).exists()
    if is_pattern:
        return [name for path in sorted(glob.glob(given, recursive=True)) for name in _files_of(path)]
    file_system, path = _file_system(given)
    info = file_system.get_file_info(path)
    if info.type == fs.FileType.File or (info.type == fs.FileType.Unknown):
        return [given]
    if info.type != fs.FileType.Directory:
        return []
    inside = file_system.get_file_info(fs.FileSelector(path, recursive=True))
    names = sorted(each.path for each in inside if each.type == fs.FileType.File and _is_known(each.path.removeprefix(path)))
    prefix = given.split("://")[0] + "://" if "://" in given else ""
    return [prefix + name for name in names]


def read_schema(source: str) -> Any:
    """The columns of a Parquet file."""
    import pyarrow.parquet as pq

    file_system, path = _file_system(source)
    return pq.read_schema(path, filesystem=file_system)


def _is_known(path: str) -> bool:
    name = PurePath(path)
    if any(part.startswith((".", "_")) for part in name.parts):  # as _SUCCESS and _temporary of Spark
        return False
    return unpacked_suffix(name, PACKED) in FORMATS
