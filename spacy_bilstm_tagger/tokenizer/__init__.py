"""From raw text to tokens, and from tokens to the keys under which GloVe-Twitter knows them."""

from .glove_keys import glove_key
from .options import SCHEMES
from .tweet_tokenizer import TweetTokenizer, create_tweet_tokenizer, default_tokenizer

__all__ = ["SCHEMES", "TweetTokenizer", "create_tweet_tokenizer", "default_tokenizer", "glove_key"]
