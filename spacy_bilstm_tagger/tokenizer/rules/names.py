"""Names with a meaning on Twitter or the web: users, hashtags, cashtags, retweet marks, HTML entities, URLs, e-mail
addresses and files."""

from html.entities import name2codepoint
from typing import Iterator

from ..characters import END, ESCAPED_APOSTROPHE, LETTER, LINK, LOOSE_APOSTROPHE, NO_LINK, combining_marks, word_unit
from ..options import TokenizerOptions
from .rule import Rule, sign_rule

# Top-level domains of addresses without a scheme. The list is short, so that "end.Then" is not an address.
DOMAINS = "com|org|net|edu|gov|info|biz|co|io|ly|tv|fm|gl|gd|gg|uk|ca|de|fr|jp|au|nl|ru|br|mx|eu|ie|se|ch|tk|cc|fb"
# Top-level domains that are also words need a path: "sure.It" is not an address, "bit.it/x1" is.
WORD_DOMAINS = "app|dev|social|xyz|me|us|in|es|it|am|to|be|is|at|so|no|my|by|ms|st|la|vu|ht"
EXTENSIONS = "mp3|mp4|avi|mov|flv|wav|pdf|docx?|xlsx?|pptx?|txt|zip|rar|exe|apk|jpe?g|png|gif|html?|php|css|csv"

# Anything but white space, brackets and quotes; round brackets only in pairs, as in /Wiki_(page); points, commas and
# the like at the end belong to the sentence. Another link right after a letter, a digit or a sign of lists is a token of its
# own; behind another sign, as in /?u=https://, it is a part. Unrolled, so that it reads no character twice but those at the end.
_CHARS = r"[^\s<>\"“”«»()hH]*"
_CHARS = rf"{_CHARS}(?:(?:{NO_LINK}|(?<![\w,;|]))[hH]{_CHARS})*"
_REST = rf"{_CHARS}(?:\([^\s<>\"“”()]*\){_CHARS})*(?<![.,:;!?'’‘\]}}…*|])"
# The host of an address.
_HOST = rf"(?:[\w-]+\.)+[a-zA-Z]{{2,}}?(?:(?={LINK})|(?![a-zA-Z]))"
# How Twitter writes the links of pictures, often without a space before.
_PICTURE = r"pic\.twitter\.com/"


def tag_rules(options: TokenizerOptions) -> Iterator[Rule]:
    yield sign_rule(
        "user",
        rf"[@＠](?:\w+@{_HOST}{END}|[\w-]+(?i:\.bsky\.social){END}|\w+?(?={LINK}|(?i:{_PICTURE}))|{word_unit()})",
        "Twokenize: @ and the characters of a name. A clitic such as 's is another token, and so is a link right after the "
        "name. Mastodon's names have a host, and those of Bluesky are one.",
        (
            *("@mara_lune", "@_x1", "@mara 's", "RT @mara", ". @mara", "@mara https://t.co/x"),
            *("@mara@example.social", "@mara@example.social .", "@mara@example.social https://t.co/x"),
            *("@mara pic.twitter.com/x", "@mara-lune.bsky.social", "@mara.bsky.social .", "@mara . good"),
        ),
        ("@", "mara"),
    )
    yield from _hashtag_rules(options)
    yield _number_tag(options)


def address_rules(options: TokenizerOptions) -> Iterator[Rule]:
    yield Rule(
        "url",
        rf"(?i:https?://|ftp://|www\.|{_PICTURE})\w{_REST}|(?i:mailto:)\w[\w.%+-]{{0,63}}@\w{_REST}",
        "RFC 3986 without its escapes: a scheme or www., and the rest of the address. Pairs of brackets as in Gruber's "
        "pattern for URLs in prose (2010). mailto: before an address is RFC 6068.",
        (
            *("http://bit.ly/x7Qa2", "https://t.co/a?b=c&d=e", "www.example.org", "http://x.org/a ."),
            *("http://en.example.org/wiki/Fado_(music)", "( http://x.org/a )", "mailto:jo@example.com"),
            *("http://t.co/x https://t.co/y", "http://x.org/http/2", "http://x.org/?u=http://y.org"),
            *("http://t.co/x , https://t.co/y", "http://t.co/x | https://t.co/y"),
        ),
        ("http", "http://", "www.", "mailto:jo"),
    )
    yield Rule(
        "cut_url",
        r"(?<![\w-])(?i:https?):(?:/{1,2}(?!\w)|(?=…))",
        "Retweets, which are cut at 140 characters: the beginning of a link.",
        ("https://", "http:/", "https:/ …", "https:// …"),
        ("https", "https:", "http://x", "http:/x"),
        kind="url",
    )
    yield Rule(
        "bare_url",
        rf"(?<![\w@.-])(?i:(?:[^\W_](?:[^\W_]|-)*\.)+(?:(?:{DOMAINS})(?![@-]){END}(?:/{_REST})?|(?:{WORD_DOMAINS})/\w{_REST}))",
        "Twokenize (O'Connor et al. 2010): a name and a top-level domain make a link that Twitter shows as one; "
        "names in any script (RFC 5890).",
        (
            "tvguide.ca/soaps",
            "t.co/ab12",
            "Example.Com",
            "youtu.be/x1y2",
            "bit.ly/a .",
            "bücher.de",
            "x.com http://t.co/x",
        ),
        ("end.Then", "sure.It", "1.2", "a.com@b"),
        kind="url",
    )
    yield Rule(
        "email",
        rf"(?<![\w+-])(?<![\w+-]\.)\w[\w+-]*(?:\.[\w+-]+)*@{_HOST}(?!@){END}",
        "RFC 5322 without quoted names.",
        ("jo.lee+x@mail.example.com", "jo@example.com .", "mail .. jo@example.com", "jo@x.com http://t.co/x"),
        ("@user", "a@b"),
    )
    yield Rule(
        "file",
        rf"(?<![\w.@-])\w[\w-]*\.(?i:{EXTENSIONS})(?![@-]){END}",
        "A name with the extension of a common type of file is one word in UD English EWT.",
        ("paris.flv", "my_song.mp3"),
        ("end.then", "a.doc.x"),
    )


