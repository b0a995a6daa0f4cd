"""The rules of the tweet tokenizer, in the order in which they are tried at each position of a chunk.

A chunk is a run of characters without white space. It is read once, from left to right; at each position the first
rule that matches takes its characters as one token. The last rules take any character, so nothing is ever lost.
"""

import re
from functools import lru_cache

from ...errors import ConfigError, Errors
from ..options import TokenizerOptions
from .addresses import address_rules
from .faces import emoji_rules, emoticon_rules
from .marks import mark_rules
from .names import name_rules, tag_rules
from .numbers import number_rules
from .rule import KINDS, Rule
from .words import plain_word_rule, word_rules

__all__ = ["KINDS", "Rule", "build_rules", "compile_rules", "master_pattern", "rule_kinds"]

_BUILDERS = (tag_rules, address_rules, emoji_rules, emoticon_rules, name_rules, number_rules, word_rules, mark_rules)


@lru_cache(maxsize=64)
def build_rules(options: TokenizerOptions) -> tuple[Rule, ...]:
    """The user's own patterns go first."""
    rules = (plain_word_rule(options), *(rule for build in _BUILDERS for rule in build(options)))
    names = {rule.name for rule in rules}.union(*(re.findall(r"\(\?P<(\w+)>", rule.pattern) for rule in rules))
    for name, _ in options.patterns:
        if name in names:
            raise ConfigError(Errors.TOKENIZER_PATTERN_NAME.format(found=name))
    own = tuple(
        Rule(name, "pattern", pattern, "The config.", (), (), start="any") for name, pattern in options.patterns
    )
    return own + rules


def master_pattern(options: TokenizerOptions) -> str:
    """All rules as one alternation of named groups. Those that begin with a letter or digit are not tried at a sign,
    and the other way round."""
    rules = build_rules(options)
    own = "".join(_group(rule) + "|" for rule in rules if rule.start == "any")
    word, sign = ("|".join(_group(rule) for rule in rules if rule.start == start) for start in ("word", "sign"))
    return rf"{own}(?=\w)(?:{word})|{sign}"


def _group(rule: Rule) -> str:
    return f"(?P<{rule.name}>{rule.pattern})"


@lru_cache(maxsize=64)
def compile_rules(options: TokenizerOptions) -> re.Pattern:
    return re.compile(master_pattern(options))


@lru_cache(maxsize=64)
def rule_kinds(options: TokenizerOptions) -> dict[str, str]:
    """The kind of each rule's tokens."""
    return {rule.name: rule.kind for rule in build_rules(options)}
