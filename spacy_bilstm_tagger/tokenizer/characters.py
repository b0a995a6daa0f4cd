"""Character classes that Python's `re` does not have, written as the inside of a [...] class, and ends of tokens."""

import html
import re
import unicodedata
from functools import lru_cache

from ..util import runs

APOSTROPHE = "'’"
# Also neighbouring keys and similar signs; only between letters can they be told from quotes.
LOOSE_APOSTROPHE = "'’‘`´ʼ＇"
# As web pages and the programs behind them write it, some twice; a pattern, not the inside of a class.
ESCAPED_APOSTROPHE = "&(?:amp;)?(?:apos|[lr]squo|#0{0,2}39|#[xX]27|#821[67]);"
# With its semicolon: html.unescape would read one in a&copy=1, too.
_ENTITY = re.compile(r"&(?:amp;)?#?\w{1,31};")
CURRENCY = "$€£¥₹"
HYPHEN = r"\-‐‑"
LETTER = r"[^\W\d_]"

# A link ends the token that it is written right after: lolhttp://t.co/x.
LINK = r"(?i:https?)://"
NO_LINK = r"(?![hH][tT][tT][pP][sS]?://)"
END = rf"(?!{NO_LINK}\w)"

# Unicode TR51 (emoji): pictographs, and the older symbols that are shown as emoji.
EMOJI = (
    "\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff"
    "\u2600-\u27bf\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u231a-\u23ff\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe"
    "\u203c\u2049\u2122\u2139\u3030\u303d\u3297\u3299"
)
REGIONAL = "\U0001f1e6-\U0001f1ff"  # two of them make a flag
SKIN_TONE = "\U0001f3fb-\U0001f3ff"
EMOJI_STYLE = "\ufe0f"
TEXT_STYLE = "\ufe0e"
JOINER = "\u200d"
NON_JOINER = "\u200c"
INVISIBLE = "\u00ad\u2060"  # soft hyphen, word joiner: by TR29 (rule WB4) no borders of a word
TAG_SPEC = "\U000e0020-\U000e007f"  # subdivision flags, such as Scotland's
KEYCAP = "\u20e3"

# UTF-8 that was read as Windows-1252 or latin-1: the first byte of a character, and those behind it. Some letters also stand before
# quotes, dashes and other signs by themselves.
_BEHIND = "[" + "".join(sorted({*map(chr, range(0x80, 0xC0)), *bytes(range(0x80, 0xC0)).decode("cp1252", "ignore")})) + "]"
_SIGN = "[«»‹›‘’“”„…–—²³]"
MOJIBAKE = re.compile(
    rf"""[ÂÃ]([\x80-\xbf€‡ˆ‰ŠŒœŽŸ™š›]|[„–]\w)  # é, É, Ö, and the blank of U+00A0
    | [ÄÅ](?!{_SIGN}){_BEHIND}                 # ć, Š
    | (?:[ÐÑ]{_BEHIND}){{2}}                   # two of Cyrillic
    | [à-ï](?!(?:{_SIGN}|\u00a0){{2}}){_BEHIND}{{2}}  # ’, ❤, kana
    | ð[\x9fŸ]{_BEHIND}{{2}}                   # emoji""",
    re.VERBOSE,
)


@lru_cache(maxsize=1)
def combining_marks() -> str:
    """All characters of Unicode's categories Mn, Mc and Me but the emoji style selectors and the keycap.

    Python's \\w leaves them out, which would cut words of Hindi, Thai or decomposed Latin at every vowel sign.
    """
    return _ranges("M", without=EMOJI_STYLE + TEXT_STYLE + KEYCAP)


@lru_cache(maxsize=1)
def punctuation() -> str:
    """All characters of Unicode's categories P*, which Python's `re` cannot name."""
    return _ranges("P", without="_")


def unescaped(text: str) -> str:
    """A token with its HTML entities as the characters that they stand for, also where they were escaped twice, &amp;#39;. That of
    a space, such as &nbsp;, stays."""
    return _ENTITY.sub(lambda entity: html.unescape(html.unescape(entity[0])), text).strip() or text


def word_unit() -> str:
    """A pattern: letters, digits and _ of any script with their combining marks, and joiners and soft hyphens between
    them. `re` takes memory for every repetition, so there are at most a thousand parts."""
    return rf"\w+(?:(?:[{combining_marks()}]|[{NON_JOINER}{JOINER}{INVISIBLE}](?=\w))\w*){{0,999}}"


def _ranges(category: str, without: str) -> str:
    characters = map(chr, range(0x21, 0x1E960))
    codes = [ord(char) for char in characters if unicodedata.category(char)[0] == category and char not in without]
    return "".join(f"{_escaped(start)}-{_escaped(end - 1)}" for start, end in runs(codes))


def _escaped(code: int) -> str:
    return "\\" + chr(code) if chr(code) in "\\]^-[&~|" else chr(code)
