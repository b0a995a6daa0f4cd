"""TweetEmbed.v1: frozen word vectors and hashed features of every token."""

from pathlib import Path
from typing import Callable, Optional, Union, cast

import numpy as np
from spacy.attrs import IDS
from spacy.ml.featureextractor import FeatureExtractor
from spacy.tokens import Doc
from thinc.api import HashEmbed, Linear, Maxout, Model, chain, concatenate, list2ragged, ragged2list, with_array
from thinc.types import Floats2d, Ints2d, Ragged

from ..checks import check_choice, check_fraction, check_least
from ..errors import ConfigError
from ..layers.brown import BrownPrefixes
from ..layers.char_cnn import CharCNN
from ..layers.char_lstm import CharLSTM
from ..layers.doc_slice import slices
from ..layers.gazetteers import GazetteerFeatures
from ..layers.norm_vectors import NormVectors
from ..layers.row_dropout import RowDropout
from ..layers.table_vectors import TableVectors
from ..layers.tuned_vectors import TunedVectors
from ..new_words import NewWords

CHAR_ENCODERS = ("cnn", "lstm")
SLICE = 32_768  # tokens that are embedded at once at prediction


def TweetEmbed(
    *,
    width: Optional[int] = None,
    attrs: list[str],
    rows: list[int],
    feature_width: int = 32,
    norm_dropout: float = 0.0,
    include_static_vectors: bool,
    char_kernels: list[int] = [],  # noqa: B006 (thinc's registry copies defaults)
    char_filters: int = 32,
    char_width: int = 24,
    mix: bool = False,
    brown_prefixes: list[int] = [],  # noqa: B006
    brown_rows: int = 1000,
    brown_width: int = 16,
    tables: list[str] = [],  # noqa: B006
    gazetteers: Union[bool, list[str]] = False,
    char_encoder: str = "cnn",
    char_lstm_width: int = 32,
    vector_projection: Optional[int] = None,
    finetune_vectors: bool = False,
    new_words: Optional[str] = None,
) -> Model[list[Doc], list[Floats2d]]:
    """Embed every token without its context, as the lower half of a `spacy.Tok2Vec.v2`.

    The frozen vector of the token's NORM (a GloVe key), one hashed embedding (Svenstrup et al. 2017, "Hash embeddings
    for efficient word representations") for each attribute, a character CNN or BiLSTM, one hashed embedding for each
    prefix of its Brown cluster's path, and the gazetteers that it is on are laid side by side, those of them that are
    switched on. With `mix`, a maxout layer (Goodfellow et al. 2013, "Maxout networks") with layer normalization reduces
    them to `width`.

    width (int or None): output width. Without `mix` the sum of the parts; null lets it follow from them.
    attrs (list of str): token attributes to hash, such as NORM, PREFIX, SUFFIX, SHAPE.
    rows (list of int): rows of each attribute's table.
    feature_width (int): columns of each attribute's table.
    norm_dropout (float): share of training tokens whose hashed NORM is dropped, so that words are also known by their
        vectors and spelling, as those have to be that training never shows.
    include_static_vectors (bool): use `vocab.vectors`; tokens without a row get its `<unk>` row, or zeros.
    char_kernels (list of int): widths of the character CNN's convolutions, in characters; empty for no CNN.
    char_filters (int): filters of each of these widths.
    char_width (int): columns of the character table.
    mix (bool): reduce to `width` by a learned layer.
    brown_prefixes (list of int): the first bits of the path that are embedded, such as 4, 8, 12 and 16; empty for none.
    brown_rows (int): rows of each prefix length's table.
    brown_width (int): columns of each prefix length's table.
    tables (list of str): further tables of frozen vectors, by the names that load_vectors.v1 gave them. A token without
        a row there gets zeros.
    gazetteers (bool or list of str): two columns for each list of names that load_vectors.v1 gave the pipeline, or for
        these lists alone: a name begins at the token, a name goes on there.
    char_encoder (str): what spells the words. "cnn": a CNN of these kernels and filters; "lstm": a BiLSTM in its place;
        kernels and filters then mean nothing.
    char_lstm_width (int): width of one direction's state of this BiLSTM.
    vector_projection (int or None): width to which a learned linear layer reduces the static vectors; null leaves them.
    finetune_vectors (bool): train the static vectors too: see `TunedVectors`.
    new_words (str or None): the folder of the transformer that the further tables were distilled from. A word type
        without a row is then encoded when it is first met, in training and at prediction, and gets the row that the
        table would have; without that model there is one warning, and zeros. null, the default, leaves zeros, so that
        a prediction is the same on every machine. It is no part of what is learned: a saved pipeline follows its
        config, and `spacy.load(path, config={"components.tagger.model.tok2vec.embed.new_words": folder})` turns it on.
    RAISES: ConfigError for settings that contradict each other or name what is not there, and at initialization for a
        missing table.
    """
    where = "TweetEmbed.v1"
    if len(attrs) != len(rows):
        raise ConfigError(
            f"TweetEmbed.v1: attrs has {len(attrs)} entries and rows has {len(rows)}; expected one number of rows "
            "per attribute"
        )
    for attr in attrs:
        if attr.upper() not in IDS:
            raise ConfigError(
                f"TweetEmbed.v1: attrs has {attr!r}, which is no attribute of spaCy's tokens; expected some of "
                "NORM, LOWER, ORTH, PREFIX, SUFFIX, SHAPE and the like"
            )
    for table in tables:
        if tables.count(table) > 1:
            raise ConfigError(f"TweetEmbed.v1: tables has {table!r} twice; expected each vector table once")
    check_choice(where, "char_encoder", char_encoder, CHAR_ENCODERS)
    spells = char_encoder == "lstm" or bool(char_kernels)
    if not (attrs or include_static_vectors or spells or brown_prefixes or tables or gazetteers):
        raise ConfigError(
            "TweetEmbed.v1: attrs, char_kernels, brown_prefixes and tables are empty, include_static_vectors and "
            "gazetteers are false, so there is nothing to embed"
        )
    numbers = [("feature_width", feature_width), ("char_filters", char_filters), ("char_width", char_width)]
    numbers += [("char_lstm_width", char_lstm_width), ("brown_rows", brown_rows), ("brown_width", brown_width)]
    for name, several in (("rows", rows), ("char_kernels", char_kernels), ("brown_prefixes", brown_prefixes)):
        numbers += [(name, value) for value in several]
    for name, value in (("width", width), ("vector_projection", vector_projection)):
        numbers += [] if value is None else [(name, value)]
    for name, value in numbers:
        check_least(where, name, value, 1)
    check_fraction(where, "norm_dropout", norm_dropout)
    if norm_dropout and "NORM" not in attrs:
        raise ConfigError(
            f"TweetEmbed.v1: norm_dropout = {norm_dropout}, but attrs has no NORM to drop; add it, or set "
            "norm_dropout = 0"
        )
    if mix and width is None:
        raise ConfigError("TweetEmbed.v1: mix = true needs a width, found width = null")
    for option, setting in (("vector_projection", vector_projection), ("finetune_vectors", finetune_vectors)):
        if setting and not include_static_vectors:
            raise ConfigError(f"TweetEmbed.v1: {option} = {setting} needs include_static_vectors = true, found false")
    if new_words and not tables:
        raise ConfigError(
            f"TweetEmbed.v1 has new_words = {new_words!r}, but no tables; name a distilled table, or set it to null"
        )

    parts: list[Model[list[Doc], Ragged]] = []
    if include_static_vectors:
        parts.append(_static_vectors(vector_projection, finetune_vectors))
    parts += [TableVectors(table, NewWords(table, Path(new_words)) if new_words else None) for table in tables]
    if attrs:
        parts.append(_hashed_features(attrs, rows, feature_width, norm_dropout))
    if char_encoder == "lstm":
        parts.append(CharLSTM(width=char_width, hidden_width=char_lstm_width))
    elif char_kernels:
        parts.append(CharCNN(width=char_width, kernels=char_kernels, filters=char_filters))
    if brown_prefixes:
        parts.append(_brown_features(brown_prefixes, brown_rows, brown_width))
    if gazetteers:
        parts.append(GazetteerFeatures(None if gazetteers is True else gazetteers))
    embed: Model[list[Doc], list[Floats2d]] = chain(concatenate(*parts), ragged2list())
    if mix:
        maxout: Model[Floats2d, Floats2d] = Maxout(nO=width, nP=3, dropout=0.0, normalize=True)
        embed = chain(embed, cast(Model[list[Floats2d], list[Floats2d]], with_array(maxout)))
    return Model("tweet_embed", forward, init=init, layers=[embed], dims={"nO": width})


