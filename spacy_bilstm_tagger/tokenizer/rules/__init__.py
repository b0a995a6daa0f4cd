"""The rules of the tweet tokenizer, in the order in which they are tried at each position of a chunk.

A chunk is a run of characters without white space. It is read once, from left to right. At each position, the first
rule that matches takes its characters as one token. The last rules take any character, so no character is lost.
"""

import re
from functools import lru_cache

from ...errors import ConfigError
from ..options import TokenizerOptions
from .faces import emoji_rules, emoticon_rules
from .marks import mark_rules
from .names import address_rules, name_rules, tag_rules
from .numbers import number_rules
from .rule import KINDS, Rule
from .words import plain_word_rule, word_rules

__all__ = ["KINDS", "Rule", "build_rules", "compile_rules"]

_BUILDERS = (tag_rules, address_rules, emoji_rules, emoticon_rules, name_rules, number_rules, word_rules, mark_rules)


@lru_cache(maxsize=64)
def build_rules(options: TokenizerOptions) -> tuple[Rule, ...]:
    """All rules; the user's own patterns go first.

    RAISES: ConfigError for a pattern whose name is not an identifier, or that of a rule.
    """
    rules = (plain_word_rule(options), *(rule for build in _BUILDERS for rule in build(options)))
    names = {rule.name for rule in rules}.union(*(re.findall(r"\(\?P<(\w+)>", rule.pattern) for rule in rules))
    for name, _ in options.patterns:
        if name in names or not (name.isidentifier() and name.isascii()):
            raise ConfigError(
                f"TweetTokenizer.v1: patterns has the name {name!r}; expected letters, digits and _ that do not begin "
                "with a digit, and no rule of the tokenizer's own"
            )
    own = (Rule(name, pattern, "The config.", (), (), kind="pattern", start="any") for name, pattern in options.patterns)
    return *own, *rules


@lru_cache(maxsize=64)
def compile_rules(rules: tuple[Rule, ...]) -> re.Pattern:
    """One alternation of named groups. Rules that begin with a letter or digit are not tried at a sign, nor the other
    way round."""
    own, word, sign = (
        "|".join(f"(?P<{rule.name}>{rule.pattern})" for rule in rules if rule.start == start) for start in ("any", "word", "sign")
    )
    return re.compile(rf"{own}{'|' if own else ''}(?=\w)(?:{word})|{sign}")
