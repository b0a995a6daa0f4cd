import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from thinc.types import Ragged

from spacy_bilstm_tagger.layers.char_cnn import CharCNN
from spacy_bilstm_tagger.layers.char_encoder import LONGEST


@pytest.fixture
def model():
    return CharCNN(width=4, kernels=[2, 3], filters=5).initialize()


def test_row_of_a_word_is_that_of_the_formula(model, tweet_nlp):
    module = model.shims[0].module
    doc = tweet_nlp("abé")
    X = module.characters(torch.tensor([[ord(char) + 1 for char in "abé"]])).transpose(1, 2)
    maxima = [convolution(X).amax(dim=2) for convolution in module.convolutions]
    expected = torch.relu(torch.cat(maxima, dim=1)).detach()
    assert_allclose(model.predict([doc]).data, expected, atol=1e-6)


def test_same_word_same_row_whatever_stands_beside_it(model, tweet_nlp):
    alone = model.predict([tweet_nlp("so")]).data[0]
    docs = [tweet_nlp("so incomprehensibilities so"), tweet_nlp(""), tweet_nlp("so 😂")]
    Y = model.predict(docs)
    assert_array_equal(Y.lengths, [3, 0, 2])
    for row in (0, 2, 3):
        assert_allclose(Y.data[row], alone, atol=1e-6)


def test_long_words_are_read_from_both_ends(model, tweet_nlp):
    word = "".join(chr(ord("a") + i % 26) for i in range(LONGEST))
    longer = word[: LONGEST // 2] + "zzz" + word[-LONGEST // 2 :]
    docs = [tweet_nlp(word), tweet_nlp(longer)]
    rows = model.predict(docs).data
    assert_array_equal(rows[0], rows[1])


def test_gradients_are_those_of_autograd_on_the_formula(model, tweet_nlp):
    module = model.shims[0].module
    words = ["so", "goood", "!"]
    doc = tweet_nlp(" ".join(words))
    dY = np.random.default_rng(0).normal(size=(3, 10)).astype("f")
    model.begin_update([doc])[1](Ragged(dY, np.array([3], dtype="i")))
    found = {name: weight.grad.clone() for name, weight in module.named_parameters()}
    module.zero_grad()
    for word, row in zip(words, dY):
        X = module.characters(torch.tensor([[ord(char) + 1 for char in word]])).transpose(1, 2)
        maxima = [convolution(X).amax(dim=2) for convolution in module.convolutions]
        torch.relu(torch.cat(maxima, dim=1)).backward(torch.from_numpy(row[None]))
    for name, weight in module.named_parameters():
        assert_allclose(found[name], weight.grad, atol=1e-5, err_msg=name)


def test_gradients_add_up_over_a_word_s_tokens(model, tweet_nlp):
    def gradient(text):
        Y, backprop = model.begin_update([tweet_nlp(text)])
        backprop(Ragged(np.ones_like(Y.data), Y.lengths))
        module = model.shims[0].module
        found = {name: weight.grad.clone() for name, weight in module.named_parameters()}
        module.zero_grad()
        return found

    once, twice = gradient("so"), gradient("so so")
    for name in once:
        assert_allclose(twice[name], 2 * once[name], atol=1e-6)


def test_word_types_are_read_in_chunks(model, tweet_nlp, monkeypatch):
    docs = [tweet_nlp("so incomprehensibilities a 😂 good"), tweet_nlp("!! a so")]
    expected = model.predict(docs).data
    monkeypatch.setattr("spacy_bilstm_tagger.layers.char_encoder.CHUNK", 2)
    assert_allclose(model.predict(docs).data, expected, atol=1e-6)


def test_nothing_to_read(model, tweet_nlp):
    assert model.predict([tweet_nlp("")]).dataXd.shape == (0, 10)


def test_saved_and_loaded(model, tweet_nlp):
    docs = [tweet_nlp("so good !")]
    other = CharCNN(width=4, kernels=[2, 3], filters=5).from_bytes(model.to_bytes())
    assert_array_equal(other.predict(docs).data, model.predict(docs).data)
