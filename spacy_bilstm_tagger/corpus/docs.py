"""Annotated texts as spaCy Docs."""

import zlib
from bisect import bisect_right
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Callable, Iterator, Optional, Sequence

import numpy as np
from spacy.attrs import IDX, ORTH
from spacy.lang.xx import MultiLanguage
from spacy.strings import get_string_id
from spacy.tokens import Doc, DocBin, Span, SpanGroup
from spacy.vocab import Vocab, create_vocab

from ..errors import DataError, damaged
from ..pipeline.gold import OUTSIDE, alternatives, is_missing, set_annotated_pos, set_annotated_types
from ..pipeline.soft_labels import SoftLabels, set_soft_labels
from ..tokenizer import default_tokenizer
from ..util import check_file
from .annotated_text import AnnotatedText, Range

MOST_SHOWN = 5  # ranges in a message


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
        bounds: list[tuple[int, int]] = []
        tokens_of = self._token_finder(doc)
        for start, end in ranges:
            tokens = tokens_of(start, end)
            if tokens is None:
                continue
            first, after = tokens
            if bounds and first < bounds[-1][1]:
                first, _ = bounds.pop()
            bounds.append((first, after))
        self.found += len(bounds)
        self.without += not ranges
        spans = [Span(doc, first, after, label=self.key) for first, after in bounds]
        characters = [list(characters) for characters in ranges]  # msgpack turns tuples into lists
        doc.spans[self.key] = SpanGroup(doc, name=self.key, attrs={"characters": characters}, spans=spans)

    def set_votes(self, doc: Doc, votes: list[list[Range]]) -> None:
        """Soft labels: how large a part of the raters marked each token, and each token and the one after it. A token that a
        range touches is marked."""
        marks, tokens_of = np.zeros((len(votes), len(doc)), dtype=bool), self._token_finder(doc)
        for marked, ranges in zip(marks, votes):
            for start, end in ranges:
                tokens = tokens_of(start, end)
                if tokens is not None:
                    marked[slice(*tokens)] = True
                    self.found += 1
        states = np.stack([~marks, marks], axis=2).astype("float32")  # (votes, tokens, outside and inside)
        pairs = np.einsum("vti,vtj->ij", states[:, :-1], states[:, 1:]) / len(votes)
        soft = SoftLabels([f"O-{self.key}", f"I-{self.key}"], states.mean(axis=0), pairs)
        set_soft_labels(doc, self.key, soft, is_exclusive=False)
        self.without += not any(votes)

    def _token_finder(self, doc: Doc) -> Callable[[int, int], Optional[tuple[int, int]]]:
        """Gives the first token and the one after the last that a range of characters touches, without white space at its
        ends; None if it is nothing else. Counts ranges that cut a token, and blank ones."""
        text, starts = doc.text, doc.to_array(IDX).tolist()

        def find(start: int, end: int) -> Optional[tuple[int, int]]:
            inside = text[start:end]
            if not inside.strip():
                self.blank += 1
                return None
            start += len(inside) - len(inside.lstrip())
            end -= len(inside) - len(inside.rstrip())
            first, last = bisect_right(starts, start) - 1, bisect_right(starts, end - 1) - 1
            self.widened += starts[first] < start or end < starts[last] + len(doc[last])
            return first, last + 1

        return find

    def summary(self) -> str:
        """One line with all counts."""
        blank = f"; of white space alone, left out: {self.blank:,}" if self.blank else ""
        return (
            f"Spans ({self.key}): {self.found:,}; widened to whole tokens: {self.widened:,}{blank}; "
            f"texts without spans: {self.without:,}"
        )

    def warning(self) -> str:
        """Empty if most spans are of whole tokens; of the published ones, one in thirty is not."""
        if self.found < 3 or 2 * self.widened < self.found:
            return ""
        return (
            f"{self.widened:,} ranges begin or end inside of a token, for {self.found:,} spans; expected offsets of characters, "
            "from 0, of all that are marked: are these the numbers of tokens, flags, starts and ends alone, or offsets from 1?"
        )


