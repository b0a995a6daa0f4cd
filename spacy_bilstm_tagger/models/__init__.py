"""The registered architectures, built of layers."""

from .bilstm_encoder import BiLSTMEncoder
from .linear_chain_crf import LinearChainCRF
from .token_classifier import TokenClassifier
from .tweet_embed import TweetEmbed

__all__ = ["BiLSTMEncoder", "LinearChainCRF", "TokenClassifier", "TweetEmbed"]
