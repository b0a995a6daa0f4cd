import copy

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose, assert_array_equal
from spacy.tokens import Doc
from thinc.api import chain

from spacy_bilstm_tagger.errors import ConfigError
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
    shim = next(shim for node in model.walk() for shim in node.shims)
    return [model.get_ref("output_layer").get_grad("W"), *(weight.grad.numpy() for weight in shim.module.parameters())]


@pytest.mark.parametrize("head", HEADS)
class TestOutput:
    def test_is_the_mean_of_the_members(self, head):
        members = [initialized(member(head)) for _ in range(3)]
        one, two, three = (each.predict(DOCS) for each in members)
        found = Ensemble(*members).predict(DOCS)
        assert [rows.shape for rows in found] == [(3, 4), (0, 4), (2, 4)]
        for rows, *parts in zip(found, one, two, three):
            assert_allclose(rows, np.mean(parts, axis=0), atol=1e-6)
            assert rows.dtype == "float32"
        assert np.abs(found[0] - one[0]).min() > 0

    def test_of_one_member_is_its_own(self, head):
        only = initialized(member(head))
        for found, expected in zip(Ensemble(only).predict(DOCS), only.predict(DOCS)):
            assert_array_equal(found, expected)

    @pytest.mark.parametrize("docs", [[DOCS[1]], [DOCS[1], DOCS[1]]])
    def test_without_tokens(self, head, docs):
        model = Ensemble(initialized(member(head)), initialized(member(head)))
        assert [rows.shape for rows in model.predict(docs)] == [(0, 4)] * len(docs)


@pytest.mark.parametrize("head", HEADS)
class TestWeights:
    def test_members_begin_from_different_numbers(self, head):
        model = initialized(Ensemble(member(head), member(head)))
        assert model.get_dim("nO") == 4
        one, other = (each.get_ref("output_layer").get_param("W") for each in model.layers[:2])
        assert np.abs(one - other).max() > 0

    def test_scores_between_labels_are_the_ensemble_s_own(self, head):
        model = initialized(Ensemble(member(head), member(head)))
        assert model.has_ref("crf") == (head is LinearChainCRF)
        if model.has_ref("crf"):
            assert model.get_ref("crf").get_param("transitions").shape == (4, 4)

    def test_are_saved(self, head):
        model = initialized(Ensemble(member(head), member(head)))
        other = Ensemble(member(head), member(head)).from_bytes(model.to_bytes())
        assert other.get_dim("nO") == 4
        for found, expected in zip(other.predict(DOCS), model.predict(DOCS)):
            assert_array_equal(found, expected)

    def test_each_member_gets_its_share_of_the_gradient(self, head):
        members = [initialized(member(head)) for _ in range(2)]
        alone = copy.deepcopy(members)
        emissions, backprop = Ensemble(*members).begin_update(DOCS)
        rng = np.random.default_rng(0)
        gradient = [rng.normal(size=rows.shape).astype("f") for rows in emissions]
        backprop(gradient)
        for part, each in zip(members, alone):
            each.begin_update(DOCS)[1]([rows / 2 for rows in gradient])
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
