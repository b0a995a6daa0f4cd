import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from spacy_bilstm_tagger.layers.characters import MAX_CHARACTERS, CharCNN
from spacy_bilstm_tagger.lexicon.table import WordTypes


def token_rows(model, docs):
    types = WordTypes.of(docs)
    return model.predict(types)[types.index]


@pytest.fixture
def model():
    return CharCNN(width=4, kernels=[2, 3], filters=5).initialize()


def test_row_of_a_word_is_that_of_the_formula(model, tweet_nlp):
    module = model.shims[0].module
    doc = tweet_nlp("abé")
    X = module.characters(torch.tensor([[ord(char) + 1 for char in "abé"]])).transpose(1, 2)
    maxima = [convolution(X).amax(dim=2) for convolution in module.convolutions]
    expected = torch.relu(torch.cat(maxima, dim=1)).detach()
    assert_allclose(token_rows(model, [doc]), expected, atol=1e-6)


def test_same_word_same_row_whatever_stands_beside_it(model, tweet_nlp):
    alone = token_rows(model, [tweet_nlp("so")])[0]
    docs = [tweet_nlp("so incomprehensibilities so"), tweet_nlp(""), tweet_nlp("so 😂")]
    Y = token_rows(model, docs)
    for row in (0, 2, 3):
        assert_allclose(Y[row], alone, atol=1e-6)


def test_long_words_are_read_from_both_ends(model, tweet_nlp):
    word = "".join(chr(ord("a") + i % 26) for i in range(MAX_CHARACTERS))
    longer = word[: MAX_CHARACTERS // 2] + "zzz" + word[-MAX_CHARACTERS // 2 :]
    docs = [tweet_nlp(word), tweet_nlp(longer)]
    rows = token_rows(model, docs)
    assert_array_equal(rows[0], rows[1])


def test_gradients_are_those_of_autograd_on_the_formula(model, tweet_nlp):
    module = model.shims[0].module
    words = ["so", "goood", "!"]
    doc = tweet_nlp(" ".join(words))
    dY = np.random.default_rng(0).normal(size=(3, 10)).astype("f")
    types = WordTypes.of([doc])
    d_types = np.zeros_like(dY)
    d_types[types.index] = dY
    model.begin_update(types)[1](d_types)
    found = {name: weight.grad.clone() for name, weight in module.named_parameters()}
    module.zero_grad()
    for word, row in zip(words, dY):
        X = module.characters(torch.tensor([[ord(char) + 1 for char in word]])).transpose(1, 2)
        maxima = [convolution(X).amax(dim=2) for convolution in module.convolutions]
        torch.relu(torch.cat(maxima, dim=1)).backward(torch.from_numpy(row[None]))
    for name, weight in module.named_parameters():
        assert_allclose(found[name], weight.grad, atol=1e-5, err_msg=name)


def test_word_types_are_read_in_chunks(model, tweet_nlp, monkeypatch):
    docs = [tweet_nlp("so incomprehensibilities a 😂 good"), tweet_nlp("!! a so")]
    expected = token_rows(model, docs)
    monkeypatch.setattr("spacy_bilstm_tagger.layers.characters.WORDS_AT_ONCE", 2)
    assert_allclose(token_rows(model, docs), expected, atol=1e-6)


def test_saved_and_loaded(model, tweet_nlp):
    docs = [tweet_nlp("so good !")]
    other = CharCNN(width=4, kernels=[2, 3], filters=5).from_bytes(model.to_bytes())
    assert_array_equal(token_rows(other, docs), token_rows(model, docs))


def test_copy_before_it_has_weights(tweet_nlp):
    model = CharCNN(width=4, kernels=[2, 3], filters=5).copy().initialize()
    assert token_rows(model, [tweet_nlp("so")]).shape == (1, 10)
