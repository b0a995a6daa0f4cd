from collections import Counter
from pathlib import Path

import spacy

from spacy_bilstm_tagger.corpus import AnnotatedText
from spacy_bilstm_tagger.corpus.token_agreement import TokenAgreement, compare_tokens


def offsets(*words):
    """Of words that stand in the text without spaces."""
    ends = [sum(map(len, words[: i + 1])) for i in range(len(words))]
    return list(zip([0, *ends], ends))


def test_disagreements_are_the_shortest_ranges_between_common_ends():
    agreement = TokenAgreement()
    agreement.add("abcdefgh", offsets("a", "bc", "d", "ef", "gh"), offsets("a", "bcd", "e", "fgh"))
    assert agreement.disagreements == Counter({(("bc", "d"), ("bcd",)): 1, (("ef", "gh"), ("e", "fgh")): 1})
    assert agreement.contexts[("bc", "d"), ("bcd",)] == "abcdefgh"
    assert (agreement.score.tp, agreement.score.fp, agreement.score.fn) == (1, 3, 4)


def test_texts_with_and_without_raw_text_are_compared_apart():
    texts = [
        AnnotatedText(["do", "n't"], None, None, "don't", [1, 2]),
        AnnotatedText(["a", "b"], None, None, None, [4, 5]),
        AnnotatedText([], None, None, "no tokens", [7], spans=[]),
    ]
    make_doc = spacy.blank("xx").make_doc
    with_raw, without = (compare_tokens(make_doc, texts, Path("x"), raw=raw) for raw in (True, False))
    assert (with_raw.n_texts, with_raw.score.tp, with_raw.score.fn) == (1, 0, 2)
    assert (without.n_texts, without.score.tp, without.score.fn) == (1, 2, 0)
