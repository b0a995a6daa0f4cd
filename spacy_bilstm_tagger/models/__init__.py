"""The registered architectures, built of layers."""

from .bilstm_encoder import BiLSTMEncoder
from .heads import Ensemble, LinearChainCRF, TokenClassifier
from .transformer_embed import TransformerEmbed
from .tweet_embed import TweetEmbed

__all__ = ["BiLSTMEncoder", "Ensemble", "LinearChainCRF", "TokenClassifier", "TransformerEmbed", "TweetEmbed"]
