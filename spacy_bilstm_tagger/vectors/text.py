"""Text files of vectors, checked row by row before gensim parses them."""

import gzip
from itertools import islice
from pathlib import Path
from typing import IO, Optional, cast

from tqdm import tqdm

from ..errors import DataError, Errors

_GZIP = b"\x1f\x8b"


def open_bytes(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked if it is gzip, whatever its name."""
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    return cast(IO[bytes], gzip.open(path)) if packed else path.open("rb")


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
                message = Errors.VECTORS_ROW_CUT if rows else Errors.VECTORS_ROW_WIDTH
                raise DataError(message.format(path=path, line=line, found=found, expected=width, rows=rows))
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
        raise DataError(Errors.VECTORS_ENCODING.format(path=path, line=line, byte=error.start)) from None
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
