"""JSON with labelled ranges of characters, as Prodigy, doccano and Label Studio export them."""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, Iterator, Optional

from ..errors import DataError, Errors
from ..pipeline.gold import OUTSIDE
from ..util import no_text, without_doubles
from .annotated_text import AnnotatedText, Notes
from .labels import list_counts

KEYS = ("spans", "label", "labels", "entities", "ents")  # of the ranges, one of them
NOT_ANNOTATED = "not annotated"
_NO_GOLD = re.compile("predict|suggest|propos|relation|^tokens?$", re.IGNORECASE)  # keys of what is no annotation of ranges
_LABELS = "labels"  # the type of ranges in Label Studio
_EXPECTED = (
    'expected a JSON object with a "text" and its ranges: "spans", "label" or "entities", a list of {"start": 0, "end": 4, '
    '"label": "PER"} or [0, 4, "PER"], empty if there are none'
)
_LIST = re.compile(r'\[\s*\{\s*"')
_OBJECT = re.compile(r"""\{\s*["'][^"']+["']\s*:""")
_ARGILLA = {"annotation", "prediction", "status"}
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
    texts, rejected, other_keys, tasks = [], Counter[str](), Counter[str](), _Tasks()
    n_without, has_tags = 0, False
    for number, where, line in _objects(path, content):
        try:
            record = _load(where, line)
            if "data" in record and ("annotations" in record or "predictions" in record):
                record = tasks.read(where, record)
            elif record.keys() >= _ARGILLA:
                record = _of_argilla(record)
            if "text" not in record:
                _refuse_labels_of_tokens(where, record)
            text = record["text"]
            reason = no_text(text)
        except DataError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise DataError(f"{where}: found {_shown(line)}, {_EXPECTED}") from None
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
        elif reason:
            raise DataError(f"{where}: the text has {reason}; remove it")
        else:
            tokens = record.get("tokens") if isinstance(record.get("tokens"), list) else ()
            has_tags |= any(isinstance(each, dict) and bool(each.get("tag")) for each in tokens)
            key, ranges = _range_list(where, line, record)
            n_without += ranges is None
            other_keys[key] += key not in KEYS and not _is_json_min(record)
            entities = sorted(_ranges(where, text, ranges or []), key=itemgetter(0, 1))
            texts.append(AnnotatedText([], None, None, text, [number], entities=entities))
    for answer, count in rejected.items():
        notes.lines.append(f"Left out, as their answer is {answer!r}: {count:,} texts")
    if not texts and rejected[NOT_ANNOTATED]:
        raise DataError(
            f"{path}: found {rejected[NOT_ANNOTATED]:,} records of Label Studio or Argilla that nobody has annotated; predictions "
            "are only proposals: import them there, submit or correct each record, and export"
        )
    if not texts and rejected:
        left_out = ", ".join(f"{count:,} with the answer {answer!r}" for answer, count in rejected.items())
        raise DataError(f"{path}: found no record that was accepted, only {left_out}; accept some in the labelling tool")
    if not texts:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    if n_without == len(texts):
        raise DataError(f"{path}: none of the {n_without:,} records has ranges, {_EXPECTED}")
    tasks.report(path, notes)
    for key, count in (+other_keys).items():
        notes.warnings.append(
            f"The ranges of {count:,} texts are those of {key!r}; if a model has proposed them, and nobody has corrected them, "
            f"they are no annotation. If they are one, rename {key!r} to 'spans'"
        )
    if has_tags:
        notes.warnings.append("The tags of tokens are not read, the ranges alone; a DocBin of spaCy (.spacy) keeps both")
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


