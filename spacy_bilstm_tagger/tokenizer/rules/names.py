"""What Twitter gives a meaning to: users, hashtags, cashtags, retweet marks; and HTML entities of its API."""

from html.entities import name2codepoint

from ..characters import LETTER, LOOSE_APOSTROPHE, combining_marks, word_unit
from ..options import TokenizerOptions
from .rule import Rule

# A link that follows without space is no part of a hashtag.
_NO_LINK = r"(?![hH][tT][tT][pP][sS]?://)"


def tag_rules(options: TokenizerOptions) -> tuple[Rule, ...]:
    return (
        Rule(
            "user",
            "user",
            rf"[@＠]{word_unit()}",
            "Twokenize: @ and the characters of a name. What follows, such as 's, is another token.",
            ("@mara_lune", "@_x1", "@mara 's", "RT @mara", ". @mara"),
            ("@", "mara"),
            start="sign",
        ),
        *_hashtag_rules(options),
        _number_tag(options),
    )


def name_rules(options: TokenizerOptions) -> tuple[Rule, ...]:
    return (
        Rule(
            "html_entity",
            "html",
            rf"&(?:{'|'.join(sorted(name2codepoint))}|apos|#\d{{1,7}}|#[xX][0-9a-fA-F]{{1,6}});",
            "HTML 4.01, character entity references, as in Python's html.entities; Twitter's API escapes &, < and >.",
            ("&amp;", "&lt;", "&#39;", "&hearts;", "&#x2665;"),
            ("&", "&c;", "&Jerry;"),
            start="sign",
        ),
        Rule(
            "cashtag",
            "cashtag",
            r"(?<![\w$])\$[A-Z]{1,6}(?:\.[A-Z]{1,2})?(?!\w)",
            "Twitter's cashtags: $ and the symbol of a stock.",
            ("$AAPL", "$BRK.B"),
            ("$5", "$", "$one", "CA$H"),
            start="sign",
        ),
        Rule(
            "retweet",
            "retweet",
            r"(?<!\w)(?:RT|MT)(?![\w&])|(?<!\w)RT(?=@)",
            "Twokenize: the mark before a repeated tweet, with or without space after it.",
            ("RT", "RT @mara", "RT :"),
            ("RTs", "ART", "rt"),
        ),
    )


def _number_tag(options: TokenizerOptions) -> Rule:
    if options.units == "whole":
        return Rule(
            "number_tag",
            "number",
            r"(?<![\w#])#\d+(?!\w)",
            "Ritter and WNUT 2017: # and a number are one token.",
            ("#1", "#22"),
            ("#", "#2pac"),
            start="sign",
        )
    return Rule(
        "number_tag",
        "number",
        r"(?<![\w#])#\d{2,}(?:-\d+)*(?!\w)",
        "Tweebank v2: # stands apart from one digit (a rank), not from the digits of a number (an order, a shirt).",
        ("#22", "#610-365"),
        ("#1", "#2pac"),
        start="sign",
    )


def _hashtag_rules(options: TokenizerOptions) -> tuple[Rule, ...]:
    # A hashtag holds at least one letter, of any script; "# 1" is a number sign.
    marks = combining_marks()
    start = rf"[#＃](?=[\d_]*{LETTER})"
    if options.hashtags == "whole":
        return (
            Rule(
                "hashtag",
                "hashtag",
                rf"{start}(?:{_NO_LINK}\w|[{marks}]|[\u200c\u200d](?=\w))+",
                "Twokenize and Twitter's own rule: # and letters of any script, digits and _.",
                ("#nowplaying", "#2pac", "#東京", "#été", "#a #b", "#wow http://x.org/a"),
                ("#1", "#", "wow"),
                start="sign",
            ),
        )
    if options.hashtags == "sign":
        return (
            Rule(
                "hashtag_sign",
                "symbol",
                start,
                "As users may want it for taggers of ordinary text: the sign alone.",
                ("# nowplaying", "# 東京"),
                ("#1", "#", "#wow"),
                start="sign",
            ),
        )
    return (
        Rule(
            "hashtag_sign",
            "symbol",
            start,
            "As users may want it for taggers of ordinary text: the sign alone.",
            ("# Now Playing",),
            ("#1", "#", "#Wow"),
            start="sign",
        ),
        Rule(
            "hashtag_word",
            "word",
            # Behind # or in the middle of a word, where only a hashtag is left off, or a verb before n't. The first
            # alternative is all capitals up to one that begins a word: HTMLPage.
            rf"(?<=[#＃\w])(?!(?i:n[{LOOSE_APOSTROPHE}]t)(?!\w))(?:[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|_+|(?:(?![A-Za-z\d_])\w[{marks}]*)+)",
            "Capitals and digits part the words of a hashtag.",
            ("# Now Playing", "# Top 10 HTML Pages", "# tbt"),
            ("NowPlaying", "#"),
        ),
    )
