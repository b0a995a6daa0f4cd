"""The thinc side of the networks that spell: docs in, one row for each token out, through a torch module."""

from typing import Callable, Optional

import numpy as np
import torch
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import ArgsKwargs, Ragged
from thinc.util import torch2xp, xp2torch

from .char_table import PADDING
from .shim import TorchShim
from .torch_module import TorchModule

ROWS = 512  # of the character table
EXACT = 384  # code points below this (Latin, and its supplements) have a row of their own; the others share the rest
CHUNK = 256  # word types, of much the same length, that are computed at once at prediction
LONGEST = 24  # characters; of longer words, the first and the last 12 characters are read


def CharEncoder(name: str, module: TorchModule, width: int) -> Model[list[Doc], Ragged]:
    """One row for each token, from its characters as they are written; (tokens, nO), nO = width.

    Every word type is computed once in a batch, however often it occurs.

    module (TorchModule): rows of the character table, (types, longest), and the words' lengths, (types,), in; one row
        for each word type out, (types, width).
    """
    return Model(name, forward, init=init, shims=[TorchShim(module)], dims={"nO": width})


def forward(
    model: Model[list[Doc], Ragged], docs: list[Doc], is_train: bool
) -> tuple[Ragged, Callable[[Ragged], list]]:
    lengths = model.ops.asarray1i([len(doc) for doc in docs])
    if not sum(len(doc) for doc in docs):
        return Ragged(model.ops.alloc2f(0, model.get_dim("nO")), lengths), _no_gradient
    shim = model.shims[0]
    assert isinstance(shim, TorchShim)
    orths = np.concatenate([doc.to_array("ORTH") for doc in docs])
    word_types, token_type = np.unique(orths, return_inverse=True)
    strings = docs[0].vocab.strings
    words = [_shorten(strings[orth]) for orth in word_types.tolist()]
    token_row = torch.from_numpy(token_type).to(shim.device)
    if not is_train:
        return Ragged(torch2xp(_predict_by_length(shim, words)[token_row]), lengths), _no_gradient
    Y, backprop_types = shim.begin_update(_inputs(shim, words))

    def backprop(dY: Ragged) -> list:
        d_types = torch.zeros_like(Y).index_add_(0, token_row, xp2torch(dY.dataXd, device=shim.device))
        backprop_types(ArgsKwargs(args=((Y,),), kwargs={"grad_tensors": (d_types,)}))
        return []

    return Ragged(torch2xp(Y.detach()[token_row]), lengths), backprop


def init(model: Model[list[Doc], Ragged], X: Optional[list[Doc]] = None, Y: Optional[Ragged] = None) -> None:
    shim = model.shims[0]
    assert isinstance(shim, TorchShim)
    shim.build(ROWS)


def _predict_by_length(shim: TorchShim, words: list[str]) -> torch.Tensor:
    """(words, width). Short words are not padded to long ones, which would be most of the work."""
    by_length = np.argsort([len(word) for word in words], kind="stable")
    chunks = [by_length[at : at + CHUNK] for at in range(0, len(words), CHUNK)]
    rows = torch.cat([shim.predict(_inputs(shim, [words[i] for i in chunk])) for chunk in chunks])
    return torch.empty_like(rows).index_copy_(0, torch.from_numpy(by_length).to(rows.device), rows)


def _inputs(shim: TorchShim, words: list[str]) -> ArgsKwargs:
    return ArgsKwargs(args=tuple(torch.from_numpy(array).to(shim.device) for array in _spell(words)), kwargs={})


def _shorten(word: str) -> str:
    return word if len(word) <= LONGEST else word[: LONGEST // 2] + word[-LONGEST // 2 :]


def _spell(words: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the character table for each word, (words, longest), and the words' lengths, (words,)."""
    sizes = np.array([len(word) for word in words], dtype="int64")
    codes = np.frombuffer("".join(words).encode("utf-32-le"), dtype="<u4").astype("int64")
    rows = np.where(codes < EXACT, codes + 1, EXACT + 1 + codes % (ROWS - EXACT - 1))
    characters = np.full((len(words), int(sizes.max())), PADDING, dtype="int64")
    characters[np.arange(characters.shape[1]) < sizes[:, None]] = rows
    return characters, sizes


def _no_gradient(dY: Ragged) -> list:
    """Docs take no gradient."""
    return []
