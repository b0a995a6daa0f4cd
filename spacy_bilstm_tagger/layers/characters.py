"""A CNN over the characters of word types, as a thinc layer and as the torch module in it."""

from dataclasses import dataclass
from typing import Any, Callable, Iterable, Optional, cast

import numpy as np
import torch
import torch.nn.functional as F
from thinc.api import Model, Shim
from thinc.types import ArgsKwargs, Floats2d
from thinc.util import torch2xp, xp2torch
from torch import Tensor, nn

from ..lexicon.table import WordTypes
from ..util import no_gradient
from .shim import TorchModule, TorchShim

TABLE_ROWS = 512  # of the character table
OWN_ROWS = 384  # code points below this (Latin, and its supplements) have a row of their own; the others share the rest
FEW_WORDS = 16  # word types that are not sorted by length
WORDS_AT_ONCE = 256  # word types, of much the same length, that are computed at once at prediction
PADDING = 0  # row of the character table for positions after a word's end
MAX_CHARACTERS = 24  # of longer words, the first and the last 12 characters are read


def CharCNN(*, width: int, kernels: list[int], filters: int) -> Model[WordTypes, Floats2d]:
    """One row for each word type, from its characters as they are written; (types, nO), nO = filters * len(kernels).

    See `CharacterCNN` for the arguments.
    """
    shims: list[Shim] = [TorchShim(CharacterCNN(width, tuple(kernels), filters))]
    return Model("char_cnn", forward, init=init, shims=shims, dims={"nO": filters * len(kernels)})


def forward(model: Model[WordTypes, Floats2d], types: WordTypes, is_train: bool) -> tuple[Floats2d, Callable[[Floats2d], list]]:
    shim = cast(TorchShim, model.shims[0])
    half = MAX_CHARACTERS // 2
    words = [word if len(word) <= MAX_CHARACTERS else word[:half] + word[-half:] for word in types.texts(types.orth)]
    if not is_train:
        return cast(Floats2d, torch2xp(_predict_by_length(shim, words))), no_gradient
    Y, backprop_types = shim.begin_update(_inputs(shim, words))

    def backprop(dY: Floats2d) -> list:
        d_types = xp2torch(dY, device=shim.device)
        backprop_types(ArgsKwargs(args=((Y,),), kwargs={"grad_tensors": (d_types,)}))
        return []

    return cast(Floats2d, torch2xp(Y.detach())), backprop


def init(model: Model[WordTypes, Floats2d], X: Optional[WordTypes] = None, Y: Optional[Floats2d] = None) -> None:
    cast(TorchShim, model.shims[0]).build(TABLE_ROWS)


def _predict_by_length(shim: TorchShim, words: list[str]) -> Tensor:
    """(words, width). Short words are not padded to long ones, which would be most of the work."""
    sums = shim.derive(Sums.of)
    if len(words) <= FEW_WORDS:
        return sums.predict(*_inputs(shim, words).args)
    by_length = np.argsort([len(word) for word in words], kind="stable")
    chunks = [by_length[at : at + WORDS_AT_ONCE] for at in range(0, len(words), WORDS_AT_ONCE)]
    rows = torch.cat([sums.predict(*_inputs(shim, [words[i] for i in chunk]).args) for chunk in chunks])
    return torch.empty_like(rows).index_copy_(0, torch.from_numpy(by_length).to(rows.device), rows)


@dataclass(frozen=True)
class Sums:
    """The convolutions as sums of rows of a table: what each character adds at each place of a window. Shorter
    convolutions than the longest have nothing at the first places.

    table (Tensor): (places * characters, filters of all convolutions); offsets (Tensor): (places,), the first row of each
    place; bias (Tensor): (filters of all convolutions,); kernels (Tensor): (convolutions,), their widths.
    """

    table: Tensor
    offsets: Tensor
    bias: Tensor
    kernels: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, module: TorchModule) -> "Sums":
        cnn = cast("CharacterCNN", module)
        layers = list(cast(Iterable[nn.Conv1d], cnn.convolutions))
        longest = max(cnn.kernels)
        # (filters of all, width, places)
        weight = torch.cat([F.pad(layer.weight, (longest - layer.weight.shape[2], 0)) for layer in layers])
        table = torch.einsum("cw,fwp->pcf", cnn.characters.weight, weight)
        offsets = torch.arange(longest, device=table.device) * table.shape[1]
        bias = torch.cat([cast(Tensor, layer.bias) for layer in layers])
        return cls(table.reshape(-1, table.shape[2]), offsets, bias, torch.tensor(cnn.kernels, device=table.device))

    @torch.no_grad()
    def predict(self, characters: Tensor, lengths: Tensor) -> Tensor:
        """As `CharacterCNN.forward`, which takes several times as long."""
        longest = len(self.offsets)
        padded = F.pad(characters, (longest - 1, longest - 1), value=PADDING)
        windows = padded.unfold(1, longest, 1) + self.offsets
        Y = F.embedding_bag(windows.reshape(-1, longest), self.table, mode="sum")
        Y = Y.view(len(characters), -1, len(self.kernels), Y.shape[1] // len(self.kernels))
        position = torch.arange(Y.shape[1], device=Y.device).unsqueeze(1)
        beyond = position >= (lengths.unsqueeze(1) + self.kernels - 1).unsqueeze(1)  # (types, positions, convolutions)
        best = Y.masked_fill_(beyond.unsqueeze(3), float("-inf")).amax(dim=1)
        return best.flatten(1).add_(self.bias).relu_()


def _inputs(shim: TorchShim, words: list[str]) -> ArgsKwargs:
    return ArgsKwargs(args=tuple(torch.from_numpy(array).to(shim.device) for array in _spell(words)), kwargs={})


def _spell(words: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the character table for each word, (words, longest), and the words' lengths, (words,)."""
    sizes = np.array([len(word) for word in words], dtype="int64")
    codes = np.frombuffer("".join(words).encode("utf-32-le"), dtype="<u4").astype("int64")
    rows = np.where(codes < OWN_ROWS, codes + 1, OWN_ROWS + 1 + codes % (TABLE_ROWS - OWN_ROWS - 1))
    characters = np.full((len(words), int(sizes.max())), PADDING, dtype="int64")
    characters[np.arange(characters.shape[1]) < sizes[:, None]] = rows
    return characters, sizes


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
        rows = torch.empty(input_width, self.width)
        if not rows.is_meta:  # there, normal_ would import torch's compiler, which takes seconds
            nn.init.normal_(rows)[PADDING] = 0.0
        self.characters = nn.Embedding(input_width, self.width, padding_idx=PADDING, _weight=rows)
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
