"""The loss of independent labels, against torch's cross entropy; that of chains is in test_inference.py."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from spacy_bilstm_tagger.crf.inference import ChainScores
from spacy_bilstm_tagger.crf.loss import divergence, negative_log_likelihood

IGNORED = -100
TARGETS = np.array([0, IGNORED, 2, 1, IGNORED])
ALLOWED = [[0], [0, 1, 2], [2], [1], [0, 1, 2]]


def loss_of(emissions, allowed):
    """Loss and gradient of one text. allowed: the labels that each token may have."""
    mask = torch.zeros(emissions.shape, dtype=torch.bool)
    for row, labels in zip(mask, allowed):
        row[labels] = True
    losses, gradient = negative_log_likelihood(ChainScores(torch.from_numpy(emissions), [len(emissions)]), mask)
    return float(losses.sum()), gradient.emissions.numpy()


@pytest.fixture
def emissions():
    return np.random.default_rng(0).normal(scale=5, size=(5, 3)).astype("f")


def gradient_of(loss, rows):
    loss.backward()
    return rows.grad


def test_loss_and_gradient_are_torch_s(emissions):
    loss, gradient = loss_of(emissions, ALLOWED)
    rows = torch.from_numpy(emissions).requires_grad_()
    expected = torch.nn.functional.cross_entropy(rows, torch.from_numpy(TARGETS), reduction="sum")
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    assert_allclose(gradient, gradient_of(expected, rows), atol=1e-6)
    assert gradient.dtype == np.float32


def test_one_of_several_labels_is_the_probability_of_either(emissions):
    loss, gradient = loss_of(emissions, [[0, 1], [2, 0], [0, 1, 2], [0, 1, 2], [1]])
    rows = torch.from_numpy(emissions).requires_grad_()
    log_probs = rows.log_softmax(dim=1)
    expected = -sum(each.exp().sum().log() for each in (log_probs[0, [0, 1]], log_probs[1, [2, 0]], log_probs[4, [1]]))
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    assert_allclose(gradient, gradient_of(expected, rows), atol=1e-6)


def test_rows_without_a_target_do_not_count(emissions):
    loss, gradient = loss_of(emissions, ALLOWED)
    kept = TARGETS != IGNORED
    only, _ = loss_of(emissions[kept], [[0], [2], [1]])
    assert loss == pytest.approx(only)
    assert not gradient[~kept].any()


def test_nothing_to_learn_from_is_no_loss(emissions):
    loss, gradient = loss_of(emissions, [[0, 1, 2]] * 5)
    assert loss == 0
    assert not gradient.any()


def test_large_emissions_do_not_overflow():
    loss, gradient = loss_of(np.array([[1e4, -1e4, -1e4]], dtype="f"), [[1, 2]])
    assert loss == pytest.approx(2e4 - np.log(2), rel=1e-6)
    assert_allclose(gradient, [[1, -0.5, -0.5]])


def test_losses_are_those_of_the_texts(emissions):
    scores = ChainScores(torch.from_numpy(emissions), [2, 0, 3])
    losses, _ = negative_log_likelihood(scores, torch.eye(3, dtype=torch.bool)[[0, 1, 2, 1, 0]])
    alone = [loss_of(emissions[:2], [[0], [1]])[0], 0.0, loss_of(emissions[2:], [[2], [1], [0]])[0]]
    assert losses.tolist() == pytest.approx(alone)


def test_divergence_from_a_teacher(emissions):
    teacher = np.random.default_rng(1).normal(size=emissions.shape).astype("f")
    scores, wanted = (ChainScores(torch.from_numpy(each), [5]) for each in (emissions, teacher))
    loss, gradient = divergence(scores, wanted)
    rows = torch.from_numpy(emissions).requires_grad_()
    aim = torch.from_numpy(teacher).softmax(dim=1)
    expected = torch.nn.functional.kl_div(rows.log_softmax(dim=1), aim, reduction="sum")
    expected.backward()
    assert float(loss) == pytest.approx(expected.item(), rel=1e-4)
    assert_allclose(gradient.emissions, rows.grad, atol=1e-5)
