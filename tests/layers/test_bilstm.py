import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from spacy.util import registry
from thinc.api import Adam, ConfigValidationError, Model, set_dropout_rate

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.models import BiLSTMEncoder

CELLS = ["lstm", "gru", "rnn_tanh", "rnn_relu"]


def texts(lengths, width=5, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, width)).astype("f") for n in lengths]


def encoder(**settings) -> Model:
    model = BiLSTMEncoder(**{"width": 6, "depth": 1, **settings})
    return model.initialize(X=texts([3]))


def plain(module, X: torch.Tensor) -> torch.Tensor:
    """One text through the network as the papers write it: no packing, no batch."""
    for layer in module.layers:
        Y = layer(X.unsqueeze(1))[0].squeeze(1)
        X = X + Y if module.config.residual and X.shape == Y.shape else Y
    return X if module.project is None else module.project(X)


SETTINGS = [{}, {"depth": 3}, {"depth": 2, "residual": True}, {"hidden_width": 2}]


@pytest.mark.parametrize(("cell", "how"), [*((cell, "packed") for cell in CELLS), ("lstm", "padded"), ("gru", "cut")])
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("lengths", [[3, 0, 6], [9, 2, 5, 0, 9, 4, 7, 4], [6, 6]])
def test_output_and_gradients_are_those_of_a_plain_transcription(cell, how, settings, lengths, monkeypatch):
    if how == "cut":
        monkeypatch.setattr("spacy_bilstm_tagger.layers.bilstm.LONG_SEQUENCE", 4)
    monkeypatch.setattr("spacy_bilstm_tagger.layers.bilstm.PADDING", 8 if how == "padded" else -1)
    rtol = 1e-5 if cell == "rnn_relu" else 1e-7  # whose sums grow with the text
    model = encoder(cell=cell, **settings)
    module = model.shims[0].module
    Xs, dYs = texts(lengths), texts(lengths, width=6, seed=1)
    Ys, backprop = model.begin_update(Xs)
    dXs = backprop(dYs)
    found = {name: weight.grad.clone() for name, weight in module.named_parameters()}
    module.zero_grad()
    for X, dY, Y, dX in zip(Xs, dYs, Ys, dXs):
        if len(X):
            X_torch = torch.from_numpy(X).requires_grad_()
            expected = plain(module, X_torch)
            assert_allclose(Y, expected.detach(), atol=1e-6, rtol=rtol)
            expected.backward(torch.from_numpy(dY))
            assert_allclose(dX, X_torch.grad, atol=1e-5, rtol=rtol)
    for name, weight in module.named_parameters():
        assert_allclose(found[name], weight.grad, atol=1e-5, rtol=rtol, err_msg=name)


def test_long_sequences_are_trained_with_those_of_their_length_alone(monkeypatch):
    read = []
    forward = torch.nn.LSTM.forward
    monkeypatch.setattr(torch.nn.LSTM, "forward", lambda lstm, X: read.append(X.batch_sizes) or forward(lstm, X))
    model = encoder(window=600, overlap=100)
    model.begin_update(texts([1000, 20, 900, 5, 3]))  # windows of 600 and 500, and of 600 and 400
    assert [(len(sizes), int(sizes[0])) for sizes in read] == [(600, 2), (500, 1), (400, 1), (20, 3)]
    read.clear()
    model.predict(texts([1000, 20, 900, 5, 3]))
    assert len(read) == 1


@pytest.mark.parametrize(("window", "overlap"), [(10, 5), (10, 256), (1, 1)])
def test_windows_of_overlap_alone_are_refused(window, overlap):
    with pytest.raises(ConfigError, match=f"window = {window} with overlap = {overlap}; expected a window of more than twice"):
        encoder(window=window, overlap=overlap)


