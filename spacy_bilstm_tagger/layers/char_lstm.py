"""The character BiLSTM as a thinc layer."""

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Ragged

from .char_encoder import CharEncoder
from .char_lstm_module import CharLSTMModule


def CharLSTM(*, width: int, hidden_width: int) -> Model[list[Doc], Ragged]:
    """See `CharLSTMModule` and `CharEncoder`; (tokens, nO), nO = 2 * hidden_width."""
    return CharEncoder("char_lstm", CharLSTMModule(width, hidden_width), 2 * hidden_width)
