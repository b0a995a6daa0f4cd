"""The registered architectures, built of layers."""

from .bilstm_encoder import BiLSTMEncoder
from .concat_embed import ConcatEmbed
from .heads import Ensemble, LinearChainCRF, TokenClassifier
from .transformer_embed import TransformerEmbed
from .tweet_embed import TweetEmbed

__all__ = [
    "BiLSTMEncoder",
    "ConcatEmbed",
    "Ensemble",
    "LinearChainCRF",
    "TokenClassifier",
    "TransformerEmbed",
    "TweetEmbed",
]