def test_gradients_through_windows_are_those_of_finite_differences():
    model = encoder(window=4, overlap=1)
    Xs, dYs = texts([3, 0, 9]), texts([3, 0, 9], width=6, seed=1)
    dXs = model.begin_update(Xs)[1](dYs)

    def loss(text, row, column, step):
        moved = [X.copy() for X in Xs]
        moved[text][row, column] += step
        return sum(float((Y.astype("d") * dY).sum()) for Y, dY in zip(model.predict(moved), dYs))

    for text, row, column in [(0, 0, 0), (0, 2, 4), (2, 0, 1), (2, 3, 2), (2, 5, 3), (2, 8, 0)]:
        expected = (loss(text, row, column, 1e-2) - loss(text, row, column, -1e-2)) / 2e-2
        assert dXs[text][row, column] == pytest.approx(expected, abs=2e-3)


@given(
    lengths=st.lists(st.integers(0, 40), min_size=1, max_size=8),
    input_width=st.integers(1, 9),
    width=st.sampled_from([2, 6, 10, 64]),
    hidden_width=st.sampled_from([None, 1, 3]),
    cell=st.sampled_from(CELLS),
    depth=st.integers(1, 3),
    residual=st.booleans(),
    windows=st.sampled_from([{}, {"window": 0}, {"window": 9, "overlap": 4}, {"window": 16, "overlap": 3}]),
    block_rows=st.sampled_from([1, 20, 65_536]),
)
@settings(max_examples=60)
def test_batch_mates_blocks_and_saving_change_nothing(lengths, input_width, windows, block_rows, **settings):
    model = BiLSTMEncoder(**settings, **windows).initialize(X=texts([3], input_width))
    Xs = texts(lengths, input_width)
    together = model.predict(Xs)
    # Relative to the largest value: the sums of rnn_relu, which never forgets, grow with the text.
    tolerance = 1e-5 * max(1.0, *(np.abs(Y).max(initial=0) for Y in together))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("spacy_bilstm_tagger.layers.bilstm.BLOCK_ROWS", block_rows)
        for Y, Z in zip(together, model.predict(Xs)):
            assert_allclose(Z, Y, atol=tolerance)
    for X, Y in zip(Xs, together):
        assert Y.shape == (len(X), settings["width"])
        assert_allclose(model.predict([X])[0], Y, atol=tolerance)
    loaded = BiLSTMEncoder(**settings, **windows).from_bytes(model.to_bytes())
    for Y, Z in zip(together, loaded.predict(Xs)):
        assert_array_equal(Y, Z)


def test_empty_batches_and_texts():
    model = encoder()
    assert model.predict([]) == []
    assert [Y.shape for Y in model.predict(texts([0, 0]))] == [(0, 6), (0, 6)]
    Ys, backprop = model.begin_update(texts([0, 0]))
    assert [dX.shape for dX in backprop(Ys)] == [(0, 5), (0, 5)]


def test_texts_longer_than_the_window_agree_with_the_whole_inside_a_tolerance():
    X = texts([400])
    whole = encoder(window=0)
    windows = encoder(window=210, overlap=100)
    windows.shims[0].from_bytes(whole.shims[0].to_bytes())
    assert_allclose(windows.predict(X)[0], whole.predict(X)[0], atol=1e-4)


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn_tanh"])
def test_default_windows_agree_with_the_whole_inside_the_documented_tolerance(cell, depth):
    X = texts([10_000], width=32)
    whole = BiLSTMEncoder(width=32, depth=depth, cell=cell, window=0).initialize(X=X)
    windows = BiLSTMEncoder(width=32, depth=depth, cell=cell).from_bytes(whole.to_bytes())
    difference = np.abs(windows.predict(X)[0] - whole.predict(X)[0]).max()
    assert 0 < difference < 1e-3


def test_rnn_relu_never_forgets_and_reads_texts_whole():
    X = [np.abs(texts([200])[0])]
    whole = encoder(cell="rnn_relu", window=0)
    windows = encoder(cell="rnn_relu", window=20, overlap=8).from_bytes(whole.to_bytes())
    assert_array_equal(windows.predict(X)[0], whole.predict(X)[0])


def test_windows_follow_the_config_and_not_the_saved_model():
    X = texts([60])
    saved = encoder(window=0)
    loaded = encoder(window=9, overlap=2).from_bytes(saved.to_bytes())
    assert np.abs(loaded.predict(X)[0] - saved.predict(X)[0]).max() > 1e-4
    back = encoder(window=0).from_bytes(loaded.to_bytes())
    assert_array_equal(back.predict(X)[0], saved.predict(X)[0])
    twin = loaded.copy()
    assert_array_equal(twin.predict(X)[0], loaded.predict(X)[0])


