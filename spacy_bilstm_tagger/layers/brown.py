"""Prefixes of the tokens' Brown cluster paths, as features to embed."""

from typing import Callable, Optional, cast

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Ints2d, Ragged

from ..brown_table import TABLE, cut_paths, find_paths, find_paths_and_ways
from ..table_digest import remember_table
from .coverage import first_of_each_type, logger, say_ways

NAME = "brown_prefixes"


def BrownPrefixes(prefixes: list[int]) -> Model[list[Doc], Ragged]:
    """The first bits of each token's path, a column for each number of bits; (tokens, prefixes) uint64.

    A path that is shorter counts as a whole, and 0 stands for no path. Clusters that are near each other in the tree
    begin alike, so the prefixes are classes from coarse to fine (Miller, Guinness and Zamanian 2004, "Name tagging
    with word clusters and discriminative training").

    prefixes (list of int): numbers of bits.
    """
    return Model(NAME, forward, init=init, attrs={"prefixes": prefixes})


def forward(model: Model[list[Doc], Ragged], docs: list[Doc], is_train: bool) -> tuple[Ragged, Callable]:
    lengths = model.ops.asarray1i([len(doc) for doc in docs])
    prefixes = model.attrs["prefixes"]
    if not sum(len(doc) for doc in docs):
        return Ragged(model.ops.alloc2i(0, len(prefixes)), lengths), _no_gradient
    paths = find_paths(docs)
    features = cast(Ints2d, np.column_stack([cut_paths(paths, length) for length in prefixes]))
    return Ragged(model.ops.asarray2i(features, dtype="uint64"), lengths), _no_gradient


def init(model: Model[list[Doc], Ragged], X: Optional[list[Doc]] = None, Y: Optional[Ragged] = None) -> None:
    """Say how many tokens of the sample have a path."""
    if not X:
        return
    remember_table(model, X[0].vocab, TABLE)
    paths, ways = find_paths_and_ways(X)
    known = paths > 0
    if not len(known):
        return
    logger.info(
        "Brown clusters: %.1f%% of the tokens (%.1f%% of the word types) of the first %d texts have a path: %s",
        100 * known.mean(),
        100 * known[first_of_each_type(X)].mean(),
        len(X),
        say_ways(ways, len(known)),
    )


def _no_gradient(d_output: Ragged) -> list:
    """Docs take no gradient."""
    return []