def forward(
    model: Model[list[Doc], list[Floats2d]], docs: list[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list[Doc]]]:
    if not any(len(doc) for doc in docs):  # thinc's Ragged forgets the width of an empty array
        return [model.ops.alloc2f(0, model.get_dim("nO")) for _ in docs], _no_gradient
    if is_train or sum(len(doc) for doc in docs) <= SLICE:
        return model.layers[0](docs, is_train)
    return _predict_in_slices(model, docs), _no_gradient


def init(
    model: Model[list[Doc], list[Floats2d]],
    X: Optional[list[Doc]] = None,
    Y: Optional[list[Floats2d]] = None,
) -> None:
    """Initialize the parts, and compare their joint width with the one that was asked for."""
    embed = model.layers[0]
    if X:  # widths need a token: thinc's Ragged forgets that of an empty array
        X = [doc for doc in X if len(doc)] or [Doc(X[0].vocab, words=["a"])]
    embed.initialize(X=X)
    found = embed.get_dim("nO")
    if model.has_dim("nO") and model.get_dim("nO") != found:
        raise ConfigError(
            f"TweetEmbed.v1: width = {model.get_dim('nO')}, but without a mixing layer (mix = false) the features "
            f"are {found} wide. Set width = {found}, width = null or mix = true"
        )
    model.set_dim("nO", found)