def test_texts_up_to_the_window_are_exactly_the_whole():
    X = texts([100, 3])
    whole = encoder(window=0)
    windows = encoder(window=100, overlap=40)
    windows.shims[0].from_bytes(whole.shims[0].to_bytes())
    for Y, Z in zip(windows.predict(X), whole.predict(X)):
        assert_array_equal(Y, Z)


def test_dropout_follows_the_rate_of_the_update():
    model = encoder(dropout_places=["input", "between", "output"], depth=2)
    X = texts([20])
    assert_allclose(model.begin_update(X)[0][0], model.predict(X)[0], atol=1e-6)
    set_dropout_rate(model, 0.5)
    assert np.abs(model.begin_update(X)[0][0] - model.predict(X)[0]).max() > 0.01
    assert_array_equal(model.predict(X)[0], model.predict(X)[0])


@pytest.mark.parametrize("place", ["input", "between", "output"])
@pytest.mark.parametrize("locked", [True, False])
def test_dropout_acts_in_each_place_alone(place, locked):
    """What the first layer and the second are given, and what comes out; half of it is dropped in one of the places."""
    model = encoder(dropout_places=[place], locked_dropout=locked, depth=2, cell="gru")
    given = []
    for layer in model.shims[0].module.layers:
        layer.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0].data.detach()))
    X = texts([20] * 30)
    for rate, share in ((0.0, 0.0), (0.5, 0.5)):
        set_dropout_rate(model, rate)
        given.clear()
        Y = np.concatenate(model.begin_update(X)[0])
        dropped = [float((np.asarray(rows) == 0).mean()) for rows in (*given, Y)]
        assert dict(zip(("input", "between", "output"), dropped)) == {
            each: pytest.approx(share if each == place else 0, abs=0.1) for each in ("input", "between", "output")
        }


def test_locked_dropout_is_one_mask_a_text():
    model = encoder(dropout_places=["output"], locked_dropout=True)
    set_dropout_rate(model, 0.5)
    Ys = model.begin_update(texts([50, 50]))[0]
    dropped = [(Y == 0).all(axis=0) for Y in Ys]
    assert_array_equal([(Y == 0).any(axis=0) for Y in Ys], dropped)
    assert any(mask.any() and not mask.all() for mask in dropped)


@pytest.mark.parametrize("locked", [True, False])
def test_dropout_of_everything_leaves_numbers(locked):
    model = encoder(dropout_places=["input", "output"], locked_dropout=locked)
    set_dropout_rate(model, 1.0)
    assert not model.begin_update(texts([5]))[0][0].any()


def test_output_dropout_is_that_of_the_encoder_s_output():
    model = encoder(dropout_places=["output"], hidden_width=2)
    set_dropout_rate(model, 0.5)
    Y = model.begin_update(texts([50]))[0][0]
    assert 90 < (Y == 0).sum() < 210


def test_ordinary_dropout_keeps_the_expected_value():
    model = encoder(dropout_places=["output"])
    set_dropout_rate(model, 0.5)
    X = [np.repeat(texts([1])[0], 4000, axis=0)]
    kept = (model.begin_update(X)[0][0] != 0).mean()
    assert kept == pytest.approx(0.5, abs=0.03)


def test_word_dropout_drops_whole_tokens():
    model = encoder(dropout_places=[], word_dropout=0.5)
    set_dropout_rate(model, 0.1)
    X = texts([200])
    _, backprop = model.begin_update(X)
    dX = backprop([np.ones((200, 6), dtype="f")])[0]
    dropped = (dX == 0).all(axis=1)
    assert_array_equal((dX == 0).any(axis=1), dropped)
    assert 60 < dropped.sum() < 140


