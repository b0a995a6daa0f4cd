"""URLs with and without scheme, e-mail addresses, names of files."""

from ..options import TokenizerOptions
from .rule import Rule

# Top-level domains that may follow a name without a scheme. The list is short on purpose: "end.Then" is no address.
DOMAINS = "com|org|net|edu|gov|info|biz|co|io|ly|tv|fm|gl|gd|gg|uk|ca|de|fr|jp|au|nl|ru|br|mx|eu|ie|se|ch|tk|cc|fb"
# Those that are also words stand for a domain only before a path: "sure.It" is no address, "bit.it/x1" is.
WORD_DOMAINS = "me|us|in|es|it|am|to|be|is|at|so|no|my|by|ms|st|la|vu|ht"
EXTENSIONS = "mp3|mp4|avi|mov|flv|wav|pdf|docx?|xlsx?|pptx?|txt|zip|rar|exe|apk|jpe?g|png|gif|html?|php|css|csv"

# Anything but white space, brackets and quotes; round brackets only in pairs, as in /Wiki_(page); points, commas and
# the like at the end belong to the sentence. Unrolled, so that it reads no character twice but those at the end.
_CHAR = r"[^\s<>\"“”«»()]"
_REST = rf"{_CHAR}*(?:\([^\s<>\"“”()]*\){_CHAR}*)*(?<![.,:;!?'’‘\]}}…*|])"


def address_rules(options: TokenizerOptions) -> tuple[Rule, ...]:
    return (
        Rule(
            "url",
            "url",
            rf"(?i:https?://|ftp://|www\.)\w{_REST}|(?i:mailto:)\w[\w.%+-]{{0,63}}@\w{_REST}",
            "RFC 3986 without its escapes: a scheme, or www., and what follows. Pairs of brackets as in "
            "Gruber's pattern "
            "for URLs in prose (2010). mailto: before an address is RFC 6068.",
            (
                "http://bit.ly/x7Qa2",
                "https://t.co/a?b=c&d=e",
                "www.example.org",
                "http://en.example.org/wiki/Fado_(music)",
                "( http://x.org/a )",
                "http://x.org/a .",
                "mailto:jo@example.com",
            ),
            ("http", "http://", "www.", "mailto:jo"),
        ),
        Rule(
            "bare_url",
            "url",
            rf"(?<![\w@.-])(?i:(?:[^\W_](?:[^\W_]|-)*\.)+(?:(?:{DOMAINS})(?![\w@-])(?:/{_REST})?|(?:{WORD_DOMAINS})/\w{_REST}))",
            "Twokenize (O'Connor et al. 2010): a name and a top-level domain make a link that Twitter shows as one; "
            "names in any script (RFC 5890).",
            ("tvguide.ca/soaps", "t.co/ab12", "Example.Com", "youtu.be/x1y2", "bit.ly/a .", "bücher.de"),
            ("end.Then", "sure.It", "1.2", "a.com@b"),
        ),
        Rule(
            "email",
            "email",
            r"(?<![\w+-])(?<!\w\.)\w[\w+-]*(?:\.[\w+-]+)*@(?:[\w-]+\.)+[a-zA-Z]{2,}(?![\w@])",
            "RFC 5322 without quoted names.",
            ("jo.lee+x@mail.example.com", "jo@example.com .", "mail .. jo@example.com"),
            ("@user", "a@b"),
        ),
        Rule(
            "file",
            "word",
            rf"(?<![\w.@-])\w[\w-]*\.(?i:{EXTENSIONS})(?![\w@-])",
            "A name with the extension of a common type of file is one word in UD English EWT.",
            ("paris.flv", "my_song.mp3"),
            ("end.then", "a.doc.x"),
        ),
    )
