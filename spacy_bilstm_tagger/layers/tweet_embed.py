"""The layer of TweetEmbed.v1: features of word types side by side, gathered to token rows."""

from dataclasses import replace
from functools import cache, partial
from itertools import count
from typing import Any, Callable, Optional, cast

import numpy as np
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Model, NumpyOps, Ops
from thinc.types import Floats2d

from ..crf.packing import split_rows
from ..lexicon.table import NAME, Hashes, WordTypes, get_table, token_keys
from ..lexicon.vectors import VOCAB_VECTORS
from ..types import Floats, Mask, Rows
from ..util import no_gradient
from .fixed import Fixed
from .shim import TorchShim
from .word_cache import TokenRows, WordCache, Words
from .word_features import NAMES, Features

TYPES_AT_ONCE = 32_768  # word types that are embedded at once at prediction
PARTS, SMALL = 16, 50  # of a parameter that is looked at: number of parts, rows of the smallest


def EmbedWordTypes(
    features: list[Features],
    *,
    settings: dict[str, Any],
    names: Optional[Features] = None,
    norm: Optional[Features] = None,
    norm_dropout: float = 0.0,
    cache_mb: int = 0,
) -> Model[list[Doc], Rows]:
    """One row for each token, (tokens, nO): the rows of its word type by all features, laid side by side. Each distinct
    word of a batch is computed once, and not again while it is cached.

    features (list of Model): from word types to rows, (types, width).
    settings (dict): the settings of TweetEmbed.v1 that go with the weights; `attrs` are the further token attributes of
        the word types.
    names (Model or None): from word types to rows of tokens, which depend on neighbours; (tokens, width).
    norm (Model or None): the one of the features that hashes NORM.
    norm_dropout (float): share of training tokens for which its columns are zero. The columns of the others are not
        scaled up: a row stands for a word that is known or not, and at prediction both occur. Training without dropout
        (`nlp.update(drop=0)`) switches it off.
    cache_mb (int): millions of bytes for the cache of word types at prediction on the CPU, with what the encoder keeps
        there; 0 for none.
    """
    memory = 1_000_000 * cache_mb
    of_names = 0 if names is None else memory // 4
    return Model(
        "tweet_embed",
        partial(forward, norm=None if norm is None else features.index(norm), norm_dropout=norm_dropout),
        init=init,
        layers=features if names is None else [*features, names],
        shims=[WordCache(memory - of_names), WordCache(of_names)],
        dims={"nO": None},
        attrs={**{key: Fixed("TweetEmbed.v1", value) for key, value in settings.items()}, "dropout_rate": 0.0},
    )


def forward(
    model: Model[list[Doc], Rows], docs: list[Doc], is_train: bool, *, norm: Optional[int], norm_dropout: float
) -> tuple[Rows, Callable[[Rows], list]]:
    """At prediction on the CPU the list is a `TokenRows`."""
    if not any(len(doc) for doc in docs):
        return [model.ops.alloc2f(0, model.get_dim("nO")) for _ in docs], no_gradient
    if is_train:
        return _forward_train(model, WordTypes.of(docs, model.attrs["attrs"].value), norm, norm_dropout)
    if not isinstance(model.ops, NumpyOps):
        return _predict_on_device(model, WordTypes.of(docs, model.attrs["attrs"].value)), no_gradient
    return _predict(model, docs), no_gradient


def init(model: Model[list[Doc], Rows], X: Optional[list[Doc]] = None, Y: object = None) -> None:
    for shim in model.shims:
        cast(WordCache, shim).forget()
    types = None
    if X:  # widths need a token
        docs = [doc for doc in X if len(doc)] or [Doc(X[0].vocab, words=["a"])]
        types = WordTypes.of(docs, model.attrs["attrs"].value)
    for layer in model.layers:
        layer.initialize(X=types)
    if types is not None:
        model.set_dim("nO", sum(layer.get_dim("nO") for layer in model.layers), force=True)


def _predict(model: Model, docs: list[Doc]) -> TokenRows:
    vocab = docs[0].vocab
    keys, lengths = token_keys(docs, model.attrs["attrs"].value)
    _, names = _features(model)
    cache, cache_of_names = cast(list[WordCache], model.shims)
    words, types = _look_up_types(model, cache, keys, vocab, is_single=len(docs) == 1)
    parts = [words]
    if names is not None:
        flags = names.predict(replace(types, index=words.index, lengths=lengths)) > 0
        width = flags.shape[1]
        parts.append(cache_of_names.look_up(_pack(flags), [width], (), partial(_unpack, width=width)))
    rows = [part.rows.take(part.index, axis=0) for part in parts]
    return TokenRows(cast(Floats2d, rows[0] if names is None else np.concatenate(rows, axis=1)), lengths, parts)


def _look_up_types(model: Model, cache: WordCache, keys: Hashes, vocab: Vocab, *, is_single: bool) -> tuple[Words, WordTypes]:
    """The word types, and their rows by all features but names."""
    features, _ = _features(model)
    nothing = np.zeros(0, dtype=np.int64)

    def types_of(keys: Hashes) -> WordTypes:
        return WordTypes.of_keys(keys, nothing, nothing, vocab)

    def compute(keys: Hashes) -> Floats:
        return cast(Floats, _rows_of_types(model, types_of(keys)))

    state = _state(model, cache, vocab, is_single=is_single)
    arguments = keys, [feature.get_dim("nO") for feature in features], state, compute
    words = cache.look_up(*arguments)
    types = types_of(words.keys)
    if words.cache is not None and features and features[0].attrs.get(NAME) == VOCAB_VECTORS:
        # Anybody may overwrite a row of vocab.vectors in place.
        now = cast(Floats, features[0].predict(types))
        if not np.array_equal(now, words.rows[:, : now.shape[1]]):
            cache.forget()
            words = cache.look_up(*arguments)
            types = types_of(words.keys)
    return words, types


