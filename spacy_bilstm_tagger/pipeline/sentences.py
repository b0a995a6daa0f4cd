"""The `tweet_sentencizer` component: where sentences begin, by rules for tweets."""

import re
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Optional, Union

import numpy as np
import srsly
from spacy.attrs import ENT_IOB, ORTH, SENT_START, SPACY
from spacy.lang.en.stop_words import STOP_WORDS
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc
from spacy.training import Example

from ..errors import ConfigError
from ..lexicon.files import keeping_reason, use_checksums
from ..tokenizer.kinds import tweet_kinds
from ..util import check_bool
from .base import Setting, SettingsMixin

_END = re.compile(r".*[.!?…。！？]['\"”’)\]]*", re.DOTALL)
_PAUSE = re.compile(r"(?:\.\.+|…+)")  # an ellipsis may also be a pause
_CLOSING = re.compile(r"[\"'”’»)\]}]+|1+!?")  # wow!!!1!
_OPENING = {'"', "“", "‘", "'", "(", "["}
_JOINING = {"|", "/", ":"}
_FACES = ("emoji", "emoticon")
_HEART = re.compile("(?:<3|[❤♥♡🖤🤍🤎🧡🩵🩶🩷\U0001f493-\U0001f49f])\ufe0f?")
_SUBJECTS = {"i", "we", "they"}  # I ❤ NY
_TAGS = ("url", "hashtag")
_TAIL = ("url", "hashtag", "user", *_FACES)
_BEGIN = STOP_WORDS - {"it", "me", "us"}  # these words begin a sentence; the others are domains, too
_INSIDE = 1  # ENT_IOB
_PLACE = 8  # tokens at most of a place behind a lone @, as Instagram writes it: @ La Sirena Grill


@Language.factory(
    "tweet_sentencizer",
    assigns=["token.is_sent_start", "doc.sents"],
    default_config={"overwrite": False, "scorer": {"@scorers": "spacy.senter_scorer.v1"}},
    default_score_weights={"sents_f": 1.0, "sents_p": 0.0, "sents_r": 0.0},
)
def make_tweet_sentencizer(nlp: Language, name: str, overwrite: bool, scorer: Optional[Callable]) -> "TweetSentencizer":
    """Make a component that sets `doc.sents` without a model. It needs TweetTokenizer.v1, whose kinds of tokens it reads.
    Put it behind the component that finds entities: no sentence begins inside of one, and entities keep to sentences set before.

    overwrite (bool): replace sentence starts that are already set.
    scorer (Callable or None): the scoring method.
    """
    use_checksums(nlp)
    return TweetSentencizer(name, overwrite=overwrite, scorer=scorer)


class TweetSentencizer(SettingsMixin, Pipe):
    """A sentence ends after `.`, `!`, `?` or a run of them, after emoji and emoticons, and at a line break.

    What still belongs to it: closing quotes and brackets, emoji and emoticons behind, links and hashtags that a new sentence
    follows, and links, users, hashtags and a place at the end of the text. Signs alone are no sentence, and |, / and : begin none.
    After an ellipsis, an emoji, a link or several blanks, the next word has to begin with a capital letter; `RT @user:` belongs to
    the sentence behind; I ❤ NY is one, and .@user the beginning of one. None begins inside of an entity.
    """

    overwrite = Setting()

    def __init__(self, name: str = "tweet_sentencizer", *, overwrite: bool = False, scorer: Optional[Callable] = None):
        self.name = name
        self.check_settings(name, overwrite=overwrite)
        self.cfg = {"overwrite": overwrite}
        self.scorer = scorer

    @classmethod
    def check_settings(cls, name: str, **settings: Any) -> None:
        check_bool(name, **settings)

    def __call__(self, doc: Doc) -> Doc:
        found = np.full(len(doc), -1)  # no start
        found[list(sentence_starts(doc))[1:]] = 1
        found[:1] = 1  # the first one has the white space before it
        found[doc.to_array(ENT_IOB) == _INSIDE] = -1
        if not self.overwrite:
            before = doc.to_array(SENT_START).astype(found.dtype)
            found = np.where(before == 0, found, before)
        return doc.from_array([SENT_START], found.astype("uint64")[:, None])  # type: ignore[arg-type]

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """As spaCy's, without gold texts of one token: each is a sentence, and would be all that a corpus without sentences has."""
        return dict(super().score([eg for eg in examples if len(eg.reference) > 1], **kwargs))

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        return srsly.msgpack_dumps(self.settings)

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "TweetSentencizer":
        """RAISES: DataError for bytes that `to_bytes` did not give."""
        with keeping_reason(Path("the given bytes"), "a tweet_sentencizer"):
            overwrite = srsly.msgpack_loads(bytes_data)["overwrite"]
        self.overwrite = overwrite
        return self

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """There is nothing to save: the settings are in the config."""

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "TweetSentencizer":
        return self


