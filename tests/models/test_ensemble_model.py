import copy

import numpy as np
import pytest
import spacy
import torch
from numpy.testing import assert_allclose, assert_array_equal
from spacy.tokens import Doc
from thinc.api import chain

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.layers.shim import TorchShim
from spacy_bilstm_tagger.models import BiLSTMEncoder, Ensemble, LinearChainCRF, TokenClassifier, TweetEmbed

VOCAB = spacy.blank("en").vocab
DOCS = [Doc(VOCAB, words=words) for words in (["so", "good", "!!"], [], ["do", "n't"])]
HEADS = [TokenClassifier, LinearChainCRF]


def member(head):
    embed = TweetEmbed(feature_width=8, attrs=["NORM"], rows=[50], include_static_vectors=False, char_kernels=[])
    return head(chain(embed, BiLSTMEncoder(width=8, depth=1)))


def initialized(model, n_labels=4):
    return model.initialize(X=DOCS, Y=[np.zeros((len(doc), n_labels), dtype="f") for doc in DOCS])


def gradients_of(model):
    shim = next(shim for node in model.walk() for shim in node.shims if isinstance(shim, TorchShim))
    return [model.get_ref("output_layer").get_grad("W"), *(weight.grad.numpy() for weight in shim.module.parameters())]


@pytest.mark.parametrize("head", HEADS)
class TestOutput:
    def test_is_the_mean_of_the_members(self, head):
        members = [initialized(member(head)) for _ in range(3)]
        parts = [each.predict(DOCS) for each in members]
        found = Ensemble(*members).predict(DOCS)
        assert (found.emissions.shape, found.lengths) == ((5, 4), [3, 0, 2])
        assert_allclose(found.emissions, np.mean([part.emissions.numpy() for part in parts], axis=0), atol=1e-6)
        assert found.emissions.dtype == torch.float32
        assert (found.emissions - parts[0].emissions).abs().min() > 0

    def test_of_one_member_is_its_own(self, head):
        only = initialized(member(head))
        assert_array_equal(Ensemble(only).predict(DOCS).emissions, only.predict(DOCS).emissions)

    @pytest.mark.parametrize("docs", [[DOCS[1]], [DOCS[1], DOCS[1]]])
    def test_without_tokens(self, head, docs):
        model = Ensemble(initialized(member(head)), initialized(member(head)))
        found = model.predict(docs)
        assert (found.emissions.shape, found.lengths) == ((0, 4), [0] * len(docs))


@pytest.mark.parametrize("head", HEADS)
class TestWeights:
    def test_members_begin_from_different_numbers(self, head):
        model = initialized(Ensemble(member(head), member(head)))
        assert model.get_dim("nO") == 4
        one, other = (each.get_ref("output_layer").get_param("W") for each in model.layers[:2])
        assert np.abs(one - other).max() > 0

    def test_scores_between_labels_are_the_mean_too(self, head):
        members = [initialized(member(head)) for _ in range(2)]
        for number, each in enumerate(members if head is LinearChainCRF else ()):
            each.get_ref("crf").set_param("transitions", np.full((4, 4), number, dtype="f"))
        found = Ensemble(*members).predict(DOCS)
        assert found.is_chain == (head is LinearChainCRF)
        assert (found.chain[0] == (0.5 if found.is_chain else 0)).all()

    def test_are_saved(self, head):
        model = initialized(Ensemble(member(head), member(head)))
        other = Ensemble(member(head), member(head)).from_bytes(model.to_bytes())
        assert other.get_dim("nO") == 4
        assert_array_equal(other.predict(DOCS).emissions, model.predict(DOCS).emissions)

    def test_each_member_gets_its_share_of_the_gradient(self, head):
        members = [initialized(member(head)) for _ in range(2)]
        alone = copy.deepcopy(members)
        scores, backprop = Ensemble(*members).begin_update(DOCS)
        gradient = scores.map(torch.randn_like)
        backprop(gradient)
        for part, each in zip(members, alone):
            each.begin_update(DOCS)[1](gradient.map(lambda part: part / 2))
            for found, expected in zip(gradients_of(part), gradients_of(each)):
                assert_allclose(found, expected, atol=1e-6)
                assert np.abs(found).max() > 0


class TestErrors:
    def test_no_members(self):
        with pytest.raises(ConfigError, match=r"Ensemble.v1: number of members = 0; expected .* 1"):
            Ensemble()

    def test_different_heads(self):
        with pytest.raises(ConfigError, match="some members have scores between labels, a CRF, others none"):
            Ensemble(*map(member, HEADS))

    def test_different_numbers_of_labels(self):
        members = [initialized(member(TokenClassifier), n_labels=n) for n in (4, 3)]
        with pytest.raises(ConfigError, match="found members with 3, 4 labels"):
            Ensemble(*members)
