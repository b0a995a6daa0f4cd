"""Annotated records as files: JSON lines, Parquet, CSV, CoNLL-U and spaCy's DocBin.

A worker encodes a few hundred records (`encode`), and the main process puts what it gets into a file (`Writer`).
"""

import base64
import csv
import io
import json
import math
from bisect import bisect
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Mapping, Sequence

from spacy.attrs import intify_attr
from spacy.tokens import Doc, DocBin, Token

from ..errors import DataError
from .annotation import FIELDS, OFFSETS, TOKEN_FIELDS, schema, to_annotation
from .records import Record

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = ("jsonl", "parquet", "csv", "conllu", "spacy")
_ATTRS = {  # of a DocBin, by the field that they belong to
    "tag": ["TAG", "MORPH"],
    "pos": ["POS"],
    "lemma": ["LEMMA"],
    "sents": ["SENT_START"],
    "ents": ["ENT_IOB", "ENT_TYPE", "ENT_KB_ID", "ENT_ID"],
}


@dataclass(frozen=True, kw_only=True)
class Form:
    """What is written of each record.

    format (str): of FORMATS. fields (tuple): of annotation.FIELDS. offsets (str): "codepoint" or "utf16".
    keep (tuple): names of further columns. has_ids (bool): whether the ids stand in the input, and are not the numbers of
        the records.
    types (mapping): Arrow types of "id" and of kept columns where the input, Parquet, has them; others are strings.
    """

    format: str = "jsonl"
    fields: tuple[str, ...] = FIELDS
    offsets: str = "codepoint"
    keep: tuple[str, ...] = ()
    has_ids: bool = False
    types: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise DataError(f"--format {self.format}: expected one of {', '.join(FORMATS)}")
        if self.offsets not in OFFSETS:
            raise DataError(f"--offsets {self.offsets}: expected {' or '.join(OFFSETS)}")
        if self.format in ("conllu", "spacy") and self.offsets != "codepoint":
            raise DataError(f"--offsets {self.offsets}: {self.format} holds no places; leave it out")
        if self.format == "csv" and "tokens" not in self.fields:
            raise DataError("--fields: csv has a row for each token; add tokens, or write jsonl or parquet")
        for name in self.keep:
            if name in ("id", *(self.columns() if self.format == "csv" else ("text", *FIELDS))):
                raise DataError(
                    f"--keep {name}: a column of the annotation has this name; rename that of the input, or give it by --id-field"
                )

    def columns(self) -> list[str]:
        """Those of CSV that belong to the annotation."""
        sent, ent = (["sent"] if "sents" in self.fields else []), (["ent", "score"] if "ents" in self.fields else [])
        return [*sent, "start", "end", "token", *(name for name in TOKEN_FIELDS if name in self.fields), *ent]

    def header(self) -> bytes:
        """What a file begins with."""
        return _csv_lines([["id", *self.keep, *self.columns()]]) if self.format == "csv" else b""

    def schema(self) -> "pa.Schema":
        """The columns of Parquet: id, kept ones, text, and those of the annotation."""
        import pyarrow as pa

        kinds = {**dict.fromkeys(("id", *self.keep), pa.string()), **({} if self.has_ids else {"id": pa.int64()})}
        return schema(self.fields, [pa.field(name, self.types.get(name, kind)) for name, kind in kinds.items()])

    def row(self, record: Record, doc: Doc) -> dict[str, Any]:
        annotation = to_annotation(doc, self.fields, offsets=self.offsets)
        kept = {name: _to_json(value) for name, value in record.kept.items()} if self.format == "jsonl" else record.kept
        return {"id": record.id, **kept, **annotation}


