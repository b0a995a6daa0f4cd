"""TweetTokenizer.v1: spaCy's Tokenizer, its cache and its special cases, with rules for tweets."""

from typing import Callable

from spacy.attrs import NORM
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..checks import check_choice
from ..errors import Errors
from .glove_keys import glove_key
from .rules import compile_rules

NORMS: dict[str, Callable[[str], str]] = {"glove": glove_key, "lower": str.lower}


def create_tweet_tokenizer(norms: str = "glove") -> Callable[[Language], "TweetTokenizer"]:
    """For `[nlp.tokenizer]`.

    norms (str): what `token.norm_` holds. "glove": the key under which GloVe-Twitter knows the token (see
        `glove_key`); "lower": the lower-cased text, as in other spaCy pipelines.
    RAISES: ConfigError for another value.
    """
    check_choice("TweetTokenizer.v1", "norms", norms, list(NORMS))

    def tweet_tokenizer_factory(nlp: Language) -> TweetTokenizer:
        set_norms(nlp.vocab, NORMS[norms])
        return TweetTokenizer(nlp.vocab, infix_finditer=compile_rules().finditer)

    return tweet_tokenizer_factory


class TweetTokenizer(Tokenizer):
    """The rules read a whole chunk from left to right, so they are given to spaCy as infixes: it pushes one token for
    each match and caches the result for the chunk. `doc.text` is always the text."""

    def __call__(self, string: str) -> Doc:
        try:
            return super().__call__(string)
        except UnicodeEncodeError as error:
            found = f"U+{ord(error.object[error.start]):04X}"
            position = next(i for i, char in enumerate(string) if "\ud800" <= char <= "\udfff")
            raise ValueError(Errors.TOKENIZER_SURROGATE.format(found=found, position=position)) from None


def set_norms(vocab: Vocab, norm: Callable[[str], str]) -> None:
    """Let the vocabulary compute every word type's NORM this way: once for each, when it is first met."""
    vocab.lex_attr_getters[NORM] = norm  # type: ignore[attr-defined]
    for lexeme in vocab:
        lexeme.norm_ = norm(lexeme.orth_)
