"""The registered architectures, built of layers."""

from .bilstm_encoder import BiLSTMEncoder
from .token_classifier import TokenClassifier
from .tweet_embed import TweetEmbed

__all__ = ["BiLSTMEncoder", "TokenClassifier", "TweetEmbed"]
