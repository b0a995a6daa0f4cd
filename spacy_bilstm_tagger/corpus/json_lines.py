"""JSON with labelled ranges of characters, as Prodigy, doccano and Label Studio export them."""

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
NOT_ANNOTATED = "not annotated"
_EXPECTED = (
    'expected a JSON object with a "text" and its ranges: "spans", "label" or "entities", a list of {"start": 0, "end": 4, '
    '"label": "PER"} or [0, 4, "PER"], empty if there are none'
)
_LIST = re.compile(r'\[\s*\{\s*"')
_PAIRS = (
    "spaCy's pairs of a text and its annotation, expected JSON lines, an object a line: make them with "
    "\"jq -c '{each}{{text: .[0], entities: (.[1].entities // [])}}' FILE\""
)


def read_json_lines(path: Path, content: str, *, notes: Optional[Notes] = None) -> list[AnnotatedText]:
    """Each object is a text; the objects stand in lines of their own, or in one list, as Label Studio exports them. A range is
    `[start, end, label]`, or an object with start and end (doccano: start_offset and end_offset) and label (Label Studio: labels,
    a list of one). Texts that Prodigy's user did not accept, and tasks of Label Studio that nobody has annotated, are left
    out and counted.

    RAISES: DataError for a line that is no such object, for a range that is not in its text, and for records of other
        tasks: the class of a text, or yes and no to one span.
    """
    notes = notes or Notes()
    texts, rejected = [], Counter[str]()
    for number, where, line in _objects(path, content):
        try:
            record = json.loads(line.strip())
            if "data" in record and ("annotations" in record or "predictions" in record):
                record = _of_label_studio(where, record)
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
    for answer, count in rejected.items():
        notes.lines.append(f"Left out, as their answer is {answer!r}: {count:,} texts")
    if not texts and rejected[NOT_ANNOTATED]:
        raise DataError(
            f"{path}: found {rejected[NOT_ANNOTATED]:,} tasks of Label Studio that nobody has annotated; predictions are only "
            "proposals: import them there, submit or correct each task, and export"
        )
    if not texts:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    labels = Counter(label for text in texts for _, _, label in text.entities or [])
    odd = [label for label in labels if label == OUTSIDE or re.fullmatch("[BIESLU]-.+", label)]
    if odd:
        notes.warnings.append(
            f"Labels such as {odd[0]!r} look like BIO tags; expected entity types, such as PER. Rename them, or leave O out"
        )
    return texts


def _objects(path: Path, content: str) -> Iterator[tuple[int, str, str]]:
    """The number of each object, where it stands, and the object as JSON."""
    if content.lstrip().startswith("["):
        found = _parsed(content)
        for number, item in enumerate(found if isinstance(found, list) else [], 1):
            yield number, f"{path}, object {number}", json.dumps(item)
        return
    for number, line in enumerate(content.split("\n"), 1):  # splitlines() would split a text at U+0085 too
        if line.strip():
            yield number, f"{path}, line {number}", line


def _of_label_studio(where: str, task: dict[str, Any]) -> dict[str, Any]:
    """A task of Label Studio's own JSON (https://labelstud.io/guide/export) as a record: what the last annotator who did not
    skip it has marked."""
    data = task["data"]
    texts = [value for value in data.values() if isinstance(value, str)]
    if "text" not in data and len(texts) != 1:
        raise DataError(f'{where}: found "data" with {", ".join(data) or "nothing"}, expected one text, under "text"')
    record = {"text": data.get("text", texts[0] if texts else ""), "spans": []}
    done = [each for each in task.get("annotations", ()) if not each.get("was_cancelled")]
    if not done:
        return {**record, "answer": NOT_ANNOTATED}
    marked = [result["value"] for result in done[-1]["result"] if result.get("type", "labels") == "labels"]
    return {**record, "spans": marked}


def looks_like_json(line: str) -> bool:
    """Whether the line is a JSON object or list."""
    return isinstance(_parsed(line), (dict, list))


def is_list_of_texts(content: str) -> bool:
    """Whether this is a JSON list of objects, as Label Studio exports them."""
    found = _parsed(content) if content.lstrip().startswith("[") else None
    return isinstance(found, list) and bool(found) and all(isinstance(item, dict) for item in found)


def refuse_lists(path: Path, content: str) -> None:
    """RAISES: DataError for lists of something else than texts, and for spaCy's pairs, with the command that makes JSON lines of
    them."""
    first = content.lstrip().partition("\n")[0].strip()
    if not first.startswith("["):
        return
    found = _parsed(content)
    item = found[0] if isinstance(found, list) and found else None
    if _is_pair(found) or _is_pair(_parsed(first)):
        raise DataError(f"{path}: found {first[:60]!r}, {_PAIRS.format(each='')}")
    if _is_pair(item):
        raise DataError(f"{path}: found a JSON list of {_PAIRS.format(each='.[] | ')}")
    if isinstance(item, dict) and not {"text", "data"} & set(item):
        raise DataError(f'{path}: found a JSON list of objects without a "text"; {_EXPECTED}')
    if (found is not None or first == "[" or _LIST.match(first)) and not is_list_of_texts(content):
        raise DataError(f"{path}: found a JSON list that is damaged, or not of objects with a text; {_EXPECTED}")


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
    if (
        not lists and not {"annotator", "annotation_id"} & record.keys()
    ):  # JSON_MIN leaves out the key of a text without ranges
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
            start, end = _of_utf16(text, start), _of_utf16(text, end)
        if part is not None and text[start:end].strip() != part.strip():
            raise DataError(
                f"{where}: the range {start} to {end} is {text[start:end]!r} in the text, and {part!r} by its own record; "
                "expected offsets in characters (code points) of the text"
            )
        yield start, end, label


def _of_utf16(text: str, place: int) -> int:
    """The character at a place that counts an emoji as two, as the JavaScript of labelling tools does."""
    return len(text.encode("utf-16-le")[: 2 * place].decode("utf-16-le", "ignore"))


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
