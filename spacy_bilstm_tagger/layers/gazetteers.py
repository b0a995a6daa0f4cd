"""Which lists of names the tokens are on, as features."""

from typing import Callable, Optional, cast

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d, Ragged

from ..gazetteer_table import LONGEST, TABLE, find_names, get_gazetteers
from ..table_digest import remember_table
from .coverage import logger
from .doc_slice import DocSlice

NAME = "gazetteer_features"


def GazetteerFeatures(lists: Optional[list[str]] = None) -> Model[list[Doc], Ragged]:
    """Two columns of 0 and 1 for each list: a name of it begins at the token; one goes on there; (tokens, 2 * lists).

    The names are those of `vocab.lookups` (see `find_names`). Which of the lists can be trusted is left to the layers
    above to learn (Ratinov and Roth 2009, "Design challenges and misconceptions in named entity recognition").

    lists (list of str or None): the lists to look at. None: all that are there when the model is initialized.
    """
    width = None if lists is None else 2 * len(lists)
    attrs = {"asked_for": lists, "lists": lists}
    return Model(NAME, forward, init=init, dims={"nO": width}, attrs=attrs)


def forward(model: Model[list[Doc], Ragged], docs: list[Doc], is_train: bool) -> tuple[Ragged, Callable]:
    lengths = model.ops.asarray1i([len(doc) for doc in docs])
    if not sum(len(doc) for doc in docs):
        return Ragged(model.ops.alloc2f(0, model.get_dim("nO")), lengths), _no_gradient
    features = cast(Floats2d, np.concatenate(_find(docs, model.attrs["lists"]), axis=1))
    return Ragged(model.ops.asarray2f(features, dtype="f"), lengths), _no_gradient


def init(model: Model[list[Doc], Ragged], X: Optional[list[Doc]] = None, Y: Optional[Ragged] = None) -> None:
    """Take the lists that are there, and say how many tokens of the sample are in a name."""
    if not X:
        return
    lists = model.attrs["asked_for"] or get_gazetteers(X[0].vocab).lists
    model.attrs["lists"] = lists
    remember_table(model, X[0].vocab, TABLE)
    model.set_dim("nO", 2 * len(lists), force=True)
    begins, inside = _find(X, lists)
    if not len(begins):
        return
    of_list = (begins | inside).mean(axis=0)
    logger.info(
        "Gazetteers: %.1f%% of the tokens of the first %d texts are in a name; most are on the list %s (%.1f%%), "
        "%d of %d lists have none",
        100 * (begins | inside).any(axis=1).mean(),
        len(X),
        lists[int(of_list.argmax())],
        100 * of_list.max(),
        int((of_list == 0).sum()),
        len(lists),
    )


def _find(docs: list[Doc], lists: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """As `find_names`, but where a doc is a slice, its names may reach out of it."""
    if not isinstance(docs[0], DocSlice):
        return find_names(docs, lists)
    parts = cast(list[DocSlice], docs)
    wide = [part.widened(LONGEST - 1) for part in parts]
    begins, inside = find_names(cast(list[Doc], wide), lists)
    own = np.concatenate([_own(*pair) for pair in zip(parts, wide)])
    return begins[own], inside[own]


def _own(part: DocSlice, wide: DocSlice) -> np.ndarray:
    """Which tokens of the wider slice are those of the slice itself; (tokens of wide,) bool."""
    at = np.arange(wide.start, wide.end)
    return (at >= part.start) & (at < part.end)


def _no_gradient(d_output: Ragged) -> list:
    """Docs take no gradient."""
    return []
