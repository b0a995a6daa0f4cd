"""TweetTokenizer.v1: spaCy's Tokenizer, with its cache and its special cases, and rules for tweets."""

import re
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any, Callable, Iterable, Mapping, Optional, Union, get_args

import srsly
from spacy.attrs import LOWER, NORM
from spacy.lang.xx import MultiLanguage
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
from spacy.vocab import Vocab, create_vocab

from ..errors import ConfigError, DataError, Errors
from ..util import check_name
from .glove_keys import glove_key
from .kinds import kind_settings, set_kinds
from .options import Contractions, Hashtags, Norms, Scheme, TokenizerOptions, WholeOrSingle, WholeOrSplit, check_choice
from .rules import build_rules, compile_rules

# Chunks whose tokens are cached, about 100 bytes each; ten times spaCy's default.
CACHE_SIZE = 100_000
NORMS: dict[str, Callable[[str], str]] = {"glove": glove_key, "lower": str.lower}


def create_tweet_tokenizer(
    norms: Norms = "glove",
    scheme: Scheme = "ptb",
    contractions: Optional[Contractions] = None,
    hyphens: Optional[WholeOrSplit] = None,
    units: Optional[WholeOrSplit] = None,
    emoji_runs: Optional[WholeOrSingle] = None,
    punct_runs: Optional[WholeOrSingle] = None,
    hashtags: Optional[Hashtags] = None,
    patterns: Optional[dict[str, str]] = None,
) -> Callable[[Language], "TweetTokenizer"]:
    """For `[nlp.tokenizer]`.

    norms (str): what `token.norm_` holds. "glove": the key under which GloVe-Twitter knows the token (see
        `glove_key`); "lower": the lower-cased text, as in other spaCy pipelines.
    scheme (str): "ptb": Penn Treebank tokens as in Ritter's corpus and WNUT 2017; "ud": Universal Dependencies as in
        Tweebank v2. It sets the next four where they are None.
    contractions (str or None): "split": do|n't; "split_all": also do|nt, gon|na and it|s for its; "whole": don't.
        ptb: split, ud: split_all.
    hyphens (str or None): "whole": late-night, and/or; "split": late|-|night, and|/|or, but anti-war, K-pop.
        ptb: whole, ud: split.
    units (str or None): "whole": 7pm, $20, 60%, 6-8, #1; "split": 7|pm, $|20, 60|%, 6|-|8, #|1. ptb: whole, ud: split.
    emoji_runs (str or None): "single": 😂|😂; "whole": 😂😂. ptb: single, ud: whole.
    punct_runs (str or None): "whole": !!! and --- are one token; "single": three. Default whole.
    hashtags (str or None): "whole": #TopTen; "sign": #|TopTen; "words": #|Top|Ten, by capitals and digits. Default
        whole.
    patterns (dict or None): names and regular expressions of your own, tried before the rules, such as
        {"ticket": "[A-Z]{2,5}-\\\\d+"}. They must have no groups except (?:...).
    RAISES: ConfigError for another value, for a pattern that cannot be used, and for a vocabulary without a language.
    """
    check_choice("norms", norms, get_args(Norms))
    options = TokenizerOptions.of_scheme(
        scheme,
        patterns=patterns,
        contractions=contractions,
        hyphens=hyphens,
        units=units,
        emoji_runs=emoji_runs,
        punct_runs=punct_runs,
        hashtags=hashtags,
    )
    build_rules(options)  # raises here, not when the pipeline is made

    def tweet_tokenizer_factory(nlp: Language) -> TweetTokenizer:
        if LOWER not in nlp.vocab.lex_attr_getters:  # type: ignore[attr-defined]
            raise ConfigError(
                "TweetTokenizer.v1: the vocabulary is a bare Vocab(), which knows no small letters, prefixes and shapes of words; "
                "leave vocab out, or give that of a pipeline: spacy.blank('en').vocab"
            )
        return _make_tokenizer(nlp.vocab, options, norms)

    return tweet_tokenizer_factory


