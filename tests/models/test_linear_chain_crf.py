import copy

import numpy as np
import pytest
import spacy
import torch
from numpy.testing import assert_array_equal
from spacy.tokens import Doc
from thinc.api import Adam, Linear, Model, chain, with_array

from spacy_bilstm_tagger.models import BiLSTMEncoder, LinearChainCRF, TokenClassifier, TweetEmbed

VOCAB = spacy.blank("en").vocab
DOCS = [Doc(VOCAB, words=words) for words in (["so", "good", "!!"], [], ["do", "n't"])]
SHAPES = {"transitions": (4, 4), "start": (4,), "end": (4,)}
GOLD = [np.zeros((len(doc), 4), dtype="f") for doc in DOCS]


def tok2vec():
    embed = TweetEmbed(feature_width=8, attrs=["NORM"], rows=[50], include_static_vectors=False, char_kernels=[])
    return chain(embed, BiLSTMEncoder(width=8, depth=1))


@pytest.fixture
def model():
    return LinearChainCRF(tok2vec()).initialize(X=DOCS, Y=GOLD)


def fill(model):
    """Give the scores between labels numbers other than 0."""
    crf = model.get_ref("crf")
    for name, shape in SHAPES.items():
        crf.set_param(name, np.random.default_rng(0).normal(size=shape).astype("f"))
    return model


def params(model):
    crf = model.get_ref("crf")
    return {name: crf.get_param(name) for name in SHAPES}


class TestShapes:
    def test_number_of_labels_comes_from_the_data(self, model):
        crf = model.get_ref("crf")
        assert [model.get_dim("nO"), model.get_ref("output_layer").get_dim("nO"), crf.get_dim("nO")] == [4, 4, 4]
        assert {name: array.shape for name, array in params(model).items()} == SHAPES
        assert not any(array.any() for array in params(model).values())
        assert model.get_ref("tok2vec").get_dim("nO") == model.get_ref("output_layer").get_dim("nI") == 8

    def test_or_from_the_config(self):
        model = LinearChainCRF(tok2vec(), nO=4).initialize(X=DOCS)
        assert {name: array.shape for name, array in params(model).items()} == SHAPES

    def test_of_what_is_not_initialized(self):
        crf = LinearChainCRF(tok2vec()).get_ref("crf")
        assert not crf.has_dim("nO")
        assert not crf.has_param("transitions")

    def test_outputs_are_the_emissions_of_the_linear_layer(self, model):
        output = fill(model).predict(DOCS)
        assert (output.emissions.shape, output.lengths) == ((5, 4), [3, 0, 2])
        assert {name: tuple(part.shape) for name, part in zip(SHAPES, output.chain)} == SHAPES
        same = TokenClassifier(tok2vec()).initialize(X=DOCS, Y=GOLD)
        same.get_ref("tok2vec").from_bytes(model.get_ref("tok2vec").to_bytes())
        same.get_ref("output_layer").from_bytes(model.get_ref("output_layer").to_bytes())
        assert_array_equal(output.emissions, same.predict(DOCS).emissions)
        assert not same.predict(DOCS).is_chain

    def test_takes_any_tok2vec(self):
        layer: Model = with_array(Linear(nO=3, nI=2))
        X = [np.ones((2, 2), dtype="f")]
        model = LinearChainCRF(layer, nO=4).initialize(X=X)
        assert model.predict(X).emissions.shape == (2, 4)


class TestKeeping:
    def test_to_bytes(self, model):
        fill(model)
        again = LinearChainCRF(tok2vec()).from_bytes(model.to_bytes())
        assert again.get_dim("nO") == again.get_ref("crf").get_dim("nO") == 4
        for name, array in params(model).items():
            assert_array_equal(params(again)[name], array)

    def test_to_disk(self, model, tmp_path):
        fill(model).to_disk(tmp_path / "model")
        again = LinearChainCRF(tok2vec()).from_disk(tmp_path / "model")
        for name, array in params(model).items():
            assert_array_equal(params(again)[name], array)

    def test_deepcopy(self, model):
        twin = copy.deepcopy(fill(model))
        assert twin.get_ref("crf") is not model.get_ref("crf")
        assert twin.get_ref("crf") is twin.layers[-1]
        twin.get_ref("crf").get_param("start")[:] = 7
        assert not (params(model)["start"] == 7).any()
        assert_array_equal(params(twin)["transitions"], params(model)["transitions"])

    def test_copy(self, model):
        """thinc's own, which keeps layers, but no references to them."""
        crf = fill(model).copy().layers[-1]
        assert crf is not model.get_ref("crf")
        assert crf.get_dim("nO") == 4
        assert_array_equal(crf.get_param("transitions"), params(model)["transitions"])


class TestTraining:
    def step(self, model, optimizer):
        output, backprop = model.begin_update(DOCS)
        backprop(output.map(torch.ones_like))
        model.finish_update(optimizer)

    def test_gradients_reach_the_scores_between_labels(self, model):
        before = {name: array.copy() for name, array in params(fill(model)).items()}
        self.step(model, Adam(0.1))
        for name, array in params(model).items():
            assert np.all(array < before[name])
            assert not model.get_ref("crf").has_grad(name) or not model.get_ref("crf").get_grad(name).any()

    def test_gradient_of_the_emissions_passes(self, model):
        before = model.get_ref("output_layer").get_param("b").copy()
        self.step(model, Adam(0.1))
        assert np.all(model.get_ref("output_layer").get_param("b") < before)

    def test_averages_act_on_them(self, model):
        optimizer = Adam(0.1, use_averages=True)
        for _ in range(4):
            self.step(model, optimizer)
        own = {name: array.copy() for name, array in params(model).items()}
        with model.use_params(optimizer.averages):
            averaged = {name: array.copy() for name, array in params(model).items()}
        for name in SHAPES:
            assert np.all(averaged[name] > own[name])
            assert_array_equal(params(model)[name], own[name])
