import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from thinc.types import Ragged

from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.layers.char_cnn import CharCNN
from spacy_bilstm_tagger.layers.char_lstm import CharLSTM

WORDS = ["so", "goood", "!"]


@pytest.fixture
def model():
    return CharLSTM(width=4, hidden_width=5).initialize()


def row_by_the_formula(module, word):
    """One word at a time, one character at a time; (10,)."""
    letters = module.characters(torch.tensor([ord(char) + 1 for char in word]))
    states = []
    for suffix, order in [("l0", letters), ("l0_reverse", letters.flip(0))]:
        names = (f"{kind}_{suffix}" for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        W, U, b, c = (getattr(module.lstm, name) for name in names)
        hidden = cell = torch.zeros(5)
        for letter in order:
            enter, forget, new, leave = (W @ letter + b + U @ hidden + c).split(5)
            cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
            hidden = torch.sigmoid(leave) * torch.tanh(cell)
        states.append(hidden)
    return torch.cat(states)


def test_row_of_a_word_is_that_of_the_formula(model, tweet_nlp):
    expected = row_by_the_formula(model.shims[0].module, "abé").detach()
    assert_allclose(model.predict([tweet_nlp("abé")]).data[0], expected, atol=1e-6)


def test_same_word_same_row_whatever_stands_beside_it(model, tweet_nlp):
    alone = model.predict([tweet_nlp("so")]).data[0]
    Y = model.predict([tweet_nlp("so incomprehensibilities so"), tweet_nlp(""), tweet_nlp("so 😂")])
    assert_array_equal(Y.lengths, [3, 0, 2])
    for row in (0, 2, 3):
        assert_allclose(Y.data[row], alone, atol=1e-6)


def test_gradients_are_those_of_autograd_on_the_formula(model, tweet_nlp):
    module = model.shims[0].module
    dY = np.random.default_rng(0).normal(size=(3, 10)).astype("f")
    model.begin_update([tweet_nlp(" ".join(WORDS))])[1](Ragged(dY, np.array([3], dtype="i")))
    found = {name: weight.grad.clone() for name, weight in module.named_parameters()}
    module.zero_grad()
    for word, row in zip(WORDS, dY):
        row_by_the_formula(module, word).backward(torch.from_numpy(row))
    for name, weight in module.named_parameters():
        assert_allclose(found[name], weight.grad, atol=1e-5, err_msg=name)


def test_word_types_are_read_in_chunks(model, tweet_nlp, monkeypatch):
    docs = [tweet_nlp("so incomprehensibilities a 😂 good"), tweet_nlp("!! a so")]
    expected = model.predict(docs).data
    monkeypatch.setattr("spacy_bilstm_tagger.layers.char_encoder.CHUNK", 2)
    assert_allclose(model.predict(docs).data, expected, atol=1e-6)


def test_nothing_to_read(model, tweet_nlp):
    assert model.predict([tweet_nlp("")]).dataXd.shape == (0, 10)


def test_saved_loaded_and_copied(model, tweet_nlp):
    docs = [tweet_nlp("so good !")]
    other = CharLSTM(width=4, hidden_width=5).from_bytes(model.to_bytes())
    for each in (other, model.copy()):
        assert_array_equal(each.predict(docs).data, model.predict(docs).data)


def test_weights_of_the_other_network_are_refused(model):
    with pytest.raises(DataError, match="hidden_width is missing, expected 5"):
        model.shims[0].from_bytes(CharCNN(width=4, kernels=[2], filters=5).initialize().shims[0].to_bytes())


def test_copy_before_it_has_weights(tweet_nlp):
    model = CharLSTM(width=4, hidden_width=5).copy().initialize()
    assert model.predict([tweet_nlp("so")]).data.shape == (1, 10)