@dataclass
class EntityRanges:
    """Sets `doc.ents` from labelled ranges of characters, and collects those that cannot be set.

    White space at the ends of a range is left out. A range that cuts a token is no entity, nor is one of white space only.
    Of ranges that overlap, the longest is the entity, the first of equals. Tokens of the other ranges, and of those
    whose label is missing, count as missing where they are in no entity.

    types (Counter): of the entities that are set.
    cut, overlapping, blank (list of str): each range that is not set, with its line and text.
    behind_emoji (int): how many of those that cut a token stand behind a character that UTF-16 counts as two.
    """

    types: Counter[str] = field(default_factory=Counter, init=False)
    cut: list[str] = field(default_factory=list, init=False)
    overlapping: list[str] = field(default_factory=list, init=False)
    blank: list[str] = field(default_factory=list, init=False)
    behind_emoji: int = field(default=0, init=False)

    def to_bio(self, doc: Doc, text: AnnotatedText) -> list[str]:
        """A tag for each token, "" where it is missing."""
        tags, owners = [OUTSIDE] * len(doc), dict[int, Span]()  # owners: token -> its entity
        left_out: list[int] = []
        longest_first = sorted(text.entities or [], key=lambda entity: -len(doc.text[entity[0] : entity[1]].strip()))
        for start, end, label in longest_first:
            inside = doc.text[start:end]
            start, end = start + len(inside) - len(inside.lstrip()), end - len(inside) + len(inside.rstrip())
            span = doc.char_span(start, end, alignment_mode="expand") if start < end else None
            where = f"line {text.lines[0]}: {(inside.strip() or inside)!r}"
            if span is None:
                self.blank += [] if is_missing(label) else [where]
                continue
            within = range(span.start, span.end)
            owner = next((owners[i] for i in within if i in owners), None)
            if not is_missing(label):
                if (span.start_char, span.end_char) != (start, end):
                    self.cut.append(f"{where} in {span.text!r}")
                    self.behind_emoji += any(char > "\uffff" for char in doc.text[:start])
                elif owner is not None:
                    self.overlapping.append(f"{where} with {owner.text!r}")
                else:
                    tags[span.start : span.end] = [f"B-{label}", *[f"I-{label}"] * (len(span) - 1)]
                    owners.update(dict.fromkeys(within, span))
                    self.types[label] += 1
            left_out += within
        for i in left_out:
            if i not in owners:
                tags[i] = ""
        return tags

    def summary(self) -> str:
        """One line; empty if all were set."""
        kinds = {
            "cut a token": self.cut,
            "overlap a longer one, or an equal one before": self.overlapping,
            "are white space": self.blank,
        }
        parts = []
        for kind, found in kinds.items():
            more = f", and {len(found) - MOST_SHOWN} more" if len(found) > MOST_SHOWN else ""
            parts += [f"{len(found):,} {kind} ({'; '.join(found[:MOST_SHOWN])}{more})"] if found else []
        if not parts:
            return ""
        line = f"Entities that are left out: {', '.join(parts)}; their tokens count as missing, except those in other entities"
        if self.behind_emoji > 1:
            line += "; offsets count characters, do these count UTF-16 units, as JavaScript does?"
        return line


