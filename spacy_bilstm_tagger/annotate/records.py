"""Records of files of any size, one after another: text, id, and further columns. A record that cannot be read is a
`Reject` with the reason, and reading goes on."""

import codecs
import json
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Optional, Union

from ..corpus.raw import check_head, whole_text
from ..errors import DataError, damaged
from ..util import no_text, without_doubles
from .csv_rows import cells, csv_rows
from .sources import FROM_ARRAY, Source, format_of, read_schema

MAX_CHARS = 100_000  # of a text
SHOWN = 200  # characters of a rejected record that are kept
_FIRST = 1000  # lines whose keys are looked at before the work
_DEEPEST = 50  # lists and objects in each other, of a kept column


@dataclass
class Record:
    """id: row number, or what the id field holds. kept (dict): further columns. source, line: as of a Reject."""

    id: Any
    text: str
    kept: dict[str, Any] = field(default_factory=dict)
    source: str = ""
    line: int = 0


@dataclass
class Reject:
    """source (str): the file; line (int): from 1, in Parquet the row. content (str): the beginning of the record."""

    source: str
    line: int
    reason: str
    content: str = ""


Item = Union[Record, Reject]


@dataclass(kw_only=True)
class Layout:
    """How records lie in files.

    text_field, id_field (str or None), keep (tuple of str): columns, or keys of JSON objects. Without an id field the id is
        the number of the record, from 0, over all files.
    format (str or None): "jsonl", "csv", "tsv", "parquet" or "text"; None for what the name's ending says.
    encoding (str): of all but Parquet.
    max_chars (int): longer texts are rejected; if `cut`, their beginning is taken.
    """

    text_field: str = "text"
    id_field: Optional[str] = None
    keep: tuple[str, ...] = ()
    format: Optional[str] = None
    encoding: str = "utf-8"
    max_chars: int = MAX_CHARS
    cut: bool = False


def check_inputs(sources: list[str], layout: Layout) -> None:
    """Look at the beginning of each file, so that a wrong column is told before the work.

    RAISES: DataError for a missing column, an unknown format, and a file that is damaged or of another encoding.
    """
    try:
        name = codecs.lookup(layout.encoding).name
    except LookupError:
        raise DataError(f"--encoding {layout.encoding}: Python knows no such encoding; expected a name such as cp1252") from None
    if not _has_ascii(name):
        raise DataError(f"--encoding {layout.encoding}: expected UTF-8, or an encoding of single bytes; save the file as UTF-8")
    fields = {"--text-field": layout.text_field != "text", "--id-field": layout.id_field, "--keep": layout.keep}
    for source in sources:
        without = [option for option, given in fields.items() if given]
        if without and (layout.format or format_of(source)) == "text":
            way_out = (
                "name the format by --input-format"
                if source == "-"
                else "leave it out, or annotate files without fields by a command of their own"
            )
            raise DataError(f"{source}: is read as text, a record a line, which has no fields for {without[0]}; {way_out}")
        reader = _RecordReader(source, layout)
        if source != "-":
            reader.check_first_lines()
            for _ in islice(reader.items(), 1):
                pass


def _has_ascii(encoding: str) -> bool:
    """Whether ASCII is what it is in UTF-8, so that lines and commas are found."""
    ascii = bytes(range(32, 127)) + b"\r\n\t\\n"  # backslash and n, which unicode_escape takes for one sign
    try:
        return encoding != "charmap" and ascii.decode(encoding) == ascii.decode("ascii")
    except (LookupError, UnicodeError):
        return False


def read_records(sources: list[str], layout: Layout, progress: Optional[Callable[[int], None]] = None) -> Iterator[Item]:
    """All records of the files, in order: each line of text, JSON object, CSV row or Parquet row is a Record or a Reject.

    progress (callable): gets the number of bytes that were read, again and again. See `size`.
    RAISES: DataError where a file ends in the middle of packed data, or is no Parquet.
    """
    number, before = 0, 0
    for source in sources:
        reader = _RecordReader(source, layout)
        for item in reader.items():
            if isinstance(item, Record) and layout.id_field is None:
                item.id = number
            number += 1
            if progress is not None and not number % 256:
                progress(before + reader.file.place())
            yield item
        before += reader.file.place()