@dataclass
class _Tasks:
    """Reads tasks of Label Studio's own JSON (https://labelstud.io/guide/export).

    controls (Counter): how many results were ranges, by the name of the control that made them; other_results (Counter): the types
        of the others.
    differing (int): tasks of which annotators have marked different ranges.
    """

    controls: "Counter[str]" = field(default_factory=Counter)
    other_results: "Counter[str]" = field(default_factory=Counter)
    differing: int = 0

    def read(self, where: str, task: dict[str, Any]) -> dict[str, Any]:
        """The record of a task: the ground truth if one annotation is, else what the last annotator who did not skip the task
        has marked."""
        data = task["data"]
        texts = [value for value in data.values() if isinstance(value, str)]
        if "text" not in data and len(texts) != 1:
            raise DataError(f'{where}: found "data" with {", ".join(data) or "nothing"}, expected one text, under "text"')
        record = {"text": data.get("text", texts[0] if texts else ""), "spans": []}
        done = [each for each in task.get("annotations", ()) if not each.get("was_cancelled")]
        if not done:
            return {**record, "answer": NOT_ANNOTATED}
        others = {result.get("to_name") for each in done for result in each["result"]} & data.keys()
        if others and record["text"] not in map(data.get, others):
            raise DataError(
                f'{where}: found ranges of {", ".join(sorted(others))}, expected those of the text that is read, "text"'
            )
        marked = [self._values(each) for each in done]
        self.differing += any(_range_set(each) != _range_set(marked[0]) for each in marked)
        chosen = max(range(len(done)), key=lambda i: (bool(done[i].get("ground_truth")), i))
        for result in done[chosen]["result"]:
            kind = str(result.get("type", _LABELS))
            counts, found = (self.controls, result.get("from_name")) if kind == _LABELS else (self.other_results, kind)
            counts[str(found)] += 1
        return {**record, "spans": marked[chosen]}

    def report(self, path: Path, notes: Notes) -> None:
        """RAISES: DataError where all results are of other types."""
        others = f"results of other types than {_LABELS}: {list_counts(self.other_results)}"
        if self.other_results and not self.controls:
            raise DataError(f"{path}: found only {others}; expected ranges of the text, as the tag <Labels> makes them")
        if self.other_results:
            notes.warnings.append(f"Not read, {others}")
        if len(self.controls) > 1:
            notes.warnings.append(
                f"The ranges of several controls are read as one annotation: {list_counts(self.controls)}; if only one is meant, "
                f"keep the results whose from_name is that, such as {next(iter(self.controls))!r}"
            )
        if self.differing:
            notes.warnings.append(
                f"Annotators differ in {self.differing:,} tasks, of which the ground truth is read, or else the last annotation"
            )

    @staticmethod
    def _values(annotation: dict[str, Any]) -> list[dict[str, Any]]:
        return [result["value"] for result in annotation["result"] if result.get("type", _LABELS) == _LABELS]


def _of_argilla(record: dict[str, Any]) -> dict[str, Any]:
    """A record of a token classification of Argilla 1. Predictions are those of a model."""
    if record["status"] not in (None, "Default", "Validated"):
        return {**record, "answer": str(record["status"])}
    if record["annotation"] is None:
        return {**record, "answer": NOT_ANNOTATED}
    tuples = [isinstance(each, list) and isinstance(next(iter(each), None), str) for each in record["annotation"]]
    # to_pandas writes label, start, end.
    spans = [[*each[1:], each[0]] if is_tuple else each for each, is_tuple in zip(record["annotation"], tuples)]
    return {"text": record["text"], "spans": spans}


def _load(where: str, line: str) -> Any:
    try:
        return json.loads(line.strip(), object_pairs_hook=without_doubles)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    except (ValueError, RecursionError):
        raise DataError(f"{where}: found {_shown(line)}, {_why_no_json(line)}, {_EXPECTED}") from None


def _why_no_json(line: str) -> str:
    try:
        json.loads(line)
        reason = ""
    except (ValueError, RecursionError) as error:
        reason = f" ({error})"
    return f"which is no JSON{reason}"


