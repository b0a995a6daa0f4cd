"""An annotated text, as the readers of all formats return it."""

import html
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Iterator, Optional

from ..errors import DataError
from ..pipeline.gold import OUTSIDE

Range = tuple[int, int]  # of characters, start and end; the end is exclusive
_HANDLE = re.compile(r"\w{1,15}", re.ASCII)  # what Twitter allows
_HIDDEN = re.compile(r"[@＠]\w+|(?:https?://|www\.)\S+|\b(?:URL\d*|HTTPURL)\b")
_ENOUGH = 20  # characters besides users and links


@dataclass
class Notes:
    """Lines for the report of reading a corpus, and warnings of suspicious values."""

    lines: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass
class AnnotatedText:
    """One tweet, post or sentence.

    words (list of str): gold tokens; empty where `spans`, `entities` or `votes` is given: TweetTokenizer then makes the
        tokens.
    tags (list of str or None): a tag for each token, "" where it is missing; None if the format has no tags.
    ents (list of str or None): a BIO tag for each token, "-" where it is missing; None if the format has no entities.
    raw (str or None): the text before tokenization, if known.
    lines (list of int): the line of each token in its file, for messages; of a text without tokens, its first line.
    spans (list of (int, int) or None): (start, end) ranges of the characters of `raw` that are inside spans, in order
        and disjoint; end is exclusive. None if the format has no such spans.
    entities (list of (int, int, str) or None): (start, end, label) ranges of characters, in order; as `spans`.
    votes (list or None): what each of several raters marked, as `spans`.
    pos (list of str or None): the universal part of speech of each token, or "a|b", one of several; "" where it is missing.
    lemmas (list of str or None): the lemma of each token; "" where it is missing.
    """

    words: list[str]
    tags: Optional[list[str]]
    ents: Optional[list[str]]
    raw: Optional[str]
    lines: list[int]
    spans: Optional[list[Range]] = None
    entities: Optional[list[tuple[int, int, str]]] = None
    votes: Optional[list[list[Range]]] = None
    pos: Optional[list[str]] = None
    lemmas: Optional[list[str]] = None

    @property
    def text(self) -> str:
        """The raw text if it is known, else the tokens with single spaces between them."""
        return self.raw or " ".join(self.words)

    @property
    def entity_types(self) -> list[str]:
        """The type of each entity, in order."""
        if self.entities is not None:
            return [label for _, _, label in self.entities]
        return [tag.removeprefix("B-") for tag in self.ents or [] if tag.startswith("B-")]

    def gaps(self, path: Path) -> Optional[list[str]]:
        """The white space after each token in the raw text; None if there is no raw text.

        RAISES: DataError if the tokens do not spell the raw text.
        """
        if self.raw is None:
            return None
        gaps, rest = [], self.raw
        for word, line in zip(self.words, self.lines):
            if not rest.startswith(word):
                expected = repr(rest[: len(word)]) if rest else "the end of the text"
                found = f"the token {word!r} does not continue the text {self.raw!r}"
                raise DataError(f"{path}, line {line}: {found}; expected {expected}")
            after = rest[len(word) :]
            rest = after.lstrip()
            gaps.append(after[: len(after) - len(rest)])
        if rest:
            raise DataError(
                f"{path}, line {self.lines[-1]}: {self.words[-1]!r} is the last token of the text {self.raw!r}; "
                f"expected tokens for {rest!r} after it"
            )
        return gaps


def join_handles(texts: list[AnnotatedText]) -> tuple[int, int]:
    """Join `@` and the name after it to one token, in place, where both are entities of their own, as in the Broad Twitter
    Corpus. The joined token's tag and entity are missing: most annotators do not mark handles. An `@` that is the word "at" is
    in no entity, before none or one of another type, or in a longer one.

    Some annotators mark the name alone. There the `@` is left out, if most names of its type have theirs marked: from the two,
    an entity recognizer would learn that persons stand behind "at". Returns how many were joined, and how many left out.
    """
    found = [each for text in texts if text.ents is not None and text.raw is None for each in _handles(text)]
    types = Counter((text.ents[i + 1], text.ents[i] != OUTSIDE) for text, i in found if text.ents)
    joined = left_out = 0
    for text, i in reversed(found):
        assert text.ents is not None
        name = text.ents[i + 1]
        if text.ents[i] != OUTSIDE:
            text.words[i + 1], text.ents[i + 1] = text.words[i] + text.words[i + 1], "-"
            for labels in (text.tags, text.pos, text.lemmas):
                if labels is not None:
                    labels[i + 1] = ""
            joined += 1
        elif types[name, True] > types[name, False]:
            left_out += 1
        else:
            continue
        for column in (text.words, text.ents, text.lines, text.tags, text.pos, text.lemmas):
            if column is not None:
                del column[i]
    return joined, left_out


def _handles(text: AnnotatedText) -> Iterator[tuple[AnnotatedText, int]]:
    """Where an `@` is that is an entity, or none, before one of a single token that may be the name of a user."""
    ents = text.ents or []
    for i, (word, name) in enumerate(pairwise(text.words)):
        is_apart = ents[i][:1] in ("B", OUTSIDE) and ents[i + 1].startswith("B-")
        if word == "@" and is_apart and not "".join(ents[i + 2 : i + 3]).startswith("I-") and _HANDLE.fullmatch(name):
            yield text, i


def text_fingerprints(text: str) -> tuple[str, ...]:
    """Two texts are the same for us if they have one in common: their letters, or these without what corpora hide, users and links,
    as @USER12 and URL3. That counts only if enough else is in the text."""
    hidden = letters(_HIDDEN.sub("@", html.unescape(text)))
    return (letters(text), hidden) if len(hidden.replace("@", "")) >= _ENOUGH else (letters(text),)


def letters(text: str) -> str:
    """The text in lower case without white space: equal where two corpora tokenize or write a text differently."""
    return "".join(text.split()).lower()
