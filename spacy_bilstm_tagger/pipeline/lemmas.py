"""The `tweet_lemmatizer` component: spaCy's English lemmatizer, which leaves what is no word of a language as it is."""

import re
from itertools import product
from pathlib import Path
from typing import Any, Callable, Container, Iterable, Iterator, Optional

import numpy as np
import srsly
from spacy.attrs import LEMMA, MORPH, ORTH, POS
from spacy.errors import Errors as SpacyErrors
from spacy.lang.en import EnglishLemmatizer
from spacy.lang.en.stop_words import STOP_WORDS
from spacy.language import Language
from spacy.lookups import Lookups
from spacy.tokens import Doc, Token
from spacy.training import Example

from ..lexicon.files import use_checksums
from ..tokenizer.characters import unescaped
from ..util import check_bool
from .base import Setting, SettingsMixin

MOST_CACHED = 50_000  # words, about 350 bytes each
# Features of the tags of inflected forms, as tag_morphs.tsv and spaCy's pipelines have them.
_INFLECTED = {
    "VERB": {"VerbForm": {"Fin", "Part", "Ger"}},
    "NOUN": {"Number": {"Plur"}},
    "ADJ": {"Degree": {"Cmp", "Sup"}},
    "ADV": {"Degree": {"Cmp", "Sup"}},
}
_VOWELS = set("aeiouy")
_SIGNS = ("#", "＃", "@", "＠")
# No English word has three of a letter in a row. Left alone are III, www, KKK, and other scripts, where a letter may be a word.
_STRETCHED = re.compile(r"([a-z])\1{2,}", re.IGNORECASE)
_WORD = re.compile(r"(?![IVXL]+$|(?i:(.)\1+)$)[A-Za-z'’]+")
_MOST_RUNS = 4
_DROPPED_G = re.compile(r"([a-z]{2,}in)['’]?")


@Language.factory(
    "tweet_lemmatizer",
    assigns=["token.lemma"],
    default_config={"overwrite": False, "scorer": {"@scorers": "spacy.lemmatizer_scorer.v1"}},
    default_score_weights={"lemma_acc": 1.0},
)
def make_tweet_lemmatizer(nlp: Language, name: str, overwrite: bool, scorer: Optional[Callable]) -> "TweetLemmatizer":
    """Make a rule-based lemmatizer of English tweets. `initialize` takes the tables of spaCy's `lemmatizer` from the package
    spacy-lookups-data, and adds forms of be, have, I, not ... to them.

    overwrite (bool): replace lemmas that are already set.
    scorer (Callable or None): the scoring method.
    """
    use_checksums(nlp)
    return TweetLemmatizer(nlp.vocab, None, name, mode="rule", overwrite=overwrite, scorer=scorer)