def _state(model: Model, cache: WordCache, vocab: Vocab, *, is_single: bool) -> list[Any]:
    """All that the rows of word types are computed from: tables and weights. is_single: see `Watched`."""
    features, _ = _features(model)
    if cache.sources is None or not cache.sources.are_of(features):
        cache.sources = Sources(features)
    sources: Sources = cache.sources
    return [
        vocab.vectors,
        vocab.vectors.data,
        len(vocab.vectors.key2row),
        *(param.version(is_single) for param in sources.params),
        *(shim.version for shim in sources.shims),
        *(get_table(vocab, name) for name in sources.tables),
    ]


class Sources:
    """Where to look whether something has changed.

    params (list of Watched): parameters of thinc's; shims (list of TorchShim): those that hold torch's.
    tables (list of str): names of word tables.
    """

    def __init__(self, features: list[Features]) -> None:
        nodes = [node for feature in features for node in feature.walk()]
        self.layers = [(node, list(node.layers)) for node in nodes]
        self.features = list(features)
        self.params = [Watched(node, name) for node in nodes for name in node.param_names]
        self.shims = [cast(TorchShim, shim) for node in nodes for shim in node.shims]
        self.tables = [node.attrs[NAME] for node in nodes if node.attrs.get(NAME, VOCAB_VECTORS) != VOCAB_VECTORS]

    def are_of(self, features: list[Features]) -> bool:
        return features == self.features and all(node.layers == before for node, before in self.layers)


class Watched:
    """A parameter that is looked at for changes, also those in place.

    A large one takes longer to read than a tweet. So for a single text one part of it is looked at, and the next part for the next
    one. What changes all rows is seen at once; a change of a few rows by hand, once as many texts as parts have been read.
    """

    def __init__(self, node: Model, name: str) -> None:
        self._node, self._name, self._version, self._turn = node, name, next(_VERSIONS), 0
        self._marks: tuple[Any, list[bytes]] = None, []

    def version(self, is_single: bool) -> int:
        """Another one after each change."""
        array = cast(Floats, self._node.get_param(self._name))
        size = max(-(-len(array) // PARTS), SMALL)
        starts = range(0, len(array), size)
        known, marks = self._marks
        self._turn = turn = (self._turn + 1) % len(starts)
        if known is array and is_single and marks[turn] == _mark(array[turn * size :][:size]):
            return self._version
        now = [_mark(array[at : at + size]) for at in starts]
        if known is not array or now != marks:
            self._version, self._marks = (
                next(_VERSIONS),
                (array, now),
            )  # in this order: another thread may look in between
        return self._version


_VERSIONS = count()


def _mark(array: Floats) -> bytes:
    """Another one if a number of the array has changed, or rows have changed places: the product of each row with numbers drawn by
    lot. It is five times as fast as a sum of all bits; what is lost in its rounding is lost in the layers too."""
    rows = array.reshape(len(array), -1) if array.ndim != 2 else array
    products: Floats = rows @ _lot(rows.shape[1])
    return products.tobytes()


@cache
def _lot(width: int) -> Floats:
    return np.random.default_rng(0).random(width, dtype=np.float32) + np.float32(0.5)


def _rows_of_types(model: Model, types: WordTypes) -> Floats2d:
    features, _ = _features(model)
    chunks = types.chunks(TYPES_AT_ONCE) if len(types) > TYPES_AT_ONCE else [types]
    rows = [_side_by_side(model.ops, len(chunk), [feature.predict(chunk) for feature in features]) for chunk in chunks]
    return model.ops.xp.concatenate(rows)


def _predict_on_device(model: Model, types: WordTypes) -> Rows:
    xp = model.ops.xp
    _, names = _features(model)
    tokens = xp.take(_rows_of_types(model, types), xp.asarray(types.index), axis=0)
    if names is not None:
        tokens = xp.concatenate([tokens, names.predict(types)], axis=1)
    return split_rows(tokens, types.lengths)


def _forward_train(model: Model, types: WordTypes, norm: Optional[int], norm_dropout: float) -> tuple[Rows, Callable[[Rows], list]]:
    ops = model.ops
    features, names = _features(model)
    index = ops.xp.asarray(types.index, dtype="int32")
    rows, backprops, ends, mask, masked = [], [], [0], None, slice(0)
    for number, feature in enumerate(features):
        Y, backprop = feature(types, True)
        rows.append(Y)
        backprops.append(backprop)
        ends.append(ends[-1] + Y.shape[1])
        if norm_dropout and number == norm and model.attrs["dropout_rate"]:
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

    return split_rows(tokens, types.lengths), backprop_features


def _features(model: Model) -> tuple[list[Features], Optional[Features]]:
    """The features of word types, and the names. By the name of the layer: thinc's copies have no refs."""
    layers = model.layers
    return (layers[:-1], layers[-1]) if layers[-1].name == NAMES else (layers, None)


def _side_by_side(ops: Ops, rows: int, parts: Rows) -> Floats2d:
    return ops.xp.concatenate([ops.alloc2f(rows, 0), *parts], axis=1)


def _pack(flags: Mask) -> Hashes:
    """64 flags a number; (rows, numbers)."""
    bits = np.packbits(flags, axis=1)
    packed = np.zeros((len(bits), -(-bits.shape[1] // 8) * 8), dtype=np.uint8)
    packed[:, : bits.shape[1]] = bits
    return packed.view(np.uint64)


def _unpack(packed: Hashes, *, width: int) -> Floats:
    """(rows, width), 0 and 1."""
    bits = np.unpackbits(packed.view(np.uint8), axis=1, count=width)
    return bits.astype(np.float32)
