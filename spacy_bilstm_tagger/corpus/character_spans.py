"""Spans that are given by characters, as spans of tokens."""

from bisect import bisect_right
from dataclasses import dataclass, field

from spacy.tokens import Doc, Span, SpanGroup

from ..errors import DataError


@dataclass
class CharacterSpans:
    """Sets `doc.spans[key]` from ranges of characters, and counts what became of them.

    White space at the ends of a range belongs to no token of it. A range that cuts a token is widened to the whole
    token; ranges that then overlap become one span. The ranges themselves are kept, as `[start, end]` with an exclusive
    end, in `doc.spans[key].attrs["characters"]`.

    key (str): the key in `doc.spans`, and the label of every span.
    found (int): spans set so far.
    widened (int): ranges that cut a token.
    blank (int): ranges of nothing but white space, which make no span.
    RAISES: DataError for an empty key.
    """

    key: str = "toxic"
    found: int = field(default=0, init=False)
    widened: int = field(default=0, init=False)
    blank: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if not self.key:
            raise DataError("--spans-key '': expected a name, such as toxic")

    def set_spans(self, doc: Doc, ranges: list[tuple[int, int]]) -> None:
        """ranges: (start, end) of characters of `doc.text`, in order and apart; end is exclusive."""
        text, starts = doc.text, [token.idx for token in doc]
        bounds: list[tuple[int, int]] = []
        for start, end in ranges:
            inside = text[start:end]
            if not inside.strip():
                self.blank += 1
                continue
            start += len(inside) - len(inside.lstrip())
            end -= len(inside) - len(inside.rstrip())
            first, last = bisect_right(starts, start) - 1, bisect_right(starts, end - 1) - 1
            self.widened += starts[first] < start or end < starts[last] + len(doc[last])
            if bounds and first < bounds[-1][1]:
                first, _ = bounds.pop()
            bounds.append((first, last + 1))
        self.found += len(bounds)
        spans = [Span(doc, first, after, label=self.key) for first, after in bounds]
        characters = [list(characters) for characters in ranges]  # msgpack would make lists of tuples
        doc.spans[self.key] = SpanGroup(doc, name=self.key, attrs={"characters": characters}, spans=spans)
