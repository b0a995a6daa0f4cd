"""The layer of TweetEmbed.v1: features of word types side by side, gathered to token rows."""

from functools import partial
from typing import Any, Callable, Optional

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model, Ops
from thinc.types import Floats2d

from ..lexicon.table import Hashes, WordTypes, distinct_rows
from ..types import Ints, Mask, Rows, TokenRows
from ..util import no_gradient
from .fixed import Fixed
from .word_features import Features

TYPES_AT_ONCE = 32_768  # word types that are embedded at once at prediction


def EmbedWordTypes(
    features: list[Features],
    *,
    settings: dict[str, Any],
    names: Optional[Features] = None,
    norm: Optional[Features] = None,
    norm_dropout: float = 0.0,
) -> Model[list[Doc], Rows]:
    """One row for each token, (tokens, nO): the rows of its word type by all features, laid side by side. Each distinct
    word of a batch is computed once.

    features (list of Model): from word types to rows, (types, width).
    settings (dict): the settings of TweetEmbed.v1 that go with the weights; `attrs` are the further token attributes of
        the word types.
    names (Model or None): from word types to rows of tokens, which depend on neighbours; (tokens, width).
    norm (Model or None): the one of the features that hashes NORM.
    norm_dropout (float): share of training tokens for which its columns are zero. The columns of the others are not
        scaled up: a row stands for a word that is known or not, and at prediction both occur. Training without dropout
        (`nlp.update(drop=0)`) switches it off.
    """
    return Model(
        "tweet_embed",
        partial(forward, norm_dropout=norm_dropout),
        init=init,
        layers=features if names is None else [*features, names],
        refs={"names": names, "norm": norm},
        dims={"nO": None},
        attrs={**{key: Fixed("TweetEmbed.v1", value) for key, value in settings.items()}, "dropout_rate": 0.0},
    )


def forward(
    model: Model[list[Doc], Rows], docs: list[Doc], is_train: bool, *, norm_dropout: float
) -> tuple[Rows, Callable[[Rows], list]]:
    """At prediction the list is a `TokenRows`."""
    if not any(len(doc) for doc in docs):
        return [model.ops.alloc2f(0, model.get_dim("nO")) for _ in docs], no_gradient
    types = WordTypes.of(docs, model.attrs["attrs"].value)
    if is_train:
        return _forward_train(model, types, norm_dropout)
    distinct, row_of = _predict(model, types)
    rows = TokenRows(_by_doc(model.ops.xp.take(distinct, model.ops.xp.asarray(row_of), axis=0), types.lengths))
    rows.distinct, rows.row_of = distinct, row_of
    return rows, no_gradient


def init(model: Model[list[Doc], Rows], X: Optional[list[Doc]] = None, Y: object = None) -> None:
    types = None
    if X:  # widths need a token
        docs = [doc for doc in X if len(doc)] or [Doc(X[0].vocab, words=["a"])]
        types = WordTypes.of(docs, model.attrs["attrs"].value)
    for layer in model.layers:
        layer.initialize(X=types)
    if types is not None:
        model.set_dim("nO", sum(layer.get_dim("nO") for layer in model.layers), force=True)


def _predict(model: Model, types: WordTypes) -> tuple[Floats2d, Ints]:
    """The distinct rows, and which of them is each token's. With names, the distinct rows are those of the distinct pairs
    of a word type and of the names around a token."""
    ops = model.ops
    features, names = _features(model)
    chunks = types.chunks(TYPES_AT_ONCE) if len(types) > TYPES_AT_ONCE else [types]
    of_types = ops.xp.concatenate(
        [_side_by_side(ops, len(chunk), [feature.predict(chunk) for feature in features]) for chunk in chunks]
    )
    if names is None:
        return of_types, types.index
    of_tokens = names.predict(types)
    flags = _pack(ops.to_numpy(of_tokens) > 0)
    first, row_of = distinct_rows(np.column_stack([types.index.astype(np.uint64), flags]))
    distinct = [of_types[ops.xp.asarray(types.index[first])], of_tokens[ops.xp.asarray(first)]]
    return _side_by_side(ops, len(first), distinct), row_of


def _forward_train(model: Model, types: WordTypes, norm_dropout: float) -> tuple[Rows, Callable[[Rows], list]]:
    ops = model.ops
    features, names = _features(model)
    index = ops.xp.asarray(types.index, dtype="int32")
    rows, backprops, ends, mask, masked = [], [], [0], None, slice(0)
    for feature in features:
        Y, backprop = feature(types, True)
        rows.append(Y)
        backprops.append(backprop)
        ends.append(ends[-1] + Y.shape[1])
        if norm_dropout and feature is model.maybe_get_ref("norm") and model.attrs["dropout_rate"]:
            is_kept = ops.xp.random.uniform(size=(len(index), 1)) >= norm_dropout
            mask, masked = ops.asarray2f(is_kept, dtype="f"), slice(*ends[-2:])
    tokens = ops.xp.take(_side_by_side(ops, len(types), rows), index, axis=0)
    if mask is not None:
        tokens[:, masked] *= mask
    if names is not None:
        tokens = _side_by_side(ops, len(index), [tokens, names(types, True)[0]])

    def backprop_features(dYs: Rows) -> list:
        d_tokens = ops.xp.concatenate(dYs)
        if mask is not None:
            d_tokens[:, masked] *= mask
        d_types = ops.alloc2f(len(types), ends[-1])
        ops.scatter_add(d_types, index, ops.as_contig(d_tokens[:, : ends[-1]]))
        for backprop, start, end in zip(backprops, ends, ends[1:]):
            backprop(ops.as_contig(d_types[:, start:end]))
        return []

    return _by_doc(tokens, types.lengths), backprop_features


def _features(model: Model) -> tuple[list[Features], Optional[Features]]:
    """The features of word types, and the names."""
    names = model.maybe_get_ref("names")
    return (model.layers if names is None else model.layers[:-1]), names


def _side_by_side(ops: Ops, rows: int, parts: Rows) -> Floats2d:
    return ops.xp.concatenate([ops.alloc2f(rows, 0), *parts], axis=1)


def _by_doc(rows: Floats2d, lengths: Ints) -> Rows:
    """(tokens, width) -> (tokens, width) for each doc, without copying."""
    return [rows[end - length : end] for end, length in zip(np.cumsum(lengths).tolist(), lengths.tolist())]


def _pack(flags: Mask) -> Hashes:
    """64 flags a number; (rows, numbers)."""
    bits = np.packbits(flags, axis=1)
    packed = np.zeros((len(bits), -(-bits.shape[1] // 8) * 8), dtype=np.uint8)
    packed[:, : bits.shape[1]] = bits
    return packed.view(np.uint64)
