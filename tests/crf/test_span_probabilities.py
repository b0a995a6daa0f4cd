from collections import defaultdict
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spacy_bilstm_tagger.crf.inference import ChainScores, forward_backward
from spacy_bilstm_tagger.crf.lattice import log_passes
from spacy_bilstm_tagger.crf.spans import SpanProbabilities
from spacy_bilstm_tagger.pipeline.entities import EntityScheme
from spacy_bilstm_tagger.pipeline.spans import _STATES


class Stretches:
    """The two states of `bilstm_spans`, outside and inside, as a scheme of one type."""

    tags = ["O", "I"]
    types = ("t",)
    spans = _STATES
    start = end = np.ones(2, dtype=bool)
    transitions = np.ones((2, 2), dtype=bool)

    def read(self, tags, is_first):
        padded = np.concatenate([[0], tags, [0]])
        edges = np.flatnonzero(np.diff(padded)).tolist()
        return [(start, end, 0) for start, end in zip(edges[::2], edges[1::2])]


SCHEMES = {
    "bio": EntityScheme(["a", "b"], "bio"),
    "biluo": EntityScheme(["a"], "biluo"),
    "io": Stretches(),
}


class Texts:
    """A random chain under a scheme's constraints, and random emissions, of which a share is -inf.

    The label O is always possible, so that every text has a sequence.
    """

    def __init__(self, seed, scheme, lengths, *, spread=1.0, masked=0.0, dtype=torch.float64):
        random = torch.Generator().manual_seed(seed)
        n_tags = len(scheme.tags)

        def draw(*shape):
            return spread * torch.randn(shape, generator=random, dtype=dtype)

        parts = [(scheme.transitions, draw(n_tags, n_tags)), (scheme.start, draw(n_tags)), (scheme.end, draw(n_tags))]
        self.chain = [scores.masked_fill(~torch.from_numpy(mask), -torch.inf) for mask, scores in parts]
        hidden = torch.rand((sum(lengths), n_tags), generator=random) < masked
        hidden[:, 0] = False
        self.emissions = draw(sum(lengths), n_tags).masked_fill(hidden, -torch.inf)
        self.scheme, self.lengths = scheme, lengths
        self.offsets = [sum(lengths[:i]) for i in range(len(lengths))]

    def found(self, passes=None):
        scores = ChainScores(self.emissions, self.lengths, *self.chain)
        if passes is None:
            lattice = forward_backward(scores)
        else:
            layout = scores.layout
            lattice = passes(*(part.double() for part in self.chain), self.emissions[layout.gather].double(), layout)
        return SpanProbabilities(lattice, self.scheme.spans)

    def every_span(self):
        """(start, end, type) of all spans that lie in one text, in flat rows."""
        return [
            (start, end, number)
            for offset, length in zip(self.offsets, self.lengths)
            for start in range(offset, offset + length)
            for end in range(start + 1, offset + length + 1)
            for number in range(len(self.scheme.types))
        ]

    def brute_force(self):
        """The probability of each span, from all label sequences of its text."""
        probabilities = defaultdict(float)
        (transitions, first, last), emissions = (part.double() for part in self.chain), self.emissions.double()
        for offset, length in zip(self.offsets, self.lengths):
            if not length:
                continue
            text = emissions[offset : offset + length]
            sequences = torch.tensor(list(product(range(len(self.scheme.tags)), repeat=length)))
            scores = text[torch.arange(length), sequences].sum(dim=1)
            scores += first[sequences[:, 0]] + last[sequences[:, -1]]
            scores += transitions[sequences[:, :-1], sequences[:, 1:]].sum(dim=1)
            is_first = np.arange(length) == 0
            for sequence, p in zip(sequences.numpy(), scores.softmax(dim=0).tolist()):
                if p:
                    for start, end, number in self.scheme.read(sequence, is_first):
                        probabilities[offset + start, offset + end, number] += p
        return probabilities


@st.composite
def texts(draw, dtypes=(torch.float32, torch.float64), spread=(1.0, 5.0)):
    return Texts(
        draw(st.integers(0, 2**32)),
        SCHEMES[draw(st.sampled_from(sorted(SCHEMES)))],
        draw(st.lists(st.integers(0, 4), max_size=4)),
        spread=draw(st.sampled_from(spread)),
        masked=draw(st.sampled_from([0.0, 0.4])),
        dtype=draw(st.sampled_from(dtypes)),
    )


