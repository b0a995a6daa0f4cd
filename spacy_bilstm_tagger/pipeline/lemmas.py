"""The `tweet_lemmatizer` component: spaCy's English lemmatizer, which leaves what is no word of a language as it is."""

from typing import Callable, Container, Optional

from spacy.lang.en import EnglishLemmatizer
from spacy.language import Language
from spacy.tokens import Token

from ..lexicon.files import use_checksums

MOST_CACHED = 50_000  # words, about 350 bytes each
_SIGNS = ("#", "＃", "@", "＠")


@Language.factory(
    "tweet_lemmatizer",
    assigns=["token.lemma"],
    requires=["token.pos"],
    default_config={"overwrite": False, "scorer": {"@scorers": "spacy.lemmatizer_scorer.v1"}},
    default_score_weights={"lemma_acc": 1.0},
)
def make_tweet_lemmatizer(nlp: Language, name: str, overwrite: bool, scorer: Optional[Callable]) -> "TweetLemmatizer":
    """Make a rule-based lemmatizer of English tweets. Its tables are those of spaCy's `lemmatizer`: `initialize` takes them
    from the package spacy-lookups-data.

    overwrite (bool): replace lemmas that are already set.
    scorer (Callable or None): the scoring method.
    """
    use_checksums(nlp)
    return TweetLemmatizer(nlp.vocab, None, name, mode="rule", overwrite=overwrite, scorer=scorer)


class TweetLemmatizer(EnglishLemmatizer):
    """Links are kept as they are (RFC 3986, section 6.2.2.1: their case may matter), hashtags and users in small letters. Other
    words are looked up as spaCy does. Irregular verb forms, such as are, are no base forms, whatever their tag."""

    def rule_lemmatize(self, token: Token) -> list[str]:
        if token.like_url:
            return [token.text]
        if len(token) > 1 and token.text.startswith(_SIGNS):
            return [token.lower_]
        if len(self.cache) >= MOST_CACHED:  # spaCy keeps each word for ever
            self.cache.clear()
        return super().rule_lemmatize(token)

    def is_base_form(self, token: Token) -> bool:
        if token.pos_ in ("VERB", "AUX"):
            irregular, regular = (self._words(table, token) for table in ("lemma_exc", "lemma_index"))
            if token.lower_ in irregular and token.lower_ not in regular:
                return False
        return super().is_base_form(token)

    def _words(self, table: str, token: Token) -> Container[str]:
        words: Container[str] = self.lookups.get_table(table, {}).get(token.pos_.lower(), ())
        return words
