import pytest
from numpy.testing import assert_array_equal
from spacy.ml.models.tok2vec import build_Tok2Vec_model

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.models import BiLSTMEncoder, ConcatEmbed, TweetEmbed


def embed(attr: str, width: int):
    return TweetEmbed(attrs=[attr], rows=[50], feature_width=width, include_static_vectors=False)


def test_rows_lie_side_by_side(tweet_nlp):
    docs = [tweet_nlp("so good"), tweet_nlp(""), tweet_nlp("so")]
    first, second = embed("NORM", 3), embed("SHAPE", 2)
    model = ConcatEmbed(first, second).initialize(X=docs)
    assert model.get_dim("nO") == 5
    for Y, left, right in zip(model.predict(docs), first.predict(docs), second.predict(docs)):
        assert_array_equal(Y[:, :3], left)
        assert_array_equal(Y[:, 3:], right)


def test_is_the_lower_half_of_a_tok2vec(tweet_nlp):
    docs = [tweet_nlp("so good"), tweet_nlp("")]
    encode = BiLSTMEncoder(width=4, depth=1)
    model = build_Tok2Vec_model(ConcatEmbed(embed("NORM", 3), embed("SHAPE", 2)), encode).initialize(X=docs)
    Ys, backprop = model.begin_update(docs)
    assert [Y.shape for Y in Ys] == [(2, 4), (0, 4)]
    backprop(Ys)


def test_needs_a_part():
    with pytest.raises(ConfigError, match="found no part"):
        ConcatEmbed()
