"""JSON lines with labelled ranges of characters, as Prodigy, doccano and Label Studio (JSON_MIN) export them."""

import json
import re
from collections import Counter
from operator import itemgetter
from pathlib import Path
from typing import Any, Iterator, Optional

from ..errors import DataError, Errors
from ..pipeline.gold import OUTSIDE
from .annotated_text import AnnotatedText, Notes

KEYS = ("spans", "label", "labels", "entities")  # of the ranges, one of them
_EXPECTED = (
    'expected a JSON object with a "text" and its ranges: "spans", "label" or "entities", a list of {"start": 0, "end": 4, '
    '"label": "PER"} or [0, 4, "PER"], empty if there are none'
)
_LABEL_STUDIO = (
    "Label Studio's full JSON, expected its JSON_MIN: export that, and make JSON lines of it with \"jq -c '.[]' FILE\""
)
_PAIRS = (
    "spaCy's pairs of a text and its annotation, expected JSON lines, an object a line: make them with "
    "\"jq -c '{each}{{text: .[0], entities: (.[1].entities // [])}}' FILE\""
)


def read_json_lines(path: Path, content: str, *, notes: Optional[Notes] = None) -> list[AnnotatedText]:
    """Each object is a text. A range is `[start, end, label]`, or an object with start and end (doccano: start_offset and
    end_offset) and label (Label Studio: labels, a list of one). Texts that Prodigy's user did not accept are left out
    and counted.

    RAISES: DataError for a line that is no such object, for a range that is not in its text, and for records of other
        tasks: the class of a text, or yes and no to one span.
    """
    notes = notes or Notes()
    texts, rejected = [], Counter[str]()
    for number, line in enumerate(content.split("\n"), 1):  # splitlines() would split a text at U+0085 too
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            record = json.loads(line.strip())
            if "annotations" in record and "text" not in record:
                raise DataError(f"{where}: found {line.strip()[:60]!r}, {_LABEL_STUDIO}")
            text = record["text"]
            text.encode("utf8")  # JSON can hold half a surrogate pair, which is not a text
        except DataError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise DataError(f"{where}: found {line.strip()[:60]!r}, {_EXPECTED}") from None
        if record.get("_is_binary"):
            raise DataError(
                f"{where}: the record is one of Prodigy's binary ones, which judge one span and say nothing of the others; "
                "expected all spans of a text: annotate with ner.manual or ner.correct"
            )
        answer = record.get("answer", "accept")
        if answer != "accept":
            rejected[str(answer)] += 1
        elif not text.strip():
            raise DataError(f"{where}: the text is empty, expected at least one word; remove the line")
        elif "\0" in text:
            raise DataError(f"{where}: the text has a NUL character (\\u0000), expected none; remove it")
        else:
            entities = sorted(_ranges(where, text, _range_list(where, line, record)), key=itemgetter(0, 1))
            texts.append(AnnotatedText([], None, None, text, [number], entities=entities))
    if not texts:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    labels = Counter(label for text in texts for _, _, label in text.entities or [])
    odd = [label for label in labels if label == OUTSIDE or re.fullmatch("[BIESLU]-.+", label)]
    if odd:
        notes.warnings.append(
            f"Labels such as {odd[0]!r} look like BIO tags; expected entity types, such as PER. Rename them, or leave O out"
        )
    for answer, count in rejected.items():
        notes.lines.append(f"Left out, as their answer is {answer!r}: {count:,} texts")
    return texts


def looks_like_json(line: str) -> bool:
    """Whether the line is a JSON object or list."""
    return isinstance(_parsed(line), (dict, list))


def refuse_lists(path: Path, content: str) -> None:
    """RAISES: DataError for a JSON list, and for lines of spaCy's pairs, with the command that makes JSON lines of it."""
    first = content.lstrip().partition("\n")[0].strip()
    if not first.startswith("["):
        return
    found = _parsed(content)
    item = found[0] if isinstance(found, list) and found else None
    if _is_pair(found) or _is_pair(_parsed(first)):
        raise DataError(f"{path}: found {first[:60]!r}, {_PAIRS.format(each='')}")
    if _is_pair(item):
        raise DataError(f"{path}: found a JSON list of {_PAIRS.format(each='.[] | ')}")
    if isinstance(item, dict) and "annotations" in item:
        raise DataError(f"{path}: found {_LABEL_STUDIO}")
    if isinstance(item, dict) and "text" not in item:
        raise DataError(f'{path}: found a JSON list of objects without a "text", expected JSON lines; {_EXPECTED}')
    if found is not None or first == "[":
        raise DataError(
            f"{path}: found a JSON list, expected JSON lines, an object a line (\"jq -c '.[]' FILE\" makes them), or columns"
        )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text.strip())
    except (ValueError, RecursionError):
        return None


def _is_pair(found: Any) -> bool:
    """Whether this is `["text", {"entities": [...]}]`."""
    if not isinstance(found, list) or len(found) != 2 or not isinstance(found[0], str):
        return False
    return isinstance(found[1], dict) and (not found[1] or "entities" in found[1])


def _range_list(where: str, line: str, record: dict[str, Any]) -> list[Any]:
    """The ranges of the only key that has some; empty if a list is, and no key has any."""
    values = {key: record[key] for key in KEYS if record.get(key) is not None}
    lists = {key: value for key, value in values.items() if isinstance(value, list)}
    filled = [key for key, value in lists.items() if value]
    if len(filled) > 1:
        raise DataError(f'{where}: both "{filled[0]}" and "{filled[1]}" hold a list, expected one; remove the other')
    if filled:
        return lists[filled[0]]
    for key, value in values.items():
        if key in lists:
            continue
        raise DataError(
            f'{where}: "{key}" is {json.dumps(value)[:60]}, the class of a text, expected ranges; if the text has no '
            f'entities, remove "{key}" and leave an empty list in "spans"'
        )
    if not lists:
        raise DataError(f"{where}: found {line.strip()[:60]!r}, {_EXPECTED}")
    return []


def _ranges(where: str, text: str, ranges: list[Any]) -> Iterator[tuple[int, int, str]]:
    for found in ranges:
        try:
            start, end, label, part = _fields(found)
            label.encode("utf8")
            is_range = type(start) is int and type(end) is int and bool(label.strip())
        except (KeyError, TypeError, ValueError, AttributeError):
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
