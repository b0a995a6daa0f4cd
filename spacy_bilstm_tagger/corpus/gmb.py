"""The Kaggle "annotated corpus for named entity recognition", cut from the Groningen Meaning Bank: a CSV in latin-1
with the columns Sentence #, Word, POS, Tag, and the sentence's number only on its first line."""

import csv
import io
from pathlib import Path
from typing import Iterator

from ..errors import DataError, Errors
from .bio import EntityTags
from .text import AnnotatedText

HEADER = ["Sentence #", "Word", "POS", "Tag"]
_BLANKS = " \t\r\n"  # not U+0085, which latin-1 makes of the ellipsis of Windows-1252


def read_gmb(path: Path, content: str, *, entities: EntityTags) -> list[AnnotatedText]:
    """One AnnotatedText a sentence, with tags and entities such as B-geo.

    RAISES: DataError for another header or number of cells, an open quote, or a word before the first sentence.
    """
    if not content.strip():
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    rows = _rows(path, content)
    _, header = next(rows)
    if header != HEADER:
        raise DataError(
            f"{path}, line 1: found the columns {', '.join(header) or 'none'}, expected Sentence #, Word, POS, Tag"
        )
    sentences: list[list[tuple[int, list[str]]]] = []
    for line, cells in rows:
        if not any(cells):
            continue
        if len(cells) != len(HEADER):
            message = Errors.CORPUS_COLUMNS.format(
                path=path,
                line=line,
                found=len(cells),
                text=",".join(cells),
                expected=f"4 ({', '.join(HEADER)})",
            )
            raise DataError(message)
        if cells[0]:
            sentences.append([])
        if not sentences:
            raise DataError(
                f"{path}, line {line}: found a word before the first sentence, expected 'Sentence: 1' in the "
                "first column"
            )
        if not cells[1].strip(_BLANKS):
            raise DataError(Errors.CORPUS_TOKEN.format(path=path, line=line))
        sentences[-1].append((line, cells))
    if not sentences:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    texts = []
    for sentence in sentences:
        lines = [line for line, _ in sentence]
        words, tags, ents = ([cells[i].strip(_BLANKS) for _, cells in sentence] for i in (1, 2, 3))
        texts.append(AnnotatedText(words, tags, entities.to_bio(path, ents, lines), None, lines))
    return texts


def _rows(path: Path, content: str) -> Iterator[tuple[int, list[str]]]:
    """The line and the cells of each row. A row that goes on to another line has a quote left open."""
    reader = csv.reader(io.StringIO(content, newline=""))
    line = 0
    try:
        for line, cells in enumerate(reader, 1):
            if reader.line_num != line:
                reason = f"it goes on to line {reader.line_num}"
                raise DataError(Errors.CORPUS_CSV_ROW.format(path=path, line=line, reason=reason))
            yield line, cells
    except csv.Error as error:
        raise DataError(Errors.CORPUS_CSV_ROW.format(path=path, line=line + 1, reason=error)) from None
