"""Texts without their annotation: for training vectors, and to find texts that two corpora share."""

import hashlib
import json
import re
from itertools import chain, islice
from pathlib import Path
from typing import Any, Iterable, Iterator, Mapping

from ..errors import DataError, Errors
from ..pipeline.gold import OUTSIDE
from ..util import is_stream, no_text, read_lines, read_text, unpacked_suffix, wrong_download
from .annotated_text import AnnotatedText, letters, text_fingerprints
from .bio import looks_like_bio
from .column_roles import KNOWN
from .columns import Columns, check_width
from .csv_formats import delimiter_of, read_records
from .docs import read_docbin_texts
from .formats import read_corpus
from .json_lines import is_list_of_texts

_HEAD = 200  # lines that tell what a file is
_CSV_HEADER = re.compile(r'(?i)(?=.*\btext\b)(?:"?\w+"?[,;\t])+"?\w+"?')
_BLANKS = ("ritter", "conll")  # formats with white space between columns
RAW = ("", ".txt")  # endings of texts, one a line
_ROWS = (".csv", ".tsv")
# Endings of columns with white space between them; a file of another one may be raw texts of as many words each.
_COLUMNS = {".bio", ".col", ".conll", ".iob", ".iob2", ".ner", ".pos", ".tagged", ".tags"}


def read_raw_texts(path: Path) -> list[str]:
    """The texts of a file, which may be packed (.gz): one a line (.txt, or no ending, without columns), JSON objects with a "text"
    (.jsonl, or a list of them, .json), rows with a column "text" (.csv, .tsv), Docs (.spacy, or a folder with some), or a corpus in
    any format of `read_corpus`, its tokens joined by spaces where the raw text is unknown.

    RAISES: DataError for a file that is missing, empty or not of its format.
    """
    return list(iter_raw_texts(path))


def iter_raw_texts(path: Path) -> Iterator[str]:
    """The same, one after another: a file with a text a line is never in memory as a whole."""
    found = False
    for text in _texts(path):
        if text := text.removeprefix("\ufeff").strip():  # a byte order mark of a file that was joined to another one
            found = True
            yield text
    if not found:
        raise DataError(f"{path}: found no text, expected at least one line")


def _texts(path: Path) -> Iterable[str]:
    files = docbin_files(path)
    if files:
        return chain.from_iterable(map(read_docbin_texts, files))
    suffix = unpacked_suffix(path)
    if suffix == ".jsonl":
        lines = enumerate(read_lines(path), 1)
        return (_json_text(path, number, line) for number, line in lines if line.strip())
    if suffix in RAW and not path.is_dir() and not holds_columns(path):
        return _lines(path)
    if suffix == ".json" and is_list_of_texts(content := read_text(path)):
        items = enumerate(json.loads(content), 1)
        return (_json_text(path, number, json.dumps(item), "object") for number, item in items)
    if suffix in _ROWS and (rows := _row_texts(path)):
        return rows
    # Blank tokens are left out, since the annotation is not read.
    try:
        format, texts = read_corpus(path, columns=Columns(skip_blank=True))
    except DataError as error:
        if suffix in (*_COLUMNS, *RAW) or not path.is_file():
            raise
        raise DataError(
            f"{error}. (Raw texts, one a line: name the file .txt; JSON objects with a text: .jsonl; rows with a column text: .csv)"
        ) from None
    if format in _BLANKS and suffix not in (*_COLUMNS, *RAW):
        raise DataError(
            f"{path}: may be raw texts, one a line, or columns of tokens and tags, and its ending {path.suffix!r} does not tell; "
            "name it .txt or .conll"
        )
    return (text.text for text in texts)


def _lines(path: Path) -> Iterator[str]:
    lines = read_lines(path)
    head = list(islice(lines, _HEAD))
    check_head(path, head)
    return chain(head, lines)


def holds_columns(path: Path) -> bool:
    return not is_stream(path) and are_columns(list(islice(read_lines(path), _HEAD)))


def check_head(path: object, lines: list[str], *, way_out: str = "") -> None:
    """RAISES: DataError for lines that are no texts: JSON, CSV, columns of a corpus, or what a server gives in their place."""
    first = next(filter(str.strip, lines), "").removeprefix("\ufeff").strip()
    if _is_json_object(first):
        found = "its first line is a JSON object; expected a text a line. Write JSON lines to a .jsonl file"
    elif kind := wrong_download("\n".join(lines)):
        found = f"found {first[:40]!r}, {kind}"
    elif _CSV_HEADER.fullmatch(first):
        found = f"begins with {first[:40]!r}, the names of columns; name the file .csv or .tsv"
    elif are_columns(lines):
        found = f"its lines look like columns of tokens and labels, such as {first[:40]!r}; expected a text a line"
    else:
        return
    raise DataError(f"{path}: {found}{way_out}")


