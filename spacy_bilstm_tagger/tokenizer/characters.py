"""Character classes that Python's `re` does not have, written as the inside of a [...] class."""

import sys
import unicodedata
from functools import lru_cache

APOSTROPHE = "'’"
CURRENCY = "$€£¥₹"

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
TAG_SPEC = "\U000e0020-\U000e007f"  # subdivision flags, such as Scotland's


@lru_cache(maxsize=1)
def combining_marks() -> str:
    """All characters of Unicode's categories Mn, Mc and Me but the emoji style selectors, as ranges.

    Python's \\w leaves them out, which would cut words of Hindi, Thai or decomposed Latin at every vowel sign.
    """
    ranges: list[list[int]] = []
    for code in range(0x300, min(0x1E950, sys.maxunicode)):
        if unicodedata.category(chr(code))[0] != "M" or chr(code) in (EMOJI_STYLE, TEXT_STYLE, "\u20e3"):
            continue
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(a)}-{chr(b)}" for a, b in ranges)
