"""The options of the tweet tokenizer that can be set in a config."""

import re
from dataclasses import dataclass
from typing import Literal, Mapping, Optional, Sequence, get_args, get_origin, get_type_hints

from ..errors import ConfigError

Norms = Literal["glove", "lower"]
Scheme = Literal["ptb", "ud"]
Contractions = Literal["split", "split_all", "whole"]
WholeOrSplit = Literal["whole", "split"]
WholeOrSingle = Literal["whole", "single"]
Hashtags = Literal["whole", "sign", "words"]

# "ptb": Penn Treebank tokens as in the corpora of Ritter et al. (2011) and WNUT 2017. "ud": Universal Dependencies, as
# in Tweebank v2 (Liu et al. 2018).
SCHEMES = {
    "ptb": {"contractions": "split", "hyphens": "whole", "units": "whole", "emoji_runs": "single"},
    "ud": {"contractions": "split_all", "hyphens": "split", "units": "split", "emoji_runs": "whole"},
}


@dataclass(frozen=True)
class TokenizerOptions:
    """See `create_tweet_tokenizer`; here the options of the scheme are filled in."""

    scheme: Scheme
    contractions: Contractions
    hyphens: WholeOrSplit
    units: WholeOrSplit
    emoji_runs: WholeOrSingle
    punct_runs: WholeOrSingle = "whole"
    hashtags: Hashtags = "whole"
    patterns: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_scheme(
        cls, scheme: str = "ptb", *, patterns: Optional[Mapping[str, str]] = None, **settings: Optional[str]
    ) -> "TokenizerOptions":
        """settings: the other options; None for the scheme's own.

        RAISES: ConfigError for a value that is not among CHOICES, and for a pattern that cannot be used.
        """
        check_choice("scheme", scheme, CHOICES["scheme"])
        values = {**SCHEMES[scheme], **{name: value for name, value in settings.items() if value is not None}}
        for name, value in values.items():
            check_choice(name, value, CHOICES[name])
        for name, pattern in (patterns or {}).items():
            check_pattern(name, pattern)
        return cls(scheme, **values, patterns=tuple((patterns or {}).items()))  # type: ignore[arg-type]


_MANY_WAYS = re.compile(r"\||\(\?[=!<]|\)[*?{]")
_WHITE_SPACE = re.compile(r"( |\\[nrts])(?![*?]|\{0?,)")  # in a pattern, where it cannot be left out

CHOICES = {name: get_args(hint) for name, hint in get_type_hints(TokenizerOptions).items() if get_origin(hint) is Literal}


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """RAISES: ConfigError for a value that is not among the choices. In a config, the registry refuses it before."""
    if value not in choices:
        raise ConfigError(f"TweetTokenizer.v1: {name} = {value!r}; expected one of {', '.join(choices)}")


def check_pattern(name: str, pattern: str) -> None:
    """RAISES: ConfigError for a pattern that does not compile, matches the empty string, can match no token, or has groups: their
    numbers would change inside the whole expression."""
    where = f"TweetTokenizer.v1: the pattern {name} = {pattern!r}"
    try:
        compiled = re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ConfigError(f"{where} is not a regular expression ({error})") from None
    if compiled.flags & ~re.UNICODE:  # Python 3.10 would take them, for the whole expression
        raise ConfigError(f"{where} is not a regular expression (global flags; expected such as (?i:...))")
    if compiled.groups:
        raise ConfigError(f"{where} has groups that are numbered or named; expected (?:...) instead of (...)")
    if not _MANY_WAYS.search(pattern) and _WHITE_SPACE.search(re.sub(r"\\\\|\[[^]]*\]", "", pattern)):
        raise ConfigError(f"{where} holds white space, which is in no token; expected a pattern of one token")
    if compiled.match(""):
        raise ConfigError(f"{where} matches the empty string; expected at least one character")
