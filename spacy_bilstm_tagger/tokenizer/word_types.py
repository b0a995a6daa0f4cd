"""From a token's text to its key in vectors that have a row for every word type."""

from .glove_keys import glove_key

STAND_INS = ("<user>", "<url>")  # GloVe's keys for what is hardly ever seen twice


def word_type(text: str) -> str:
    """The lower-cased text without the # of a hashtag; <user> for @users, <url> for links and e-mail addresses."""
    key = glove_key(text)
    if key in STAND_INS:
        return key
    lower = text.lower()
    return lower[1:] if len(lower) > 1 and lower[0] in "#＃" else lower
