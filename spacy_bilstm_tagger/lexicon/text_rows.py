"""Word vectors in text form: a word and its numbers a line, as GloVe and word2vec write them."""

import math
import re
from array import array
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Iterator, Optional

import numpy as np
from tqdm import tqdm

from ..errors import DataError, Errors
from ..types import Floats
from ..util import open_bytes

SAMPLE = 100  # rows from which the width is known
MAX_LINE = 1 << 20  # bytes
_DECIMAL_COMMA = re.compile(rb"[-+]?\d*,\d+(?:[eE][-+]?\d+)?")


@dataclass
class TextRows:
    """keys (list of str): the words, each once. rows (float32): (keys, width). duplicates (int): rows left out, of words
    that were there before. is_open (bool): whether the last row was read, and has no line break."""

    keys: list[str]
    rows: Floats
    duplicates: int
    is_open: bool


def read_text_rows(path: Path, *, max_rows: Optional[int] = None) -> TextRows:
    """The rows, after a first line `rows width` if there is one. A word may hold blanks, as some of GloVe's 840B do.

    max_rows (int or None): read only so many.
    RAISES: DataError with the line that is no word and as many finite numbers as in the others, and where there are fewer
        or more rows than the first line promises.
    """
    with open_bytes(path) as file:
        sample = list(islice(_lines(path, file), SAMPLE))
    promised, width = _shape(path, sample)
    first_line = 1 if promised is None else 2
    keys: dict[str, None] = {}
    numbers = array("f")
    n_rows = duplicates = 0
    is_open = False
    with open_bytes(path) as file:
        bar = tqdm(_rows(_lines(path, file), promised), desc=f"Reading {path.name}", unit=" rows", disable=None, leave=False)
        for line, row in enumerate(islice(bar, max_rows), first_line):
            if promised is not None and n_rows == promised:
                raise DataError(
                    f"{path}, line {line}: the first line promises {promised} rows, and more follow; correct it, or read the "
                    f"first ones with --max-rows {promised} (in a config max_rows)"
                )
            is_open = row[-1:] != b"\n"
            key, values = _parse(path, line, row, width, n_rows, promised is not None)
            n_rows += 1
            if key in keys:
                duplicates += 1
            else:
                keys[key] = None
                numbers.extend(values)
    if not n_rows:
        raise DataError(Errors.VECTORS_EMPTY.format(path=path))
    if n_rows < min(promised or 0, max_rows or promised or 0):
        raise DataError(
            f"{path}, line {n_rows + 1}: the file ends after {n_rows} rows, expected {promised} as its first line "
            f"promises. Get it again, or read the part with --max-rows {n_rows} (in a config max_rows)"
        )
    rows = np.frombuffer(numbers, dtype="float32").reshape(len(keys), width)
    check_finite(list(keys), rows, name=str(path), dtype="float32")
    return TextRows(list(keys), rows, duplicates, is_open)


def is_header(line: bytes) -> bool:
    parts = line.split()
    return len(parts) == 2 and line[:1].isdigit() and all(map(bytes.isdigit, parts))


def _shape(path: Path, sample: list[bytes]) -> tuple[Optional[int], int]:
    """The number of rows that the header promises, None without one, and the width."""
    if not sample:
        raise DataError(Errors.VECTORS_EMPTY.format(path=path))
    if sample[0].startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise DataError(f"{path}, line 1: not UTF-8 but UTF-16; expected UTF-8 text")
    sample[0] = sample[0].removeprefix(BOM_UTF8)
    if sum(b"\t" in row for row in sample) >= len(sample) / 2:
        line = next(line for line, row in enumerate(sample, 1) if b"\t" in row)
        raise DataError(f"{path}, line {line}: found TABs between the numbers, expected blanks; write them anew with tr '\\t' ' '")
    widths = Counter(map(_count_numbers, sample))
    if is_header(sample[0]):
        promised, width = map(int, sample[0].split())
        if not width:
            raise DataError(f"{path}, line 1: the header promises vectors of width 0, expected at least 1")
        return promised, width
    parts = sample[0].split()
    others = (widths - Counter([len(parts) - 1])).most_common(1)
    like_header = len(parts) > 2 and all(map(bytes.isdigit, parts))
    if like_header and (not others or others[0][0] in (int(parts[1]), int(parts[0])) or len(parts) - 1 != others[0][0]):
        raise DataError(
            f"{path}, line 1: found a header of {len(parts)} numbers, expected two (rows and width) or none. Remove the others"
        )
    is_named = len(sample) > 1 and not any(map(_is_number, parts[1:])) and any(map(_is_number, sample[1].split()))
    if len(parts) > 2 and (is_named or parts[1:] == [b"%d" % i for i in range(len(parts) - 1)]):
        raise DataError(
            f"{path}, line 1: found {sample[0].decode('utf8', 'replace').strip()[:40]!r}, the names of columns, expected a word "
            "and its numbers; write the file again without them (pandas: header=False)"
        )
    width = widths.most_common(1)[0][0]
    if not width and len(parts) > 1 and all(map(_DECIMAL_COMMA.fullmatch, parts[1:])):
        raise DataError(
            f"{path}, line 1: found {parts[1].decode()!r}, expected a decimal point; write the file anew with sed 's/,/./g'"
        )
    if not width:
        raise DataError(Errors.VECTORS_EMPTY.format(path=path))
    last = [row.split()[-1] for row in sample if row.strip()]
    if sum(row[:1] == b'"' and b'" ' in row for row in sample) > len(sample) / 2:
        raise DataError(
            f"{path}, line 1: found {sample[0].decode('utf8', 'replace').strip()[:40]!r}, words in quotes, expected none; "
            "write the file again without quoting (pandas: quoting=csv.QUOTE_NONE)"
        )
    if width == 1 and all(map(bytes.isdigit, last)) and any(len(number) > 1 for number in last):
        raise DataError(
            f"{path}, line 1: found {sample[0].decode('utf8', 'replace').strip()[:40]!r}, a word and its frequency, "
            "expected a word and the numbers of its vector"
        )
    return None, width