def default_tokenizer() -> "TweetTokenizer":
    """The tokenizer with its default settings, on a vocabulary of its own and without a pipeline. spaCy imports all installed
    factories to make one, and those of spacy-transformers take seconds."""
    return _make_tokenizer(create_vocab("xx", MultiLanguage.Defaults), TokenizerOptions.of_scheme(), "glove")


def _make_tokenizer(vocab: Vocab, options: TokenizerOptions, norms: str) -> "TweetTokenizer":
    rules = build_rules(options)
    pattern, kinds = compile_rules(rules), {rule.name: rule.kind for rule in rules}
    set_norms(vocab, NORMS[norms])
    tokenizer = TweetTokenizer(vocab, infix_finditer=pattern.finditer)
    tokenizer.kinds = kinds
    tokenizer.settings = {"norms": norms, **asdict(options), "patterns": [list(pair) for pair in options.patterns]}
    set_kinds(vocab, pattern, kinds, tokenizer.settings)
    return tokenizer


class TweetTokenizer(Tokenizer):
    """The rules read a whole chunk from left to right, so spaCy gets them as infixes: it makes a token of each match
    and caches the tokens of the chunk. `doc.text` always equals the text.

    kinds (dict): the kind of the tokens of each rule.
    settings (dict): those that it was made with. They are saved, and a pipeline whose config
        changes one later is refused.
    """

    kinds: dict[str, str] = {}
    settings: dict[str, Any] = {}

    def __init__(self, vocab: Vocab, *args: Any, max_cache_size: int = CACHE_SIZE, **settings: Any) -> None:
        super().__init__(vocab, *args, max_cache_size=max_cache_size, **settings)

    def __setattr__(self, name: str, value: Any) -> None:
        """RAISES: ConfigError for a setting of the rules, which are made already, and for its misspelled name."""
        if name in self.settings:
            raise ConfigError(
                f"TweetTokenizer.v1: {name} goes with the rules, which are made with the tokenizer; set it in [nlp.tokenizer], or "
                f"make another one: nlp.tokenizer = create_tweet_tokenizer({name}={value!r})(nlp)"
            )
        if not hasattr(self, name):
            check_name("TweetTokenizer.v1", name, self.settings)
        super().__setattr__(name, value)

    def claim_vocab(self) -> None:
        """Make the vocabulary compute norms and kinds by this tokenizer. Another one may have been made on it since: spaCy loads
        the pipeline of a sourced component so."""
        if kind_settings(self.vocab) not in ({}, self.settings):
            set_norms(self.vocab, NORMS[self.settings["norms"]])
            set_kinds(self.vocab, self.infix_finditer.__self__, self.kinds, self.settings)

    def __call__(self, string: str) -> Doc:
        self.claim_vocab()
        try:
            return super().__call__(string)
        except UnicodeEncodeError as error:
            found = f"U+{ord(error.object[error.start]):04X}"
            position = next(i for i, char in enumerate(string) if "\ud800" <= char <= "\udfff")
            raise ValueError(
                f"The text holds a lone surrogate {found} at position {position}; expected valid Unicode. Decode "
                "the text again, e.g. with text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
            ) from None

    def explain(self, text: str) -> list[tuple[str, str]]:
        """The rule and the text of each token that is not white space. For a token of `add_special_case` the rule is
        SPECIAL-1, SPECIAL-2 ..., as in spaCy's explain."""
        names = {
            (chunk.start() + match.start(), chunk.start() + match.end()): match.lastgroup
            for chunk in re.finditer(r"\S+", text)
            for match in self.infix_finditer(chunk[0])
        }
        cases = self.rules or {}
        explained: list[tuple[str, str]] = []
        special = 0
        for token in self(text):
            if not token.text.isspace():
                whole = token.text in cases
                name = None if whole else names.get((token.idx, token.idx + len(token)))
                begins = whole or token.i == 0 or bool(token.nbor(-1).whitespace_)
                special = 0 if name else 1 if begins else special + 1
                explained.append((name or f"SPECIAL-{special}", token.text))
        return explained

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """The rules are saved with the tokenizer, so that a newer version does not change the tokens of a pipeline."""
        data = srsly.msgpack_loads(super().to_bytes(exclude=exclude))
        return srsly.msgpack_dumps({**data, "kinds": self.kinds, "settings": self.settings})

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "TweetTokenizer":
        """RAISES: DataError for a damaged file; the tokenizer is then unchanged."""
        return self._load(Path(path).read_bytes(), str(path), exclude)

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "TweetTokenizer":
        """RAISES: as `from_disk`."""
        return self._load(bytes_data, "the given bytes", exclude)

    def _load(self, data: bytes, source: str, exclude: Iterable[str]) -> "TweetTokenizer":
        before = self.to_bytes(exclude=["vocab"])
        try:
            self._read(data, exclude)
        except Exception as error:
            self._read(before, ["vocab"])
            reason = (
                f"It cannot be read ({type(error).__name__}: {error}); expected what this tokenizer saved. The file is damaged, "
                "cut off or from another program: get it again"
            )
            raise DataError(Errors.COMPONENT_LOAD.format(name="tokenizer", source=source, reason=reason)) from error
        return self

    def check_settings(self, data: bytes, source: str) -> None:
        """RAISES: ConfigError for a setting that is not that of the saved tokenizer, whose rules would be used all the same."""
        try:
            saved = dict(srsly.msgpack_loads(data)["settings"])
        except (ValueError, KeyError, TypeError):  # reading it tells what is wrong
            return
        for name, value in self.settings.items():
            if name in saved and saved[name] != value:
                raise ConfigError(
                    f"tokenizer: {name} = {value!r}, but {source} was saved with {saved[name]!r}. Set it back in [nlp.tokenizer], "
                    "or make a pipeline with the new setting and source the components into it"
                )

    def _read(self, data: bytes, exclude: Iterable[str]) -> None:
        message = srsly.msgpack_loads(data)
        super().from_bytes(data, exclude=exclude)
        self.kinds, self.settings = message.get("kinds", self.kinds), message.get("settings", self.settings)
        if message["infix_finditer"] is not None:
            set_kinds(self.vocab, self.infix_finditer.__self__, self.kinds, self.settings)

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild, args, *_ = super().__reduce__()
        return rebuild, args, {"kinds": self.kinds, "settings": self.settings}


