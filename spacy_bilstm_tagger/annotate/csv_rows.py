"""The rows of CSV files whose quotes may be broken."""

import contextlib
import csv
import itertools
import re
from collections import deque
from typing import Any, Iterator

from .sources import LINE

_DOUBLED = re.compile(r'"(?:[^"]|"")*""(?:[^"]|"")*"')  # quotes inside of a cell in quotes
_QUOTED = LINE  # characters of a CSV record; longer ones have a quote that nobody closed
_MOST_LINES = 20  # of a cell in quotes


def csv_rows(
    lines: Iterator[tuple[int, str, str]], delimiter: str, width: int, *, quoted: bool
) -> Iterator[tuple[int, list[str], str, str]]:
    """(first line, cells, why the row cannot be read or "", its beginning). A quote that is never closed costs the line that
    it stands in, and not those behind it. width (int): the cells of a row."""
    quoting: Any = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    fed = _Lines(lines)
    while True:
        fed.begin()
        try:
            row = _next_row(csv.reader(fed, delimiter=delimiter, quoting=quoting, strict=quoted))
        except StopIteration:
            return
        except csv.Error as error:
            number, content, reason = fed.used[0]
            yield number, [], reason or f"broken CSV: {error}", content
            fed.waiting.extendleft(reversed(fed.used[1:]))
            continue
        number, content, _ = fed.used[0]
        reason = next((reason for _, _, reason in fed.used if reason), "")
        if not quoted and (any(map(_DOUBLED.fullmatch, row)) or _goes_on(fed, row, delimiter, width)):
            reason = reason or "a cell in quotes, as pandas writes it; write the file again with quoting=3, or as CSV"
            content = "".join(text for _, text, _ in fed.used)
        yield number, row, reason, content


def _goes_on(fed: "_Lines", row: list[str], delimiter: str, width: int) -> bool:
    """Whether the last cell goes on in quotes in lines that are no rows by themselves. These are used too."""
    if width > 1 and row[-1:] and row[-1][:1] == '"' and row[-1].count('"') % 2:
        with contextlib.suppress(csv.Error):
            last = next((text for text in itertools.islice(fed, _MOST_LINES) if {'"', delimiter} & set(text)), "")
            if last.split(delimiter)[0].count('"') % 2 and len(row) + last.count(delimiter) == width:
                return True
        fed.waiting.extendleft(reversed(fed.used[1:]))
        del fed.used[1:]
    return False


def _next_row(reader: Any) -> list[str]:
    limit = csv.field_size_limit(2 * LINE)  # of all readers of the process
    try:
        return next(reader)
    finally:
        csv.field_size_limit(limit)


class _Lines:
    """The lines that a CSV reader takes for one row, which can be given again."""

    def __init__(self, lines: Iterator[tuple[int, str, str]]) -> None:
        self.lines = lines
        self.used: list[tuple[int, str, str]] = []
        self.waiting: deque[tuple[int, str, str]] = deque()
        self.length = 0

    def begin(self) -> None:
        self.used, self.length = [], 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.used.append(self.waiting.popleft() if self.waiting else next(self.lines))
        self.length += len(self.used[-1][1])
        if len(self.used) > 1 and self.length > _QUOTED:
            raise csv.Error("a quote that is not closed")
        return self.used[-1][1]


def cells(header: str, delimiter: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