def _count_numbers(row: bytes) -> int:
    """How many end a row: a word may hold blanks, and be a number."""
    _, *parts = row.rstrip().split(b" ")
    return next((i for i, part in enumerate(reversed(parts)) if not _is_number(part)), len(parts))


def _lines(path: Path, file: IO[bytes]) -> Iterator[bytes]:
    """RAISES: DataError for a line that no row of vectors is as long as, before it is in memory."""
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE:
            raise DataError(f"{path}, line {number}: longer than {MAX_LINE:,} bytes, expected a word and its numbers")
        yield line


def _rows(lines: Iterator[bytes], promised: Optional[int]) -> Iterator[bytes]:
    """All lines but the header. The file may end with blank ones."""
    blank = 0
    for number, row in enumerate(lines):
        if number == 0:
            row = row.removeprefix(BOM_UTF8)
            if promised is not None:
                continue
        if not row.strip():
            blank += 1
            continue
        yield from (b"" for _ in range(blank))
        blank = 0
        yield row


def _parse(path: Path, line: int, row: bytes, width: int, n_rows: int, has_header: bool) -> tuple[str, list[float]]:
    row = row.rstrip()
    found = row.count(b" ")
    key, *parts = row.rsplit(b" ", width) if found >= width else (row,)
    before = key.rpartition(b" ")[2]
    if found > width and b"_" in before and _is_number(before.replace(b"_", b"")):  # Python reads 1_0 as 10
        raise DataError(f"{path}, line {line}: found {before.decode()!r} where a number is expected")
    has_more = found > width and (key[-1:] == b" " or _is_number(before))
    if found < width or has_more:
        start = f"{path}, line {line}: found {found} numbers, expected {width} as"
        raise DataError(
            f"{start} in the rows before. The file is damaged or cut off there; download it again, or read the "
            f"part before with --max-rows {n_rows} (in a config max_rows)"
            if n_rows
            else f"{start} the first line promises"
            if has_header
            else f"{start} in most rows"
        )
    try:
        text = key.decode("utf8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}, line {line}: not UTF-8 (byte {error.start} of the row); expected UTF-8 text") from None
    if "\r" in text:
        raise DataError(f"{path}, line {line}: found a CR inside of the row; save the file with LF at the ends of lines")
    try:
        if b"_" in row[len(key) :]:
            raise ValueError
        values = list(map(float, parts))
    except ValueError:
        wrong = next(part for part in parts if not _is_number(part)).decode("utf8", "replace")
        raise DataError(f"{path}, line {line}: found {wrong!r} where a number is expected") from None
    if not math.isfinite(sum(values)):
        raise DataError(Errors.VECTORS_NOT_FINITE.format(path=f"{path}, line {line}", key=text, dtype="float32"))
    return text, values


def _is_number(part: bytes) -> bool:
    try:
        float(part)
    except ValueError:
        return False
    return b"_" not in part


def check_finite(keys: list[str], rows: np.ndarray, *, name: str, dtype: str) -> None:
    """RAISES: DataError for a row with NaN or infinity, also once it is of this dtype."""
    with np.errstate(over="ignore"):
        bad = np.flatnonzero(~np.isfinite(rows.astype(dtype, copy=False)).all(axis=1))
    if len(bad):
        raise DataError(Errors.VECTORS_NOT_FINITE.format(path=name, key=keys[int(bad[0])], dtype=dtype))