class _Tokens:
    """What the rules ask of the tokens of a doc; no Token is made.

    kinds (list of str): see `tweet_kind`.
    """

    def __init__(self, doc: Doc) -> None:
        self.kinds = tweet_kinds(doc)
        if "" in self.kinds:
            raise ConfigError(
                "tweet_sentencizer: reads the kinds of tokens that spacy-bilstm-tagger.TweetTokenizer.v1 finds, which this "
                "vocabulary does not have; set it in [nlp.tokenizer], make docs with nlp.make_doc, or use spaCy's sentencizer"
            )
        orths, spaces = doc.to_array([ORTH, SPACY]).reshape(-1, 2).T.tolist()
        self._orths, self._spaces, self._strings = orths, spaces, doc.vocab.strings
        self._run_end = -1

    def text(self, i: int) -> str:
        """Of a token; behind the last one, nothing."""
        return self._strings[self._orths[i]] if i < len(self._orths) else ""

    def ending(self, i: int) -> Optional[str]:
        """How a sentence ends with the token: "pause" or "end"; None if it does not."""
        kind = self.kinds[i]
        if kind in _FACES and i and _HEART.fullmatch(self.text(i)) and self.text(i - 1).lower() in _SUBJECTS:
            return None
        if kind in _FACES or kind == "url":
            return "pause"
        if kind == "punct" and _END.fullmatch(self.text(i)):
            following = "" if self._spaces[i] else self.text(i + 1)
            if self.text(i) == "." and following[:1] == "@" and (not i or self._spaces[i - 1]):  # .@user, to all who follow
                return None
            if self.text(i) == "." and following[:1].islower() and following not in _BEGIN:  # inside of mara.lune
                return None
            return "pause" if _PAUSE.fullmatch(self.text(i)) else "end"
        return None

    def is_closing(self, i: int) -> bool:
        return not self._spaces[i - 1] and self.kinds[i - 1] != "space" and _CLOSING.fullmatch(self.text(i)) is not None

    def goes_on(self, i: int, ended: str) -> bool:
        """Whether the token still belongs to a sentence that has ended."""
        kind = self.kinds[i]
        if kind in _FACES or (kind != "url" and self.ending(i)) or self.is_closing(i) or self.text(i) in _JOINING:
            return True
        if kind in _TAGS and self.is_apart(i):
            return True
        opens = self.text(i) in _OPENING and not self._spaces[i]
        return ended == "pause" and not self.text(i + opens)[:1].isupper()

    def is_apart(self, i: int) -> bool:
        """Whether a sentence begins behind the links and hashtags here, so that they belong to the one before."""
        if i > self._run_end:  # each run is read once
            behind = (j for j in range(i, len(self.kinds)) if self.kinds[j] not in (*_TAGS, "space"))
            self._run_end = next(behind, len(self.kinds))
        return self.text(self._run_end)[:1].isupper() and self.kinds[self._run_end] == "word"

    def tail(self) -> int:
        """Where the links, users, hashtags, faces and place at the end of the text begin."""
        kinds = self.kinds
        i = len(kinds)
        place = next((j for j in range(i - 1, max(i - _PLACE, 0), -1) if kinds[j] == "punct" and self.text(j) == "@"), i)
        if not any(self.ending(j) for j in range(place, i - 1)):
            i = place
        i -= i > 1 and kinds[i - 2] in _TAIL and _PAUSE.fullmatch(self.text(i - 1)) is not None
        while i > 1 and (kinds[i - 1] in _TAIL or (kinds[i - 1] == "space" and "\n" not in self.text(i - 1))):
            i -= 1
        return i


def sentence_starts(doc: Doc) -> Iterator[int]:
    """The number of the first token of each sentence that is no white space."""
    tokens = _Tokens(doc)
    kinds, tail = tokens.kinds, tokens.tail()
    ended: Optional[str] = "end"  # how the sentence has ended: "line", "end", "pause" or None
    has_words, has_begun = True, False
    for i, kind in enumerate(kinds):
        if i and i >= tail and ended != "line":
            return
        if kind == "space":
            if not {"\n", "\r"}.isdisjoint(tokens.text(i)):
                ended = "line"
            elif ended is None and i and kinds[i - 1] == "word" and tokens.text(i - 1).lower() not in STOP_WORDS:
                ended = "pause"
            continue
        ended = ended if has_words or ended == "line" else None
        if ended and (ended == "line" or not has_begun or not tokens.goes_on(i, ended)):
            yield i
            ended, has_words, has_begun = None, False, True
        has_words = has_words or kind != "punct"
        if not (ended == "end" and kind in (*_FACES, *_TAGS)):
            # Behind a closed quotation, "Welcome!" to, the sentence may go on.
            ended = tokens.ending(i) or ("pause" if ended and i and tokens.is_closing(i) else None)
