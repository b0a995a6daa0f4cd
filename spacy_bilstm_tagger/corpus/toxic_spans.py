"""The toxic spans of SemEval-2021 task 5 (Pavlopoulos et al. 2021, https://aclanthology.org/2021.semeval-1.6): a CSV
with the columns spans, which lists the offset of every toxic character, and text."""

import csv
import io
import json
from pathlib import Path
from typing import Iterable, Iterator

from ..errors import DataError, Errors
from .text import AnnotatedText

COLUMNS = ("spans", "text")
_SHOWN = 60


def is_header(line: str) -> bool:
    """Whether a line names both columns, in any order and among others."""
    return set(COLUMNS) <= {cell.strip(' "') for cell in line.rstrip("\n").split(",")}


def read_toxic_spans(path: Path, content: str) -> list[AnnotatedText]:
    """One AnnotatedText a record. Columns of other names are left out.

    The order of the offsets does not matter, and one that is listed twice counts once. A message names the line on
    which the record begins: a text in quotes may go on over many. A line break is one character, however the file
    ends its lines; in the published files it is.

    RAISES: DataError for other columns, a cell that does not list whole numbers, an offset outside the text, a text of
    nothing but white space, or a record that is not CSV.
    """
    records = _records(path, content)
    line, header = next(records, (1, []))
    if not header:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    if any(header.count(name) != 1 for name in COLUMNS):
        message = (
            f"{path}, line {line}: found the columns {', '.join(header)[:_SHOWN]}, expected "
            f"{' and '.join(COLUMNS)}, each once"
        )
        raise DataError(message)
    texts = []
    for line, cells in records:
        if len(cells) != len(header):
            message = Errors.CORPUS_COLUMNS.format(
                path=path,
                line=line,
                found=len(cells),
                text=",".join(cells)[:_SHOWN],
                expected=f"{len(header)} ({', '.join(header)})",
            )
            raise DataError(message)
        spans, text = (cells[header.index(name)] for name in COLUMNS)
        if not text.strip():
            raise DataError(f"{path}, line {line}: the text is empty, expected at least one word; remove the record")
        ranges = _ranges(_offsets(path, line, spans, text))
        texts.append(AnnotatedText([], None, None, text, [line], spans=ranges))
    if not texts:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    return texts


def _records(path: Path, content: str) -> Iterator[tuple[int, list[str]]]:
    """The first line and the cells of each record that is not an empty line."""
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(
                f"{path}, line {line}: the record that begins here is not CSV ({error}); expected quotes in pairs "
                'around a cell that holds quotes, commas or line breaks, and "" for a quote mark inside them'
            ) from None
        if cells:
            yield line, cells


def _offsets(path: Path, line: int, cell: str, text: str) -> list[int]:
    try:
        offsets = json.loads(cell)
    except (ValueError, RecursionError):
        offsets = None
    if not isinstance(offsets, list) or not all(type(offset) is int for offset in offsets):  # a bool is an int, too
        raise DataError(
            f"{path}, line {line}: found {cell[:_SHOWN]!r} in the column spans, expected a list of whole numbers "
            "such as [4, 5, 6], or [] for none"
        )
    outside = [offset for offset in offsets if not 0 <= offset < len(text)]
    if outside:
        message = (
            f"{path}, line {line}: the offset {outside[0]} is outside the text, whose characters are 0 to "
            f"{len(text) - 1}; correct it, or remove it from the list"
        )
        raise DataError(message)
    return offsets


def _ranges(offsets: Iterable[int]) -> list[tuple[int, int]]:
    """The runs of neighbouring offsets, as (start, end); end is exclusive."""
    ranges: list[tuple[int, int]] = []
    for offset in sorted(set(offsets)):
        if ranges and ranges[-1][1] == offset:
            ranges[-1] = (ranges[-1][0], offset + 1)
        else:
            ranges.append((offset, offset + 1))
    return ranges
