"""Frozen rows of one of the vocabulary's further vector tables."""

from functools import partial
from typing import Callable, Optional, cast

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats2d, Ragged

from ..errors import ConfigError, Errors
from ..new_words import NewWords
from ..table_digest import remember_table
from ..vector_tables import (
    MISSING,
    PREFIX,
    VectorTable,
    find_rows_and_ways,
    find_token_rows,
    get_vector_table,
    has_vector_table,
)
from .coverage import logger, say_ways

NAME = "table_vectors:"


def TableVectors(table: str, new_words: Optional[NewWords] = None) -> Model[list[Doc], Ragged]:
    """The row of each token in this table, (tokens, nO), and zeros where it has none. There is nothing to learn here.

    table (str): the name of a table that `load_vectors.v1` has loaded.
    new_words (NewWords or None): what fills rows that the table lacks. It belongs to the config and not to the weights:
        a saved model is read with that of its config.
    """
    return Model(
        f"{NAME}{table}",
        partial(forward, new_words=new_words),
        init=partial(init, new_words=new_words),
        dims={"nO": None},
        attrs={"table": table},
    )


def forward(
    model: Model[list[Doc], Ragged], docs: list[Doc], is_train: bool, *, new_words: Optional[NewWords]
) -> tuple[Ragged, Callable]:
    lengths = model.ops.asarray1i([len(doc) for doc in docs])
    width = model.get_dim("nO")
    if not sum(len(doc) for doc in docs):
        return Ragged(model.ops.alloc2f(0, width), lengths), _no_gradient
    name = model.attrs["table"]
    table = get_vector_table(docs[0].vocab, name)
    _check_width(model, table)
    rows = find_token_rows(docs, table)
    Y = table.data[rows].astype("float32")
    missing = rows == MISSING
    Y[missing] = 0
    if not np.isfinite(Y.sum(dtype="float64")):
        raise ConfigError(Errors.TABLE_NAN.format(name=name))
    if new_words is not None and missing.any():
        Y[missing] = new_words.find(_lowers(docs)[missing], docs[0].vocab, table)
    return Ragged(model.ops.asarray2f(cast(Floats2d, Y)), lengths), _no_gradient


def init(
    model: Model[list[Doc], Ragged],
    X: Optional[list[Doc]] = None,
    Y: Optional[Ragged] = None,
    *,
    new_words: Optional[NewWords],
) -> None:
    """Take the table's width, and say how many tokens of the sample have a row."""
    if not X:
        return
    name = model.attrs["table"]
    table = get_vector_table(X[0].vocab, name)
    remember_table(model, X[0].vocab, PREFIX + name)
    model.set_dim("nO", table.width, force=True)
    rows, ways = find_rows_and_ways(X, table)
    known = rows != MISSING
    if not len(known):
        return
    types, first = np.unique(_lowers(X), return_index=True)
    logger.info(
        "Vector table %s: %.1f%% of the tokens (%.1f%% of the word types) of the first %d texts have a row: %s",
        name,
        100 * known.mean(),
        100 * known[first].mean(),
        len(X),
        say_ways(ways, len(known)),
    )
    missing = types[np.flatnonzero(~known[first])]
    if new_words is not None and missing.size:
        filled = new_words.find(missing, X[0].vocab, table).any(axis=1)
        message = "Vector table %s: new words fill %d of %d word types without a row"
        logger.info(message, name, int(filled.sum()), missing.size)


def check_further_tables(model: Model, vocab: Vocab) -> None:
    """Raise ConfigError for a table that a layer of the model cannot read. One that is missing may come yet."""
    for node in model.walk():
        name = node.name.removeprefix(NAME)
        if node.attrs.get("table") == name and node.has_dim("nO") and has_vector_table(vocab, name):
            table = get_vector_table(vocab, name)
            _check_width(node, table)
            # The sum of a row is finite only if every number in it is.
            if not np.isfinite(table.data.sum(axis=1, dtype="float64")).all():
                raise ConfigError(Errors.TABLE_NAN.format(name=name))


def _check_width(model: Model, table: VectorTable) -> None:
    expected = model.get_dim("nO")
    if table.width != expected:
        raise ConfigError(
            f"TweetEmbed.v1 was built for a vector table {model.attrs['table']!r} of width {expected}, but the "
            f"pipeline's has width {table.width}. Load the table the model was trained with, or train again"
        )


def _lowers(docs: list[Doc]) -> NDArray[np.uint64]:
    """The LOWER of each token, (tokens,)."""
    return np.concatenate([doc.to_array("LOWER") for doc in docs])


def _no_gradient(d_output: Ragged) -> list:
    """The table is frozen, and docs take no gradient."""
    return []
