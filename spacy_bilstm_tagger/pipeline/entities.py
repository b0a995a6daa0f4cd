"""Entities as label sequences: the tags of BIO and BILUO, what is already set in a Doc, and the entities of scores."""

from dataclasses import dataclass, field
from typing import Literal, Optional, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.attrs import ENT_IOB, ENT_TYPE, IS_SPACE, SENT_START
from spacy.tokens import Doc

from ..crf.inference import ChainScores, forward_backward, viterbi
from ..crf.spans import SpanProbabilities, Spans, SpanTags
from ..types import Mask
from .gold import EITHER, OUTSIDE, alternatives, is_missing

Scheme = Literal["bio", "biluo", "bioes"]  # BIOES is BILUO by other letters
Entity = tuple[int, int, int]  # start, end, type number
ScoredEntities = list[tuple[Entity, float]]
FLOOR = 0.01  # less probable spans are not looked for
_BEGIN = 3  # ENT_IOB; without a type the token is blocked


class EntityScheme:
    """The tags of a scheme for given entity types, and which may follow which.

    types (sequence of str): entity types; their order is that of the tags.
    scheme (str): "bio" (Ramshaw and Marcus 1995, "Text chunking using transformation-based learning", in the form where
        every entity begins with B), or "biluo" (Ratinov and Roth 2009, "Design challenges and misconceptions in named
        entity recognition"), also called "bioes".

    tags (list of str): "O" first.
    transitions (bool): (tags, tags), whether the column may follow the row; start, end (bool): (tags,).
    opening, inner (bool): (tags,), those of the first token of an entity, and of the others.
    spans (SpanTags): the tags of a span.
    """

    def __init__(self, types: Sequence[str], scheme: Scheme) -> None:
        self.types = tuple(types)
        self.name = scheme
        self.prefixes = "BI" if scheme == "bio" else "BILU"
        self.tags = [OUTSIDE, *(f"{prefix}-{label}" for label in self.types for prefix in self.prefixes)]
        self.index = {tag: i for i, tag in enumerate(self.tags)}
        kinds = np.array([tag[0] for tag in self.tags])
        owner = np.array([-1, *np.repeat(np.arange(len(self.types)), len(self.prefixes))])
        same = owner[:, None] == owner[None, :]
        begins = np.isin(kinds, ("O", "B", "U"))
        if scheme == "bio":
            self.transitions: Mask = begins[None, :] | (same & np.isin(kinds, ("B", "I"))[:, None])
            self.end: Mask = np.ones(len(kinds), dtype=bool)
        else:
            is_open = np.isin(kinds, ("B", "I"))
            self.transitions = np.where(is_open[:, None], same & ~begins[None, :], begins[None, :])
            self.end = ~is_open
        self.start: Mask = begins
        self._impossible = [torch.from_numpy(~mask) for mask in (self.transitions, self.start, self.end)]
        self.opening: Mask = np.isin(kinds, ("B", "U"))
        self.inner: Mask = np.isin(kinds, ("I", "L"))
        self.spans = self._span_tags()
        self._rows: dict[tuple, Mask] = {}

    def _span_tags(self) -> SpanTags:
        base = 1 + len(self.prefixes) * np.arange(len(self.types), dtype=np.int64)
        n_types, n_tags = len(self.types), len(self.tags)
        follow = np.ones((n_types, n_tags), dtype=bool)
        if self.prefixes == "BI":
            unit, first, inside, last = base, base, base + 1, base + 1
            follow[np.arange(n_types), inside] = False
        else:
            first, inside, last, unit = (base + i for i in range(4))
        return SpanTags(unit, first, inside, last, np.ones((n_types, n_tags), dtype=bool), follow)

    def constrain(self, scores: ChainScores) -> ChainScores:
        """-inf for the tag sequences that this scheme does not have."""
        pairs = zip(scores.chain, self._impossible)
        return scores.with_chain(*(part.masked_fill(mask.to(part.device), -torch.inf) for part, mask in pairs))

    def spell(self, length: int, type_number: int) -> list[int]:
        """The tags of an entity of so many tokens."""
        tags = self.spans
        if length == 1:
            return [int(tags.unit[type_number])]
        middle = [int(tags.inside[type_number])] * (length - 2)
        return [int(tags.first[type_number]), *middle, int(tags.last[type_number])]

    def gold_mask(self, biluo: Sequence[Optional[str]], annotated: Optional[frozenset[str]] = None) -> Mask:
        """The tags that each token of an annotated text may have; (tokens, tags).

        biluo (sequence of str or None): the annotation as `Example.get_aligned_ner` gives it. None is missing: any tag.
            A label such as "group|corporation" is an entity of one of these types.
        annotated (frozenset of str or None): the types that the annotators looked for; a token outside of their
            entities may belong to one of another type. None for all types.
        RAISES: KeyError for an entity type that is not among the types.
        """
        rows = [self._row(tag, annotated) for tag in biluo]
        mask = np.array(rows) if rows else np.zeros((0, len(self.tags)), dtype=bool)
        if self.prefixes == "BI":  # where an entity's end is known, it does not go on into a token without annotation
            for i, tag in enumerate(biluo[:-1]):
                if tag and tag[0] in "LU" and biluo[i + 1] in (None, OUTSIDE):
                    mask[i + 1, [self.index[f"I-{label}"] for label in alternatives(tag[2:])]] = False
        return mask

    def _row(self, tag: Optional[str], annotated: Optional[frozenset[str]]) -> Mask:
        key = (tag, annotated)
        if key not in self._rows:
            row = np.zeros(len(self.tags), dtype=bool)
            if tag is None:
                row[:] = True
            elif tag == OUTSIDE:
                row[0] = True
                if annotated is not None:
                    row[[i for i, name in enumerate(self.tags) if i and name[2:] not in annotated]] = True
            else:
                prefix = tag[0] if len(self.prefixes) == 4 else {"L": "I", "U": "B"}.get(tag[0], tag[0])
                for label in alternatives(tag[2:]):
                    if label not in self.types:
                        raise KeyError(label)
                    row[self.index[f"{prefix}-{label}"]] = True
            self._rows[key] = row
        return self._rows[key]

    def names_of(self, tag: str, annotated: Optional[frozenset[str]] = None) -> str:
        """The tags of this scheme that a tag of BIO stands for, with "|" between them; "" for any.

        annotated (frozenset of str or None): as for `gold_mask`.
        RAISES: KeyError for an entity type that is not among the types.
        """
        if is_missing(tag):
            return ""
        letters = {"B": "BU", "I": "IL"} if len(self.prefixes) == 4 else {"B": "B", "I": "I"}
        if tag == OUTSIDE:
            return EITHER.join(np.array(self.tags)[self._row(tag, annotated)].tolist())
        names = []
        for label in alternatives(tag[2:]):
            if label not in self.types:
                raise KeyError(label)
            names += [f"{letter}-{label}" for letter in letters[tag[0]]]
        return EITHER.join(names)

    def read(self, tags: NDArray, is_first: Mask) -> list[Entity]:
        """(start, end, type number) of the entities that valid tag numbers spell, in flat token rows.

        tags: (tokens,); is_first (bool): (tokens,), whether a token begins a text.
        """
        goes_on = self.inner[tags] & ~is_first
        starts = np.flatnonzero(~goes_on & (tags > 0))
        breaks = np.append(np.flatnonzero(~goes_on), len(tags))
        ends = breaks[np.searchsorted(breaks, starts, side="right")]
        types = (tags[starts] - 1) // len(self.prefixes)
        return list(zip(starts.tolist(), ends.tolist(), types.tolist()))