def are_columns(lines: list[str]) -> bool:
    """Whether all lines have as many cells: none with a blank, a TAB between them; or the last ones labels that are known."""
    texts = [line.strip() for line in lines if line.strip() and not line.startswith("-DOCSTART-")]
    rows = [line.split("\t") if "\t" in line else line.split() for line in texts]
    if len(rows) < 3 or len({len(row) for row in rows}) > 1 or len(rows[0]) < 2:
        return False
    if all("\t" in line for line in texts):
        return not any(" " in cell.strip() for row in rows for cell in row)
    last = [row[-1] for row in rows]
    is_bio = looks_like_bio(set(last)) and set(last) != {OUTSIDE}
    return "\t" not in "".join(texts) and (is_bio or sum(tag in KNOWN for tag in last) > 0.8 * len(last))


def docbin_files(path: Path) -> list[Path]:
    """The .spacy files below a folder, in the order of their names, as spaCy's corpus reader finds them; a .spacy file itself;
    else none."""
    return sorted(path.rglob("*.spacy")) if path.is_dir() else [path] * (path.suffix == ".spacy")


def _row_texts(path: Path) -> list[str]:
    """The column "text", if the first line names it, and no column of tokens may be meant: some texts have several words."""
    header = next(iter(read_lines(path)), "")
    delimiter = delimiter_of(header)
    names = [name.strip(' "').lower() for name in header.split(delimiter)]
    if names.count("text") != 1:
        return []
    texts, at = [], names.index("text")
    for line, cells in islice(read_records(path, read_text(path), multiline=True, delimiter=delimiter), 1, None):
        if any(cells):
            check_width(path, line, cells, delimiter, len(names), f"{len(names)} ({', '.join(names)})")
            texts.append(cells[at])
    return texts if any(" " in text.strip() for text in texts) else []


def _json_text(path: Path, number: int, line: str, unit: str = "line") -> str:
    try:
        text = whole_text(json.loads(line))
        reason = no_text(text)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataError(
            f'{path}, {unit} {number}: found {line.strip()[:60]!r}, expected a JSON object with a string as "text" (rename the '
            "key, or write the texts to a .txt)"
        ) from None
    if reason:
        raise DataError(f"{path}, {unit} {number}: the text has {reason}; remove it")
    return text


def whole_text(record: Mapping[str, Any], key: str = "text") -> Any:
    """The text of a record; the whole one, where Twitter's first interface has put its beginning under "text"."""
    extended = record.get("extended_tweet") if key == "text" else None
    return extended["full_text"] if isinstance(extended, dict) and "full_text" in extended else record[key]


def in_fold(texts: list[AnnotatedText], fold: str, *, inverted: bool = False) -> list[AnnotatedText]:
    """The texts of one part of several, or of all others. A text's part follows from its characters alone, so a text that
    occurs twice is in one part, whatever the file and the order.

    fold (str): such as "0/5", the first of five parts.
    RAISES: DataError for another form, and if no text remains.
    """
    found = re.fullmatch(r"(\d+)/(\d+)", fold)
    if not found or not int(found[1]) < int(found[2]):
        raise DataError(f"fold {fold!r}: expected K/N with K below N, such as 0/5")
    number, parts = int(found[1]), int(found[2])
    kept = [text for text in texts if (_lot(text) % parts == number) != inverted]
    if not kept:
        raise DataError(f"fold {fold}: none of the {len(texts)} texts are in it; expected a smaller number of parts")
    return kept


def _lot(text: AnnotatedText) -> int:
    return int.from_bytes(hashlib.sha256(letters(text.text).encode("utf8")).digest()[:8], "big")


def exclude(
    path: Path, texts: list[AnnotatedText], others: list[Path]
) -> tuple[list[AnnotatedText], list[tuple[AnnotatedText, str]]]:
    """The texts that are in none of the other files, and the excluded ones, each with the place where it was found.

    White space, tokens, case, and the names of users and links are not compared: see `text_fingerprints`.
    path (Path): the file of the texts, for messages.
    others (list of Path): in any format of `read_corpus`, raw texts, one a line, .spacy, or folders with .spacy files.
    RAISES: DataError if no text remains, and if a file cannot be read.
    """
    places: dict[str, str] = {}
    for text, place in chain.from_iterable(map(_places, others)):
        for fingerprint in text_fingerprints(text):
            places.setdefault(fingerprint, place)
    found = [(text, next(filter(None, map(places.get, text_fingerprints(text.text))), None)) for text in texts]
    kept = [text for text, place in found if place is None]
    if not kept:
        raise DataError(f"{path}: all {len(texts)} texts are also in the files of --exclude; nothing is left to convert")
    return kept, [(text, place) for text, place in found if place is not None]


def _places(path: Path) -> Iterator[tuple[str, str]]:
    """Each text of a file, and its place."""
    files = docbin_files(path)
    if files:
        return ((text, f"{file}, text {n}") for file in files for n, text in enumerate(read_raw_texts(file), start=1))
    try:
        format, annotated = read_corpus(path, columns=Columns(skip_blank=True))
    except DataError:
        if path.suffix != ".txt" or is_stream(path):
            raise
        format, annotated = "", []
    found = [(text.text, text.lines[0]) for text in annotated]
    if format in ("", *_BLANKS) and not is_stream(path):  # raw texts, one a line, may look like columns
        found += [(line, number) for number, line in enumerate(read_lines(path), 1) if line.strip()]
    if not found:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    return ((text, f"{path}, line {number}") for text, number in found)


def _is_json_object(line: str) -> bool:
    try:
        return line.lstrip().startswith("{") and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
