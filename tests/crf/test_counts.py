"""Expected counts, and learning from them: compared with sums over all label sequences."""

from itertools import pairwise

import pytest
import torch
from brute_force import Chain, Scores, every_sequence
from torch.testing import assert_close

from spacy_bilstm_tagger.crf.inference import ChainScores
from spacy_bilstm_tagger.crf.loss import Counts, cross_entropy, divergence, expected_counts

LENGTHS, N_LABELS = [3, 0, 1, 2], 3


def make_scores(seed, *, is_chain=True, spread=1.0):
    random = torch.Generator().manual_seed(seed)
    emissions, *chain = (
        spread * torch.randn(shape, generator=random, dtype=torch.float64)
        for shape in ((sum(LENGTHS), N_LABELS), (N_LABELS, N_LABELS), (N_LABELS,), (N_LABELS,))
    )
    return ChainScores(emissions, LENGTHS, *(chain if is_chain else ()))


def sequences(scores):
    """For each text: its label sequences and their log probabilities."""
    for rows in torch.split(scores.emissions, LENGTHS):
        if len(rows):
            paths, values = every_sequence(Chain(*scores.chain), rows)
            yield paths.tolist(), values.log_softmax(dim=0)
        else:
            yield [[]], torch.zeros(1, dtype=torch.float64)


def total_counts(scores):
    rows, pairs = expected_counts(scores)
    return Counts(rows, pairs.sum(dim=0))


@pytest.mark.parametrize("is_chain", [True, False])
@pytest.mark.parametrize("spread", [1.0, 400.0])
def test_expected_counts_are_sums_over_all_sequences(is_chain, spread):
    scores = make_scores(0, is_chain=is_chain, spread=spread)
    rows, pairs = expected_counts(scores)
    expected_rows, expected_pairs = torch.zeros_like(scores.emissions), torch.zeros_like(pairs)
    first = 0
    for i, (paths, logs) in enumerate(sequences(scores)):
        for path, log in zip(paths, logs):
            for at, label in enumerate(path):
                expected_rows[first + at, label] += log.exp()
            for a, b in pairwise(path):
                expected_pairs[i, a, b] += log.exp()
        first += LENGTHS[i]
    assert_close(rows, expected_rows, check_dtype=False)
    assert_close(pairs, expected_pairs, check_dtype=False)


@pytest.mark.parametrize("is_chain", [True, False])
def test_cross_entropy_is_that_of_the_distributions_over_sequences(is_chain):
    teacher, student = make_scores(1, is_chain=is_chain), make_scores(2, is_chain=is_chain)
    loss, _ = cross_entropy(student, total_counts(teacher))
    pairs = zip(sequences(teacher), sequences(student))
    assert_close(loss, sum(-(p.exp() * q).sum() for (_, p), (_, q) in pairs))


@pytest.mark.parametrize("is_chain", [True, False])
@pytest.mark.parametrize("with_sets", [True, False])
def test_the_gradient_is_that_of_the_loss(is_chain, with_sets):
    student = make_scores(3, is_chain=is_chain)
    aim, sets = total_counts(make_scores(4)), None
    if with_sets:  # the first label of the teacher is one of two of the student
        sets = torch.tensor([[1, 1, 0], [0, 0, 1], [0, 1, 0]], dtype=torch.bool)
        # The mass is shared as the student shares it, and that is no part of the gradient: fix the shares.
        _, gradient = cross_entropy(student, aim, sets)
        own = total_counts(student)
        aim = Counts(own.rows - gradient.emissions, own.pairs - gradient.chain[0] if is_chain else own.pairs)
    parts = [student.emissions, *(student.chain if is_chain else ())]
    _, gradient = cross_entropy(student, aim)
    found = [gradient.emissions, *(gradient.chain if is_chain else ())]
    for part, expected in zip(parts, found):
        for at in [(0,) * part.ndim, tuple(size - 1 for size in part.shape)]:
            values = []
            for step in (1e-4, -1e-4):
                part[at] += step
                values.append(cross_entropy(ChainScores(student.emissions, LENGTHS, *parts[1:]), aim)[0])
                part[at] -= step
            assert_close((values[0] - values[1]) / 2e-4, expected[at], rtol=1e-3, atol=1e-5, check_dtype=False)


