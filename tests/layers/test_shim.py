import os
import pickle
import struct
import threading
from io import BytesIO

import numpy as np
import pytest
import srsly
import torch
from numpy.testing import assert_array_equal
from thinc.api import Adam, PyTorchShim, PyTorchWrapper

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


class Payload:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


class TestBadWeights:
    """Each is a clear error, and the model is as it was."""

    def check(self, model, X, data, message):
        before = model.predict(X)[0]
        with pytest.raises(ValueError, match=message):
            model.shims[0].from_bytes(data)
        assert_array_equal(model.predict(X)[0], before)

    @pytest.mark.parametrize("keep", [0, 4, 40, 300, -1])
    def test_truncated(self, model, X, keep):
        self.check(model, X, model.shims[0].to_bytes()[:keep], "damaged, cut off or from another program")

    def test_altered_header(self, model, X):
        data = model.shims[0].to_bytes()
        self.check(model, X, data[:20] + b"\xff" + data[21:], "damaged")

    def test_pickle_payload_is_not_executed(self, model, X, tmp_path):
        evidence = tmp_path / "executed"
        self.check(model, X, pickle.dumps(Payload(evidence)), "damaged")
        buffer = BytesIO()
        torch.save(Payload(evidence), buffer)
        self.check(model, X, buffer.getvalue(), "damaged")
        assert not evidence.exists()

    def test_what_thinc_s_shim_wrote(self, model, X):
        self.check(model, X, PyTorchShim(torch.nn.Linear(2, 2)).to_bytes(), "damaged")

    def test_other_shape(self, model, X):
        other = BiLSTMEncoder(width=8, depth=1).initialize(X=X)
        self.check(model, X, other.shims[0].to_bytes(), "do not fit the config.*size mismatch")

    def test_other_depth(self, model, X):
        other = BiLSTMEncoder(width=6, depth=2).initialize(X=X)
        self.check(model, X, other.shims[0].to_bytes(), "do not fit the config")

    def test_newer_version(self, model, X):
        data = model.shims[0].to_bytes()
        length = struct.unpack("<Q", data[:8])[0]
        header = data[8 : 8 + length].replace(b'\\"format_version\\": 1', b'\\"format_version\\": 9')
        self.check(model, X, data[:8] + header + data[8 + length :], "format version 9.*reads up to 1")


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