def _predict_in_slices(model: Model[list[Doc], list[Floats2d]], docs: list[Doc]) -> list[Floats2d]:
    """One array for all docs, which is filled part by part, and the docs' views of it."""
    ends = np.cumsum([len(doc) for doc in docs])
    Y = model.ops.alloc2f(int(ends[-1]), model.get_dim("nO"))
    at = 0
    for part in slices(docs, SLICE):
        for rows in model.layers[0].predict(cast(list[Doc], part)):
            Y[at : at + len(rows)] = rows
            at += len(rows)
    return [Y[end - len(doc) : end] for doc, end in zip(docs, ends.tolist())]


def _no_gradient(dYs: list[Floats2d]) -> list[Doc]:
    """Docs take no gradient."""
    return []


def _static_vectors(projection: Optional[int], finetune: bool) -> Model[list[Doc], Ragged]:
    vectors = TunedVectors() if finetune else NormVectors()
    if projection is None:
        return vectors
    return chain(vectors, cast(Model[Ragged, Ragged], with_array(Linear(nO=projection))))


def _hashed_features(attrs: list[str], rows: list[int], width: int, norm_dropout: float) -> Model[list[Doc], Ragged]:
    tables: list[Model] = []
    for column, (attr, n_rows) in enumerate(zip(attrs, rows)):
        table: Model = HashEmbed(nO=width, nV=n_rows, column=column, seed=8 + column, dropout=0.0)
        with_dropout = norm_dropout > 0 and attr == "NORM"
        tables.append(chain(table, RowDropout(norm_dropout)) if with_dropout else table)
    columns = cast(list[Union[int, str]], attrs)
    return chain(
        FeatureExtractor(columns),
        cast(Model[list[Ints2d], Ragged], list2ragged()),
        cast(Model[Ragged, Ragged], with_array(concatenate(*tables))),
    )


def _brown_features(prefixes: list[int], rows: int, width: int) -> Model[list[Doc], Ragged]:
    tables: list[Model] = [
        HashEmbed(nO=width, nV=rows, column=column, seed=108 + column, dropout=0.0) for column in range(len(prefixes))
    ]
    return chain(BrownPrefixes(prefixes), cast(Model[Ragged, Ragged], with_array(concatenate(*tables))))
