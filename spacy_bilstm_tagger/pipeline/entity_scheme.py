"""Entities as label sequences: BIO and BILUO."""

from typing import Optional, Sequence

import numpy as np
from numpy.typing import NDArray

from ..layers.span_probabilities import SpanTags
from ..partial_labels import EITHER

Mask = NDArray[np.bool_]

SCHEMES = ("bio", "biluo", "bioes")  # BIOES is BILUO by other letters
OUTSIDE = "O"


class EntityScheme:
    """The tags of a scheme for given entity types, and which may follow which.

    types (sequence of str): entity types; their order is that of the tags.
    scheme (str): "bio" (Ramshaw and Marcus 1995, "Text chunking using transformation-based learning", in the form where
        every entity begins with B), or "biluo" (Ratinov and Roth 2009, "Design challenges and misconceptions in named
        entity recognition"), also called "bioes".

    tags (list of str): "O" first.
    transitions (bool): (tags, tags), whether the column may follow the row; start, end (bool): (tags,).
    spans (SpanTags): how a span is spelt.
    """

    def __init__(self, types: Sequence[str], scheme: str) -> None:
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
                    mask[i + 1, [self.index[f"I-{label}"] for label in tag[2:].split(EITHER)]] = False
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
                row[[self.index[f"{prefix}-{label}"] for label in tag[2:].split(EITHER)]] = True
            self._rows[key] = row
        return self._rows[key]

    def read(self, tags: NDArray, is_first: Mask) -> list[tuple[int, int, int]]:
        """(start, end, type number) of the entities that valid tag numbers spell, in flat token rows.

        tags: (tokens,); is_first (bool): (tokens,), whether a token begins a text.
        """
        kinds = np.array([tag[0] for tag in self.tags])[tags]
        goes_on = np.isin(kinds, ("I", "L")) & ~is_first
        starts = np.flatnonzero(~goes_on & (tags > 0))
        breaks = np.append(np.flatnonzero(~goes_on), len(tags))
        ends = breaks[np.searchsorted(breaks, starts, side="right")]
        types = (tags[starts] - 1) // len(self.prefixes)
        return list(zip(starts.tolist(), ends.tolist(), types.tolist()))
