import pytest

from spacy_bilstm_tagger.tokenizer.rules import build_rules, compile_rules

RULES = build_rules()


def tokens_of(chunk: str) -> list[tuple[str, str]]:
    return [
        (
            next(name for name, value in match.groupdict().items() if value is not None and name != "same"),
            match[0],
        )
        for match in compile_rules().finditer(chunk)
    ]


@pytest.mark.parametrize(("name", "chunk"), [(rule.name, chunk) for rule in RULES for chunk in rule.yes])
def test_rule_takes_the_whole_chunk(name, chunk):
    assert tokens_of(chunk) == [(name, chunk)]


@pytest.mark.parametrize(("name", "chunk"), [(rule.name, chunk) for rule in RULES for chunk in rule.no])
def test_rule_does_not_take_the_whole_chunk(name, chunk):
    assert tokens_of(chunk) != [(name, chunk)]


def test_names_are_unique():
    assert len({rule.name for rule in RULES}) == len(RULES)