def to_item(layout: Layout, found: Mapping[str, Any], text: Any, *, source: str = "", line: int = 0, content: str = "") -> Item:
    """A record of a text and the columns that were found with it, or the reason why it is none."""
    key = None
    if not isinstance(text, str):
        return _reject(source, line, f"{layout.text_field!r} is {_json_type(text)}, expected a string", content)
    if not text.strip():
        return _reject(source, line, "no text: it is blank", content)
    if len(text) > layout.max_chars:
        if not layout.cut:
            return _reject(source, line, f"{len(text):,} characters, expected at most {layout.max_chars:,}", content)
        text = text[: layout.max_chars]
    if reason := no_text(text):
        return _reject(source, line, reason, content)
    if layout.id_field is not None:
        key = found.get(layout.id_field)
        if isinstance(key, bool) or not isinstance(key, (str, int)) or key == "":
            return _reject(
                source,
                line,
                f"no id: {layout.id_field!r} is {_json_type(key)}, expected a string or a whole number",
                content,
            )
        if reason := no_text(str(key)):
            return _reject(source, line, f"in the id {reason}", content)
    kept = {name: found.get(name) for name in layout.keep}
    reason = next((reason for value in kept.values() if (reason := _unwritable(value))), "")
    if reason:
        return _reject(source, line, reason, content)
    return Record(key, text, kept, source, line)


def readable(layout: Layout, found: Mapping[str, Any]) -> dict[str, Any]:
    """What of a record without annotation can be written: "id", kept columns and "text"."""
    key, text = found.get(layout.id_field or ""), found.get(layout.text_field)
    is_key = isinstance(key, (str, int)) and not isinstance(key, bool) and not no_text(str(key))
    is_right = isinstance(text, str) and len(text) <= layout.max_chars and not no_text(text)
    kept = {name: found.get(name) for name in layout.keep if not _unwritable(found.get(name))}
    return {"id": key if is_key else None, **kept, "text": text if is_right else None}


def _unwritable(value: Any, depth: int = 0) -> str:
    """Why a value of a kept column cannot be written; "" for almost all."""
    if isinstance(value, str):
        return f"in a kept column {reason}" if (reason := no_text(value)) else ""
    if not isinstance(value, (dict, list)):
        return ""
    if depth == _DEEPEST:
        return f"a kept column is nested more than {_DEEPEST} deep"
    inside = [*value, *value.values()] if isinstance(value, dict) else value
    return next((reason for each in inside if (reason := _unwritable(each, depth + 1))), "")


def json_item(layout: Layout, source: str, line: int, text: str) -> Item:
    """A record of a line of JSON, or the reason why it is none."""
    try:
        found = json.loads(text, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=without_doubles)
    except DataError as error:
        return _reject(source, line, str(error), text)
    except (ValueError, RecursionError) as error:
        reason = "an integer of thousands of digits" if "set_int_max_str_digits" in str(error) else error
        return _reject(source, line, f"broken JSON: {reason}", text)
    if not isinstance(found, dict):
        return _reject(source, line, f"a JSON {_json_type(found)}, expected an object", text)
    if layout.text_field not in found:
        keys = ", ".join(map(repr, islice(found, 10))) or "nothing"
        return _reject(source, line, f"no {layout.text_field!r}, found {keys}", text)
    return to_item(layout, found, whole_text(found, layout.text_field), source=source, line=line, content=text)


def _reject(source: str, line: int, reason: str, content: str = "") -> Reject:
    # Without half surrogate pairs, which no file can hold.
    clean = (part.encode("utf8", "backslashreplace").decode("utf8") for part in (reason, content[:SHOWN]))
    return Reject(source, line, *clean)


