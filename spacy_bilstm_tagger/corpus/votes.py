"""Spans as several people marked them: the raters' own annotations behind the toxic spans of SemEval-2021 task 5."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Iterable, Optional, Sequence

from ..errors import DataError, Errors
from ..util import decode, read_bytes, runs
from .annotated_text import AnnotatedText, Notes, Range
from .csv_formats import own_line_breaks, read_records

FILES = {
    "comments.csv": ("comment_id", "comment_text"),
    "annotations.csv": ("annotation", "comment_id"),
    "spans.csv": ("annotation", "start", "end"),
}


def is_votes_folder(path: Path) -> bool:
    """Whether a folder has the three files."""
    return path.is_dir() and all((path / name).is_file() for name in FILES)


def read_texts_without_spans(path: Path, content: str, *, notes: Optional[Notes] = None) -> list[AnnotatedText]:
    """Each line is a text, annotated as one without any span: what stands for texts in which nobody would mark anything."""
    lines = [(number, line.strip()) for number, line in enumerate(content.split("\n"), 1) if line.strip()]
    if not lines:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    return [AnnotatedText([], None, None, line, [number], spans=[]) for number, line in lines]


def read_votes(folder: Path, content: str = "", *, notes: Optional[Notes] = None) -> list[AnnotatedText]:
    """The folder of https://github.com/ipavlopoulos/toxic_spans/tree/master/data: the posts, a row for each rater and post, and
    a row for each range of characters that a rater marked, of whatever type. A rater without a range marked nothing. (Where
    so, both flags of the row, `all toxic` and `not toxic`, are set; the released spans leave these raters out.)

    content (str): not used; other readers take the content of a file.
    Ranges that are not in their post are left out and counted, and so are posts without a rater.
    RAISES: DataError for a file that is missing or without one of the columns, for a number that is none, and for a row
        whose post or rater is in no other file.
    """
    notes = notes or Notes()
    if not is_votes_folder(folder):
        raise DataError(f"{folder}: expected a folder with the files {', '.join(FILES)}")
    texts = {cells[0]: (line, cells[1]) for line, cells in _rows(folder, "comments.csv")}
    owners: dict[str, str] = {}
    votes: dict[str, dict[str, list[Range]]] = defaultdict(dict)
    for line, (rater, post) in _rows(folder, "annotations.csv"):
        if post not in texts:
            raise DataError(f"{folder / 'annotations.csv'}, line {line}: the comment {post} is not in comments.csv")
        owners[rater] = post
        votes[post][rater] = []
    outside = 0
    for line, (rater, *numbers) in _rows(folder, "spans.csv"):
        where = f"{folder / 'spans.csv'}, line {line}"
        if rater not in owners:
            raise DataError(f"{where}: the annotation {rater} is not in annotations.csv")
        try:
            start, end = map(int, numbers)
        except ValueError:
            raise DataError(f"{where}: found {', '.join(numbers)}, expected two whole numbers, start and end") from None
        post = owners[rater]
        if 0 <= start < end <= len(texts[post][1]):
            votes[post][rater].append((start, end))
        else:
            outside += 1
    if outside:
        notes.warnings.append(f"Ranges that are not in their post, left out: {outside:,}")
    without = len(texts) - len(votes)
    if without:
        notes.warnings.append(f"Posts without a rater, left out: {without:,}")
    found = []
    for post, (line, text) in texts.items():
        if post in votes and text.strip():
            ranges = [runs(i for span in each for i in range(*span)) for each in votes[post].values()]
            found.append(AnnotatedText([], None, None, text, [line], votes=ranges))
    if not found:
        raise DataError(Errors.CORPUS_EMPTY.format(path=folder))
    counts = Counter(bool(ranges) for text in found for ranges in text.votes or [])
    notes.lines.append(f"{counts.total():,} raters' votes, of which {counts[False]:,} mark nothing")
    return found


def majority(votes: Sequence[Sequence[Range]]) -> list[Range]:
    """The characters that at least half of those who marked any have marked, in order and disjoint: the rule by which the
    released spans were made (Pavlopoulos et al. 2021), as far as these files show it."""
    marking = [ranges for ranges in votes if ranges]
    counts = Counter(offset for ranges in marking for start, end in ranges for offset in range(start, end))
    return runs(offset for offset, count in counts.items() if 2 * count >= len(marking))


def _rows(folder: Path, name: str) -> Iterable[tuple[int, list[str]]]:
    """The line and the cells of the columns that are read."""
    path, columns = folder / name, FILES[name]
    content, _ = own_line_breaks(decode(path, read_bytes(path), "utf-8", keep_ends=True))
    records = ((line, cells) for line, cells in read_records(path, content, multiline=True) if cells)
    _, header = next(records, (1, []))
    missing = [column for column in columns if column not in header]
    if missing:
        raise DataError(f"{path}, line 1: found the columns {', '.join(header) or 'none'}, expected {', '.join(columns)}")
    at = [header.index(column) for column in columns]
    for line, cells in records:
        if len(cells) != len(header):
            raise DataError(f"{path}, line {line}: found {len(cells)} cells, expected {len(header)}")
        yield line, [cells[i] for i in at]
