"""Word vectors that are trained with the model, from the pipeline's own table on."""

from typing import Callable, Optional, cast

import numpy as np
from spacy.tokens import Doc
from spacy.vectors import Vectors
from thinc.api import Model
from thinc.types import Floats2d, Ragged

from ..errors import ConfigError
from .norm_vectors import check_vectors, find_token_rows, say_coverage

NAME = "tuned_vectors"


def TunedVectors() -> Model[list[Doc], Ragged]:
    """As `NormVectors`, but the rows are parameters: E, a copy of the table made when the model is initialized, and
    saved with it; (tokens, nO).

    Only the rows of words that the table knows learn. The `<unk>` row stays as it is, since words that training never
    shows get it beside the rows of words that it never shows, which stay too. `vocab.vectors` still says which row is
    whose. Every step of the optimizer goes over the whole copy, so this is for a table that was cut to what a corpus
    needs (`max_rows` or `prune_to` of load_vectors.v1).
    """
    return Model(NAME, forward, init=init, dims={"nO": None}, params={"E": None})


def forward(model: Model[list[Doc], Ragged], docs: list[Doc], is_train: bool) -> tuple[Ragged, Callable]:
    lengths = model.ops.asarray1i([len(doc) for doc in docs])
    if not sum(len(doc) for doc in docs):
        return Ragged(model.ops.alloc2f(0, model.get_dim("nO")), lengths), _no_gradient
    E = cast(Floats2d, model.get_param("E"))
    vectors = docs[0].vocab.vectors
    _check_shape(E, vectors)
    at, known = find_token_rows(docs, vectors)
    rows = model.ops.xp.asarray(at)
    Y = E[rows] * (rows >= 0)[:, None]

    def backprop(dY: Ragged) -> list:
        learns = model.ops.xp.asarray(np.flatnonzero(known))
        dE = model.ops.alloc2f(*E.shape)
        model.ops.scatter_add(dE, rows[learns], dY.dataXd[learns])
        model.inc_grad("E", dE)
        return []

    return Ragged(Y, lengths), backprop


def init(model: Model[list[Doc], Ragged], X: Optional[list[Doc]] = None, Y: Optional[Ragged] = None) -> None:
    if not X:
        return
    vectors = X[0].vocab.vectors
    check_vectors(vectors)
    model.set_dim("nO", vectors.shape[1], force=True)
    model.set_param("E", model.ops.asarray2f(vectors.data, dtype="f").copy())
    say_coverage(X, vectors)


def check_tuned_table(model: Model, vectors: Vectors) -> None:
    """Raise ConfigError for a table that this layer was not made from, wherever it is in the model. One that is missing
    may come yet."""
    for node in model.walk():
        if node.name == NAME and node.has_param("E") and vectors.shape[0]:
            check_vectors(vectors)
            _check_shape(cast(Floats2d, node.get_param("E")), vectors)


def _check_shape(E: Floats2d, vectors: Vectors) -> None:
    if vectors.shape != E.shape:
        expected, found = (f"{rows} rows of width {width}" for rows, width in (E.shape, vectors.shape))
        raise ConfigError(
            f"TweetEmbed.v1 has fine-tuned the rows of a vectors table of {expected}, but the pipeline's has "
            f"{found}. Load the vectors the model was trained with, or train again"
        )


def _no_gradient(dY: Ragged) -> list:
    """Docs take no gradient."""
    return []
