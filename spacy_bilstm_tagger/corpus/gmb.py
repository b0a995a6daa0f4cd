"""The Kaggle "annotated corpus for named entity recognition", cut from the Groningen Meaning Bank: a CSV in latin-1
with the columns Sentence #, Word, POS, Tag, and the sentence's number only on its first line."""

import csv
import io
from pathlib import Path

from ..errors import DataError, Errors
from .bio import EntityTags
from .text import AnnotatedText

HEADER = ["Sentence #", "Word", "POS", "Tag"]


def read_gmb(path: Path, content: str, *, entities: EntityTags) -> list[AnnotatedText]:
    """One AnnotatedText a sentence, with tags and entities such as B-geo.

    RAISES: DataError for another header or number of cells, or a word before the first sentence.
    """
    reader = csv.reader(io.StringIO(content, newline=""))
    header = next(reader, [])
    if header != HEADER:
        raise DataError(Errors.CORPUS_CSV_HEADER.format(path=path, found=", ".join(header)))
    sentences: list[list[tuple[int, list[str]]]] = []
    for cells in reader:
        if not any(cells):
            continue
        if len(cells) != len(HEADER):
            message = Errors.CORPUS_COLUMNS.format(
                path=path, line=reader.line_num, found=len(cells), text=",".join(cells), expected="4"
            )
            raise DataError(message)
        if cells[0]:
            sentences.append([])
        if not sentences:
            raise DataError(Errors.CORPUS_CSV_START.format(path=path, line=reader.line_num))
        if not cells[1].strip():
            raise DataError(Errors.CORPUS_TOKEN.format(path=path, line=reader.line_num))
        sentences[-1].append((reader.line_num, cells))
    if not sentences:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    texts = []
    for rows in sentences:
        lines = [line for line, _ in rows]
        words, tags, ents = ([cells[i].strip() for _, cells in rows] for i in (1, 2, 3))
        texts.append(AnnotatedText(words, tags, entities.to_bio(path, ents, lines), None, lines))
    return texts
