"""Annotated texts as spaCy Docs."""

import zlib
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional, Sequence

import spacy
from spacy.tokens import Doc, DocBin, Span, SpanGroup

from ..errors import DataError, Errors, damaged
from ..pipeline.gold import is_missing, set_annotated_types
from ..tokenizer import create_tweet_tokenizer
from .annotated_text import AnnotatedText


@dataclass
class CharacterSpans:
    """Sets `doc.spans[key]` from ranges of characters, and counts them.

    White space at the ends of a range is left out. A range that cuts a token is widened to the whole token; ranges that
    then overlap become one span. The ranges themselves are kept in `doc.spans[key].attrs["characters"]`, as
    `[start, end]` with an exclusive end.

    key (str): the key in `doc.spans`, and the label of every span.
    found (int): spans set so far.
    widened (int): ranges that cut a token.
    blank (int): ranges of white space only, which make no span.
    without (int): texts without ranges.
    RAISES: DataError for an empty key.
    """

    key: str = "toxic"
    found: int = field(default=0, init=False)
    widened: int = field(default=0, init=False)
    blank: int = field(default=0, init=False)
    without: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if not self.key:
            raise DataError("--spans-key '': expected a name, such as toxic")

    def set_spans(self, doc: Doc, ranges: list[tuple[int, int]]) -> None:
        """ranges: (start, end) of characters of `doc.text`, in order and disjoint; end is exclusive."""
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
        self.without += not ranges
        spans = [Span(doc, first, after, label=self.key) for first, after in bounds]
        characters = [list(characters) for characters in ranges]  # msgpack turns tuples into lists
        doc.spans[self.key] = SpanGroup(doc, name=self.key, attrs={"characters": characters}, spans=spans)

    def summary(self) -> str:
        """One line with all counts."""
        blank = f"; of white space alone, left out: {self.blank:,}" if self.blank else ""
        return (
            f"Spans ({self.key}): {self.found:,}; widened to whole tokens: {self.widened:,}{blank}; "
            f"texts without spans: {self.without:,}"
        )


def to_docbin(
    path: Path,
    texts: list[AnnotatedText],
    *,
    spans: Optional[CharacterSpans] = None,
    annotated: Optional[Sequence[str]] = None,
) -> DocBin:
    """A text without raw text becomes a Doc with unknown spaces, so that spaCy's Corpus keeps its gold tokens instead
    of tokenizing it again. A text with spans is tokenized by TweetTokenizer.

    path (Path): the file of the texts, for messages.
    spans (CharacterSpans or None): sets the spans; by default under the key "toxic".
    annotated (sequence of str or None): the entity types that the annotators looked for; None for all.
    RAISES: DataError if the tokens of a text do not spell its raw text.
    """
    nlp, spans = spacy.blank("xx"), spans or CharacterSpans()
    tokenizer = create_tweet_tokenizer()(nlp)
    docbin = DocBin(store_user_data=annotated is not None)
    for text in texts:
        if text.spans is None:
            ents = text.ents and ["" if is_missing(tag) else tag for tag in text.ents]
            doc = Doc(nlp.vocab, words=text.words, spaces=text.spaces(path), tags=text.tags, ents=ents)
        else:
            doc = tokenizer(text.text)
            spans.set_spans(doc, text.spans)
        if annotated is not None:
            set_annotated_types(doc, annotated)
        docbin.add(doc)
    return docbin


def read_docbin(path: Path) -> list[Doc]:
    """The Docs of a .spacy file. RAISES: DataError for a file that is missing or not a DocBin."""
    if not path.is_file():
        raise DataError(Errors.CORPUS_MISSING.format(path=path))
    try:
        return list(DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab))
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{damaged(path, 'a .spacy file', error)}; get the file again") from None
