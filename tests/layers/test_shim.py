import copy
import pickle
import threading

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from thinc.api import Adam, PyTorchGradScaler, PyTorchShim, PyTorchWrapper

from spacy_bilstm_tagger.layers.shim import TorchShim
from spacy_bilstm_tagger.models import BiLSTMEncoder


def update(model, X, optimizer):
    Y, backprop = model.begin_update(X)
    backprop(Y)
    model.finish_update(optimizer)


def weights(shim) -> dict[str, np.ndarray]:
    return {name: weight.detach().numpy().copy() for name, weight in shim.module.named_parameters()}


def test_is_a_thinc_shim(model):
    assert isinstance(model.shims[0], PyTorchShim)


class TestAverages:
    def test_are_lent_and_taken_back(self, model, X):
        optimizer = Adam(0.1, use_averages=True)
        for _ in range(3):
            update(model, X, optimizer)
        own = weights(model.shims[0])
        shim = model.shims[0]
        with model.use_params(optimizer.averages):
            for name, value in weights(shim).items():
                assert_array_equal(value, optimizer.averages[shim.id, name])
                assert np.abs(value - own[name]).max() > 0
            saved = model.to_bytes()
        for name, value in weights(shim).items():
            assert_array_equal(value, own[name])
        loaded = BiLSTMEncoder(width=6, depth=1).from_bytes(saved)
        for name, value in weights(loaded.shims[0]).items():
            assert_array_equal(value, optimizer.averages[shim.id, name])

    def test_come_back_when_the_block_fails(self, model, X):
        optimizer = Adam(0.1, use_averages=True)
        for _ in range(2):
            update(model, X, optimizer)
        own = weights(model.shims[0])
        with pytest.raises(KeyError), model.shims[0].use_params(optimizer.averages):
            raise KeyError
        for name, value in weights(model.shims[0]).items():
            assert_array_equal(value, own[name])

    def test_do_nothing_in_thinc_s_own_shim(self):
        thinc_model = PyTorchWrapper(torch.nn.Linear(2, 2))
        optimizer = Adam(0.1, use_averages=True)
        X = np.ones((3, 2), dtype="f")
        for _ in range(3):
            update(thinc_model, X, optimizer)
        before = thinc_model.predict(X)
        with thinc_model.use_params(optimizer.averages):
            assert_array_equal(thinc_model.predict(X), before)


class TestPrediction:
    def test_does_not_touch_the_training_flag(self, model, X, monkeypatch):
        def fail(*args):
            raise AssertionError("mode was flipped")

        module = model.shims[0].module
        monkeypatch.setattr(type(module), "train", fail)
        monkeypatch.setattr(type(module), "eval", fail)
        model.predict(X)
        model.begin_update(X)

    def test_keeps_nothing_for_a_gradient(self, model, X, monkeypatch):
        module, graphs = model.shims[0].module, []
        forward = type(module).forward

        def watched(self, *args, **kwargs):
            output = forward(self, *args, **kwargs)
            graphs.append(output.requires_grad)
            return output

        monkeypatch.setattr(type(module), "forward", watched)
        model.predict(X)
        model.begin_update(X)
        assert graphs == [False, True]

    def test_threads_share_a_model_while_another_trains_with_dropout(self, X):
        model = BiLSTMEncoder(width=6, depth=1).initialize(X=X)
        model.attrs["dropout_rate"] = 0.5
        expected = model.predict(X)[0]
        wrong = []

        def work():
            for _ in range(50):
                model.begin_update(X)
                wrong.extend(np.abs(model.predict(X)[0] - expected).max(keepdims=True) > 1e-6)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(wrong) == 400
        assert not any(wrong)


class TestUpdate:
    def test_is_in_place(self, model, X):
        """cuDNN keeps an LSTM's weights in one buffer, and copies them at every call once one of them has moved."""
        where = {name: weight.data_ptr() for name, weight in model.shims[0].module.named_parameters()}
        update(model, X, Adam(0.1))
        assert {name: weight.data_ptr() for name, weight in model.shims[0].module.named_parameters()} == where

    def test_changes_every_weight(self, model, X):
        before = weights(model.shims[0])
        update(model, X, Adam(0.1))
        for name, value in weights(model.shims[0]).items():
            assert np.abs(value - before[name]).max() > 0, name

    def test_same_seed_same_weights(self, X):
        results = []
        for _ in range(2):
            torch.manual_seed(1)
            model = BiLSTMEncoder(width=6, depth=2, word_dropout=0.1).initialize(X=X)
            model.attrs["dropout_rate"] = 0.5
            optimizer = Adam(0.1)
            for _ in range(5):
                update(model, X, optimizer)
            results.append(model.to_bytes())
        assert results[0] == results[1]


