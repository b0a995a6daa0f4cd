"""Spans and their scores, kept as `spancat` keeps them."""

import numpy as np
from spacy.tokens import Doc, Span, SpanGroup


def span_group(doc: Doc, name: str, spans: list[Span], scores: list[float]) -> SpanGroup:
    """A group for `doc.spans[name]`, whose attrs["scores"] is a (spans,) array."""
    return SpanGroup(doc, name=name, spans=spans, attrs={"scores": np.array(scores, dtype="float32")})