def encode(form: Form, records: Sequence[Record], docs: Sequence[Doc]) -> bytes:
    """Records with their annotation, as a piece of a file that a Writer takes."""
    pairs = list(zip(records, docs))
    if form.format == "jsonl":
        rows = (json.dumps(form.row(*pair), ensure_ascii=False, default=_as_text) for pair in pairs)
        return "".join(f"{row}\n" for row in rows).encode("utf8")
    if form.format == "conllu":
        return "".join(to_conllu(*pair, form.fields) for pair in pairs).encode("utf8")
    if form.format == "csv":
        return _csv_lines(row for pair in pairs for row in to_rows(form, *pair))
    if form.format == "spacy":
        for record, doc in pairs:
            doc.user_data.update({name: _to_msgpack(value) for name, value in {"id": record.id, **record.kept}.items()})
            if "spans" not in form.fields:
                doc.spans.clear()
        left_out = {intify_attr(attr) for name, attrs in _ATTRS.items() if name not in form.fields for attr in attrs}
        attrs = [attr for attr in DocBin().attrs if attr not in left_out]
        return DocBin(attrs, docs=docs, store_user_data=True).to_bytes()
    import pyarrow as pa

    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, form.schema()) as writer:
        writer.write_batch(to_batch(form, [form.row(*pair) for pair in pairs]))
    return stream.getvalue()


def to_batch(form: Form, rows: list[dict[str, Any]]) -> "pa.RecordBatch":
    """Rows as a batch of Arrow. In columns of strings, numbers and objects of JSON lines are their JSON."""
    import pyarrow as pa

    columns = form.schema()
    for name in ("id", *form.keep):
        if pa.types.is_string(columns.field(name).type):
            for row in rows:
                if row[name] is not None and not isinstance(row[name], str):
                    row[name] = json.dumps(_to_json(row[name]), ensure_ascii=False, default=_as_text)
    arrays = [
        (_to_array if field.name in FIELDS else pa.array)([row.get(field.name) for row in rows], field.type) for field in columns
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=columns)


def _to_array(values: list[Any], kind: Any) -> "pa.Array":
    """As `pa.array`, which is several times slower for lists of dicts."""
    import pyarrow as pa

    if not pa.types.is_list(kind):
        return pa.array(values, kind)
    items = [item for value in values if value is not None for item in value]
    parts = [pa.array([item.get(part.name) for item in items], part.type) for part in kind.value_type]
    ends = list(accumulate(len(value or ()) for value in values))
    starts = [None if value is None else end - len(value) for value, end in zip(values, ends)]
    inside = pa.StructArray.from_arrays(parts, fields=list(kind.value_type))
    return pa.ListArray.from_arrays(pa.array([*starts, ends[-1] if ends else 0], pa.int32()), inside, type=kind)


Writer = Callable[[bytes], Any]


@contextmanager
def open_writer(form: Form, path: Path) -> Iterator[Writer]:
    """A function that takes pieces as `encode` makes them, in order."""
    if form.format == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        def write_rows(piece: bytes) -> None:
            with pa.ipc.open_stream(piece) as reader:
                parquet.write_table(reader.read_all())

        with pq.ParquetWriter(path, form.schema(), compression="zstd") as parquet:
            yield write_rows
    elif form.format == "spacy":
        merged: list[DocBin] = []

        def merge(piece: bytes) -> None:
            found = DocBin(store_user_data=True).from_bytes(piece)
            if merged:
                merged[0].merge(found)
            else:
                merged.append(found)

        yield merge
        (merged or [DocBin(store_user_data=True)])[0].to_disk(path)
    else:
        with path.open("wb") as file:
            file.write(form.header())
            yield file.write


def join(form: Form, parts: Iterable[Path], path: Path) -> None:
    """Several files as one."""
    if form.format == "parquet":
        import pyarrow.parquet as pq

        with pq.ParquetWriter(path, form.schema(), compression="zstd") as writer:
            for part in parts:
                with pq.ParquetFile(part) as file:
                    for batch in file.iter_batches(1024):
                        writer.write_batch(batch)
        return
    with open_writer(form, path) as write:
        for part in parts:
            with part.open("rb") as file:
                file.seek(len(form.header()))
                while block := file.read(-1 if form.format == "spacy" else 1 << 20):
                    write(block)


def to_rows(form: Form, record: Record, doc: Doc) -> Iterator[list[Any]]:
    """A row for each token that is not white space, with the columns of CSV. "sent" counts sentences from 1; "ent" is a BIO tag."""
    found = form.row(record, doc)
    sents, ents = [sent["start"] for sent in found.get("sents", ())], iter(found.get("ents", ()))
    ent = next(ents, None)
    for token in found["tokens"]:
        if token["text"].isspace():
            continue
        while ent is not None and ent["end"] <= token["start"]:
            ent = next(ents, None)
        cells: dict[str, Any] = {**token, "token": token["text"], "ent": "O"}
        if sents:
            cells["sent"] = bisect(sents, token["start"])
        if ent is not None and ent["start"] <= token["start"]:
            cells["ent"] = f"{'B' if ent['start'] == token['start'] else 'I'}-{ent['label']}"
            cells["score"] = ent["score"]
        yield [_as_cell(_to_json(value)) for value in (record.id, *record.kept.values())] + [
            cells.get(name) for name in form.columns()
        ]


