"""The base of the components that set spans with a probability, and the groups of `doc.spans` that hold them."""

import struct
from abc import abstractmethod
from typing import Any, Callable, Iterator, Optional, Sequence

import numpy as np
import srsly
from numpy.typing import NDArray
from spacy.tokens import Doc, Span, SpanGroup

from ..crf.inference import ChainScores
from ..errors import ConfigError
from ..util import is_number
from .base import SequenceComponent, Setting

SPAN = struct.Struct(">QQQllll")  # one span, as spaCy's SpanGroup.to_bytes writes it
# From spans, their start and end in rows of the scores and one of the component's labels.
SpanScorer = Callable[[Sequence[tuple[int, int, str]]], NDArray[np.float32]]


class SpanComponent(SequenceComponent):
    """Sets `doc.spans[spans_key]`, of spans with a probability above a threshold."""

    spans_key = Setting()
    threshold = Setting()
    key_may_be_none = False  # whether the spans are set elsewhere too

    @abstractmethod
    def span_scorer(self, scores: ChainScores) -> SpanScorer:
        """Gives the probability of each span, (spans,), that exactly it has its label. scores: as `adjust` gives them."""

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


def span_score(span: Span) -> Optional[float]:
    """The probability that a component of ours gave to this span, also to one of `doc.ents`; None without one.

    It is that of the span of the same characters and label in `doc.spans`. Of spaCy's groups, which docs of other processes
    and files have, the tokens may be those of before a merge.
    """
    place = span.start_char, span.end_char, span.label
    for group in span.doc.spans.values():
        scores = group.attrs.get("scores", ())
        if len(scores) == len(group):
            for (start, end, label), score in zip(_places(group), scores):
                if (start, end, label) == place:
                    return float(score)
    return None


def _places(group: SpanGroup) -> Iterator[tuple[int, int, int]]:
    """The first character, the one behind the last, and the label of each span."""
    for data in srsly.msgpack_loads(group.to_bytes())["spans"]:
        _, _, label, _, _, start, end = SPAN.unpack(data)
        yield start, end, label


if not Span.has_extension("score"):
    Span.set_extension("score", getter=span_score)


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
        return super().to_bytes()

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
