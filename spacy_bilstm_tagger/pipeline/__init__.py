"""The pipeline components, and their default models."""

from thinc.api import Config

from .glossary import add_to_glossary
from .processes import remember_coders

remember_coders()
add_to_glossary()
TOK2VEC = Config().from_str(
    """
[tok2vec]
@architectures = "spacy.Tok2Vec.v2"

[tok2vec.embed]
@architectures = "spacy-bilstm-tagger.TweetEmbed.v1"
attrs = ["NORM", "PREFIX", "SUFFIX", "SHAPE"]
rows = [5000, 1000, 2500, 1000]
feature_width = 48
include_static_vectors = false

[tok2vec.encode]
@architectures = "spacy-bilstm-tagger.BiLSTMEncoder.v1"
width = 128
depth = 1
"""
)["tok2vec"]
TOKEN_CLASSIFIER = {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1", "tok2vec": TOK2VEC}
LINEAR_CHAIN_CRF = {"@architectures": "spacy-bilstm-tagger.LinearChainCRF.v1", "tok2vec": TOK2VEC}
