"""From a token's text to its key in the GloVe-Twitter vectors.

The vectors were trained on text prepared by a script that their authors published with them ("preprocess-twitter",
https://nlp.stanford.edu/projects/glove/, Pennington, Socher and Manning 2014). Each branch here gives a single token
the key that script would have left in its place. Where the script leaves two tokens (a word and a mark such as
<elong>), the word is the key.
"""

import re

_URL = re.compile(r"(?:https?://|www\.)\S+|\S+\.\w{2,3}/\S*", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]+@(?:[\w-]+\.)+\w{2,}")
_NUMBER = re.compile(r"[-+]?[.\d]*\d+[:,.\d]*")
# Signs and units stay with the number in this project's tokens; 7pm, 2nd and 20k are numbers rather than rare words.
_QUANTITY = re.compile(r"[-+]?[$€£¥₹]?\d[\d.,:/-]*(?:[a-zA-Z]{1,2}|°[a-zA-Z]?)?[%+$€£¥₹]?")

_EYES, _NOSE = r"[8:=;xX]", r"['’`\-~^o*]?"
_SMILE = re.compile(rf"{_EYES}{_NOSE}[)\]dD}}]+|[(\[]+{_NOSE}{_EYES}|\^[_.-]*\^")
_LOLFACE = re.compile(rf"{_EYES}{_NOSE}[pPbB]+")
_SADFACE = re.compile(rf">?{_EYES}{_NOSE}[(\[{{]+|[)\]]+{_NOSE}{_EYES}|[dD]{_NOSE}[:;]")
_NEUTRALFACE = re.compile(rf"{_EYES}{_NOSE}[\\/|l*]+")
_HEART = re.compile(r"(?:<|&lt;)+3+")

_REPEATED = re.compile(r"[!?.！？…]{2,}")
_ELONGATED = re.compile(r"(\w*?)(\w)\2{2,}")

_HTML = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&apos;": "'", "&nbsp;": " "}
_CURLY = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"'})


def glove_key(text: str) -> str:
    """The key of one token, such as <user> for "@mara_lune" or "so" for "SOOOO"."""
    first = text[0] if text else ""
    if first.isalpha() and text.isalpha():
        return _fold(text.lower())
    if first in "@＠" and len(text) > 1:
        return "<user>"
    if first in "#＃" and len(text) > 1:
        return "<hashtag>"
    if _URL.fullmatch(text) or _EMAIL.fullmatch(text):
        return "<url>"
    if _NUMBER.fullmatch(text) or _QUANTITY.fullmatch(text):
        return "<number>"
    if _HEART.fullmatch(text):
        return "<heart>"
    for pattern, key in (
        (_SMILE, "<smile>"),
        (_LOLFACE, "<lolface>"),
        (_SADFACE, "<sadface>"),
        (_NEUTRALFACE, "<neutralface>"),
    ):
        if pattern.fullmatch(text):
            return key
    if text in _HTML:
        return _HTML[text]
    if _REPEATED.fullmatch(text):
        return text[-1]
    return _fold(text.lower().translate(_CURLY))


def _fold(word: str) -> str:
    """Fold a letter that ends the word and stands there three times or more: "soooo" -> "so"."""
    match = _ELONGATED.fullmatch(word)
    return match[1] + match[2] if match else word