def to_bio(tag: str) -> str:
    """The tag of BIO for one of BILUO."""
    return {"U": "B", "L": "I"}.get(tag[0], tag[0]) + tag[1:] if tag[1:2] == "-" else tag


def preset_mask(docs: Sequence[Doc], scheme: EntityScheme, *, overwrite: bool) -> Optional[Mask]:
    """The tags that each token may still have, (tokens of all docs, tags); None if nothing is known.

    As in spaCy's recognizer: entities that are set stay, unless overwrite; those of a foreign type count as outside.
    Blocked tokens are in no entity; outside (O) and missing tokens are free. No entity begins with white space or
    continues across a sentence start.
    """
    lengths = np.array([len(doc) for doc in docs], dtype=np.int64)
    if not lengths.any():
        return None
    starts = np.cumsum(lengths) - lengths
    known = [doc.to_array([ENT_IOB, ENT_TYPE, SENT_START, IS_SPACE]) for doc in docs]
    iob, types, sent_start, is_space = np.concatenate(known).T
    new_sentence = sent_start == 1
    new_sentence[starts[lengths > 0]] = False
    is_set = iob == _BEGIN
    if not (is_set | new_sentence | (is_space == 1)).any():
        return None
    mask = np.ones((len(iob), len(scheme.tags)), dtype=bool)
    mask[np.ix_(is_space == 1, scheme.opening)] = False
    mask[np.ix_(new_sentence, scheme.inner)] = False
    mask[is_set & (types == 0), 1:] = False
    for number in () if overwrite else np.unique(np.repeat(np.arange(len(docs)), lengths)[is_set]).tolist():
        doc, start = docs[number], int(starts[number])
        rows = mask[start : start + len(doc)]
        for ent in doc.ents:
            rows[ent.start : ent.end] = False
            if ent.label_ in scheme.types:
                type_number = scheme.types.index(ent.label_)
                rows[range(ent.start, ent.end), scheme.spell(len(ent), type_number)] = True
                rows[ent.end : ent.end + 1, ~scheme.spans.follow[type_number]] = False
            else:
                rows[ent.start : ent.end, 0] = True
    return mask


