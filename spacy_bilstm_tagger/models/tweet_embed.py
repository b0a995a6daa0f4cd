"""TweetEmbed.v1: frozen word vectors and hashed features of every token."""

from typing import Optional, Union, cast

from spacy.ml.featureextractor import FeatureExtractor
from spacy.tokens import Doc
from thinc.api import HashEmbed, Maxout, Model, chain, concatenate, list2ragged, ragged2list, with_array
from thinc.types import Floats2d, Ints2d, Ragged

from ..errors import ConfigError, Errors
from ..layers.norm_vectors import NormVectors
from ..checks import check_least


def TweetEmbed(
    *,
    width: Optional[int] = None,
    attrs: list[str],
    rows: list[int],
    feature_width: int = 32,
    include_static_vectors: bool,
    mix: bool = False,
) -> Model[list[Doc], list[Floats2d]]:
    """Embed every token without its context, as the lower half of a `spacy.Tok2Vec.v2`.

    The frozen vector of the token's NORM (a GloVe key) and one hashed embedding (Svenstrup et al. 2017, "Hash
    embeddings for efficient word representations") for each attribute are laid side by side. With `mix`, a maxout
    layer (Goodfellow et al. 2013, "Maxout networks") with layer normalization reduces them to `width`.

    width (int or None): output width. Without `mix` the sum of the parts; null lets it follow from them.
    attrs (list of str): token attributes to hash, such as NORM, PREFIX, SUFFIX, SHAPE.
    rows (list of int): rows of each attribute's table.
    feature_width (int): columns of each attribute's table.
    include_static_vectors (bool): use `vocab.vectors`; tokens without a row get its `<unk>` row, or zeros.
    mix (bool): reduce to `width` by a learned layer.
    RAISES: ConfigError for settings that contradict each other, and at initialization for a missing table.
    """
    where = "TweetEmbed.v1"
    if len(attrs) != len(rows):
        raise ConfigError(Errors.EMBED_ROWS.format(attrs=len(attrs), rows=len(rows)))
    if not attrs and not include_static_vectors:
        raise ConfigError(Errors.EMBED_NOTHING)
    for name, value in [("feature_width", feature_width), *[("rows", n) for n in rows]]:
        check_least(where, name, value, 1)
    if mix and width is None:
        raise ConfigError(Errors.EMBED_MIX_WIDTH)
    if width is not None:
        check_least(where, "width", width, 1)

    parts: list[Model[list[Doc], Ragged]] = []
    if include_static_vectors:
        parts.append(NormVectors())
    if attrs:
        parts.append(_hashed_features(attrs, rows, feature_width))
    embed = concatenate(*parts)
    if mix:
        mixer = with_array(Maxout(nO=width, nP=3, dropout=0.0, normalize=True))
        model = chain(embed, cast(Model[Ragged, Ragged], mixer), ragged2list())
    else:
        model = chain(embed, ragged2list())
        model.attrs["plain_width"] = width or 0
        model.init = init_plain
    model.name = "tweet_embed"
    if mix:
        model.set_dim("nO", width)
    return cast(Model[list[Doc], list[Floats2d]], model)


def init_plain(
    model: Model, X: Optional[list[Doc]] = None, Y: Optional[list[Floats2d]] = None
) -> None:
    """Initialize the parts, and compare their joint width with the one that was asked for."""
    embed = model.layers[0]
    embed.initialize(X=X)
    found = embed.get_dim("nO")
    asked = model.attrs["plain_width"]
    if asked and asked != found:
        raise ConfigError(Errors.EMBED_PLAIN_WIDTH.format(width=asked, found=found))
    model.set_dim("nO", found, force=True)


def _hashed_features(attrs: list[str], rows: list[int], width: int) -> Model[list[Doc], Ragged]:
    tables = [
        HashEmbed(nO=width, nV=n, column=column, seed=8 + column, dropout=0.0)
        for column, n in enumerate(rows)
    ]
    columns = cast(list[Union[int, str]], attrs)
    return chain(
        FeatureExtractor(columns),
        cast(Model[list[Ints2d], Ragged], list2ragged()),
        cast(Model[Ragged, Ragged], with_array(concatenate(*tables))),
    )
