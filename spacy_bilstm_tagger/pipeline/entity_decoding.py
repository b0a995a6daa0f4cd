"""From emissions to entities and their probabilities."""

from dataclasses import dataclass, field
from typing import Optional

import numpy as np
from torch import Tensor

from ..layers.chain import Chain, Layout
from ..layers.crf import viterbi
from ..layers.lattice import forward_backward
from ..layers.span_probabilities import SpanProbabilities
from .entity_scheme import EntityScheme

ALTERNATIVES_FLOOR = 0.01  # less probable spans are no alternatives

Entity = tuple[int, int, int]  # start, end, type number


@dataclass(frozen=True)
class ScoredSpans:
    """The entities of one text, with the probability of each, and the most probable of the other spans."""

    entities: list[Entity] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    alternatives: list[Entity] = field(default_factory=list)
    alternative_scores: list[float] = field(default_factory=list)


def decode(
    chain: Chain,
    emissions: Tensor,
    lengths: list[int],
    scheme: EntityScheme,
    *,
    threshold: Optional[float],
    top_k: int,
    with_scores: bool,
) -> list[ScoredSpans]:
    """The entities of each text.

    emissions: (tokens of all texts, tags), -inf where a tag is ruled out.
    threshold: None for those of the most probable tag sequence; else all spans of at least this probability, the most
        probable first where they overlap.
    top_k: how many alternatives to list for each text.
    with_scores: without a threshold and alternatives, probabilities may be left out; they are 0 then.
    """
    text_starts = np.cumsum(lengths) - lengths
    probabilities = None
    if with_scores or threshold is not None:
        layout = Layout(lengths, emissions)
        probabilities = SpanProbabilities(forward_backward(chain, emissions, layout), layout, scheme.spans)
    likely: list[tuple[Entity, float]] = []
    if probabilities is not None and (threshold is not None or top_k):
        (starts, ends, types), p = probabilities.likely(min(threshold or 1.0, ALTERNATIVES_FLOOR if top_k else 1.0))
        order = np.argsort(-p, kind="stable")
        spans = zip(starts[order].tolist(), ends[order].tolist(), types[order].tolist())
        likely = list(zip(spans, p[order].tolist()))
    if threshold is None:
        first = np.zeros(len(emissions), dtype=bool)
        first[text_starts[np.asarray(lengths) > 0]] = True
        entities = scheme.read(viterbi(chain, emissions, lengths).cpu().numpy(), first)
    else:
        entities = _without_overlaps([span for span, p in likely if p >= threshold])
    columns = np.array(entities, dtype="int64").reshape(-1, 3).T
    scores = probabilities.of(tuple(columns)) if probabilities is not None else np.zeros(len(entities))
    return _by_text(text_starts, lengths, entities, scores.tolist(), likely, top_k)


def _without_overlaps(spans: list[Entity]) -> list[Entity]:
    """The spans in text order, without those that overlap an earlier one of the list."""
    taken: set[int] = set()
    kept = []
    for span in spans:
        tokens = range(span[0], span[1])
        if taken.isdisjoint(tokens):
            taken.update(tokens)
            kept.append(span)
    return sorted(kept)


def _by_text(
    text_starts: np.ndarray,
    lengths: list[int],
    entities: list[Entity],
    scores: list[float],
    likely: list[tuple[Entity, float]],
    top_k: int,
) -> list[ScoredSpans]:
    """Part the spans of a batch, given in flat rows, by text."""
    found = [ScoredSpans() for _ in lengths]
    text_ends, offsets = text_starts + lengths, text_starts.tolist()
    texts = np.searchsorted(text_ends, [start for start, *_ in entities], side="right")
    for i, (start, end, label), score in zip(texts.tolist(), entities, scores):
        found[i].entities.append((start - offsets[i], end - offsets[i], label))
        found[i].scores.append(score)
    chosen = set(entities)
    left = [(span, score) for span, score in likely if span not in chosen] if top_k else []
    texts = np.searchsorted(text_ends, [start for (start, *_), _ in left], side="right")
    for i, ((start, end, label), score) in zip(texts.tolist(), left):
        if len(found[i].alternatives) < top_k:
            found[i].alternatives.append((start - offsets[i], end - offsets[i], label))
            found[i].alternative_scores.append(score)
    return found
