"""Probabilities from counts, worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from spacy_bilstm_tagger.pipeline.hmm.model import (
    HMMCounts,
    back_off,
    count_tags,
    deleted_interpolation,
    distribution,
    ending_contexts,
    transition_probabilities,
    word_class,
    word_contexts,
)

D, N, V = range(3)
# Rows from D, N, V, <start>; columns to D, N, V, <end>.
COUNTS = np.array([[0, 3, 0, 0], [0, 0, 2, 1], [1, 0, 0, 1], [2, 0, 0, 0]])
TEXTS = [
    [("The", "the", D), ("dog", "dog", N), ("barks", "barks", V)],
    [("the", "the", D), ("cat", "cat", N), ("sees", "sees", V), ("the", "the", D), ("dog", "dog", N)],
]


def count(texts, n_labels=3, suffix_length=3, rare=1):
    return count_tags(texts, n_labels, suffix_length=suffix_length, rare=rare)


def level(counts, context):
    labels, numbers = counts.level(counts.contexts[context])
    return dict(zip(labels.tolist(), numbers.tolist()))


class TestEstimates:
    def test_distribution_adds_half_a_count(self):
        assert_allclose(distribution(np.array([3, 0, 1])), [3.5 / 5.5, 0.5 / 5.5, 1.5 / 5.5])

    def test_deleted_interpolation(self):
        # Ten transitions; column totals 3, 3, 2, 2. Each side has one vote beforehand.
        # D>N (3): 2/2 by bigram, 2/9 by unigram.       N>V (2): 1/2, 1/9.    <start>>D (2): 1/1, 2/9.
        # N>end (1): 0/2, 1/9: unigram.   V>D (1): 0/1, 2/9: unigram.         V>end (1): 0/1, 1/9: unigram.
        assert deleted_interpolation(COUNTS) == (3 + 1) / (10 + 2)

    def test_deleted_interpolation_without_counts(self):
        assert deleted_interpolation(np.zeros((2, 2), dtype=int)) == 0.5

    def test_transitions_by_hand(self):
        unigram = np.array([3.5, 3.5, 2.5, 2.5]) / 12
        found = transition_probabilities(COUNTS, 0.25)
        assert_allclose(found[N], 0.25 * unigram + 0.75 * np.array([0, 0, 2 / 3, 1 / 3]))
        assert_allclose(found[3], 0.25 * unigram + 0.75 * np.array([1, 0, 0, 0]))
        assert_allclose(transition_probabilities(COUNTS), transition_probabilities(COUNTS, 1 / 3))

    def test_label_that_nothing_follows_has_the_unigrams(self):
        counts = np.array([[0, 0, 0], [4, 0, 0], [0, 4, 0]])
        assert_allclose(transition_probabilities(counts)[0], distribution(counts.sum(axis=0)))

    @given(arrays(np.int64, st.integers(1, 6).map(lambda n: (n + 1, n + 1)), elements=st.integers(0, 50)))
    def test_rows_sum_to_one_and_nothing_is_impossible(self, counts):
        found = transition_probabilities(counts)
        assert_allclose(found.sum(axis=1), 1)
        assert found.min() > 0

    def test_back_off_by_hand(self):
        prior = np.array([0.5, 0.25, 0.25])
        # 3 tokens of one label with weight 2: 3 / (3 + 2 * 1) of the level's own estimate.
        first = 0.4 * prior + 0.6 * np.array([0, 1, 0])
        # 4 tokens of two labels: 4 / (4 + 2 * 2).
        second = 0.5 * first + 0.5 * np.array([0.75, 0, 0.25])
        levels = [(np.array([1]), np.array([3])), (np.array([0, 2]), np.array([3, 1]))]
        assert_allclose(back_off(prior, levels[:1], 2.0), first)
        assert_allclose(back_off(prior, levels, 2.0), second)
        assert_allclose(back_off(prior, [], 2.0), prior)
        assert_array_equal(prior, [0.5, 0.25, 0.25])


class TestCounts:
    def test_transitions_and_tags(self):
        counts = count(TEXTS)
        assert_array_equal(counts.transitions, COUNTS)
        assert_array_equal(counts.tags, [3, 3, 2])

    def test_words(self):
        counts = count(TEXTS)
        assert level(counts, "norm:the") == {D: 3}
        assert level(counts, "text:The") == {D: 1}
        assert "text:THE" not in counts.contexts

    def test_rare_words_teach_endings(self):
        counts = count([[("dog", "dog", N), ("dog", "dog", N), ("hog", "hog", N), ("log", "log", V)]])
        assert level(counts, "ending:lower:og") == {N: 1, V: 1}
        assert "ending:lower:dog" not in counts.contexts
        assert level(count(TEXTS, rare=2), "ending:lower:dog") == {N: 2}
        assert not any(context.startswith(("class", "ending")) for context in count(TEXTS, rare=0).contexts)

    def test_token_without_a_tag_counts_for_nothing(self):
        counts = count([[("the", "the", D), ("dog", "dog", None), ("barks", "barks", V)], [("so", "so", None)]])
        assert_array_equal(counts.transitions, [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]])
        assert_array_equal(counts.tags, [1, 0, 1])
        assert not any("dog" in context or "so" in context for context in counts.contexts)

    def test_empty_texts(self):
        counts = count([[], []])
        assert counts.transitions.sum() == 0
        assert counts.contexts == {}
        assert HMMCounts.from_bytes(counts.to_bytes({}))[0].contexts == {}

    def test_bytes(self):
        counts = count([*TEXTS, [("\n", "\n", N), ("😂", "😂", N), ("a:b", "ending:lower:b", D)]])
        twin, settings = HMMCounts.from_bytes(counts.to_bytes({"rare": 1}))
        assert settings == {"rare": 1}
        assert twin.contexts == counts.contexts
        for name in ("transitions", "tags", "offsets", "labels", "numbers"):
            assert_array_equal(getattr(twin, name), getattr(counts, name))


class TestWords:
    def test_contexts_go_from_general_to_specific(self):
        assert word_contexts("SOOO", "so") == ["norm:so", "text:SOOO"]
        assert ending_contexts("Lisbon", 2) == ["class:title", "ending:title:n", "ending:title:on"]
        assert ending_contexts("a", 10) == ["class:lower", "ending:lower:a"]
        assert ending_contexts("a", 0) == ["class:lower"]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("so", "lower"),
            ("iPhone", "lower"),
            ("I", "title"),
            ("Lisbon", "title"),
            ("OMG", "upper"),
            ("U.S.", "upper"),
            ("gr8", "digit"),
            ("7pm", "<number>"),
            ("@mara_lune", "<user>"),
            ("#now", "<hashtag>"),
            ("http://x.org", "<url>"),
            (":)", "<smile>"),
            ("--", "mark"),
            ("😂", "mark"),
            (" ", "mark"),
        ],
    )
    def test_class(self, text, expected):
        assert word_class(text) == expected
