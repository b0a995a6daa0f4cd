"""The torch side of the character BiLSTM: characters of word types in, one row for each word type out."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from .char_table import character_table
from .packed_rnn import initialize_orthogonal
from .torch_module import TorchModule


class CharLSTMModule(TorchModule):
    """(word types, characters) -> (word types, 2 * hidden_width).

    An LSTM reads the word forwards and another one backwards; their last states stand side by side (Ling et al. 2015,
    "Finding function in form: compositional character models for open vocabulary word representation", section 2.2).
    Their sum weighted by two matrices, which the paper adds, is left to the layer above. A word's row does not depend
    on the words it is padded to.

    width (int): columns of the character table; hidden_width (int): width of one direction's state.
    """

    def __init__(self, width: int, hidden_width: int) -> None:
        super().__init__()
        self.width = width
        self.hidden_width = hidden_width

    def build(self, input_width: int) -> None:
        """input_width: rows of the character table."""
        self.input_width = input_width
        self.characters = character_table(input_width, self.width)
        self.lstm = nn.LSTM(self.width, self.hidden_width, batch_first=True, bidirectional=True)
        initialize_orthogonal(self.lstm, "lstm")

    def unbuilt(self) -> "CharLSTMModule":
        return CharLSTMModule(self.width, self.hidden_width)

    @property
    def settings(self) -> dict[str, Any]:
        return {"width": self.width, "hidden_width": self.hidden_width}

    def flatten_weights(self) -> None:
        if self.input_width is not None:
            self.lstm.flatten_parameters()

    def forward(self, characters: Tensor, lengths: Tensor) -> Tensor:
        """characters: (types, longest), PADDING after each word's end; lengths: (types,)."""
        X = self.characters(characters)  # (types, longest, width)
        packed = pack_padded_sequence(X, lengths.cpu(), batch_first=True, enforce_sorted=False)
        _, (last, _) = self.lstm(packed)  # (directions, types, hidden_width)
        return torch.cat([last[0], last[1]], dim=1)
