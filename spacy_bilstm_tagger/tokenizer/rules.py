"""The rules of the tweet tokenizer, in the order in which they are tried at each position of a chunk.

A chunk is a run of characters without white space. It is read once, from left to right; at each position the first
rule that matches takes its characters as one token. The last rules take any character, so nothing is ever lost.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from .characters import (
    APOSTROPHE,
    CURRENCY,
    EMOJI,
    EMOJI_STYLE,
    JOINER,
    REGIONAL,
    SKIN_TONE,
    TAG_SPEC,
    TEXT_STYLE,
    combining_marks,
)


@dataclass(frozen=True)
class Rule:
    """name: what the token is, and the name of the regex group; pattern: for `re`; yes: chunks that are one token under
    this rule; no: chunks that are not."""

    name: str
    pattern: str
    yes: tuple[str, ...]
    no: tuple[str, ...]


# Top-level domains that may follow a name without a scheme. The list is short on purpose: "end.Then" is no address.
BARE_DOMAINS = "com|org|net|edu|gov|info|biz|co|io|ly|me|tv|fm|gl|gd|us|uk|ca|de|fr|jp|in|au|es|it|nl|ru|br|mx|am|to|be"

# Verbs before the clitic n't and the other clitics, after Penn Treebank tokenization (Marcus et al. 1993).
CLITICS = rf"[{APOSTROPHE}](?:s|m|re|ve|ll|d)"
NOT = rf"n[{APOSTROPHE}]t"

# Abbreviations that keep their point, besides those of single letters (U.S.).
ABBREVIATIONS = (
    "mr|mrs|ms|dr|st|jr|sr|prof|gov|gen|sen|rep|capt|sgt|inc|ltd|co|corp|vs|etc|ave|blvd|dept|est|feat|ft|approx"
)

# Words that begin with an apostrophe.
ELISIONS = "cause|cuz|em|til|till|bout|round|tis|twas|n|nuff|kay"


def build_rules() -> tuple[Rule, ...]:
    marks = combining_marks()
    letter = r"[^\W\d_]"
    unit = rf"(?:\w[{marks}]*(?:[\u200c\u200d](?=\w))?)+"
    emoji = rf"[{EMOJI}](?:[{SKIN_TONE}]|{EMOJI_STYLE}|{TEXT_STYLE})?"
    end = r"(?!\w)"
    return (
        Rule(
            # RFC 3986 without its escapes: a scheme or www., then anything but brackets and quotes; points, commas and
            # the like at the end belong to the sentence.
            "url",
            r"(?i:https?://|ftp://|www\.)[^\s<>\"“”]*[^\s<>\"“”.,:;!?'’)\]}…]"
            rf"|(?<![\w@.])(?i:(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:{BARE_DOMAINS})\b(?:/[^\s<>\"“”]*[^\s<>\"“”.,:;!?'’)\]}}…]|/)?)(?![\w@])",
            (
                "http://bit.ly/x7Qa2",
                "https://t.co/a?b=c&d=e",
                "www.example.org",
                "tvguide.ca/soaps",
                "t.co/ab12",
            ),
            ("end.Then", "http", "1.2"),
        ),
        Rule(
            "email",
            r"(?<![\w.+-])[\w.+-]+@(?:[\w-]+\.)+[a-zA-Z]{2,}",
            ("jo.lee+x@mail.example.com",),
            ("@user", "a@b"),
        ),
        Rule(
            # Unicode TR51: keycap, flag, or pictograph with style, skin tone, tags and joined pictographs.
            "emoji",
            rf"[0-9#*]{EMOJI_STYLE}?\u20e3|[{REGIONAL}]{{2}}"
            rf"|{emoji}[{TAG_SPEC}]*(?:{JOINER}{emoji})*"
            rf"|[\u00a9\u00ae\u2190-\u21ff]{EMOJI_STYLE}",
            ("😂", "👍🏽", "👩‍👩‍👧", "🇵🇹", "❤️", "1️⃣", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "♥"),
            ("😂😂", "1", "→"),
        ),
        Rule(
            # Hearts, and faces from the left, from the right and upright (Twokenize; O'Connor et al. 2010,
            # "TweetMotif"). Letters and digits may be eyes or mouths only where no word goes on.
            "emoticon",
            r"<+/?3+(?!\d)|&lt;/?3+(?!\d)"
            r"|(?<!\w)[>]?[:;=]['’]?[-~^o*]?(?:[)\](\[}{@|\\/*>]+|[dDpPoOsS3cCbX]+(?!\w))"
            r"|(?<!\w)[xX8](?:-[)\](]|-?[dDpP]+(?!\w))"
            r"|(?<![\w)])[(\[)\]]+[-~^o*]?['’]?[:;=](?![\w)(])|(?<!\w)D[-~^]?['’]?:(?!\w)"
            r"|[\^>*][_.-]+[\^<*]|(?<!\w)(?:-_+-|[oO0][_.]+[oO0]|[tTuU]_+[tTuU]|[xX]_+[xX])(?!\w)"
            r"|\\[oO]/|¯\\_\(ツ\)_/¯",
            (
                ":)",
                ":-D",
                ";)",
                "<3",
                "&lt;3",
                "xD",
                "^_^",
                "-_-",
                "o_O",
                ":'(",
                "(:",
                "D:",
                "=P",
                ":/",
                "\\o/",
                ">:(",
            ),
            ("10:30", "(a)", "http://x.org", ":", "ok:D3x", "8)", "x)", "8/", "D;", "d:"),
        ),
        Rule(
            "html_entity",
            r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,6}|#x[0-9a-fA-F]{1,6});",
            ("&amp;", "&lt;", "&#39;"),
            ("&", "&c;"),
        ),
        Rule("user", rf"[@＠]{unit}", ("@mara_lune", "@_x1"), ("@", "mara")),
        Rule(
            # A hashtag holds at least one letter, of any script; "# 1" is a number sign.
            "hashtag",
            rf"[#＃](?=[\d_]*{letter}){unit}",
            ("#nowplaying", "#2pac", "#東京", "#été"),
            ("#1", "#"),
        ),
        Rule("cashtag", rf"\$[A-Za-z]{{1,6}}(?:\.[A-Za-z]{{1,2}})?{end}", ("$AAPL", "$BRK.B"), ("$5", "$")),
        Rule(
            # Ritter's corpus keeps signs and units with the number: 60%, 7pm, 10/4.
            "number",
            rf"(?<!\w)[-+]?[{CURRENCY}]?(?:\d+|(?<![\w.])\.\d)(?:[.,:/-]\d+)*(?:[a-zA-Z]{{1,4}}|[{CURRENCY}]|°[a-zA-Z]?)?"
            r"(?:%|\+)?(?:/[a-zA-Z]+)?(?!\w)(?!-\w)",
            (
                "7",
                "1,000",
                "3.5",
                "10/4",
                "3-1",
                "7:30",
                "7pm",
                "2nd",
                "20k",
                "60%",
                "$20",
                "$4.5m",
                "-5",
                "100+",
                "$21/hour",
            ),
            ("3-year-old", "a1", "1,"),
        ),
        Rule(
            "abbreviation",
            rf"(?<!\w)(?:(?:{letter}\.){{2,}}|(?i:{ABBREVIATIONS})\.{end})",
            ("U.S.", "a.m.", "Mr.", "St.", "vs."),
            ("end.", "I."),
        ),
        # "w/" and "w/o" for with and without.
        Rule("with", r"(?<!\w)(?i:w/o|w/)(?!\w)", ("w/", "w/o"), ("w", "and/or")),
        Rule(
            # The verb of a negation: do|n't, ca|n't.
            "negated",
            rf"{letter}+(?=(?i:{NOT}){end})",
            (),
            ("don't", "not"),
        ),
        Rule("negation", rf"(?<={letter})(?i:{NOT}){end}", (), ("nt", "don't")),
        Rule("clitic", rf"(?<=\w)(?i:{CLITICS}){end}", (), ("it's", "'s-x")),
        Rule(
            "elision",
            rf"(?<!\w)[{APOSTROPHE}](?:(?i:{ELISIONS})|\d0s){end}",
            ("'em", "'til", "’cause", "'90s"),
            ("'tree", "'"),
        ),
        Rule(
            # Hyphens, slashes and apostrophes inside a word belong to it, but not the clitics.
            "word",
            rf"{unit}(?:(?!(?i:{CLITICS}){end})[-‐‑/{APOSTROPHE}]+(?:(?<=[-‐‑/{APOSTROPHE}])(?=\w)){unit})*",
            ("gonna", "late-night", "and/or", "o'clock", "y'all", "3-year-old", "नमस्ते", "naïve", "a1"),
            ("it's", "don't", "a."),
        ),
        Rule("ellipsis", r"\.{2,}|…+", ("...", "..", "…"), (".", "..!")),
        Rule("exclamation", r"[!?！？]+", ("!", "?!", "!!!!"), ("!.",)),
        # Any other mark: a run of the same one, with whatever combines with it.
        Rule(
            "mark",
            rf"(?P<same>[^\w\s])(?P=same)*[{marks}{EMOJI_STYLE}{TEXT_STYLE}]*",
            (".", "---", "***", "(", "“", "→", "´"),
            ("().", "a"),
        ),
        Rule("space", r"\s+", (), ("a",)),
    )


@lru_cache(maxsize=1)
def master_pattern() -> str:
    """All rules as one alternation of named groups."""
    return "|".join(f"(?P<{rule.name}>{rule.pattern})" for rule in build_rules())


@lru_cache(maxsize=1)
def compile_rules() -> re.Pattern:
    return re.compile(master_pattern())
