import copy
import json
import os
import pickle
import struct
import threading
from io import BytesIO

import numpy as np
import pytest
import srsly
import torch
from numpy.testing import assert_allclose, assert_array_equal
from safetensors.torch import load, save
from thinc.api import Adam, PyTorchGradScaler, PyTorchShim, PyTorchWrapper

from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.layers.characters import CharCNN
from spacy_bilstm_tagger.layers.shim import TorchShim
from spacy_bilstm_tagger.models import BiLSTMEncoder


@pytest.fixture
def model():
    return BiLSTMEncoder(width=6, depth=1).initialize(X=[np.ones((3, 5), dtype="f")])


@pytest.fixture
def X():
    return [np.random.default_rng(0).normal(size=(4, 5)).astype("f")]


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


class Payload:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def with_header(data, change, tensors=None):
    """The data with another header of ours, and with other tensors."""
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["spacy_bilstm_tagger"])
    metadata = {"spacy_bilstm_tagger": json.dumps(change(header))}
    return save(load(data) if tensors is None else tensors, metadata=metadata)


class TestBadWeights:
    """Each is a clear error, and the model is as it was."""

    def check(self, model, X, data, message):
        before = model.predict(X)[0]
        with pytest.raises(DataError, match=message):
            model.shims[0].from_bytes(data)
        assert_array_equal(model.predict(X)[0], before)

    @pytest.mark.parametrize("keep", [0, 4, 40, 300, -1])
    def test_truncated(self, model, X, keep):
        self.check(model, X, model.shims[0].to_bytes()[:keep], "damaged, cut off or from another program")

    @pytest.mark.parametrize("data", [None, "text", b"\xff" * 500, 7])
    def test_no_weights_at_all(self, model, X, data):
        self.check(model, X, data, "damaged, cut off or from another program")

    def test_altered_header(self, model, X):
        data = model.shims[0].to_bytes()
        self.check(model, X, data[:20] + b"\xff" + data[21:], "damaged")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("format_version", "2"),
            ("format_version", None),
            ("format_version", []),
            ("input_width", "5"),
            ("input_width", 0),
            ("input_width", -5),
            ("input_width", 5.0),
            ("settings", None),
            ("settings", 3),
        ],
    )
    def test_odd_header_fields(self, model, X, field, value):
        data = with_header(model.shims[0].to_bytes(), lambda header: {**header, field: value})
        # A width of 0 is no error to torch 2.4, and then the weights do not fit it.
        self.check(
            model,
            X,
            data,
            "torch weights (cannot be read|do not fit)" if value == 0 else "torch weights cannot be read",
        )

    @pytest.mark.parametrize("field", ["format_version", "input_width", "settings"])
    def test_missing_header_fields(self, model, X, field):
        data = model.shims[0].to_bytes()
        found = with_header(data, lambda header: {key: value for key, value in header.items() if key != field})
        self.check(model, X, found, f"torch weights cannot be read.*{field}")

    @pytest.mark.parametrize("header", [[], 5, None, "x"])
    def test_header_of_another_type(self, model, X, header):
        self.check(model, X, with_header(model.shims[0].to_bytes(), lambda _: header), "cannot be read")

    @pytest.mark.parametrize("width", [4, 10**11, 10**30])
    def test_another_width_in_the_header_takes_no_memory(self, model, X, width):
        data = with_header(model.shims[0].to_bytes(), lambda header: {**header, "input_width": width})
        self.check(model, X, data, "do not fit the config.*weight_ih_l0 is 12 x 5|cannot be read")

    def test_pickle_payload_is_not_executed(self, model, X, tmp_path):
        evidence = tmp_path / "executed"
        self.check(model, X, pickle.dumps(Payload(evidence)), "damaged")
        buffer = BytesIO()
        torch.save(Payload(evidence), buffer)
        self.check(model, X, buffer.getvalue(), "damaged")
        assert not evidence.exists()

    def test_what_thinc_s_shim_wrote(self, model, X):
        self.check(model, X, PyTorchShim(torch.nn.Linear(2, 2)).to_bytes(), "damaged")

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"width": 8}, "width is 8, expected 6"),
            ({"depth": 2}, "depth is 2, expected 1"),
            ({"cell": "rnn_relu"}, "cell is rnn_relu, expected lstm"),
            ({"residual": True}, "residual is True, expected False"),
            ({"hidden_width": 2}, "hidden_width is 2, expected 3"),
        ],
    )
    def test_other_settings(self, model, X, settings, message):
        other = BiLSTMEncoder(**{"width": 6, "depth": 1, **settings}).initialize(X=X)
        self.check(model, X, other.shims[0].to_bytes(), f"do not fit the config: .*{message}")

    def test_other_settings_that_give_the_same_shapes(self):
        model = BiLSTMEncoder(width=6, depth=1, cell="rnn_tanh").initialize(X=[np.ones((3, 5), dtype="f")])
        other = BiLSTMEncoder(width=6, depth=1, cell="rnn_relu").initialize(X=[np.ones((3, 5), dtype="f")])
        with pytest.raises(DataError, match="cell is rnn_relu, expected rnn_tanh"):
            model.shims[0].from_bytes(other.shims[0].to_bytes())

    def test_another_module(self, model, X):
        characters = CharCNN(width=4, kernels=[2], filters=5).initialize()
        self.check(model, X, characters.shims[0].to_bytes(), "do not fit the config")

    def test_another_initialization_is_no_difference(self, model, X):
        other = BiLSTMEncoder(width=6, depth=1, initialization="torch").from_bytes(model.to_bytes())
        assert_array_equal(other.predict(X)[0], model.predict(X)[0])

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda tensor: tensor.half(), "float16, expected .* float32"),
            (lambda tensor: tensor.double(), "float64, expected .* float32"),
            (lambda tensor: tensor.to(torch.int32), "int32, expected .* float32"),
        ],
    )
    def test_other_numbers(self, model, X, change, message):
        data = model.shims[0].to_bytes()
        tensors = {name: change(tensor) for name, tensor in load(data).items()}
        self.check(model, X, with_header(data, lambda header: header, tensors), message)

    def test_newer_version(self, model, X):
        data = with_header(model.shims[0].to_bytes(), lambda header: {**header, "format_version": 9})
        self.check(model, X, data, "format version 9.*reads up to 3")


def test_weights_that_are_not_there_are_saved_as_such(model, X):
    empty = BiLSTMEncoder(width=6, depth=1)
    model.shims[0].from_bytes(empty.shims[0].to_bytes())
    with pytest.raises(ValueError, match="has no weights yet"):
        model.predict(X)


def test_weights_hold_no_pickle(model):
    message = srsly.msgpack_loads(model.to_bytes())
    data = message["shims"][0][0]
    assert data[8:9] == b"{"  # safetensors: length, JSON header, numbers
    assert isinstance(model.shims[0], TorchShim)


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