@dataclass(frozen=True)
class ScoredSpans:
    """The entities of one text, with the probability of each, and the most probable of the other spans."""

    entities: ScoredEntities = field(default_factory=list)
    alternatives: ScoredEntities = field(default_factory=list)


def find_entities(
    scores: ChainScores, scheme: EntityScheme, *, threshold: Optional[float], top_k: int, with_scores: bool
) -> list[ScoredSpans]:
    """The entities of each text.

    scores (ChainScores): on the CPU, -inf for tags that are ruled out.
    threshold (float or None): None for the entities of the most probable tag sequence; else all spans of at least this
        probability, the most probable first where they overlap.
    top_k (int): how many alternatives to list for each text.
    with_scores (bool): without a threshold and alternatives, probabilities may be left out; they are 0 then.
    """
    lengths = np.asarray(scores.lengths, dtype=np.int64)
    text_starts = np.cumsum(lengths) - lengths
    text_of = np.repeat(np.arange(len(lengths)), lengths)
    entities: list[Entity] = []
    if threshold is None:
        is_first = np.zeros(len(scores.emissions), dtype=bool)
        is_first[text_starts[lengths > 0]] = True
        entities = scheme.read(viterbi(scores).numpy(), is_first)
    likely: list[tuple[Entity, float]] = []
    found_scores = [0.0] * len(entities)
    if threshold is not None or (top_k and with_scores):
        probabilities = SpanProbabilities(forward_backward(scores), scheme.spans)
        floor = min(1.0 if threshold is None else max(threshold, FLOOR), FLOOR if top_k else 1.0)
        (starts, ends, types), p = probabilities.spans_above(floor)
        order = np.argsort(-p, kind="stable")
        spans = zip(starts[order].tolist(), ends[order].tolist(), types[order].tolist())
        likely = list(zip(spans, p[order].tolist()))
        if threshold is not None:
            entities = _without_overlaps([span for span, p in likely if p >= threshold])
        found_scores = probabilities.score_spans(_columns(entities)).tolist()
    elif with_scores and entities:  # texts without any need no second pass
        starts, ends, types = _columns(entities)
        has_any = np.zeros(len(lengths), dtype=bool)
        has_any[text_of[starts]] = True
        shift = np.cumsum(np.where(has_any, 0, lengths))[text_of[starts]]
        some = scores if has_any.all() else scores.texts(has_any)[0]
        probabilities = SpanProbabilities(forward_backward(some), scheme.spans)
        found_scores = probabilities.score_spans((starts - shift, ends - shift, types)).tolist()
    found = [ScoredSpans() for _ in lengths]
    offsets = text_starts.tolist()
    for (start, end, label), score in zip(entities, found_scores):
        i = int(text_of[start])
        found[i].entities.append(((start - offsets[i], end - offsets[i], label), score))
    chosen = set(entities)
    for (start, end, label), score in likely if top_k else ():
        i = text_of[start]
        if (start, end, label) not in chosen and len(found[i].alternatives) < top_k:
            found[i].alternatives.append(((start - offsets[i], end - offsets[i], label), score))
    return found


def _columns(entities: list[Entity]) -> Spans:
    starts, ends, types = np.array(entities, dtype=np.int64).reshape(-1, 3).T
    return starts, ends, types


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
