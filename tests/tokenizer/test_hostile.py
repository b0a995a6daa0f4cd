"""Time is linear in the length of a chunk, whatever it holds, and memory does not grow with the number of chunks."""

import re
import time
from functools import partial
from itertools import product
from random import Random

import pytest
import spacy
from spacy.attrs import IS_PUNCT, NORM

from spacy_bilstm_tagger.tokenizer import SCHEMES, create_tweet_tokenizer
from spacy_bilstm_tagger.tokenizer.options import TokenizerOptions
from spacy_bilstm_tagger.tokenizer.rules import build_rules

TOKENIZERS = {
    "ptb": create_tweet_tokenizer()(spacy.blank("en")),
    "ud": create_tweet_tokenizer(scheme="ud")(spacy.blank("en")),
    "single": create_tweet_tokenizer(scheme="ud", punct_runs="single", hashtags="words")(spacy.blank("en")),
}
UNITS = [
    *(
        "a",
        "ab-",
        "a.",
        "a'",
        "a*",
        "a$",
        "a/",
        "a&",
        "it's",
        "n't",
        "1",
        "1-",
        "1.",
        "1,",
        "1:",
        "1/",
        "1:2,",
        "$1",
        "-1",
        "1a",
        "e-",
    ),
    *("-", ".", "!?", ".!", "(", "(a", ")", "<", "<-", "-_", "^_", "&lt;", "&amp;", "*", "=", "'", "\"'", ":(", "D"),
    *("a-.", "a-.b@", "a@b", "@a@b.", "lolhttp", "http://lol"),
    *(
        "ahttp:",
        "a-http",
        "a-http:/",
        "1http:",
        "1/http",
        "$http",
        "a*http",
        "a@b.chttp",
        "@apic.",
        "x.comhttp",
        "e-ahttp",
    ),
    *("mailto:a", "mailto:a@", "+1-22-", "&hearts", "(^_", "(ಠ_", "mid-8", "No.1", "a\u00ad", "0."),
    *("http://", "http://(", "www.a(", "@", "@a", "a@", "a.b@", "a@b.", "#", "#1", "#_", "#aB", "RT@", "w/"),
    *(
        "😂",
        "\u200d",
        "😂\u200d",
        "\u200d😂",
        "\ufe0f",
        "\u0301",
        "a\u0301",
        "\U0001f1e6",
        "\U000e0061",
        "\0",
        "\x01\x02",
    ),
    *("\u202eאבג", "שלום", "ال-", "a\u200c", "a\u200b", "東京", "(´", "(・", "\u00af"),
]


def units_of_the_rules() -> list[str]:
    """Pairs and triples of the characters of each rule's examples; a letter stands for all of ASCII, a digit for all."""
    units = set()
    for rule in {rule for scheme in SCHEMES for rule in build_rules(TokenizerOptions.of_scheme(scheme))}:
        examples = "".join("".join((*rule.yes, *rule.no)).split())
        chars = sorted(set(re.sub("[A-Za-z]", "a", re.sub(r"\d", "1", examples))))
        units |= {"".join(unit) for size in (2, 3) for unit in product(chars, repeat=size)}
    return sorted(units)


LONG_TOKENS = {
    "long-word": lambda length: "a" * (length - 1) + "b",
    "long-run-inside": lambda length: "ab" * (3 * length // 10) + "b" * (4 * length // 10 - 1) + "c",
    "long-number": lambda length: "1" * (length - 1) + "x",
    "words-before-a-link": lambda length: "ab-" * (length // 3 - 4) + "http://x.org",
    "host-before-a-link": lambda length: "a@b." + "c" * (length - 16) + "http://x.org",
    "dots": lambda length: "x" + "." * (length - 3) + "y/",
}


@pytest.mark.parametrize("unit", [pytest.param(unit, id=ascii(unit)) for unit in UNITS])
def test_ten_times_the_text_takes_about_ten_times_as_long(unit):
    for tokenizer in TOKENIZERS.values():
        assert_linear(partial(read, tokenizer), lambda length: unit * (length // len(unit)))


@pytest.mark.parametrize("unit", [pytest.param(unit, id=ascii(unit)) for unit in Random(0).sample(units_of_the_rules(), 40)])
def test_units_of_the_rules_take_linear_time(unit):
    """Some by lot, the same ones each time."""
    for tokenizer in TOKENIZERS.values():
        assert_linear(partial(read, tokenizer), lambda length: unit * (length // len(unit)))


@pytest.mark.parametrize("text_of", [pytest.param(text_of, id=name) for name, text_of in LONG_TOKENS.items()])
def test_ten_times_the_token_takes_about_ten_times_as_long(text_of):
    for tokenizer in TOKENIZERS.values():
        assert_linear(tokenizer, text_of)


def test_a_megabyte_without_a_space():
    text = "a1.bbbbbbbbbbbbbbbbbbbb-" * 42_000
    doc = TOKENIZERS["ud"](text)
    assert doc.text == text
    assert len(doc) > 80_000


@pytest.mark.parametrize("text", ["\0", "a\0b", "\u200d", "\u0301\u0302", "\ufe0f\u20e3", "\u202eאבג\u202c", "\u200b", "\x85"])
def test_odd_characters_come_out(text):
    for tokenizer in TOKENIZERS.values():
        doc = tokenizer(text)
        assert doc.text == text
        assert len(doc)


def test_memory_zone_frees_the_words():
    nlp = spacy.blank("en")
    nlp.tokenizer = TOKENIZERS["ud"].__class__(nlp.vocab, infix_finditer=TOKENIZERS["ud"].infix_finditer)
    strings, lexemes = len(nlp.vocab.strings), len(list(nlp.vocab))
    for first in range(0, 20_000, 2_000):
        with nlp.memory_zone():
            doc = nlp.make_doc(" ".join(f"#w{number}." for number in range(first, first + 2_000)))
            assert len(doc) == 4_000
            del doc
    assert len(nlp.vocab.strings) - strings < 100
    assert len(list(nlp.vocab)) - lexemes < 100


def read(tokenizer, text) -> None:
    """All that depends on the text: the tokens of a chunk, and the kind and the key of a token."""
    assert "".join(match[0] for match in tokenizer.infix_finditer(text)) == text
    tokenizer.vocab.lex_attr_getters[IS_PUNCT](text)
    tokenizer.vocab.lex_attr_getters[NORM](text)


def assert_linear(run, text_of) -> None:
    run(text_of(100))
    # The factor leaves room for other programs and for memory; quadratic time would be a factor of 100.
    short = min(seconds(run, text_of(1_000 - 10 * turn)) for turn in range(2))
    long = (seconds(run, text_of(10_000 - 10 * turn)) for turn in range(3))
    most = 40 * max(short, 0.001)
    assert any(taken < most for taken in long)


def seconds(run, text: str) -> float:
    start = time.process_time()
    run(text)
    return time.process_time() - start