class TweetLemmatizer(SettingsMixin, EnglishLemmatizer):
    """Links are kept as they are (RFC 3986, section 6.2.2.1: their case may matter), hashtags and users in small letters. Other
    words are looked up as spaCy does. Irregular verb forms, such as are, are no base forms, whatever their tag. Of letters that are
    stretched, as in sooo and cuteeee, one is left, as in Tweebank v2, or two where that is a word: goood is good. goin' is going.
    HTML entities are the characters that they stand for: the lemma of n&#39;t is not."""

    overwrite = Setting()

    def __init__(self, *args: Any, **options: Any) -> None:
        """As spaCy's."""
        self.cfg = {"overwrite": False}
        self._found: dict[tuple[int, int, int], str] = {}  # by word, part of speech and features
        self._base_forms: dict[tuple[int, int], bool] = {}  # by part of speech and features
        super().__init__(*args, **options)

    @classmethod
    def check_settings(cls, name: str, **settings: Any) -> None:
        check_bool(name, **settings)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """As spaCy's, with the settings."""
        return srsly.msgpack_dumps({**self.settings, "tables": super().to_bytes(exclude=tuple(exclude))})

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "TweetLemmatizer":
        message = srsly.msgpack_loads(bytes_data)
        super().from_bytes(message["tables"], exclude=tuple(exclude))
        self.overwrite = message["overwrite"]
        return self

    def initialize(
        self,
        get_examples: Optional[Callable[[], Iterable[Example]]] = None,
        *,
        nlp: Optional[Language] = None,
        lookups: Optional[Lookups] = None,
    ) -> None:
        """As spaCy's. lookups (Lookups or None): other tables, to which nothing is added."""
        super().initialize(get_examples, nlp=nlp, lookups=lookups)
        if lookups is None:
            self._add_forms()

    def _add_forms(self) -> None:
        """Irregular forms that spaCy's tables lack, and better endings of verbs: of several forms that are verbs the last one is
        taken, and if there is none the first one of all."""
        exceptions, rules = (self.lookups.get_table(name) for name in ("lemma_exc", "lemma_rules"))
        rules["verb"] = list(_rows("verb_endings.tsv"))
        rules["noun"] = [*rules.get("noun", ()), ["ies", "ie"]]
        for pos, forms, lemma in _rows("lemmas.tsv"):
            exceptions[pos] = {**exceptions.get(pos, {}), **{form: [lemma] for form in forms.split()}}
            if pos not in rules:  # other words of this kind in small letters, as where there are no tables
                rules[pos] = [["", ""]]

    def _validate_tables(self, *args: Any) -> None:
        """As spaCy's, after each change of the tables, of which nothing may be remembered."""
        super()._validate_tables(*args)
        self.cache.clear()
        self._found.clear()
        index = self.lookups.get_table("lemma_index", {})
        for pos, words in list(index.items()):
            index[pos] = WordList(words)

    def __call__(self, doc: Doc) -> Doc:
        """As spaCy's, which computes base forms anew for each token."""
        if not self._validated:
            self._validate_tables(SpacyErrors.E1004)
        try:
            rows = doc.to_array([ORTH, POS, MORPH, LEMMA]).tolist()
            lemmas = [
                lemma if lemma and not self.overwrite else doc.vocab.strings.add(self._find(doc, i, (orth, pos, morph)))
                for i, (orth, pos, morph, lemma) in enumerate(rows)
            ]
            return doc.from_array([LEMMA], np.array(lemmas, dtype=np.uint64))  # type: ignore[arg-type]
        except Exception as error:
            self.get_error_handler()(self.name, self, [doc], error)
            return doc

    def _find(self, doc: Doc, i: int, key: tuple[int, int, int]) -> str:
        found = self._found.get(key)
        if found is None:
            found = self.lemmatize(doc[i])[0]
            if len(self._found) >= MOST_CACHED:
                self._found.clear()
            self._found[key] = found
        return found

    def rule_lemmatize(self, token: Token) -> list[str]:
        """As spaCy's, where nothing of the above is said."""
        if token.like_url:
            return [token.text]
        if "&" in token.text and (word := unescaped(token.text)) != token.text:
            return [self._of_word(word, token)]
        if token.pos_ == "SYM":
            return [token.text]
        if len(token) > 1 and token.text.startswith(_SIGNS):
            return [token.lower_]
        if len(self.cache) >= MOST_CACHED:  # spaCy keeps each word for ever
            self.cache.clear()
        if _STRETCHED.search(token.text) and token.pos_ not in ("PROPN", "NUM") and _WORD.fullmatch(token.text):
            return [self._of_stretched(token)]
        morph = token.morph.to_dict()
        dropped = _DROPPED_G.fullmatch(token.lower_) if morph.get("Aspect") == "Prog" else None
        if dropped and token.pos_ in ("VERB", "AUX") and dropped[1] not in self._words("lemma_index", token):  # as spin
            return [self._of_word(f"{dropped[1]}g", token)]
        found = super().rule_lemmatize(token)
        is_word_itself = found[0].lower() == token.lower_
        is_name = token.pos_ == "ADJ" and "Number" in morph  # by its tag, as New in New York
        is_common = token.pos_ in ("NOUN", "ADJ") and not is_name and self._is_known(token.lower_, token)
        if is_word_itself and (is_common or token.pos_ in ("VERB", "AUX", "ADV")):
            return [token.lower_]  # a capital begins a sentence, or is shouted
        return found if is_word_itself or self._is_likely(found[0], token) else [token.lower_]

    def _of_stretched(self, token: Token) -> str:
        """The lemma of the word that is known, with one letter or two of each run; with one if none is."""
        word = token.lower_
        # Two of o and e come first: son is a word too, but sooon is soon.
        choices = [(2, 1) if letter in "oe" else (1, 2) for letter in _STRETCHED.findall(word)[:_MOST_RUNS]]
        candidates = []
        for lengths in product(*choices):
            short = word
            for length in lengths:
                short = _STRETCHED.sub(r"\1" * length, short, count=1)
            candidates.append(short)
        common = sorted((each for each in candidates if each in STOP_WORDS), key=len, reverse=True)
        own = self._words("lemma_index", token)
        known = sorted((each for each in candidates if self._is_known(each, token)), key=lambda each: each not in own)
        found = [*known, *common] if token.pos_ in _INFLECTED else [*common, *known]
        short = found[0] if found else _STRETCHED.sub(r"\1", word)
        return self._of_word(short, token)

    def _of_word(self, word: str, token: Token) -> str:
        """The lemma of a word in the place of the token's own."""
        return self.rule_lemmatize(Doc(token.vocab, words=[word], pos=[token.pos_], morphs=[str(token.morph)])[0])[0]

    def _is_known(self, word: str, token: Token) -> bool:
        """Whether the tables of its part of speech have it or a base form of it; of an interjection, any of the tables."""
        pos, index = token.pos_.lower(), self.lookups.get_table("lemma_index", {})
        if word in self._words("lemma_exc", token):
            return True
        if pos == "intj":
            return any(word in words for words in index.values())
        rules = self.lookups.get_table("lemma_rules", {}).get(pos, ())
        forms = (word.removesuffix(old) + new for old, new in rules if word.endswith(old))
        return any(form in index.get(pos, ()) for form in (word, *forms))

    def _is_likely(self, lemma: str, token: Token) -> bool:
        """Whether the tables know the lemma, or the tag allows a shorter word: in killer/JJ and Swing/NNP nothing was added."""
        features = _INFLECTED.get(token.pos_)
        if features is None or token.lower_ in self._words("lemma_exc", token) or lemma in self._words("lemma_index", token):
            return True
        morph = token.morph.to_dict()
        is_inflected = not morph or any(morph.get(name) in values for name, values in features.items())
        return is_inflected and len(lemma) > 2 and not _VOWELS.isdisjoint(lemma)

    def is_base_form(self, token: Token) -> bool:
        pos = token.pos_
        if pos in ("VERB", "AUX"):
            irregular, regular = (self._words(table, token) for table in ("lemma_exc", "lemma_index"))
            if token.lower_ in irregular and token.lower_ not in regular:
                return False
        key = token.pos, token.morph.key  # type: ignore[attr-defined]
        if key not in self._base_forms:
            is_verb = pos == "NOUN" and "VerbForm" in token.morph.to_dict()  # by its tag
            self._base_forms[key] = not is_verb and super().is_base_form(token)
        return self._base_forms[key]

    def _words(self, table: str, token: Token) -> Container[str]:
        return self.lookups.get_table(table, {}).get(token.pos_.lower(), ())


class WordList(list[str]):
    """A list of words that is saved as one, and finds them as a set does: spaCy's lists of base forms have 11,000 and more."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        super().__init__(words)
        self._set, self._size = frozenset(self), len(self)

    def __contains__(self, word: object) -> bool:
        if self._size != len(self):  # words were added
            self._set, self._size = frozenset(self), len(self)
        return word in self._set


def _rows(name: str) -> Iterator[list[str]]:
    for line in Path(__file__).with_name(name).read_text(encoding="utf8").splitlines():
        yield line.split("\t")
