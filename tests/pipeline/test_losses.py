import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from thinc.api import get_current_ops

from spacy_bilstm_tagger.pipeline.losses import allowed_labels, partial_cross_entropy, soft_cross_entropy

INDEX = {"A": 0, "B": 1, "C": 2}
IGNORED = -100
TARGETS = np.array([0, IGNORED, 2, 1, IGNORED])
ALLOWED = allowed_labels(["A", "", "C", "B", None], INDEX)


@pytest.fixture
def emissions():
    return np.random.default_rng(0).normal(scale=5, size=(5, 3)).astype("f")


def gradient_of(loss, rows):
    loss.backward()
    return rows.grad


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_loss_and_gradient_are_torch_s(emissions, label_smoothing):
    loss, gradient = partial_cross_entropy(get_current_ops(), emissions, ALLOWED, label_smoothing=label_smoothing)
    rows = torch.from_numpy(emissions).requires_grad_()
    targets = torch.from_numpy(TARGETS)
    expected = torch.nn.functional.cross_entropy(rows, targets, reduction="sum", label_smoothing=label_smoothing)
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    assert_allclose(gradient, gradient_of(expected, rows), atol=1e-6)
    assert gradient.dtype == np.float32


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_one_of_several_labels_is_the_probability_of_either(emissions, label_smoothing):
    allowed = allowed_labels(["A|B", "C|A", "A|B|C", "", "B"], INDEX)
    loss, gradient = partial_cross_entropy(get_current_ops(), emissions, allowed, label_smoothing=label_smoothing)
    rows = torch.from_numpy(emissions).requires_grad_()
    log_probs = rows.log_softmax(dim=1)
    either = [log_probs[0, [0, 1]], log_probs[1, [2, 0]], log_probs[4, [1]]]
    expected = -(1 - label_smoothing) * sum(each.exp().sum().log() for each in either)
    expected -= label_smoothing * log_probs[[0, 1, 4]].mean(dim=1).sum()
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    assert_allclose(gradient, gradient_of(expected, rows), atol=1e-6)


def test_rows_without_a_target_do_not_count(emissions):
    ops = get_current_ops()
    loss, gradient = partial_cross_entropy(ops, emissions, ALLOWED)
    kept = TARGETS != IGNORED
    only, _ = partial_cross_entropy(ops, emissions[kept], ALLOWED[kept])
    assert loss == pytest.approx(only)
    assert not gradient[~kept].any()


def test_a_dash_is_a_missing_label_unless_it_is_a_label():
    assert allowed_labels(["-", "A"], INDEX).tolist() == [[True, True, True], [True, False, False]]
    assert allowed_labels(["-"], {"-": 0, "A": 1}).tolist() == [[True, False]]


def test_nothing_to_learn_from_is_no_loss(emissions):
    loss, gradient = partial_cross_entropy(get_current_ops(), emissions, np.ones((5, 3), dtype=bool))
    assert loss == 0
    assert not gradient.any()


def test_large_emissions_do_not_overflow():
    rows = np.array([[1e4, -1e4, -1e4]], dtype="f")
    loss, gradient = partial_cross_entropy(get_current_ops(), rows, allowed_labels(["B|C"], INDEX))
    assert loss == pytest.approx(2e4 - np.log(2), rel=1e-6)
    assert_allclose(gradient, [[1, -0.5, -0.5]])


@pytest.mark.parametrize("label", ["D", "A|D", "A|", "|"])
def test_unknown_labels(label):
    with pytest.raises(KeyError, match=label.replace("|", r"\|")):
        allowed_labels(["A", label], INDEX)


def test_a_label_that_has_the_sign_of_alternatives_in_its_name():
    assert allowed_labels(["N|soort"], {"N|soort": 0, "V": 1}).tolist() == [[True, False]]


def test_soft_targets(emissions):
    wanted = np.full((5, 3), 1 / 3, dtype="f")
    loss, gradient = soft_cross_entropy(get_current_ops(), emissions, wanted)
    rows = torch.from_numpy(emissions).requires_grad_()
    expected = torch.nn.functional.cross_entropy(rows, torch.from_numpy(wanted), reduction="sum")
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    assert_allclose(gradient, rows.grad, atol=1e-5)