def set_norms(vocab: Vocab, norm: Callable[[str], str]) -> None:
    """Make the vocabulary compute the NORM of each word type with this function, once."""
    vocab.lex_attr_getters[NORM] = norm  # type: ignore[attr-defined]
    for lexeme in vocab:
        lexeme.norm_ = norm(lexeme.orth_)


def token_settings(vocab: Vocab) -> dict[str, Any]:
    """The settings of the tokenizer that made the vocabulary's norms and kinds; `norms` is "spaCy" where it is one of spaCy's."""
    getters = vocab.lex_attr_getters  # type: ignore[attr-defined]
    norms = next((name for name, norm in NORMS.items() if norm is getters.get(NORM)), "spaCy")
    return {"norms": norms, **kind_settings(vocab)}


def warn_of_tokens(name: str, trained: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Warn that a component reads docs of another tokenizer than that of its training. The arguments: see `token_settings`."""
    # Of the options, the scheme is only a short form.
    names = ["norms"] if trained["norms"] != found["norms"] else [name for name in trained if name != "scheme"]
    names = [name for name in names if name in found and trained[name] != found[name]]
    if not names:
        return
    settings, others = (", ".join(f"{name} = {each[name]!r}" for name in names) for each in (trained, found))
    effect = "users, links and other words" if names == ["norms"] else "some words"
    warnings.warn(
        f"{name}: was trained with {settings}, and the docs have {others}, so it reads {effect} in another way; give the pipeline "
        "the [nlp.tokenizer] of the one that the component is from, and make docs with nlp.make_doc",
        stacklevel=3,
    )