def _range_set(values: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    return {(value.get("start"), value.get("end"), *value.get("labels", ())) for value in values}


def looks_like_json(line: str) -> bool:
    """Whether the line is a JSON object or list."""
    return isinstance(_parsed(line), (dict, list))


def is_list_of_texts(content: str) -> bool:
    """Whether this is a JSON list of objects, as Label Studio exports them."""
    found = _parsed(content) if content.lstrip().startswith("[") else None
    return isinstance(found, list) and bool(found) and all(isinstance(item, dict) for item in found)


def refuse_json(path: Path, content: str) -> None:
    """RAISES: DataError for lists of something else than texts, for spaCy's pairs, with the command that makes JSON lines of
    them, and for what begins as a JSON object and is none."""
    first = content.lstrip().partition("\n")[0].strip()
    if (first == "{" or _OBJECT.match(first)) and not looks_like_json(first):
        reason = "one object over several lines" if looks_like_json(content) or first == "{" else _why_no_json(first)
        line = content.count("\n", 0, content.index(first)) + 1
        raise DataError(
            f"{path}, line {line}: found {first[:60]!r}, {reason}; expected a JSON object in each line, in double quotes, and "
            "nothing behind it ('jq -c . FILE' writes them so)"
        )
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


def _range_list(where: str, line: str, record: dict[str, Any]) -> tuple[str, Optional[list[Any]]]:
    """The only key that has ranges, and these; empty if a list is, and no key has any; None for a record without such a key, as
    JSON_MIN of Label Studio has of texts without ranges. There, the key is named by the user."""
    values = {key: record[key] for key in KEYS if record.get(key) is not None}
    lists = {key: value for key, value in values.items() if isinstance(value, list)}
    named = {key: value for key, value in record.items() if key not in KEYS and not _NO_GOLD.search(key)}
    empty = next((key for key, value in lists.items() if not value), None)
    lists.update({key: value for key, value in named.items() if _are_ranges(value)})
    filled = [key for key, value in lists.items() if value]
    if filled and filled[0] not in KEYS and empty is not None:
        raise DataError(f'{where}: "{empty}" is empty, and "{filled[0]}" holds ranges; remove the one that is not meant')
    if len(filled) > 1:
        raise DataError(f'{where}: both "{filled[0]}" and "{filled[1]}" hold a list, expected one; remove the other')
    if filled:
        return filled[0], lists[filled[0]]
    for key, value in values.items():
        if key in lists:
            continue
        holds_lists = isinstance(value, dict) and any(isinstance(each, list) for each in value.values())
        if holds_lists or (isinstance(value, str) and value[:1] in ("[", "{")):
            raise DataError(f'{where}: "{key}" is {json.dumps(value)[:60]}, {_EXPECTED}')
        raise DataError(
            f'{where}: "{key}" is {json.dumps(value)[:60]}, the class of a text, expected ranges; if the text has no '
            f'entities, remove "{key}" and leave an empty list in "spans"'
        )
    _refuse_labels_of_tokens(where, record)
    if lists:
        return next(iter(lists)), []
    if _is_json_min(record):
        return KEYS[0], None
    raise DataError(f"{where}: found {_shown(line)}, {_EXPECTED}")


def _is_json_min(record: dict[str, Any]) -> bool:
    return bool({"annotator", "annotation_id"} & record.keys())


def _are_ranges(value: Any) -> bool:
    """Whether this is a list of objects with a start, an end and a label."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, dict) and {"label", "labels"} & each.keys() for each in value)
        and all({"start", "start_offset"} & each.keys() for each in value)
    )


def _ranges(where: str, text: str, ranges: list[Any]) -> Iterator[tuple[int, int, str]]:
    for found in ranges:
        try:
            start, end, label, part = _fields(found)
            label.encode("utf8")
            is_range = type(start) is int and type(end) is int and bool(label.strip())
        except DataError as error:
            raise DataError(f"{where}: {error}") from None
        except (KeyError, TypeError, ValueError, AttributeError):
            is_range = False
        if not is_range:
            expected = """expected two whole numbers and a label: {"start": 0, "end": 4, "label": "PER"} or [0, 4, "PER"]"""
            raise DataError(f"{where}: found {json.dumps(found)[:60]} as a range, {expected}")
        if not 0 <= start < end <= len(text):
            raise DataError(
                f"{where}: the range {start} to {end} is not in the text, whose characters are 0 to {len(text)} (the end is "
                "exclusive); correct it, or remove it"
            )
        if part is not None and not _is_same(text[start:end], part):
            start, end = _of_utf16(text, start), _of_utf16(text, end)
        if part is not None and not _is_same(text[start:end], part):
            raise DataError(
                f"{where}: the range {start} to {end} is {text[start:end]!r} in the text, and {part!r} by its own record; "
                "expected offsets in characters (code points) of the text"
            )
        yield start, end, label.strip()


def _refuse_labels_of_tokens(where: str, record: dict[str, Any]) -> None:
    """RAISES: DataError for tokens and as many tags, as in Hugging Face's datasets, with the command that makes columns of them."""
    tokens = record.get("tokens")
    n_tokens = len(tokens) if isinstance(tokens, list) else 0
    for key, value in record.items():
        if n_tokens and re.search("tag|label", key.lower()) and isinstance(value, list) and len(value) == n_tokens:
            raise DataError(
                f'{where}: "{key}" holds a value for each of the "tokens"; expected columns, with names of labels and no numbers. '
                f"Make them with: jq -r '([.tokens, .{key}] | transpose[] | @tsv), \"\"' FILE"
            )


def _shown(line: str) -> str:
    """The beginning of a record, and the keys of an object that is cut off."""
    if len(line.strip()) <= 60:
        return repr(line.strip())
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    keys = f" with the keys {', '.join(list(record)[:10])}" if isinstance(record, dict) else ""
    return f"{line.strip()[:60]!r}{keys}"


def _is_same(found: str, part: str) -> bool:
    """White space and case are not compared: some tools give the tokens of a model."""
    return "".join(found.split()).casefold() == "".join(part.split()).casefold()


def _of_utf16(text: str, place: int) -> int:
    """The character at a place that counts an emoji as two, as the JavaScript of labelling tools does."""
    return len(text.encode("utf-16-le")[: 2 * place].decode("utf-16-le", "ignore"))


def _fields(found: Any) -> tuple[Any, Any, Any, Optional[str]]:
    """Start, end, label, and the text of the range if the record has it."""
    if isinstance(found, list):
        start, end, label = found
        return start, end, label, None
    start, end = (found[key] if key in found else found[f"{key}_offset"] for key in ("start", "end"))
    labels = found["labels"] if "labels" in found else [found["label"]]
    if len(labels) > 1:
        raise DataError(
            f"found {len(labels)} labels, {', '.join(labels)}, expected one; a token has at most one entity, so remove the others"
        )
    (label,) = labels
    part = next((found[key] for key in ("text", "value", "word") if isinstance(found.get(key), str)), None)
    return start, end, label, part
