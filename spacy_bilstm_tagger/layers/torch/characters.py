"""A character CNN over word types."""

from typing import Any

import torch
from torch import Tensor, nn

from ..shim import TorchModule

PADDING = 0  # row of the character table for positions after a word's end


class CharacterCNN(TorchModule):
    """(word types, characters) -> (word types, filters * len(kernels)).

    Convolutions of several widths over character embeddings and the maximum over the word (Santos and Zadrozny 2014,
    "Learning character-level representations for part-of-speech tagging"; several widths as in Kim et al. 2016,
    "Character-aware neural language models"). A word's row does not depend on the words it is padded to.

    width (int): columns of the character table.
    kernels (tuple of int): widths of the convolutions, in characters.
    filters (int): filters of each width.
    """

    def __init__(self, width: int, kernels: tuple[int, ...], filters: int) -> None:
        super().__init__()
        self.width = width
        self.kernels = kernels
        self.filters = filters

    def build(self, input_width: int) -> None:
        """input_width: rows of the character table, which are uniform with variance 1 / width."""
        self.input_width = input_width
        self.characters = nn.Embedding(input_width, self.width, padding_idx=PADDING)
        nn.init.uniform_(self.characters.weight, -((3 / self.width) ** 0.5), (3 / self.width) ** 0.5)
        with torch.no_grad():
            self.characters.weight[PADDING].zero_()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(self.width, self.filters, kernel, padding=kernel - 1) for kernel in self.kernels
        )

    def unbuilt(self) -> "CharacterCNN":
        return CharacterCNN(self.width, self.kernels, self.filters)

    @property
    def settings(self) -> dict[str, Any]:
        return {"width": self.width, "kernels": list(self.kernels), "filters": self.filters}

    def forward(self, characters: Tensor, lengths: Tensor) -> Tensor:
        """characters: (types, longest), PADDING after each word's end; lengths: (types,)."""
        X = self.characters(characters).transpose(1, 2)  # (types, width, longest)
        rows = []
        for kernel, convolution in zip(self.kernels, self.convolutions):
            Y = convolution(X)  # (types, filters, longest + kernel - 1)
            beyond = torch.arange(Y.shape[2], device=Y.device) >= (lengths + kernel - 1).unsqueeze(1)
            rows.append(Y.masked_fill(beyond.unsqueeze(1), float("-inf")).amax(dim=2))
        return torch.relu(torch.cat(rows, dim=1))
