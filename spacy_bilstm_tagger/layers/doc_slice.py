"""A stretch of a doc, so that layers of docs can read a long text in parts."""

from typing import Any, Iterator, Sequence, Union, cast

import numpy as np
from spacy.attrs import IDS
from spacy.tokens import Doc
from spacy.vocab import Vocab

Attribute = Union[int, str]


class DocSlice:
    """As much of `Doc` as a layer of docs asks for. (`Span.to_array` knows no names of attributes.)"""

    def __init__(self, doc: Doc, start: int, end: int) -> None:
        self.vocab: Vocab = doc.vocab
        self.start = start
        self.end = end
        self._doc = doc
        self._span = doc[start:end]

    def __len__(self) -> int:
        return len(self._span)

    def to_array(self, attributes: Union[Attribute, Sequence[Attribute]]) -> np.ndarray:
        """As `Doc.to_array`: (tokens, attributes), or (tokens,) for a single one."""
        several = [attributes] if isinstance(attributes, (int, str)) else attributes
        numbers = [each if isinstance(each, int) else IDS[each.upper()] for each in several]
        array = cast(Any, self._span).to_array(numbers)  # spaCy's stubs do not name it
        return array[:, 0] if len(numbers) == 1 else array

    def widened(self, tokens: int) -> "DocSlice":
        """With as many tokens more on either side as the doc has, at most so many: for layers that look at the tokens
        around each."""
        return DocSlice(self._doc, max(0, self.start - tokens), min(len(self._doc), self.end + tokens))


def slices(docs: Sequence[Doc], most_tokens: int) -> Iterator[list[DocSlice]]:
    """All tokens of the docs in order, in lists of at most so many tokens together."""
    taken: list[DocSlice] = []
    room = most_tokens
    for doc in docs:
        start = 0
        while start < len(doc):
            end = min(start + room, len(doc))
            taken.append(DocSlice(doc, start, end))
            room -= end - start
            start = end
            if not room:
                yield taken
                taken, room = [], most_tokens
    if taken:
        yield taken
