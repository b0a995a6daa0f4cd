"""Frozen word vectors, looked up by the token's NORM in the pipeline's own table."""

from typing import Callable, Optional

import numpy as np
from spacy.strings import get_string_id
from spacy.tokens import Doc
from spacy.vectors import Mode, Vectors
from thinc.api import Model, get_array_module
from thinc.types import Ragged

from ..errors import ConfigError, Errors
from .coverage import first_of_each_type, logger

UNK_KEY = "<unk>"
UNK_HASH = get_string_id(UNK_KEY)
NAME = "norm_vectors"


def NormVectors() -> Model[list[Doc], Ragged]:
    """The row of `vocab.vectors` under each token's NORM; (tokens, nO), nO the table's width.

    Vectors(attr="NORM") would do the same, but spaCy forgets that attribute when it saves a table. There is nothing to
    learn here.

    What a missing key falls back to: NORM itself stands for @users, links, numbers and lengthened words (`glove_key`).
    Where the table lacks the NORM too, it is the table's `<unk>` row, which load_vectors.v1 makes the mean of all rows
    unless the vectors bring their own, or zeros in a table without such a row. How many fall back is said when the
    model is initialized.
    """
    return Model(NAME, forward, init=init, dims={"nO": None})


def forward(model: Model[list[Doc], Ragged], docs: list[Doc], is_train: bool) -> tuple[Ragged, Callable]:
    lengths = model.ops.asarray1i([len(doc) for doc in docs])
    if not sum(len(doc) for doc in docs):
        return Ragged(model.ops.alloc2f(0, model.get_dim("nO")), lengths), _no_gradient
    vectors = docs[0].vocab.vectors
    if vectors.shape[0] == 0:
        raise ConfigError(Errors.VECTORS_MISSING)
    _check_width(model, vectors)
    rows, _ = find_token_rows(docs, vectors)
    row_index = get_array_module(vectors.data).asarray(rows)
    Y = model.ops.asarray2f(vectors.data[row_index], dtype="f")
    Y *= model.ops.xp.asarray(rows[:, None] >= 0)
    if not np.isfinite(float(model.ops.xp.sum(Y))):  # one pass; that of finite numbers can overflow, so look again
        check_vectors(vectors)
    return Ragged(Y, lengths), _no_gradient


def init(model: Model[list[Doc], Ragged], X: Optional[list[Doc]] = None, Y: Optional[Ragged] = None) -> None:
    if not X:
        return
    vectors = X[0].vocab.vectors
    check_vectors(vectors)
    model.set_dim("nO", vectors.shape[1], force=True)
    say_coverage(X, vectors)


def say_coverage(docs: list[Doc], vectors: Vectors) -> None:
    """How many tokens of the sample have a row of their own, and what the others get."""
    _, known = find_token_rows(docs, vectors)
    if not len(known):
        return
    logger.info(
        "Vectors: %.1f%% of the tokens (%.1f%% of the word types) of the first %d texts have a row; "
        "the other %d tokens get %s",
        100 * known.mean(),
        100 * known[first_of_each_type(docs)].mean(),
        len(docs),
        (~known).sum(),
        f"that of {UNK_KEY}" if UNK_HASH in vectors.key2row else "zeros",
    )


def find_token_rows(docs: list[Doc], vectors: Vectors) -> tuple[np.ndarray, np.ndarray]:
    """The row of each token, or -1 for zeros, and whether it is the word's own, not one it falls back to; (tokens,)."""
    norms = np.concatenate([doc.to_array("NORM") for doc in docs])
    word_types, token_type = np.unique(norms, return_inverse=True)  # one lookup for every word type
    key2row = vectors.key2row
    own = np.array([key2row.get(key, -1) for key in word_types.tolist()], dtype="int64")[token_type]
    return np.where(own >= 0, own, key2row.get(UNK_HASH, -1)), own >= 0


def check_table_of(model: Model, vectors: Vectors) -> None:
    """Raise ConfigError for a table that this layer cannot read, wherever it is in the model. One that is missing may
    come yet."""
    for node in model.walk():
        if node.name == NAME and node.has_dim("nO") and vectors.shape[0]:
            check_vectors(vectors)
            _check_width(node, vectors)


def check_vectors(vectors: Vectors) -> None:
    """Raise ConfigError for a table that is missing, of another mode, or holds NaN, infinity or more than a float32."""
    if vectors.mode != Mode.default:
        raise ConfigError(Errors.VECTORS_FLORET.format(mode=str(vectors.mode)))
    if vectors.shape[0] == 0 or vectors.shape[1] == 0:
        raise ConfigError(Errors.VECTORS_MISSING)
    # The sum of a row is finite only if every number in it is. Models compute in float32, which reaches less far.
    with np.errstate(over="ignore"):
        data = vectors.data.astype("float32") if vectors.data.dtype == np.float64 else vectors.data
    bad = ~np.isfinite(_to_numpy(data.sum(axis=1, dtype="float64")))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        keys = [key for key, at in vectors.key2row.items() if at == row and key in vectors.strings]
        raise ConfigError(
            f"The vectors table holds NaN or infinity (row {row}, key "
            f"{vectors.strings[keys[0]] if keys else '?'!r}); expected finite float32 numbers"
        )


def _check_width(model: Model, vectors: Vectors) -> None:
    expected = model.get_dim("nO")
    if vectors.shape[1] != expected:
        raise ConfigError(
            f"TweetEmbed.v1 was built for vectors of width {expected}, but the pipeline's table has width "
            f"{vectors.shape[1]}. Load the vectors the model was trained with, or train again"
        )


def _to_numpy(array):  # type: ignore[no-untyped-def]
    return array.get() if hasattr(array, "get") else array


def _no_gradient(d_output: Ragged) -> list:
    """The table is frozen, and docs take no gradient."""
    return []
