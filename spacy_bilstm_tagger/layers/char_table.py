"""The table of characters that the networks share which spell words."""

import torch
from torch import nn

PADDING = 0


def character_table(rows: int, width: int) -> nn.Embedding:
    """Uniform with variance 1 / width, and zeros for what stands after a word's end."""
    table = nn.Embedding(rows, width, padding_idx=PADDING)
    nn.init.uniform_(table.weight, -((3 / width) ** 0.5), (3 / width) ** 0.5)
    with torch.no_grad():
        table.weight[PADDING].zero_()
    return table
