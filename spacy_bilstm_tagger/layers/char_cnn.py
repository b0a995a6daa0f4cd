"""The character CNN as a thinc layer."""

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Ragged

from .char_cnn_module import CharCNNModule
from .char_encoder import CharEncoder


def CharCNN(*, width: int, kernels: list[int], filters: int) -> Model[list[Doc], Ragged]:
    """See `CharCNNModule` and `CharEncoder`; (tokens, nO), nO = filters * len(kernels)."""
    return CharEncoder("char_cnn", CharCNNModule(width, tuple(kernels), filters), filters * len(kernels))
