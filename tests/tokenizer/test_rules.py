import pytest

from spacy_bilstm_tagger.tokenizer.options import CHOICES, TokenizerOptions
from spacy_bilstm_tagger.tokenizer.rules import KINDS, build_rules, compile_rules

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
    pattern = compile_rules(build_rules(OPTIONS[options]))
    return [(match.lastgroup, match[0]) for match in pattern.finditer(chunk)]


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
def test_every_rule_has_a_name_of_its_own_a_kind_and_examples(options):
    rules = build_rules(OPTIONS[options])
    assert len({rule.name for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.kind in KINDS
        assert rule.name == "space" or (rule.yes and rule.no), rule.name


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("scheme", ["ptb", "ud"])
def test_with_every_choice_each_character_is_in_a_token(name, scheme):
    chunk = "".join(chunk.replace(" ", "") for _, rule in RULES.values() for chunk in (*rule.yes, *rule.no))
    for value in CHOICES[name]:
        options = TokenizerOptions.of_scheme(**{"scheme": scheme, name: value})
        assert "".join(match[0] for match in compile_rules(build_rules(options)).finditer(chunk)) == chunk
