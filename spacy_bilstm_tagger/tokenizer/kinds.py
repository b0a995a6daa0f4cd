"""The kind of each word type, in four flags of its lexeme; `token._.tweet_kind` is its name."""

import html
import re
from functools import partial
from typing import Any, Callable, Mapping

import numpy as np
from spacy.attrs import FLAG60, FLAG61, FLAG62, FLAG63, IS_PUNCT, IS_SPACE, LIKE_EMAIL, LIKE_NUM, LIKE_URL
from spacy.lang.lex_attrs import is_punct, like_num
from spacy.tokens import Doc, Token
from spacy.vocab import Vocab

from ..util import set_computed
from .rules import KINDS

EXTENSION = "tweet_kind"
BITS = (FLAG60, FLAG61, FLAG62, FLAG63)
_NUMBERS = {kind: number for number, kind in enumerate(KINDS, 1)}
_SPACE = 0
# Of the bits of a kind and IS_SPACE, as one number: 0 is a token of a vocabulary without kinds.
_PLACES = 1 << np.arange(len(BITS) + 1, dtype=np.uint64)
_NAMES = ["", *KINDS, *[""] * (15 - len(KINDS)), "space", *KINDS, *[""] * (15 - len(KINDS))]
_WORD = _NUMBERS["word"]
# White space and invisible characters: control and format characters, and variation selectors that are left of emoji.
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]+")


class KindReader:
    """Finds the kind of a text, by the rule that takes the whole text, and the attributes that depend on it.

    pattern (Pattern): all rules.
    kinds (dict): the kind of each rule, by the name of its group.
    settings (dict): those of the tokenizer that the rules are of.
    """

    def __init__(self, pattern: re.Pattern, kinds: dict[str, str], settings: Mapping[str, Any]) -> None:
        self.pattern = pattern
        self.kinds = kinds
        self.settings = settings
        self._last = ("", _SPACE)  # cache: a vocabulary asks for all flags of a text one after another
        # Texts of letters are words, except xD and RT, unless a pattern of the user takes them.
        self._plain = "pattern" not in kinds.values()

    def number(self, text: str) -> int:
        """The number of the text's kind."""
        last, number = self._last
        if last == text:
            return number
        number = _WORD if self._plain and text.isalpha() and text[0] not in "xXRM" else self._read(text)
        self._last = (text, number)
        return number

    def _read(self, text: str) -> int:
        if not text or is_blank(text):
            return _SPACE
        match = self.pattern.match(text)
        if match is None or match.end() < len(text):
            # Part of a chunk that only its neighbours made a token, or a token of other rules.
            return _NUMBERS["word" if any(map(str.isalnum, text)) else "punct"]
        return _NUMBERS.get(self.kinds.get(match.lastgroup or "", "pattern"), _NUMBERS["pattern"])

    def has_bit(self, mask: int, text: str) -> bool:
        return bool(self.number(text) & mask)

    def is_kind(self, number: int, text: str) -> bool:
        return self.number(text) == number

    def is_punct(self, text: str) -> bool:
        """Punctuation by the rules and by Unicode: no emoticons, but the HTML entity of a sign of punctuation."""
        number = self.number(text)
        if number == _NUMBERS["html"]:
            return is_punct(html.unescape(text))
        return number == _NUMBERS["punct"] and is_punct(text)


def is_blank(text: str) -> bool:
    """White space, or invisible characters alone: no word, whose tag is that of white space, and no end of an entity."""
    return _BLANK.fullmatch(text) is not None


class LikeNum:
    """Numbers by the rules and by the language, which knows words such as ten."""

    def __init__(self, reader: KindReader, other: Callable[[str], bool]) -> None:
        self.reader = reader
        self.other = other

    def __call__(self, text: str) -> bool:
        return self.reader.number(text) == _NUMBERS["number"] or self.other(text)


def set_kinds(vocab: Vocab, pattern: re.Pattern, kinds: dict[str, str], settings: Mapping[str, Any]) -> None:
    """Make the vocabulary compute the kind of every word type, and from it LIKE_URL, LIKE_EMAIL, LIKE_NUM, IS_PUNCT and IS_SPACE.
    The arguments are those of `KindReader`."""
    getters = vocab.lex_attr_getters  # type: ignore[attr-defined]
    reader = KindReader(pattern, kinds, settings)
    others = getters.get(LIKE_NUM, like_num)
    ours: dict[int, Callable[[str], Any]] = {
        LIKE_URL: partial(reader.is_kind, _NUMBERS["url"]),
        LIKE_EMAIL: partial(reader.is_kind, _NUMBERS["email"]),
        LIKE_NUM: LikeNum(reader, getattr(others, "other", others)),
        IS_PUNCT: reader.is_punct,
        IS_SPACE: is_blank,
        **{flag: partial(reader.has_bit, 1 << bit) for bit, flag in enumerate(BITS)},
    }
    getters.update(ours)
    for lexeme in vocab:
        for flag, getter in ours.items():
            lexeme.set_flag(flag, getter(lexeme.orth_))


def kind_settings(vocab: Vocab) -> Mapping[str, Any]:
    """The settings of the tokenizer that the vocabulary's kinds are of; none where it has no kinds."""
    getter = vocab.lex_attr_getters.get(LIKE_URL)  # type: ignore[attr-defined]
    reader = getattr(getattr(getter, "func", None), "__self__", None)
    return reader.settings if isinstance(reader, KindReader) else {}


def tweet_kind(token: Token) -> str:
    """One of KINDS; "space" for white space and invisible characters; "" for a token of a vocabulary without kinds."""
    lexeme = token.lex
    number = sum(lexeme.check_flag(flag) << bit for bit, flag in enumerate(BITS))
    return KINDS[number - 1] if number else "space" if token.is_space else ""


def tweet_kinds(doc: Doc) -> list[str]:
    """`tweet_kind` of each token of a doc, at once."""
    flags = doc.to_array([*BITS, IS_SPACE]).reshape(-1, len(_PLACES))
    return [_NAMES[number] for number in (flags @ _PLACES).tolist()]


# At import, so that the extension also exists in a process that only unpickles a pipeline.
set_computed(Token, EXTENSION, tweet_kind)
