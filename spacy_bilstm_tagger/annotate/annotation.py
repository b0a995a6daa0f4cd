"""What a pipeline finds in a text, as plain values: the same in Python, JSON and Parquet."""

from typing import TYPE_CHECKING, Any, Callable, Iterable, Optional

import numpy as np
from spacy.attrs import IDX, LEMMA, LENGTH, POS, TAG
from spacy.tokens import Doc, Span

from ..errors import DataError
from ..pipeline.base import ARE_ENTS, scored_spans

if TYPE_CHECKING:
    import pyarrow as pa

FIELDS = ("tokens", "tag", "pos", "lemma", "sents", "ents", "spans")
TOKEN_FIELDS = {"tag": TAG, "pos": POS, "lemma": LEMMA}
DIGITS = 4  # of probabilities
OFFSETS = ("codepoint", "utf16")


def check_fields(fields: Iterable[str]) -> tuple[str, ...]:
    """RAISES: DataError for a name that is not in FIELDS, and for attributes of tokens without tokens."""
    asked = list(fields)
    for name in asked:
        if name not in FIELDS:
            raise DataError(f"--fields: found {name!r}, expected names of {', '.join(FIELDS)}, with commas between them")
    missing = [name for name in TOKEN_FIELDS if name in asked and "tokens" not in asked]
    if missing:
        raise DataError(f"--fields: {missing[0]} belongs to tokens; add tokens")
    return tuple(name for name in FIELDS if name in asked)


def to_annotation(doc: Doc, fields: tuple[str, ...] = FIELDS, *, offsets: str = "codepoint") -> dict[str, Any]:
    """The annotation of a doc. Places are (start, end), the end exclusive, in characters of the text.

    fields (tuple): of FIELDS. What the pipeline does not set is left out.
    offsets (str): "codepoint", the characters of Python; "utf16", those of JavaScript and Java, where an emoji counts as two.

    Keys: "text"; "tokens", a list of {"text", "start", "end", "tag", "pos", "lemma"}; "sents", a list of {"start", "end"};
    "ents", a list of {"text", "label", "start", "end", "score"}; "spans", the same with "key", that of `doc.spans`. The
    recognizer's group of entities is left out. The score is a probability, or None where it is not known.
    """
    text = doc.text
    place = _utf16_places(text) if offsets == "utf16" else None
    found: dict[str, Any] = {"text": text}
    if "tokens" in fields:
        found["tokens"] = _tokens(doc, text, [name for name in TOKEN_FIELDS if name in fields], place)
    if "sents" in fields and doc.has_annotation("SENT_START"):
        found["sents"] = [_placed(sent, place) for sent in doc.sents]
    if "ents" not in fields and "spans" not in fields:
        return found
    # Each look at doc.ents, and at a group, makes new Spans, so there is one.
    ents = {(ent.start, ent.end, ent.label): ent for ent in doc.ents}
    groups = {key: scored_spans(group) for key, group in doc.spans.items()}
    if "ents" in fields:
        scores = {
            (span.start, span.end, span.label): score
            for key, group in groups.items()
            for span, score in group
            if score is not None and ARE_ENTS in doc.spans[key].attrs
        }
        found["ents"] = [_span(ent, scores.get(key), place) for key, ent in ents.items()]
    if "spans" in fields:
        found["spans"] = [
            {"key": key, **_span(span, score, place)}
            for key, group in groups.items()
            if ARE_ENTS not in doc.spans[key].attrs or not all((s.start, s.end, s.label) in ents for s, _ in group)
            for span, score in group
        ]
    return found


def schema(fields: tuple[str, ...], before: Iterable["pa.Field"] = ()) -> "pa.Schema":
    """The columns of Parquet files. What a pipeline does not set is null there, so that all files have the same columns.

    before (fields): columns that stand before those of the annotation.
    """
    import pyarrow as pa

    place = [pa.field("start", pa.int32()), pa.field("end", pa.int32())]
    string = pa.string()
    token = [pa.field("text", string), *place, *(pa.field(name, string) for name in TOKEN_FIELDS if name in fields)]
    span = [pa.field("text", string), pa.field("label", string), *place, pa.field("score", pa.float32())]
    columns = {"tokens": token, "sents": place, "ents": span, "spans": [pa.field("key", string), *span]}
    asked = (pa.field(name, pa.list_(pa.struct(parts))) for name, parts in columns.items() if name in fields)
    return pa.schema([*before, pa.field("text", string), *asked])


Places = Optional[Callable[[int], int]]


def _tokens(doc: Doc, text: str, names: list[str], place: Places) -> list[dict[str, Any]]:
    if not len(doc):
        return []
    names = [name for name in names if doc.has_annotation(name.upper())]
    starts, lengths, *values = doc.to_array([IDX, LENGTH, *(TOKEN_FIELDS[name] for name in names)]).T.tolist()
    ends = [start + length for start, length in zip(starts, lengths)]
    tokens = [{"text": text[start:end], "start": start, "end": end} for start, end in zip(starts, ends)]
    if place is not None:
        for token in tokens:
            token["start"], token["end"] = place(token["start"]), place(token["end"])
    strings = doc.vocab.strings
    for name, column in zip(names, values):
        for token, key in zip(tokens, column):
            token[name] = strings[key] if key else ""
    return tokens


def _span(span: Span, score: Optional[float], place: Places) -> dict[str, Any]:
    rounded = None if score is None else round(score, DIGITS)
    return {"text": span.text, "label": span.label_, **_placed(span, place), "score": rounded}


def _placed(span: Span, place: Places) -> dict[str, int]:
    start, end = span.start_char, span.end_char
    return {"start": start, "end": end} if place is None else {"start": place(start), "end": place(end)}


def _utf16_places(text: str) -> Places:
    """From a place in code points to one in UTF-16 code units; None where both are the same."""
    if not text or max(text) <= "\uffff":
        return None
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    places = np.concatenate([[0], np.cumsum(1 + (points > 0xFFFF))]).tolist()
    return places.__getitem__
