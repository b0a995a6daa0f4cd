import numpy as np
import pytest
import torch
import torchcrf
from brute_force import (
    INF,
    NEVER,
    PARTS,
    TOLERANCE,
    Chain,
    Scores,
    brute_force_batch,
    every_sequence,
    plain_loss,
    scheme_chain,
    scores,
)
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from spacy_bilstm_tagger.crf.inference import (
    ChainScores,
    _scaled_passes,
    forward_backward,
    marginals,
    viterbi,
)
from spacy_bilstm_tagger.crf.lattice import log_passes
from spacy_bilstm_tagger.crf.loss import divergence, negative_log_likelihood
from spacy_bilstm_tagger.pipeline.entities import EntityScheme


def log_partition(scores):
    return forward_backward(scores).log_partition


@given(scores())
def test_passes_equal_brute_force(scores):
    n_labels = scores.emissions.shape[1]
    log_z, rows, pairs = brute_force_batch(scores.chain, scores.texts(scores.emissions), n_labels)
    assert_close(log_partition(ChainScores(scores.emissions, scores.lengths, *scores.chain)), log_z, **scores.tolerance)
    assert_close(marginals(ChainScores(scores.emissions, scores.lengths, *scores.chain)), rows, **scores.tolerance)
    lattice = forward_backward(ChainScores(scores.emissions, scores.lengths, *scores.chain))
    assert_close(lattice.pairs, sum(pairs, torch.zeros(n_labels, n_labels)), **scores.tolerance)


@given(scores())
def test_best_path_equals_brute_force(scores):
    path = viterbi(ChainScores(scores.emissions, scores.lengths, *scores.chain))
    assert len(path) == sum(scores.lengths)
    for text, found in zip(scores.texts(scores.emissions), scores.texts(path)):
        if len(text):
            labels, total = every_sequence(scores.chain, text)
            score = total[(labels == found).all(dim=1)]
            assert_close(score, total.amax(dim=0, keepdim=True), **scores.tolerance)


@given(scores())
def test_loss_equals_brute_force(scores):
    gold, n_labels = scores.gold(), scores.emissions.shape[1]
    loss, gradient = negative_log_likelihood(ChainScores(scores.emissions, scores.lengths, *scores.chain), gold)
    clamped = scores.emissions.masked_fill(~gold, -INF)
    free_z, free_rows, free_pairs = brute_force_batch(scores.chain, scores.texts(scores.emissions), n_labels)
    gold_z, gold_rows, gold_pairs = brute_force_batch(scores.chain, scores.texts(clamped), n_labels)
    possible = gold_z > -INF
    assert_close(loss, torch.where(possible, free_z - gold_z, INF), **scores.tolerance)
    # A text whose gold is impossible adds nothing.
    rows = (free_rows - gold_rows) * np.repeat(possible.numpy(), scores.lengths).reshape(-1, 1)
    used = [free - gold for free, gold, text in zip(free_pairs, gold_pairs, possible) if text]
    ends = [text for text in torch.split(rows, scores.lengths) if len(text)] if scores.lengths else []
    assert_close(gradient.emissions, rows, **scores.tolerance)
    assert_close(gradient.transitions, sum(used, torch.zeros(n_labels, n_labels)), **scores.tolerance)
    assert_close(gradient.start, sum([text[0] for text in ends], torch.zeros(n_labels)), **scores.tolerance)
    assert_close(gradient.end, sum([text[-1] for text in ends], torch.zeros(n_labels)), **scores.tolerance)
    assert gradient.emissions.dtype == gradient.transitions.dtype == scores.emissions.dtype


