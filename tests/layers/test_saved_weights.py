import json
import os
import pickle
import struct
from io import BytesIO

import numpy as np
import pytest
import srsly
import torch
from numpy.testing import assert_array_equal
from safetensors.torch import load, save
from thinc.api import PyTorchShim

from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.layers.characters import CharCNN
from spacy_bilstm_tagger.layers.shim import TorchShim
from spacy_bilstm_tagger.models import BiLSTMEncoder


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
