"""Formats in CSV: the corpus cut from the Groningen Meaning Bank, and the toxic spans of SemEval-2021."""

import csv
import io
import json
import re
from itertools import chain
from pathlib import Path
from typing import Iterator, Optional

from ..errors import DataError, Errors
from ..util import runs
from .annotated_text import AnnotatedText, Notes
from .bio import EntityTags
from .column_warnings import are_exchanged, warn_of_cells
from .columns import check_width, empty_token, is_no_tag

GMB_HEADER = ["Sentence #", "Word", "POS", "Tag"]
_GMB_LOWER = list(map(str.lower, GMB_HEADER))
TOXIC_COLUMNS = ("spans", "text")
_BLANKS = " \t\r\n"  # not U+0085, which latin-1 makes of the ellipsis of Windows-1252
_FILLS = ("", "nan", "nat", "none", "na", "n/a", "<na>", "null", "-", "?")  # as empty cells are shown and filled
_ZEROS = ("0", "0.0")
_BREAK = re.compile(r"\r*\n|\r")
_SHOWN = 60  # characters of a cell or a record, in messages


def csv_format(first_line: str) -> Optional[str]:
    """The name of the format whose header this is; None for other lines. A header of toxic_spans may name the columns
    in any order and among others."""
    cells = [cell.strip(' "') for cell in first_line.rstrip("\r\n").split(delimiter_of(first_line))]
    lower = list(map(str.lower, cells))
    if _GMB_LOWER[0] in lower:
        return "gmb"
    return "toxic_spans" if set(cells).issuperset(TOXIC_COLUMNS) else None


def delimiter_of(header: str) -> str:
    """A comma, a semicolon, a TAB or a bar: the one that stands in the header most often."""
    return max(",;\t|", key=header.count)


def read_gmb(path: Path, content: str, *, entities: EntityTags, notes: Optional[Notes] = None) -> list[AnnotatedText]:
    """The Kaggle "annotated corpus for named entity recognition", cut from the Groningen Meaning Bank: tags, and
    entities such as B-geo. Each sentence is a text; its number is on its first line, or on all of them. A first column that is
    the index that pandas writes is left out. The header may be in any letter case, and its columns in any order.

    RAISES: DataError for another header or number of cells, an open quote, and a word before the first sentence.
    """
    notes = notes or Notes()
    delimiter = delimiter_of(content.partition("\n")[0])
    records = read_records(path, content, multiline=False, delimiter=delimiter)
    _, header = next(records, (1, []))
    if not content.strip():
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    lower = list(map(str.lower, header))
    has_index = sorted(lower[1:]) == sorted(_GMB_LOWER) and lower[0] in ("", "unnamed: 0")
    if has_index:
        notes.lines.append("The first column, an index, is left out")
        header, lower = header[1:], lower[1:]
    if sorted(lower) != sorted(_GMB_LOWER):
        found, expected = ", ".join(header) or "none", ", ".join(GMB_HEADER)
        raise DataError(f"{path}, line 1: found the columns {found}, expected {expected}")
    order = list(map(lower.index, _GMB_LOWER))
    sentences: list[list[tuple[int, list[str]]]] = []
    current, seen, back, is_after_fill = "", set(), [], False
    rows = list(records)
    numbers = [cells[order[0] + has_index].strip(_BLANKS) for _, cells in rows if len(cells) > order[0] + has_index]
    has_zeros = 2 * sum(number in _ZEROS for number in numbers) > len(numbers) and numbers[0] not in _ZEROS
    for line, cells in rows:
        if not any(cells):
            continue
        if has_index:
            cells = cells[1:]
        check_width(path, line, cells, delimiter, len(header), f"{len(header)} ({', '.join(header)})")
        cells = [cells[i] for i in order]
        number = cells[0].strip(_BLANKS)
        # As pandas' fillna(0) writes them; else sentence 0 may come behind -1.
        is_zero = number in _ZEROS and bool(current) and (has_zeros or not re.fullmatch(r"-?\d+", current))
        is_fill = number.lower() in _FILLS or is_zero
        begins = not is_fill and (number.lower() != current.lower() or is_after_fill)
        is_after_fill = is_fill
        if begins:
            current = number
            sentences.append([])
            back += [line] if number.lower() in seen else []
            seen.add(number.lower())
        if not sentences:
            raise DataError(
                f"{path}, line {line}: found a word before the first sentence, expected 'Sentence: 1' in the first column"
            )
        if not cells[1].strip(f"{_BLANKS}\u00a0"):
            raise DataError(empty_token(path, line, cells[1]))
        sentences[-1].append((line, cells))
    if not sentences:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    if back:
        notes.warnings.append(
            f"{len(back):,} sentences have the number of an earlier one, such as that in line {back[0]}; if the rows are out of "
            "order, sort them"
        )
    texts = []
    for sentence in sentences:
        lines = [line for line, _ in sentence]
        words, tags, ents = ([cells[i].strip(_BLANKS) for _, cells in sentence] for i in (1, 2, 3))
        tags = ["" if is_no_tag(tag) else tag for tag in tags]
        texts.append(AnnotatedText(words, tags, entities.to_bio(path, ents, lines), None, lines))
    entities.check_ends(path)
    warn_of_cells(texts, chain.from_iterable(sentences), notes)
    are_exchanged(texts, notes, "exchange the names in the first line")
    return texts


