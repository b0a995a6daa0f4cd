"""JSON lines with labelled ranges of characters, as Prodigy, doccano and Label Studio (JSON_MIN) export them."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Iterator, Optional

from ..errors import DataError, Errors
from .annotated_text import AnnotatedText, Notes

KEYS = ("spans", "label", "labels", "entities")  # of the ranges, one of them
_EXPECTED = (
    'expected a JSON object with a "text" and its ranges: "spans", "label" or "entities", a list of {"start": 0, "end": 4, '
    '"label": "PER"} or [0, 4, "PER"]'
)


def read_json_lines(path: Path, content: str, *, notes: Optional[Notes] = None) -> list[AnnotatedText]:
    """Each object is a text. A range is `[start, end, label]`, or an object with start and end (doccano: start_offset and
    end_offset) and label (Label Studio: labels, a list of one). Texts that Prodigy's user did not accept are left out
    and counted.

    RAISES: DataError for a line that is no such object, and for a range that is not in its text.
    """
    notes = notes or Notes()
    texts, rejected = [], Counter[str]()
    for number, line in enumerate(content.split("\n"), 1):  # splitlines() would split a text at U+0085 too
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            record = json.loads(line)
            text = record["text"]
            text.encode("utf8")  # JSON can hold half a surrogate pair, which is not a text
            ranges = next(record[key] for key in KEYS if isinstance(record.get(key), list))
        except (ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError):
            raise DataError(f"{where}: found {line.strip()[:60]!r}, {_EXPECTED}") from None
        answer = record.get("answer", "accept")
        if answer != "accept":
            rejected[str(answer)] += 1
        elif not text.strip():
            raise DataError(f"{where}: the text is empty, expected at least one word; remove the line")
        else:
            entities = sorted(_ranges(where, text, ranges))
            texts.append(AnnotatedText([], None, None, text, [number], entities=entities))
    if not texts:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    for answer, count in rejected.items():
        notes.lines.append(f"Left out, as their answer is {answer!r}: {count:,} texts")
    return texts


def looks_like_json(line: str) -> bool:
    """Whether the line is a JSON object or list."""
    try:
        return isinstance(json.loads(line), (dict, list))
    except (ValueError, RecursionError):
        return False


def _ranges(where: str, text: str, ranges: list[Any]) -> Iterator[tuple[int, int, str]]:
    for found in ranges:
        try:
            start, end, label, part = _fields(found)
            is_range = type(start) is int and type(end) is int and isinstance(label, str) and bool(label.strip())
        except (KeyError, TypeError, ValueError):
            is_range = False
        if not is_range:
            raise DataError(f"{where}: found {json.dumps(found)[:60]} as a range, {_EXPECTED}")
        if not 0 <= start < end <= len(text):
            raise DataError(
                f"{where}: the range {start} to {end} is not in the text, whose characters are 0 to {len(text)} (the end is "
                "exclusive); correct it, or remove it"
            )
        if part is not None and text[start:end].strip() != part.strip():
            raise DataError(
                f"{where}: the range {start} to {end} is {text[start:end]!r} in the text, and {part!r} by its own record; "
                "expected offsets in characters (code points) of the text"
            )
        yield start, end, label


def _fields(found: Any) -> tuple[Any, Any, Any, Optional[str]]:
    """Start, end, label, and the text of the range if the record has it."""
    if isinstance(found, list):
        start, end, label = found
        return start, end, label, None
    start, end = (found[key] if key in found else found[f"{key}_offset"] for key in ("start", "end"))
    if "labels" in found:
        (label,) = found["labels"]
    else:
        label = found["label"]
    part = found.get("text")
    return start, end, label, part if isinstance(part, str) else None
