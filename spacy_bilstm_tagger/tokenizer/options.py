"""How tweets are cut into tokens: what can be set in the config."""

import re
from dataclasses import dataclass
from typing import Mapping, Optional

from ..checks import check_choice
from ..errors import ConfigError, Errors

WHERE = "TweetTokenizer.v1"

# "ptb": Penn Treebank tokens as in the corpora of Ritter et al. (2011) and WNUT 2017. "ud": Universal Dependencies, as
# in Tweebank v2 (Liu et al. 2018).
SCHEMES = {
    "ptb": {"contractions": "split", "hyphens": "whole", "units": "whole", "emoji_runs": "single"},
    "ud": {"contractions": "split_all", "hyphens": "split", "units": "split", "emoji_runs": "whole"},
}
CHOICES = {
    "scheme": tuple(SCHEMES),
    "contractions": ("split", "split_all", "whole"),
    "hyphens": ("whole", "split"),
    "units": ("whole", "split"),
    "emoji_runs": ("single", "whole"),
    "punct_runs": ("whole", "single"),
    "hashtags": ("whole", "sign", "words"),
}


@dataclass(frozen=True)
class TokenizerOptions:
    """See `create_tweet_tokenizer`; here everything that a scheme leaves open has its value."""

    scheme: str
    contractions: str
    hyphens: str
    units: str
    emoji_runs: str
    punct_runs: str = "whole"
    hashtags: str = "whole"
    patterns: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_scheme(
        cls, scheme: str = "ptb", *, patterns: Optional[Mapping[str, str]] = None, **settings: Optional[str]
    ) -> "TokenizerOptions":
        """settings: the other options; None for the scheme's own.

        RAISES: ConfigError for a value that is none of CHOICES, or a pattern that cannot be used.
        """
        check_choice(WHERE, "scheme", scheme, CHOICES["scheme"])
        values = {**SCHEMES[scheme], **{name: value for name, value in settings.items() if value is not None}}
        for name, value in values.items():
            check_choice(WHERE, name, value, CHOICES[name])
        for name, pattern in (patterns or {}).items():
            check_pattern(name, pattern)
        return cls(scheme, **values, patterns=tuple((patterns or {}).items()))


def check_pattern(name: str, pattern: str) -> None:
    """RAISES: ConfigError for a name that is no identifier, or a pattern that does not compile, matches nothing at all,
    or has groups, whose numbers would not be right inside of the whole."""
    if not (name.isidentifier() and name.isascii()):
        raise ConfigError(Errors.TOKENIZER_PATTERN_NAME.format(found=name))
    try:
        compiled = re.compile(pattern)
        re.compile(f"_|{pattern}")  # refuses flags for the whole, such as (?i)x: others stand before it
    except (re.error, TypeError) as error:
        message = f"TweetTokenizer.v1: the pattern {name} = {pattern!r} is not a regular expression ({error})"
        raise ConfigError(message) from None
    if compiled.groups:
        raise ConfigError(
            f"TweetTokenizer.v1: the pattern {name} = {pattern!r} has groups that are numbered or named; expected "
            "(?:...) instead of (...)"
        )
    if compiled.match(""):
        raise ConfigError(
            f"TweetTokenizer.v1: the pattern {name} = {pattern!r} matches the empty string; expected at least one "
            "character"
        )
