"""What kind of token a text is: kept in four flags of its lexeme, so it is found out once for each word type."""

import html
import re
from typing import Callable, Optional

from spacy.attrs import FLAG60, FLAG61, FLAG62, FLAG63, IS_PUNCT, LIKE_EMAIL, LIKE_NUM, LIKE_URL
from spacy.lang.lex_attrs import is_punct
from spacy.tokens import Token
from spacy.vocab import Vocab

from .rules import KINDS

EXTENSION = "tweet_kind"
BITS = (FLAG60, FLAG61, FLAG62, FLAG63)
_NUMBERS = {kind: number for number, kind in enumerate(KINDS, 1)}
_SPACE = 0
_WORD = _NUMBERS["word"]


class KindReader:
    """The number of a text's kind: that of the rule which takes the whole text. A vocabulary asks for several flags of
    a text one after another, so the last answer is kept."""

    def __init__(self, pattern: re.Pattern, kinds: dict[str, str]) -> None:
        self.pattern = pattern
        self.kinds = kinds
        self._last = ("", _SPACE)
        # Letters alone are words, but for xD and RT, where no pattern of the user may want them.
        self._plain = "pattern" not in kinds.values()

    def __call__(self, text: str) -> int:
        last, number = self._last
        if last == text:
            return number
        number = _WORD if self._plain and text.isalpha() and text[0] not in "xXRM" else self._read(text)
        self._last = (text, number)
        return number

    def _read(self, text: str) -> int:
        if not text or text.isspace():
            return _SPACE
        match = self.pattern.match(text)
        if match is None or match.end() < len(text):
            # A part of a chunk that another text stood beside, or a token that other rules have made.
            return _NUMBERS["word" if any(map(str.isalnum, text)) else "punct"]
        return _NUMBERS.get(self.kinds.get(match.lastgroup or "", "pattern"), _NUMBERS["pattern"])


class KindBit:
    """Whether the number of a text's kind has this bit."""

    def __init__(self, reader: KindReader, bit: int) -> None:
        self.reader = reader
        self.mask = 1 << bit

    def __call__(self, text: str) -> bool:
        return bool(self.reader(text) & self.mask)


class IsKind:
    """Whether a text is of this kind, or, where `other` is given, that finds it to be so."""

    def __init__(self, reader: KindReader, kind: str, other: Optional[Callable[[str], bool]] = None) -> None:
        self.reader = reader
        self.number = _NUMBERS[kind]
        self.other = other

    def __call__(self, text: str) -> bool:
        return self.reader(text) == self.number or (self.other is not None and self.other(text))


class IsPunct:
    """Punctuation by the rules and by Unicode: not an emoticon, but the HTML entity of a sign of punctuation is."""

    def __init__(self, reader: KindReader) -> None:
        self.reader = reader

    def __call__(self, text: str) -> bool:
        number = self.reader(text)
        if number == _NUMBERS["html"]:
            text = html.unescape(text)
        elif number != _NUMBERS["punct"]:
            return False
        return is_punct(text)


def set_kinds(vocab: Vocab, pattern: re.Pattern, kinds: dict[str, str]) -> None:
    """Let the vocabulary find out the kind of every word type, and from it LIKE_URL, LIKE_EMAIL, LIKE_NUM and IS_PUNCT;
    `token._.tweet_kind` is its name.

    kinds (dict): the kind of each group of the pattern.
    """
    getters = vocab.lex_attr_getters  # type: ignore[attr-defined]
    reader = KindReader(pattern, kinds)
    like_num = getters.get(LIKE_NUM)
    if isinstance(like_num, IsKind):
        like_num = like_num.other
    ours: dict[int, Callable[[str], bool]] = {
        LIKE_URL: IsKind(reader, "url"),
        LIKE_EMAIL: IsKind(reader, "email"),
        LIKE_NUM: IsKind(reader, "number", like_num),
        IS_PUNCT: IsPunct(reader),
        **{flag: KindBit(reader, bit) for bit, flag in enumerate(BITS)},
    }
    getters.update(ours)
    for lexeme in vocab:
        for flag, getter in ours.items():
            lexeme.set_flag(flag, getter(lexeme.orth_))


def tweet_kind(token: Token) -> str:
    """One of KINDS, "space" for white space; "" for a token of a vocabulary without kinds."""
    lexeme = token.lex
    number = sum(lexeme.check_flag(flag) << bit for bit, flag in enumerate(BITS))
    if number:
        return KINDS[number - 1]
    return "space" if token.is_space else ""


# When the module is loaded, so that the attribute is also there in a process that only unpickles a pipeline.
if not Token.has_extension(EXTENSION):
    Token.set_extension(EXTENSION, getter=tweet_kind)