@pytest.mark.parametrize("scheme", [None, "bio", "biluo"])
@pytest.mark.parametrize("seed", range(5))
def test_gradient_equals_autograd(seed, scheme):
    entities = EntityScheme(["PER", "LOC"], scheme or "bio")
    scores = Scores(seed, [4, 1, 6, 2], len(entities.tags))
    chain = scores.chain if scheme is None else scheme_chain(entities, scores)
    gold = scores.gold()
    gold[:, 0] = True  # outside is possible everywhere
    leaves = [getattr(chain, part).nan_to_num(neginf=NEVER).requires_grad_() for part in PARTS]
    emissions = scores.emissions.clone().requires_grad_()
    expected = plain_loss(*leaves, emissions, scores.lengths, gold)
    expected.backward()
    loss, gradient = negative_log_likelihood(ChainScores(scores.emissions, scores.lengths, *chain), gold)
    assert_close(loss.sum(), expected.detach(), **scores.tolerance)
    assert_close(gradient.emissions, emissions.grad, **scores.tolerance)
    for part, leaf in zip(PARTS, leaves):
        assert_close(getattr(gradient, part), leaf.grad, **scores.tolerance)


@pytest.mark.filterwarnings("ignore:where received a uint8 condition tensor")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equal_to_pytorch_crf(dtype):
    scores = Scores(0, [7, 3, 1, 12, 5], 6, dtype=dtype)
    theirs = torchcrf.CRF(6, batch_first=True).to(dtype)
    named = dict(zip(PARTS, [theirs.transitions, theirs.start_transitions, theirs.end_transitions]))
    for part, parameter in named.items():
        parameter.data.copy_(getattr(scores.chain, part))
    emissions = scores.emissions.clone().requires_grad_()
    labels = torch.randint(6, (sum(scores.lengths),), generator=scores.random)
    padded, tags = (torch.nn.utils.rnn.pad_sequence(scores.texts(rows), batch_first=True) for rows in (emissions, labels))
    mask = torch.arange(12) < torch.tensor(scores.lengths).unsqueeze(1)
    expected = -theirs(padded, tags, mask, reduction="none")
    expected.sum().backward()
    gold = torch.nn.functional.one_hot(labels, 6).bool()
    loss, gradient = negative_log_likelihood(ChainScores(scores.emissions, scores.lengths, *scores.chain), gold)
    assert_close(loss, expected.detach(), **scores.tolerance)
    assert_close(gradient.emissions, emissions.grad, **scores.tolerance)
    for part, parameter in named.items():
        assert_close(getattr(gradient, part), parameter.grad, **scores.tolerance)
    path = viterbi(ChainScores(scores.emissions, scores.lengths, *scores.chain))
    assert [text.tolist() for text in scores.texts(path)] == theirs.decode(padded, mask)


@given(st.integers(0, 2**32), st.lists(st.integers(0, 9), max_size=5), st.integers(1, 6), st.sampled_from([0.0, 0.2]))
def test_numeric_paths_agree(seed, lengths, n_labels, impossible):
    scores = Scores(seed, lengths, n_labels, impossible=impossible, dtype=torch.float32)
    exact = scores.by_passes(log_passes, torch.float64)
    for dtype, tolerance in TOLERANCE.items():
        lattice = scores.by_passes(_scaled_passes, dtype)
        if bool((exact.log_partition > -INF).all()):
            for name in ("forward", "backward", "marginals", "pairs", "log_partition"):
                wanted = getattr(exact, name)
                wanted = wanted.exp() if name in ("forward", "backward") else wanted
                assert_close(getattr(lattice, name), wanted, rtol=tolerance, atol=tolerance, check_dtype=False)
        else:
            assert lattice is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("lead", [1.0, 4.3, 20.0, 200.0, 5000.0])
def test_best_labels_that_turn_out_impossible(lead, dtype):
    # Label 0 leads by far, but cannot end a text; no transition leaves it.
    chain = Chain(torch.tensor([[0, -INF], [-INF, 0]]), torch.zeros(2), torch.tensor([-INF, 0])).to(dtype)
    emissions = torch.tensor([[lead, 1.0]] * 30, dtype=dtype)
    assert_close(log_partition(ChainScores(emissions, [30], *chain)), torch.tensor([30.0], dtype=torch.float64))
    assert_close(marginals(ChainScores(emissions, [30], *chain)), torch.tensor([[0.0, 1.0]] * 30, dtype=dtype))
    assert viterbi(ChainScores(emissions, [30], *chain)).tolist() == [1] * 30
    loss, gradient = negative_log_likelihood(ChainScores(emissions, [30], *chain), torch.tensor([[False, True]] * 30))
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert_close(gradient.emissions, torch.zeros_like(emissions))