def to_docbin(
    path: Path,
    texts: list[AnnotatedText],
    *,
    spans: Optional[CharacterSpans] = None,
    ranges: Optional[EntityRanges] = None,
    annotated: Optional[Sequence[str]] = None,
) -> DocBin:
    """A text without raw text becomes a Doc with unknown spaces, so that spaCy's Corpus keeps its gold tokens instead
    of tokenizing it again. A text with ranges of characters is tokenized by TweetTokenizer. More white space than one
    blank between tokens becomes a token, as in spaCy.

    path (Path): the file of the texts, for messages.
    spans (CharacterSpans or None): sets the spans; by default under the key "toxic".
    ranges (EntityRanges or None): sets the entities that are ranges of characters.
    annotated (sequence of str or None): the entity types that the annotators looked for; None for all.
    RAISES: DataError if the tokens of a text do not spell its raw text.
    """
    tokenizer, spans, ranges = default_tokenizer(), spans or CharacterSpans(), ranges or EntityRanges()
    tokenizer.vocab.lex_attr_getters.clear()  # nobody asks for shapes and the like of the words
    in_user_data = (text.votes is not None or any("|" in tag for tag in text.pos or ()) for text in texts)
    docbin = DocBin(store_user_data=annotated is not None or any(in_user_data))
    for text in texts:
        if text.spans is not None:
            doc = tokenizer(text.text)
            spans.set_spans(doc, text.spans)
        elif text.votes is not None:
            doc = tokenizer(text.text)
            spans.set_votes(doc, text.votes)
        elif text.entities is not None:
            doc = tokenizer(text.text)
            words, spaces = [token.text for token in doc], [bool(token.whitespace_) for token in doc]
            doc = Doc(tokenizer.vocab, words=words, spaces=spaces, ents=ranges.to_bio(doc, text))
        else:
            doc = _of_gold_tokens(tokenizer.vocab, text, path)
        if annotated is not None:
            set_annotated_types(doc, annotated)
        docbin.add(doc)
    return docbin


def _of_gold_tokens(vocab: Vocab, text: AnnotatedText, path: Path) -> Doc:
    gaps = text.gaps(path)
    ents = text.ents and ["" if is_missing(tag) else tag for tag in text.ents]
    pos = text.pos and ["" if len(alternatives(tag)) > 1 else tag for tag in text.pos]
    labels = {"tags": text.tags, "pos": pos, "lemmas": text.lemmas, "ents": ents, "annotated": text.pos}
    words, known = list(text.words), None if gaps is None else [gap[:1] == " " for gap in gaps]
    if known is not None:
        white = {i: gap.removeprefix(" ") for i, gap in enumerate(gaps or ()) if gap not in ("", " ")}
        for i in sorted(white, reverse=True):  # a token of its own after word i
            words.insert(i + 1, white[i])
            known.insert(i + 1, False)
            for name, values in labels.items():
                inside = name == "ents" and values and values[i + 1 : i + 2] and values[i + 1].startswith("I-")
                if values is not None:
                    outside = OUTSIDE if name == "ents" else ""
                    labels[name] = [*values[: i + 1], values[i + 1] if inside else outside, *values[i + 1 :]]
    tags, pos, lemmas, ents, annotated = labels.values()
    doc = Doc(vocab, words=words, spaces=known, tags=tags, pos=pos, lemmas=lemmas, ents=ents)
    if annotated != pos:
        set_annotated_pos(doc, annotated or [])
    return doc


def read_docbin(path: Path) -> list[Doc]:
    """The Docs of a .spacy file. RAISES: DataError for a file that is missing or not a DocBin."""
    with _reading(path):
        return list(DocBin().from_disk(path).get_docs(create_vocab("xx", MultiLanguage.Defaults)))


def read_docbin_texts(path: Path) -> list[str]:
    """The texts of a .spacy file; its words are not looked up in a vocabulary, which takes most of the time. RAISES: as
    `read_docbin`."""
    with _reading(path):
        docbin = DocBin().from_disk(path)
        orth, strings = docbin.attrs.index(ORTH), {get_string_id(string): string for string in docbin.strings}
        words = ([strings[word] for word in tokens[:, orth].tolist()] for tokens in docbin.tokens)
        spaces = (np.where(known, " ", "").ravel().tolist() for known in docbin.spaces)
        return ["".join(chain.from_iterable(zip(*pair))) for pair in zip(words, spaces)]


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    check_file(path)
    try:
        yield
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{damaged(path, 'a .spacy file', error)}; get the file again") from None