def _csv_lines(rows: Iterable[list[Any]]) -> bytes:
    lines = io.StringIO(newline="")
    csv.writer(lines, lineterminator="\n").writerows(rows)
    return lines.getvalue().encode("utf8")


def to_conllu(record: Record, doc: Doc, fields: tuple[str, ...] = FIELDS) -> str:
    """A text as CoNLL-U (https://universaldependencies.org/format.html), a block for each sentence. There are no trees;
    entities stand in MISC as NER=B-person. White space other than one space between tokens is SpacesAfter, and
    that before the first one SpacesBefore."""
    blocks: list[str] = []
    sents = list(doc.sents) if "sents" in fields and doc.has_annotation("SENT_START") else [doc[:]]
    for number, sent in enumerate(sents):
        words = [token for token in sent if not token.text.isspace()]
        if not words:
            continue
        sent_end = sents[number + 1].start_char if number + 1 < len(sents) else len(doc.text)
        lines = [f"# newdoc id = {_one_line(str(record.id))}"] if not blocks else []
        lines += [f"# sent_id = {_one_line(str(record.id))}-{number + 1}", f"# text = {_one_line(sent.text.strip())}"]
        if not blocks:
            there = {name: value for name, value in record.kept.items() if value is not None}
            lines += [f"# {name} = {_one_line(_as_text(value))}" for name, value in there.items()]
        for i, word in enumerate(words, 1):
            end = words[i].idx if i < len(words) else sent_end
            pos = word.pos_ if word.pos_ != "SPACE" else "X"  # of invisible characters, which are tokens here
            known = {"lemma": word.lemma_, "pos": pos, "tag": word.tag_}
            columns = [word.text, *(known[name] if name in fields else "" for name in known)]
            columns.append(str(word.morph) if "tag" in fields else "")
            form, *others = (column.replace("\t", " ") or "_" for column in columns)
            before = doc.text[: word.idx] if i == 1 and not blocks else ""
            misc = _misc(word, before, doc.text[word.idx + len(word) : end], "ents" in fields)
            lines.append("\t".join([str(i), form, *others, "_", "_", "_", misc]))
        blocks.append("\n".join(lines) + "\n\n")
    return "".join(blocks)


def _misc(token: Token, before: str, behind: str, with_entities: bool) -> str:
    """before, behind: white space around the token, before the first one of a text alone."""
    parts = [f"NER={token.ent_iob_}-{token.ent_type_}"] if token.ent_type_ and with_entities else []
    if before:
        parts.append(f"SpacesBefore={_escape(before)}")
    if not behind:
        parts.append("SpaceAfter=No")
    elif behind != " ":
        parts.append(f"SpacesAfter={_escape(behind)}")
    return "|".join(parts) or "_"


def _escape(white: str) -> str:
    signs = {" ": r"\s", "\n": r"\n", "\t": r"\t", "\r": r"\r", "|": r"\p", "\\": r"\\"}
    return "".join(signs.get(sign, sign) for sign in white)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _to_json(value: Any) -> Any:
    """NaN and infinity, which JSON does not know, as null, at any depth."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _to_json(each) for key, each in value.items()}
    return [_to_json(each) for each in value] if isinstance(value, (list, tuple)) else value


def _to_msgpack(value: Any) -> Any:
    """What a DocBin can keep: values of JSON, and whole numbers of 64 bits."""
    value = _to_json(value)
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        return str(value)
    if isinstance(value, dict):
        return {key: _to_msgpack(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_to_msgpack(each) for each in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else _as_text(value)


def _as_cell(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, int, float)) else _as_text(value)


def _as_text(value: Any) -> str:
    """Values that JSON does not know: times of Parquet, and bytes, which become base64."""
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=_as_text)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