def read_toxic_spans(path: Path, content: str, *, notes: Optional[Notes] = None) -> list[AnnotatedText]:
    """The toxic spans of SemEval-2021 task 5 (Pavlopoulos et al. 2021, https://aclanthology.org/2021.semeval-1.6):
    the column spans lists the offset of every toxic character of the column text. Each record is a text.

    Other columns are ignored, and so are the order and repetitions of offsets. Texts keep their line breaks; but where all those of
    the file are CR LF, each is one character, as in the published files. Messages name the line on which a record begins,
    since a text in quotes may go on over many lines.

    RAISES: DataError for missing columns, a cell that does not list whole numbers, an offset outside the text, a
        text of white space only, and a record that is not CSV.
    """
    notes = notes or Notes()
    content, was_changed = own_line_breaks(content)
    delimiter = delimiter_of(content.partition("\n")[0])
    records = ((n, cells) for n, cells in read_records(path, content, multiline=True, delimiter=delimiter) if cells)
    line, header = next(records, (1, []))
    if header and any(header.count(name) != 1 for name in TOXIC_COLUMNS):
        found, expected = ", ".join(header)[:_SHOWN], " and ".join(TOXIC_COLUMNS)
        raise DataError(f"{path}, line {line}: found the columns {found}, expected {expected}, each once")
    texts = []
    for line, cells in records:
        check_width(path, line, cells, delimiter, len(header), f"{len(header)} ({', '.join(header)})")
        spans, text = (cells[header.index(name)] for name in TOXIC_COLUMNS)
        if not text.strip():
            raise DataError(f"{path}, line {line}: the text is empty, expected at least one word; remove the record")
        texts.append(AnnotatedText([], None, None, text, [line], spans=runs(_offsets(path, line, spans, text))))
    if not texts:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    n_behind = sum("\n" in (text.raw or "")[:end] for text in texts for _, end in text.spans or ()) if was_changed else 0
    if n_behind:
        notes.warnings.append(
            f"{n_behind:,} spans are behind line breaks, which are CR LF throughout the file, and counted as one character each; "
            "if the offsets count two, write the file again with LF behind the records"
        )
    return texts


def own_line_breaks(content: str) -> tuple[str, bool]:
    """The content with the line breaks that its texts had, and whether they were changed: a program that writes all lines of a file
    in its own way, such as CR LF, has changed those of the texts too."""
    breaks = set(_BREAK.findall(content))
    only = breaks.pop() if len(breaks) == 1 else "\n"
    return content.replace(only, "\n"), only != "\n"


def read_records(path: Path, content: str, *, multiline: bool, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """The first line and the cells of each record.

    multiline (bool): whether a record may go on over several lines. If not, such a record has a quote left open.
    """
    reader = csv.reader(io.StringIO(content, newline=""), strict=multiline, delimiter=delimiter)
    found, expected = "not a row of CSV", "in pairs on one line"
    if multiline:
        found = "the record that begins here is not CSV"
        expected = "in pairs around a cell that holds quotes, commas or line breaks"
    line = 1
    try:
        for cells in reader:
            if reader.line_num > line and not multiline:
                raise csv.Error(f"it goes on to line {reader.line_num}")
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f'{path}, line {line}: {found} ({error}); expected quotes {expected}, and "" for a quote mark inside them'
        ) from None


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
        raise DataError(
            f"{path}, line {line}: the offset {outside[0]} is outside the text, whose characters are 0 to "
            f"{len(text) - 1}; correct it, or remove it from the list"
        )
    return offsets