def columns(spans):
    return tuple(np.array(spans, dtype=np.int64).reshape(-1, 3).T)


def as_dict(spans, probabilities):
    return dict(zip(zip(*(part.tolist() for part in spans)), probabilities.tolist()))


def tolerance(dtype):
    return 1e-10 if dtype == torch.float64 else 1e-4


class TestScoreSpans:
    @given(texts())
    def test_equals_the_sum_over_all_sequences(self, texts):
        spans, expected = texts.every_span(), texts.brute_force()
        found = texts.found().score_spans(columns(spans))
        assert len(found) == len(spans)
        wanted = [expected[span] for span in spans]
        np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance(texts.emissions.dtype))

    @given(texts(dtypes=[torch.float64]))
    def test_the_same_from_passes_in_logarithms(self, texts):
        spans = columns(texts.every_span())
        np.testing.assert_allclose(texts.found(log_passes).score_spans(spans), texts.found().score_spans(spans), rtol=0, atol=1e-10)

    @given(texts(spread=[20.0, 50.0, 400.0]))
    def test_large_scores(self, texts):
        spans, expected = texts.every_span(), texts.brute_force()
        wanted = [expected[span] for span in spans]
        np.testing.assert_allclose(texts.found().score_spans(columns(spans)), wanted, rtol=0, atol=1e-3)

    @given(texts())
    def test_overlapping_spans_exclude_each_other(self, texts):
        by_token = np.zeros(sum(texts.lengths))
        spans = texts.every_span()
        for (start, end, _), p in zip(spans, texts.found().score_spans(columns(spans))):
            by_token[start:end] += p
        assert np.all(by_token <= 1 + 1e-5)

    @pytest.mark.parametrize("name", sorted(SCHEMES))
    def test_a_long_span_is_not_the_product_of_its_tokens(self, name):
        texts = Texts(0, SCHEMES[name], [6])
        expected = texts.brute_force()[0, 6, 0]
        found = texts.found().score_spans(columns([(0, 6, 0)]))
        assert found == pytest.approx([expected], rel=1e-8)
        assert 0 < expected < 0.5

    def test_no_spans(self):
        assert Texts(0, SCHEMES["bio"], [2]).found().score_spans(columns([])).shape == (0,)

    def test_one_possible_sequence_is_certain(self):
        scheme = SCHEMES["biluo"]
        texts = Texts(0, scheme, [0, 3, 1])
        texts.emissions[:] = -torch.inf
        for row, tag in enumerate(["B-a", "I-a", "L-a", "U-a"]):
            texts.emissions[row, scheme.index[tag]] = -3.0
        assert texts.found().score_spans(columns([(0, 3, 0), (3, 4, 0), (0, 1, 0), (1, 3, 0)])).tolist() == [1, 1, 0, 0]


class TestSpansAbove:
    @given(texts(), st.sampled_from([1e-6, 0.01, 0.1, 0.3, 0.5, 0.9]))
    def test_gives_exactly_the_spans_above_the_floor(self, texts, floor):
        found = as_dict(*texts.found().spans_above(floor))
        at_floor = tolerance(texts.emissions.dtype)
        expected = texts.brute_force()
        assert all(abs(expected[span] - p) <= at_floor for span, p in found.items())
        assert all(p >= floor for p in found.values())
        missed = set(expected) - set(found)
        assert all(expected[span] < floor + at_floor for span in missed)

    @given(texts())
    def test_gives_each_once_with_the_probability_of_the_same_span(self, texts):
        probabilities = texts.found()
        spans, p = probabilities.spans_above(0.01)
        assert len(as_dict(spans, p)) == len(p)
        np.testing.assert_array_equal(probabilities.score_spans(spans), p)

    def test_texts_without_tokens(self):
        (starts, ends, types), p = Texts(0, SCHEMES["bio"], [0, 0]).found().spans_above(0.5)
        assert len(starts) == len(ends) == len(types) == len(p) == 0

    def test_a_span_may_be_as_long_as_its_text(self):
        texts = Texts(0, SCHEMES["io"], [300, 1, 200])
        texts.emissions[:, 1] += 20
        assert sorted(as_dict(*texts.found().spans_above(0.9))) == [(0, 300, 0), (300, 301, 0), (301, 501, 0)]