class TestCopies:
    def test_are_independent(self, model, X):
        before = weights(model.shims[0])
        twin = model.copy()
        assert twin.shims[0].id != model.shims[0].id
        update(twin, X, Adam(0.1))
        for name, value in weights(model.shims[0]).items():
            assert_array_equal(value, before[name])

    def test_pickle(self, model, X):
        other = pickle.loads(pickle.dumps(model))
        assert_array_equal(other.predict(X)[0], model.predict(X)[0])

    def test_deep_copies_have_ids_of_their_own(self, model, X):
        shim = model.shims[0]
        twins = [copy.deepcopy(model), model.copy(), pickle.loads(pickle.dumps(model))]
        ids = {each.id for each in (shim, copy.deepcopy(shim), *(twin.shims[0] for twin in twins))}
        assert len(ids) == 5
        twin = copy.deepcopy(model)
        before = model.predict(X)[0]
        update(twin, X, Adam(0.1))
        assert_array_equal(model.predict(X)[0], before)

    @pytest.mark.parametrize(
        "duplicate",
        [
            lambda model: model.copy(),
            copy.deepcopy,
            lambda model: pickle.loads(pickle.dumps(model)),
            lambda model: model.from_bytes(model.to_bytes()),
        ],
    )
    def test_weights_are_made_flat_again(self, model, duplicate, monkeypatch):
        flattened = []
        monkeypatch.setattr(torch.nn.LSTM, "flatten_parameters", lambda layer: flattened.append(layer))
        twin = duplicate(model)
        assert twin.shims[0].module.layers[0] in flattened


def test_mixed_precision_changes_nothing_on_the_cpu(X):
    exact = BiLSTMEncoder(width=6, depth=1).initialize(X=X)
    mixed = BiLSTMEncoder(width=6, depth=1, mixed_precision=True).from_bytes(exact.to_bytes())
    assert_array_equal(mixed.predict(X)[0], exact.predict(X)[0])
    update(mixed, X, Adam(0.01))
    assert np.abs(mixed.predict(X)[0] - exact.predict(X)[0]).max() > 0


class CPUGradScaler(PyTorchGradScaler):
    """thinc's asks for CUDA tensors, but not for anything else of a GPU."""

    def _scale_tensor(self, tensor, scale_per_device, inplace):
        return tensor.mul_(self._scale) if inplace else tensor * self._scale


@pytest.fixture
def scaled(X, monkeypatch):
    """A model whose gradients are scaled as in mixed precision, but calculated exactly."""
    model = BiLSTMEncoder(width=6, depth=1, mixed_precision=True).initialize(X=X)
    monkeypatch.setattr(TorchShim, "_in_half_precision", property(lambda shim: shim._mixed_precision))
    monkeypatch.setattr(TorchShim, "_autocast", lambda shim: torch.enable_grad())
    model.shims[0]._grad_scaler = CPUGradScaler(True)
    return model


class TestScaledGradients:
    def gradients(self, model, batches):
        """Of the inputs, and those that the optimizer gets."""
        seen = {}

        def see(key, weight, gradient):
            seen[key[1]] = gradient.copy()
            return weight, gradient

        dXs = []
        for X in batches:
            Y, backprop = model.begin_update(X)
            dXs.append(backprop(Y)[0])
        model.finish_update(see)
        return dXs, seen

    @pytest.mark.parametrize("n_batches", [1, 2, 3])
    def test_are_those_of_exact_training_however_many_batches_are_added_up(self, scaled, X, n_batches):
        exact = BiLSTMEncoder(width=6, depth=1).from_bytes(scaled.to_bytes())
        batches = [[(i + 1) * X[0]] for i in range(n_batches)]
        for _ in range(2):
            found, expected = self.gradients(scaled, batches), self.gradients(exact, batches)
            for dX, other in zip(found[0], expected[0]):
                assert_allclose(dX, other, atol=1e-6)
            assert set(found[1]) == set(expected[1]) != set()
            for name, gradient in expected[1].items():
                assert_allclose(found[1][name], gradient, atol=1e-5, err_msg=name)

    def test_that_overflow_are_left_out_and_lower_the_scale(self, scaled, X):
        scaler = scaled.shims[0]._grad_scaler
        scale = float(scaler._scale)
        Y, backprop = scaled.begin_update(X)
        assert not backprop([np.full_like(Y[0], 1e37)])[0].any()
        Y, backprop = scaled.begin_update(X)
        backprop(Y)
        calls = []
        scaled.finish_update(lambda key, weight, gradient: calls.append(key) or (weight, gradient))
        assert calls == []
        assert float(scaler._scale) == scale / 2
        assert all(not weight.grad.any() for weight in scaled.shims[0].module.parameters())
        assert self.gradients(scaled, [X])[1]