def name_rules(options: TokenizerOptions) -> Iterator[Rule]:
    yield sign_rule(
        "html_entity",
        rf"(?!(?<=\w){ESCAPED_APOSTROPHE}(?i:s|m|re|ve|ll|d){END})"
        rf"&(?:amp;)?(?:{'|'.join(sorted(name2codepoint))}|apos|#\d{{1,7}}|#[xX][0-9a-fA-F]{{1,6}});",
        "HTML 4.01, character entity references, as in Python's html.entities; Twitter's API escapes &, < and >. That of an "
        "apostrophe inside of a word belongs to the word.",
        ("&amp;", "&lt;", "&#39;", "&hearts;", "&#x2665;", "dogs &#39;", "&#39; quoted", "&amp;amp;", "&amp;lt;"),
        ("&", "&c;", "&Jerry;"),
        kind="html",
    )
    yield sign_rule(
        "cashtag",
        rf"(?<![\w$])\${NO_LINK}(?:[A-Z]{{1,6}}(?:\.[A-Z]{{1,2}})?|[a-z]{{3,4}}){END}",
        "Twitter's cashtags: $ and the symbol of a stock or coin; in small letters, three or four.",
        ("$AAPL", "$BRK.B", "$btc", "$btc http://t.co/x", "$AAPL https://t.co/x"),
        ("$5", "$", "$money", "CA$H"),
    )
    yield Rule(
        "retweet",
        r"(?<!\w)(?:RT|MT)(?![\w&])|(?<!\w)RT(?=@)",
        "Twokenize: the mark before a repeated tweet, with or without space after it.",
        ("RT", "RT @mara", "RT :"),
        ("RTs", "ART", "rt"),
    )


def _number_tag(options: TokenizerOptions) -> Rule:
    if options.units == "whole":
        return sign_rule(
            "number_tag",
            r"(?<![\w#])#\d+(?!\w)",
            "Ritter and WNUT 2017: # and a number are one token.",
            ("#1", "#22"),
            ("#", "#2pac"),
            kind="number",
        )
    return sign_rule(
        "number_tag",
        r"(?<![\w#])#\d{2,}(?:-\d+)*(?!\w)",
        "Tweebank v2: # stands apart from one digit (a rank), not from the digits of a number (an order, a shirt).",
        ("#22", "#610-365"),
        ("#1", "#2pac"),
        kind="number",
    )


def _hashtag_rules(options: TokenizerOptions) -> Iterator[Rule]:
    # A hashtag holds at least one letter, of any script; "# 1" is a number sign.
    marks = combining_marks()
    start = rf"[#＃](?=[\d_]*{LETTER})"
    if options.hashtags == "whole":
        yield sign_rule(
            "hashtag",
            rf"{start}(?:{NO_LINK}\w|[{marks}]|[\u200c\u200d](?=\w))+",
            "Twokenize and Twitter's own rule: # and letters of any script, digits and _.",
            ("#nowplaying", "#2pac", "#東京", "#été", "#a #b", "#wow http://x.org/a"),
            ("#1", "#", "wow"),
        )
        return
    yield sign_rule(
        "hashtag_sign",
        start,
        "The sign is a token, for taggers of ordinary text.",
        ("# nowplaying", "# 東京"),
        ("#1", "#", "#wow"),
        kind="symbol",
    )
    if options.hashtags == "sign":
        return
    yield Rule(
        "hashtag_word",
        # Behind # or in the middle of a word, where only a hashtag is left off, or a verb before n't. The first
        # alternative is all capitals up to one that begins a word: HTMLPage.
        rf"(?<=[#＃\w])(?!(?i:n[{LOOSE_APOSTROPHE}]t)(?!\w))(?:[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|_+|(?:(?![A-Za-z\d_])\w[{marks}]*)+)",
        "Capitals and digits part the words of a hashtag.",
        ("# Now Playing", "# Top 10 HTML Pages", "# tbt"),
        ("NowPlaying", "#"),
    )
