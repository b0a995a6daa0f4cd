"""The key of a token in the GloVe-Twitter vectors.

The vectors were trained on text prepared by a script that their authors published with them ("preprocess-twitter",
https://nlp.stanford.edu/projects/glove/, Pennington, Socher and Manning 2014). A token gets the key that this script
would write: for faces, users, hashtags, links, numbers, runs of ! ? and ., and repeated last letters. Where the script
writes two tokens (a word and a mark such as <elong>), the word is the key.

The script had other tokens, so for some of ours it would write no key of the table. There `glove_key` differs: a number
keeps its unit or sign (7pm, $20 and 60% are <number>), a number inside a word stays (gr8), e-mail addresses
and links without a scheme are <url>, HTML entities are the character they stand for, <33 is a <heart>, and curly
quotes are straight.
"""

import re

from .characters import unescaped

_URL = re.compile(r"(?:https?://|www\.)\S+|\S+\.\w{2,3}/\S*", re.IGNORECASE)
_USER = re.compile(r"[@＠]\w\S*")
_HASHTAG = re.compile(r"[#＃](?=.*\w)\S+")
_EMAIL = re.compile(r"[\w.+-]+@(?:[\w-]+\.)+\w{2,}")
# The script's [-+]?[.\d]*\d+[:,.\d]*, rewritten so that long tokens take linear time.
_NUMBER = re.compile(r"[-+]?\.*\d[:,.\d]*")
# Signs and units stay with the number in this project's tokens; 7pm, 2nd and 20k are numbers rather than rare words.
_QUANTITY = re.compile(r"[-+]?[$€£¥₹]?\d[\d.,:/-]*(?:[a-zA-Z]{1,2}|°[a-zA-Z]?)?[%+$€£¥₹]?")

# Eyes, nose and mouths are the script's own, and so is their order: "):" is a <smile>.
_EYES, _NOSE = "[8:=;]", "['`-]?"
_FACES = (
    (re.compile(rf"{_EYES}{_NOSE}[)d]+|[)d]+{_NOSE}{_EYES}", re.IGNORECASE), "<smile>"),
    (re.compile(rf"{_EYES}{_NOSE}p+", re.IGNORECASE), "<lolface>"),
    (re.compile(rf"{_EYES}{_NOSE}\(+|\)+{_NOSE}{_EYES}"), "<sadface>"),
    (re.compile(rf"{_EYES}{_NOSE}[/|l*]"), "<neutralface>"),
    (re.compile("(?:<|&lt;)3+"), "<heart>"),
)

_REPEATED = re.compile(r"[!?.！？…]{2,}")
_WORD = re.compile(r"\w+")

_CURLY = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"'})


def glove_key(text: str) -> str:
    """The key of one token, such as <user> for "@mara_lune" or "so" for "SOOOO"."""
    first = text[0] if text else ""
    if first.isalpha() and text.isalpha():
        return _fold(text.lower())
    if _USER.fullmatch(text):
        return "<user>"
    for face, key in _FACES:
        if face.fullmatch(text):
            return key
    if _HASHTAG.fullmatch(text):
        return "<hashtag>"
    if _URL.fullmatch(text) or _EMAIL.fullmatch(text):
        return "<url>"
    if _NUMBER.fullmatch(text) or _QUANTITY.fullmatch(text):
        return "<number>"
    if "&" in text:
        text = unescaped(text)
    if _REPEATED.fullmatch(text):
        return text[-1]
    return _fold(text.lower().translate(_CURLY))


def _fold(word: str) -> str:
    """Fold a letter that ends the word and stands there three times or more: "soooo" -> "so"."""
    if word[-3:] != 3 * word[-1:] or not _WORD.fullmatch(word):
        return word
    return word.rstrip(word[-1]) + word[-1]