def directions(**settings):
    """The weights of each layer and direction of a fresh encoder of two layers."""
    for layer in encoder(depth=2, **settings).shims[0].module.layers:
        weights = {name: weight.detach() for name, weight in layer.named_parameters()}
        for suffix in ("_l0", "_l0_reverse"):
            yield {name.removesuffix(suffix): weights[name] for name in weights if name.endswith(suffix)}


def test_forget_gate_bias_is_one_and_the_other_biases_zero():
    for weights in directions():
        assert_array_equal(weights["bias_ih"] + weights["bias_hh"], np.repeat([0.0, 1.0, 0.0, 0.0], 3))


@pytest.mark.parametrize(("cell", "gates"), [("lstm", 4), ("gru", 3), ("rnn_tanh", 1)])
def test_recurrent_weights_are_orthogonal(cell, gates):
    for weights in directions(cell=cell):
        assert len(weights["weight_hh"]) == 3 * gates
        for gate in weights["weight_hh"].split(3):
            assert_allclose(gate @ gate.T, np.eye(3), atol=1e-6)
            assert abs(gate - torch.eye(3)).max() > 0.01


@pytest.mark.parametrize(("cell", "gates"), [("lstm", 4), ("gru", 3), ("rnn_tanh", 1), ("rnn_relu", 1)])
def test_input_weights_are_those_of_glorot(cell, gates):
    """Uniform between plus and minus the square root of 6 / (inputs + units), each gate by itself."""
    for weights in directions(cell=cell, hidden_width=100):
        for gate in weights["weight_ih"].split(100):
            limit = (6 / sum(gate.shape)) ** 0.5
            assert abs(gate).max() == pytest.approx(limit, rel=0.02)
            assert gate.std() == pytest.approx(limit / 3**0.5, rel=0.1)


def test_relu_cell_starts_with_the_identity():
    for weights in directions(cell="rnn_relu"):
        assert_array_equal(weights["weight_hh"], np.eye(3))
        assert weights["weight_ih"].any()
        assert not weights["bias_ih"].any()
        assert not weights["bias_hh"].any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 7}, "width = 7; expected an even number"),
        ({"width": 0}, "width = 0; expected an even number"),
        ({"depth": 0}, "depth = 0; expected a whole number of at least 1"),
        ({"hidden_width": 0}, "hidden_width = 0; expected a whole number of at least 1"),
        ({"word_dropout": 1.0}, "word_dropout = 1.0; expected a number from 0"),
        (
            {"window": 10, "overlap": 5},
            "window = 10 with overlap = 5; expected a window of more than twice the overlap",
        ),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        BiLSTMEncoder(**{"width": 6, "depth": 1, **settings})


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("cell", "lstmm", "cell.*'lstmm' is not .*lstm.*gru"),
        ("dropout_places", ["middle"], "dropout_places.*'middle' is not .*input.*between.*output"),
        ("initialization", "zeros", "initialization.*'zeros' is not .*orthogonal.*torch"),
    ],
)
def test_choices_are_checked_by_the_registry(setting, value, message):
    block = {"@architectures": "spacy-bilstm-tagger.BiLSTMEncoder.v1", "width": 6, "depth": 1, setting: value}
    with pytest.raises(ConfigValidationError, match=message):
        registry.resolve({"model": block})


def test_inputs_of_another_width_are_refused():
    with pytest.raises(ConfigError, match="built for inputs of width 5, but gets 4"):
        encoder().predict(texts([2], width=4))


def test_prediction_without_weights_is_refused():
    with pytest.raises(ValueError, match="has no weights yet"):
        BiLSTMEncoder(width=6, depth=1).predict(texts([2]))


def test_learns():
    model = encoder(width=6)
    Xs = texts([4, 7])
    wanted = [np.tanh(X[:, :1] @ np.ones((1, 6), dtype="f")) * 0.5 for X in Xs]
    optimizer = Adam(0.05)
    losses = []
    for _ in range(60):
        Ys, backprop = model.begin_update(Xs)
        losses.append(sum(((Y - W) ** 2).sum() for Y, W in zip(Ys, wanted)))
        backprop([Y - W for Y, W in zip(Ys, wanted)])
        model.finish_update(optimizer)
    assert losses[-1] < 0.2 * losses[0]