@pytest.mark.parametrize("lead", [10.0, 100.0, 3000.0])
def test_best_emission_of_an_unreachable_label(lead):
    scheme = EntityScheme(["PER", "LOC"], "bio")
    scores = Scores(3, [1, 5, 2], len(scheme.tags), dtype=torch.float32)
    inside = scheme.tags.index("I-PER")
    scores.emissions[:, inside] += lead
    chain = scheme_chain(scheme, scores)
    log_z, rows, _ = brute_force_batch(chain, scores.texts(scores.emissions), len(scheme.tags))
    assert_close(log_partition(ChainScores(scores.emissions, scores.lengths, *chain)), log_z, **scores.tolerance)
    assert_close(marginals(ChainScores(scores.emissions, scores.lengths, *chain)), rows, **scores.tolerance)
    assert marginals(ChainScores(scores.emissions, scores.lengths, *chain))[[0, 1, 6], inside].tolist() == [0, 0, 0]


@given(scores(impossible=(0.0, 0.2)))
def test_text_alone_and_in_a_batch(scores):
    gold = scores.gold()
    path = viterbi(ChainScores(scores.emissions, scores.lengths, *scores.chain))
    rows = marginals(ChainScores(scores.emissions, scores.lengths, *scores.chain))
    loss, gradient = negative_log_likelihood(ChainScores(scores.emissions, scores.lengths, *scores.chain), gold)
    single, total = [], 0.0
    for text, allowed in zip(scores.texts(scores.emissions), scores.texts(gold)):
        alone, of_one = negative_log_likelihood(ChainScores(text, [len(text)], *scores.chain), allowed)
        of_text = ChainScores(text, [len(text)], *scores.chain)
        single.append((viterbi(of_text), marginals(of_text), alone))
        total = total + of_one.transitions
    for batch, parts in zip((path, rows, loss), zip(*single)):
        assert_close(batch, torch.cat(parts), rtol=1e-4, atol=1e-5)
    if single:
        assert_close(gradient.transitions, total, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("annotated", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_text_without_a_possible_sequence(dtype, annotated):
    scores = Scores(1, [3, 4, 2], 3, dtype=dtype)
    gold = torch.nn.functional.one_hot(torch.randint(3, (9,), generator=scores.random), 3).bool()
    if not annotated:
        gold[0] = gold[8] = True
    good = [0, 1, 2, 7, 8]
    expected, clean = negative_log_likelihood(ChainScores(scores.emissions[good], [3, 2], *scores.chain), gold[good])
    scores.emissions[5] = -INF
    loss, gradient = negative_log_likelihood(ChainScores(scores.emissions, scores.lengths, *scores.chain), gold)
    assert loss[1] == INF
    assert_close(loss[[0, 2]], expected)
    assert_close(gradient.emissions[good], clean.emissions)
    assert gradient.emissions[3:7].count_nonzero() == 0
    for part in PARTS:
        assert_close(getattr(gradient, part), getattr(clean, part))
    assert log_partition(ChainScores(scores.emissions, scores.lengths, *scores.chain))[1] == -INF
    total = marginals(ChainScores(scores.emissions, scores.lengths, *scores.chain)).sum(dim=1)
    assert_close(total, torch.tensor([1.0] * 3 + [0.0] * 4 + [1.0] * 2, dtype=dtype))
    assert len(viterbi(ChainScores(scores.emissions, scores.lengths, *scores.chain))) == 9


def test_impossible_gold_in_a_possible_text():
    scores = Scores(2, [2, 3], 3)
    scores.chain.transitions[0, 1] = -INF
    gold = torch.eye(3, dtype=torch.bool)[[0, 1, 2, 2, 0]]
    loss, gradient = negative_log_likelihood(ChainScores(scores.emissions, scores.lengths, *scores.chain), gold)
    expected, clean = negative_log_likelihood(ChainScores(scores.emissions[2:], [3], *scores.chain), gold[2:])
    assert loss.tolist() == [INF, pytest.approx(expected.item())]
    assert_close(gradient.emissions, torch.cat([torch.zeros(2, 3, dtype=torch.float64), clean.emissions]))
    assert_close(gradient.transitions, clean.transitions)


def test_gold_without_a_label_is_impossible():
    scores = Scores(2, [2, 2], 3)
    gold = torch.tensor([[1, 1, 0], [0, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=torch.bool)  # as many labels as tokens
    loss, gradient = negative_log_likelihood(ChainScores(scores.emissions, [2, 2], *scores.chain), gold)
    assert loss[0] == INF
    assert loss[1].isfinite()
    assert gradient.emissions[:2].count_nonzero() == 0


@pytest.mark.parametrize("spread", [1.0, 30.0, 10000.0])
@pytest.mark.parametrize("name", ["bio", "biluo"])
def test_no_invalid_sequence(name, spread):
    scheme = EntityScheme(["PER", "LOC", "ORG"], name)
    lengths = np.random.default_rng(0).integers(1, 12, 10_000).tolist()
    scores = Scores(0, lengths, len(scheme.tags), spread=spread, dtype=torch.float32)
    path = viterbi(ChainScores(scores.emissions, lengths, *scheme_chain(scheme, scores)))
    # What may follow a tag, written out again: an entity goes on by I or L of its own type, and BILUO closes with L.
    for text in scores.texts(path):
        tags = [scheme.tags[label] for label in text]
        for before, tag in zip(["O", *tags], [*tags, "O"]):
            goes_on = tag[0] in "IL"
            assert not goes_on or (before[0] in "BI" and before[2:] == tag[2:])
            assert name == "bio" or goes_on == (before[0] in "BI")


@pytest.mark.parametrize("name", ["bio", "biluo"])
def test_invalid_sequences_have_no_probability(name):
    scheme = EntityScheme(["PER", "LOC"], name)
    scores = Scores(0, [5, 1, 9], len(scheme.tags), dtype=torch.float32)
    chain = scheme_chain(scheme, scores)
    lattice = forward_backward(ChainScores(scores.emissions, scores.lengths, *chain))
    rows = marginals(ChainScores(scores.emissions, scores.lengths, *chain))
    assert lattice.pairs[~torch.from_numpy(scheme.transitions)].count_nonzero() == 0
    assert rows[[0, 5, 6]][:, ~torch.from_numpy(scheme.start)].count_nonzero() == 0
    assert rows[[4, 5, 14]][:, ~torch.from_numpy(scheme.end)].count_nonzero() == 0
    gold = torch.ones_like(scores.emissions, dtype=torch.bool)
    gold[2] = torch.tensor([tag == "I-PER" for tag in scheme.tags])
    gold[1] = torch.tensor([tag == "O" for tag in scheme.tags])
    assert negative_log_likelihood(ChainScores(scores.emissions, scores.lengths, *chain), gold)[0][0] == INF


def test_ties_go_to_the_first_label():
    chain = Chain(torch.zeros(3, 3), torch.zeros(3), torch.zeros(3))
    assert viterbi(ChainScores(torch.zeros(5, 3), [4, 1], *chain)).tolist() == [0] * 5
    assert_close(marginals(ChainScores(torch.zeros(5, 3), [4, 1], *chain)), torch.full((5, 3), 1 / 3))


def test_single_label():
    scores = Scores(0, [3, 1, 0], 1)
    loss, gradient = negative_log_likelihood(ChainScores(scores.emissions, [3, 1, 0], *scores.chain), torch.ones(4, 1).bool())
    assert_close(loss, torch.zeros(3, dtype=torch.float64))
    assert_close(gradient.transitions, torch.zeros(1, 1, dtype=torch.float64))
    assert marginals(ChainScores(scores.emissions, [3, 1, 0], *scores.chain)).tolist() == [[1.0]] * 4
    assert viterbi(ChainScores(scores.emissions, [3, 1, 0], *scores.chain)).tolist() == [0] * 4


def test_single_tokens_need_no_transition():
    chain = Chain(torch.full((2, 2), -INF), torch.tensor([1.0, 0.0]), torch.tensor([1.0, 0.0]))
    emissions = torch.tensor([[-2.0, 0.0], [0.0, 0.0]])
    expected = torch.tensor([np.log(2), np.log(1 + np.exp(2))])
    assert_close(log_partition(ChainScores(emissions, [1, 0, 1], *chain))[[0, 2]], expected)
    assert_close(marginals(ChainScores(emissions, [1, 0, 1], *chain))[0], torch.tensor([0.5, 0.5]))
    assert viterbi(ChainScores(emissions, [1, 0, 1], *chain)).tolist() == [0, 0]


@pytest.mark.parametrize("lengths", [[], [0], [0, 0]])
def test_no_tokens(lengths):
    scores = Scores(0, lengths, 3, dtype=torch.float32)
    gold = torch.zeros(0, 3, dtype=torch.bool)
    loss, gradient = negative_log_likelihood(ChainScores(scores.emissions, lengths, *scores.chain), gold)
    assert loss.tolist() == log_partition(ChainScores(scores.emissions, lengths, *scores.chain)).tolist() == [0.0] * len(lengths)
    assert gradient.emissions.shape == marginals(ChainScores(scores.emissions, lengths, *scores.chain)).shape == (0, 3)
    assert gradient.transitions.count_nonzero() == gradient.start.count_nonzero() == gradient.end.count_nonzero() == 0
    assert viterbi(ChainScores(scores.emissions, lengths, *scores.chain)).shape == (0,)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_single(dtype):
    scores = Scores(0, [6, 3], 4, dtype=torch.float32)
    emissions = scores.emissions.to(dtype)
    exact = log_partition(ChainScores(emissions.double(), [6, 3], *scores.chain))
    assert_close(log_partition(ChainScores(emissions, [6, 3], *scores.chain)), exact, **scores.tolerance)
    assert marginals(ChainScores(emissions, [6, 3], *scores.chain)).dtype == dtype


class TestIndependentLabels:
    """A softmax is the chain without transitions."""

    def pair(self, seed=0):
        """The same emissions without a chain, and with one of zeros."""
        scores = Scores(seed, [3, 0, 5, 1], 4)
        alone = ChainScores(scores.emissions, scores.lengths)
        return scores, alone, ChainScores(scores.emissions, scores.lengths, *alone.chain)

    def test_inference_is_that_of_a_chain_of_zeros(self):
        scores, alone, chain = self.pair()
        assert_close(marginals(alone), marginals(chain), **scores.tolerance)
        assert viterbi(alone).tolist() == viterbi(chain).tolist()
        assert_close(log_partition(alone), log_partition(chain), **scores.tolerance)

    @pytest.mark.parametrize("seed", range(4))
    def test_so_are_loss_and_gradient(self, seed):
        scores, alone, chain = self.pair(seed)
        gold = scores.gold()
        (loss, gradient), (expected, wanted) = (negative_log_likelihood(each, gold) for each in (alone, chain))
        assert_close(loss, expected, **scores.tolerance)
        assert_close(gradient.emissions, wanted.emissions, **scores.tolerance)
        assert gradient.transitions is None

    def test_so_is_the_divergence_from_a_teacher(self):
        scores, alone, chain = self.pair()
        teacher = scores.emissions.flip(0)
        found, gradient = divergence(alone, alone.with_emissions(teacher))
        expected, wanted = divergence(chain, chain.with_emissions(teacher))
        assert_close(found, expected, **scores.tolerance)
        assert_close(gradient.emissions, wanted.emissions, **scores.tolerance)
        assert found > 0


def test_the_layout_is_made_once():
    scores = ChainScores(torch.zeros(3, 2), [3], torch.zeros(2, 2), torch.zeros(2), torch.zeros(2))
    layout = scores.layout
    assert scores.allow(torch.ones(3, 2, dtype=torch.bool)).layout is layout
    assert scores.map(torch.clone).layout is layout


def test_half_precision_alone_and_in_a_batch():
    emissions = torch.tensor([[0.0, 1.0], [2.0, 0.0], [0.0, 3.0]], dtype=torch.bfloat16)
    chain = [torch.zeros(2, 2), torch.zeros(2), torch.zeros(2)]
    one = ChainScores(emissions, [3], *chain)
    two = ChainScores(torch.cat([emissions, emissions]), [3, 3], *chain)
    assert viterbi(one).tolist() == [1, 0, 1]
    assert viterbi(two).tolist() == [1, 0, 1, 1, 0, 1]