@pytest.mark.parametrize("is_chain", [True, False])
def test_a_set_takes_the_mass_of_its_labels_as_the_student_shares_it(is_chain):
    """Labels 0 and 1 are one label for the teacher: where the sums agree, there is nothing to learn."""
    student = make_scores(5, is_chain=is_chain)
    own = total_counts(student)
    sets = torch.tensor([[1, 1, 0], [0, 0, 1]], dtype=torch.bool)
    into = sets.to(own.rows.dtype)
    _, gradient = cross_entropy(student, Counts(own.rows @ into.T, into @ own.pairs @ into.T), sets)
    for part in [gradient.emissions, *gradient.chain]:
        assert_close(part, torch.zeros_like(part), atol=1e-6, rtol=0)


def test_the_mass_of_a_set_moves_to_it():
    student = make_scores(6, is_chain=False)
    sets = torch.tensor([[1, 1, 0]], dtype=torch.bool)
    aim = Counts(torch.ones((sum(LENGTHS), 1)), torch.zeros((1, 1)))
    loss, gradient = cross_entropy(student, aim, sets)
    probabilities = student.emissions.softmax(dim=1)
    assert_close(gradient.emissions[:, 2], probabilities[:, 2])
    share = probabilities[:, :2] / probabilities[:, :2].sum(dim=1, keepdim=True)
    assert_close(gradient.emissions[:, :2], probabilities[:, :2] - share, check_dtype=False)
    assert loss > 0


def test_counts_of_several_teachers_are_averaged():
    """The loss is linear in the counts, so that of their mean is the mean of the losses."""
    student = make_scores(7)
    one, other = total_counts(make_scores(8)), total_counts(make_scores(9))
    mean = Counts((one.rows + other.rows) / 2, (one.pairs + other.pairs) / 2)
    losses = [cross_entropy(student, aim)[0] for aim in (one, other)]
    assert_close(cross_entropy(student, mean)[0], sum(losses) / 2)


def test_divergence_is_cross_entropy_above_that_of_the_teacher():
    teacher, student = make_scores(10), make_scores(11)
    found, _ = divergence(student, teacher)
    pairs = zip(sequences(teacher), sequences(student))
    assert_close(found, sum((p.exp() * (p - q)).sum() for (_, p), (_, q) in pairs))


def test_impossible_labels_of_both_add_nothing():
    teacher, student = make_scores(12), make_scores(13)
    mask = torch.ones_like(teacher.emissions, dtype=torch.bool)
    mask[0, 0] = False
    loss, gradient = cross_entropy(student.allow(mask), total_counts(teacher.allow(mask)))
    assert loss.isfinite()
    assert gradient.emissions[0, 0] == 0


def test_some_texts_and_adding_their_gradient():
    scores = make_scores(14)
    kept = torch.tensor([True, True, False, True]).numpy()
    some, tokens = scores.texts(kept)
    assert list(some.lengths) == [3, 0, 2]
    assert tokens.tolist() == [True] * 3 + [False] + [True] * 2
    whole = scores.map(torch.zeros_like).add_texts(some.map(torch.ones_like), tokens)
    assert whole.emissions.sum(dim=1).tolist() == [3, 3, 3, 0, 3, 3]
    assert whole.chain[0].sum() == 9


def test_divergence_is_zero_from_itself():
    scores = Scores(0, [3, 2], 3)
    chain = ChainScores(scores.emissions, scores.lengths, *scores.chain)
    loss, gradient = divergence(chain, chain)
    assert_close(loss, torch.zeros((), dtype=torch.float64))
    assert_close(gradient.transitions, torch.zeros_like(gradient.transitions), rtol=0, atol=1e-15)
