import re

import pytest

from spacy_bilstm_tagger.tokenizer.options import CHOICES, TokenizerOptions
from spacy_bilstm_tagger.tokenizer.rules import KINDS, build_rules, compile_rules, rule_kinds

OPTIONS = {
    "ptb": TokenizerOptions.of_scheme("ptb"),
    "ud": TokenizerOptions.of_scheme("ud"),
    "ptb-hashtag-sign": TokenizerOptions.of_scheme("ptb", hashtags="sign"),
    "ptb-hashtag-words": TokenizerOptions.of_scheme("ptb", hashtags="words"),
    "ud-single-marks": TokenizerOptions.of_scheme("ud", punct_runs="single"),
}
# Each rule under the first options that have it in this form.
RULES = {(rule.name, rule.pattern): (name, rule) for name in reversed(OPTIONS) for rule in build_rules(OPTIONS[name])}


def tokens_of(options: str, chunk: str) -> list[tuple[str, str]]:
    return [(match.lastgroup, match[0]) for match in compile_rules(OPTIONS[options]).finditer(chunk)]


def cases(attribute):
    return [
        pytest.param(options, rule.name, chunk, id=f"{options}-{rule.name}-{chunk}")
        for options, rule in RULES.values()
        for chunk in getattr(rule, attribute)
    ]


@pytest.mark.parametrize(("options", "name", "chunk"), cases("yes"))
def test_rule_takes_its_tokens(options, name, chunk):
    tokens = tokens_of(options, chunk.replace(" ", ""))
    assert [text for _, text in tokens] == chunk.split(" ")
    assert name in [rule for rule, _ in tokens]


@pytest.mark.parametrize(("options", "name", "chunk"), cases("no"))
def test_rule_does_not_take_the_whole_chunk(options, name, chunk):
    assert tokens_of(options, chunk) != [(name, chunk)]


@pytest.mark.parametrize("options", OPTIONS)
def test_every_rule_has_examples_a_source_and_a_kind(options):
    rules = build_rules(OPTIONS[options])
    assert len({rule.name for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.kind in KINDS
        assert rule.source.endswith(".")
        assert rule.name == "space" or (rule.yes and rule.no), rule.name
    assert rule_kinds(OPTIONS[options])["word"] == "word"


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("scheme", ["ptb", "ud"])
def test_every_choice_makes_a_pattern(name, scheme):
    for value in CHOICES[name]:
        settings = {"scheme": scheme, name: value}
        assert isinstance(compile_rules(TokenizerOptions.of_scheme(**settings)), re.Pattern)