def column_types(sources: list[str], layout: Layout) -> dict[str, Any]:
    """The Arrow types of "id" and of the kept columns, if all files are Parquet and agree in them; else none.

    RAISES: DataError where they differ.
    """
    found: dict[str, tuple[str, Any]] = {}
    if any((layout.format or format_of(source)) != "parquet" for source in sources):
        return {}
    import pyarrow as pa

    names = {**({"id": layout.id_field} if layout.id_field else {}), **{name: name for name in layout.keep}}
    for source in sources:
        columns = read_schema(source)
        for name, column in names.items():
            first, kind = found.setdefault(name, (source, _plain(columns.field(column).type)))
            if name == "id" and not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)):
                raise DataError(f"{source}: the column {column!r} holds {kind}, expected strings or whole numbers as ids")
            if kind != (other := _plain(columns.field(column).type)):
                raise DataError(f"{source}: the column {column!r} holds {other}, and {kind} in {first}; give them one type")
    return {name: kind for name, (_, kind) in found.items()}


def _plain(kind: Any) -> Any:
    """The type of the values of a column of Arrow: pandas' categories are read as what they stand for."""
    import pyarrow as pa

    return kind.value_type if pa.types.is_dictionary(kind) else kind


class _RecordReader:
    def __init__(self, source: str, layout: Layout) -> None:
        self.source, self.layout, self.file = source, layout, Source(source)
        self.format = layout.format or format_of(source)
        if self.format == "parquet" and source == "-":
            raise DataError("Parquet cannot be read from the standard input; give a file")

    def items(self) -> Iterator[Item]:
        readers = {"jsonl": self._jsonl, "parquet": self._parquet, "text": self._text}
        return readers.get(self.format, self._csv)()

    def check_first_lines(self) -> None:
        """RAISES: DataError for a key that no object of JSON lines has there, and for a text file that begins as another one."""
        if self.format == "text" and self.layout.format is None:
            head = [text for _, text, _ in islice(Source(self.source).lines(self.layout.encoding), _FIRST)]
            check_head(self.source, head, way_out=", or give --input-format (text, if it is one)")
        if self.format != "jsonl":
            return
        found: Counter[str] = Counter()
        first = ""
        for _, text, _ in islice(Source(self.source).lines(self.layout.encoding), _FIRST):
            first = first or text.strip()
            try:
                record = json.loads(text)
            except (ValueError, RecursionError):
                continue
            found.update(list(record) if isinstance(record, dict) else ())
        if first.startswith("["):
            raise DataError(f"{self.source}: is a JSON array; write its objects one a line, such as by {FROM_ARRAY}")
        if first and not found:
            raise DataError(
                f"{self.source}: none of its first {_FIRST} lines is a JSON object with a text, it begins with {first[:60]!r}; "
                "give it the ending of its format, or --input-format"
            )
        if found:
            self._check_columns([name for name, _ in found.most_common()], what="key", where=f" in its first {_FIRST} lines")

    def _text(self) -> Iterator[Item]:
        for line, text, reason in self.file.lines(self.layout.encoding):
            text = text.removeprefix("\ufeff")  # of a file that was joined to another one
            yield self._reject(line, reason, text) if reason else self._item(line, {}, text, text)

    def _jsonl(self) -> Iterator[Item]:
        for line, text, reason in self.file.lines(self.layout.encoding):
            if reason or not text.strip():
                yield self._reject(line, reason or "blank line", text)
                continue
            yield json_item(self.layout, self.source, line, text)

    def _csv(self) -> Iterator[Item]:
        lines = self.file.lines(self.layout.encoding, keep_ends=True)
        first = next(lines, None)
        if first is None:  # an empty file has no records, in any format
            return
        _, header, reason = first
        if reason:
            raise DataError(f"{self.source}, line 1: {reason}. Save the file as UTF-8, or name its encoding by --encoding")
        header = header.rstrip("\r\n")
        delimiter = "\t" if self.format == "tsv" else ","
        if self.format == "csv" and self.layout.text_field in (names := cells(header, ";")) and len(names) > 1:
            delimiter = ";"
        names = cells(header, delimiter)
        self._check_columns(names)
        quoted = self.format == "csv" or header.startswith('"')  # as R and spreadsheets write TSV
        for line, row, reason, content in csv_rows(lines, delimiter, len(names), quoted=quoted):
            if reason:
                yield self._reject(line, reason, content)
            elif not row:
                yield self._reject(line, "blank line")
            elif len(row) != len(names):
                yield self._reject(line, f"{len(row)} cells, expected {len(names)}: {', '.join(names)[:100]}", content)
            else:
                by_name = dict(zip(names, row))
                yield self._item(line, by_name, by_name[self.layout.text_field], content)

    def _parquet(self) -> Iterator[Item]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        asked = [self.layout.text_field, *([self.layout.id_field] if self.layout.id_field else []), *self.layout.keep]
        try:
            with self.file.open() as raw, pq.ParquetFile(raw) as file:
                self._check_columns(file.schema_arrow.names)
                kind = _plain(file.schema_arrow.field(self.layout.text_field).type)
                if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
                    raise DataError(f"{self.source}: the column {self.layout.text_field!r} holds {kind}, expected strings")
                row = 0
                for batch in file.iter_batches(batch_size=1024, columns=list(dict.fromkeys(asked))):
                    for found in _rows_of(batch):
                        row += 1
                        if isinstance(found, str):
                            yield self._reject(row, found)
                        else:
                            yield self._item(row, found, found[self.layout.text_field], str(found)[:SHOWN])
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{damaged(Path(self.source), 'a Parquet file', error)}; get the file again") from None

    def _item(self, line: int, found: Mapping[str, Any], text: Any, content: str) -> Item:
        return to_item(self.layout, found, text, source=self.source, line=line, content=content)

    def _reject(self, line: int, reason: str, content: str = "") -> Reject:
        return _reject(self.source, line, reason, content)

    def _check_columns(self, names: list[str], what: str = "column", where: str = "") -> None:
        layout = self.layout
        asked = {layout.text_field: "--text-field", **({layout.id_field: "--id-field"} if layout.id_field else {})}
        asked = {**asked, **{name: "--keep" for name in layout.keep if name not in asked}}
        for name, option in asked.items():
            if name not in names:
                shown = ", ".join(repr(found[:40]) for found in names[:20])
                way_out = f"Name one by {option}"
                if what == "column" and len(names) == 1 and (other := re.search(r"\w[;|\t,]\w", names[0])):
                    way_out = f"Its columns are separated by {other[0][1]!r}: save it with commas as .csv, or with TABs as .tsv"
                elif what == "column" and self.format != "parquet":
                    way_out += ", or write a first line that names the columns"
                raise DataError(f"{self.source}: has no {what} {name!r}{where}; found {shown}. {way_out}")
            if names.count(name) > 1:
                raise DataError(f"{self.source}: has {names.count(name)} columns named {name!r}, expected one")


def _rows_of(batch: Any) -> Iterator[Union[dict[str, Any], str]]:
    """The rows of a batch of Arrow, or why a row cannot be read."""
    try:
        yield from batch.to_pylist()
        return
    except UnicodeDecodeError:
        pass
    for number in range(batch.num_rows):
        try:
            yield from batch.slice(number, 1).to_pylist()
        except UnicodeDecodeError as error:
            yield f"not utf-8: {error.reason}"


def _json_type(value: Any) -> str:
    kinds = {type(None): "null", str: "string", list: "array", dict: "object", bool: "boolean"}
    if value == "":
        return "empty"
    return kinds.get(type(value), "number" if isinstance(value, (int, float)) else type(value).__name__)


def _finite(number: str) -> float:
    if math.isinf(value := float(number)):
        raise ValueError(f"{number} is too large for a number")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
