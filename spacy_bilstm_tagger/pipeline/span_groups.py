"""Spans in `doc.spans`, with their probabilities: the settings of components that set them, and the groups."""

import struct
from typing import Any, Optional

import numpy as np
import srsly
from spacy.tokens import Doc, Span, SpanGroup

from ..errors import ConfigError
from ..util import is_number
from .base import SequenceComponent, Setting

SPAN = struct.Struct(">QQQllll")  # one span, as spaCy's SpanGroup.to_bytes writes it


class SpanComponent(SequenceComponent):
    """Sets `doc.spans[spans_key]`, of spans with a probability above a threshold."""

    spans_key = Setting()
    threshold = Setting()
    key_may_be_none = False  # whether the spans are set elsewhere too

    @classmethod
    def check_settings(cls, name: str, **settings: Any) -> None:
        """RAISES: ConfigError for an empty key, and a threshold that is no probability."""
        key = settings["spans_key"]
        if not (isinstance(key, str) and key) and not (key is None and cls.key_may_be_none):
            raise ConfigError(f"{name}: spans_key = {key!r}; expected the name under which doc.spans keeps the spans")
        check_threshold(name, "threshold", settings["threshold"])


def check_threshold(name: str, setting: str, value: Optional[float]) -> None:
    """RAISES: ConfigError for what is neither None nor a probability."""
    if value is not None and not (is_number(value) and 0 <= value <= 1):
        raise ConfigError(f"{name}: {setting} = {value!r}; expected null or a probability from 0 to 1")


def span_group(doc: Doc, name: str, spans: list[Span], scores: list[float]) -> SpanGroup:
    """A group for `doc.spans[name]`, whose attrs["scores"] is a (spans,) array, as that of `spancat`."""
    return AlignedSpanGroup(doc, name=name, spans=spans, attrs={"scores": np.array(scores, dtype="float32")})


class AlignedSpanGroup(SpanGroup):
    """Finds its spans again by their characters when `merge_entities`, or another component that merges or splits tokens,
    has changed the numbers of the tokens, which spaCy's own groups keep. A span that ends inside a token takes all
    of it."""

    def __getitem__(self, i: int) -> Span:
        if not self._fits(i):
            self._find_by_characters()
        return super().__getitem__(i)

    def to_bytes(self) -> bytes:
        """As spaCy's."""
        list(self)
        data: bytes = super().to_bytes()
        return data

    def copy(self, doc: Optional[Doc] = None) -> "AlignedSpanGroup":
        """As spaCy's."""
        plain = super().copy(doc)
        return AlignedSpanGroup(plain.doc, name=plain.name, attrs=plain.attrs, spans=list(plain))

    def _fits(self, i: int) -> bool:
        try:
            span = super().__getitem__(i)
        except IndexError:
            return False
        first, last = span[0], span[-1]
        return bool(first.idx == span.start_char and last.idx + len(last) == span.end_char)

    def _find_by_characters(self) -> None:
        for i, data in enumerate(srsly.msgpack_loads(super().to_bytes())["spans"]):
            span_id, kb_id, label, _, _, start, end = SPAN.unpack(data)
            ids = {"label": label, "kb_id": kb_id, "span_id": span_id}
            self[i] = self.doc.char_span(start, end, **ids, alignment_mode="expand")  # type: ignore[index]
