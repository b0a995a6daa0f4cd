import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from thinc.api import get_current_ops

from spacy_bilstm_tagger.pipeline.losses import MISSING, masked_cross_entropy, soft_cross_entropy

TARGETS = np.array([0, MISSING, 2, 1, MISSING])


@pytest.fixture
def emissions():
    return np.random.default_rng(0).normal(scale=5, size=(5, 3)).astype("f")


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_loss_and_gradient_are_torch_s(emissions, label_smoothing):
    loss, gradient = masked_cross_entropy(get_current_ops(), emissions, TARGETS, label_smoothing=label_smoothing)
    rows = torch.from_numpy(emissions).requires_grad_()
    expected = torch.nn.functional.cross_entropy(
        rows,
        torch.from_numpy(TARGETS),
        ignore_index=MISSING,
        reduction="sum",
        label_smoothing=label_smoothing,
    )
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    assert_allclose(gradient, rows.grad, atol=1e-6)


def test_rows_without_a_target_do_not_count(emissions):
    ops = get_current_ops()
    loss, gradient = masked_cross_entropy(ops, emissions, TARGETS)
    kept = TARGETS != MISSING
    only, _ = masked_cross_entropy(ops, emissions[kept], TARGETS[kept])
    assert loss == pytest.approx(only)
    assert not gradient[~kept].any()


def test_nothing_to_learn_from_is_no_loss(emissions):
    loss, gradient = masked_cross_entropy(get_current_ops(), emissions, np.full(5, MISSING))
    assert loss == 0
    assert not gradient.any()


def test_large_emissions_do_not_overflow():
    rows = np.array([[1e4, -1e4]], dtype="f")
    loss, gradient = masked_cross_entropy(get_current_ops(), rows, np.array([1]))
    assert loss == pytest.approx(2e4)
    assert_allclose(gradient, [[1, -1]])


def test_soft_targets(emissions):
    wanted = np.full((5, 3), 1 / 3, dtype="f")
    loss, gradient = soft_cross_entropy(get_current_ops(), emissions, wanted)
    rows = torch.from_numpy(emissions).requires_grad_()
    expected = torch.nn.functional.cross_entropy(rows, torch.from_numpy(wanted), reduction="sum")
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    assert_allclose(gradient, rows.grad, atol=1e-5)
