"""TweetEmbed.v1: vectors, hashed features, characters, Brown clusters and names of every token."""

from pathlib import Path
from typing import Optional, Union

from spacy.attrs import IDS
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..errors import ConfigError
from ..layers.characters import CharCNN
from ..layers.tweet_embed import EmbedWordTypes
from ..layers.word_features import (
    GazetteerFeatures,
    HashedAttribute,
    HashedBrownPrefixes,
    NormVectors,
    TableVectors,
    TunedVectors,
)
from ..lexicon.new_words import NewWords
from ..util import check_at_least, check_fraction


def TweetEmbed(
    *,
    attrs: list[str],
    rows: list[int],
    feature_width: int = 32,
    norm_dropout: float = 0.0,
    include_static_vectors: bool,
    char_kernels: list[int] = [],  # noqa: B006 (thinc's registry copies defaults)
    char_filters: int = 32,
    char_width: int = 24,
    brown_prefixes: list[int] = [],  # noqa: B006
    brown_rows: int = 1000,
    brown_width: int = 16,
    tables: list[str] = [],  # noqa: B006
    gazetteers: Union[bool, list[str]] = False,
    finetune_vectors: bool = False,
    new_words: Optional[str] = None,
    cache_mb: int = 64,
) -> Model[list[Doc], list[Floats2d]]:
    """Embed every token without its context, as the lower half of a `spacy.Tok2Vec.v2`.

    The frozen vector of the token's NORM (a GloVe key), one hashed embedding for each attribute, a character CNN, one
    hashed embedding for each prefix of its Brown cluster's path, and the gazetteers that it is on are laid side by
    side, those of them that are switched on. The output is as wide as all of them together.

    attrs (list of str): token attributes to hash, such as NORM, PREFIX, SUFFIX, SHAPE.
    rows (list of int): rows of each attribute's table.
    feature_width (int): columns of each attribute's table.
    norm_dropout (float): share of training tokens whose hashed NORM is dropped, so that words are also known by their
        vectors and spelling, as those have to be that training never shows.
    include_static_vectors (bool): use `vocab.vectors`; tokens without a row get its `<unk>` row, or zeros.
    char_kernels (list of int): widths of the character CNN's convolutions, in characters; empty for no CNN.
    char_filters (int): filters of each of these widths.
    char_width (int): columns of the character table.
    brown_prefixes (list of int): the first bits of the path that are embedded, such as 4, 8, 12 and 16; empty for none.
    brown_rows (int): rows of each prefix length's table.
    brown_width (int): columns of each prefix length's table.
    tables (list of str): further tables of frozen vectors, by the names that load_vectors.v1 gave them. A token without
        a row there gets zeros.
    gazetteers (bool or list of str): two columns for each list of names that load_vectors.v1 gave the pipeline, or for
        these lists alone: a name begins at the token, a name goes on there.
    finetune_vectors (bool): train the static vectors too: see `TunedVectors`.
    new_words (str or None): the folder of the transformer that the further tables were distilled from. A word type
        without a row is then encoded when it is first met, in training and at prediction, and gets the row that the
        table would have; without that model there is one warning, and zeros. null, the default, leaves zeros, so that
        a prediction is the same on every machine. It is no part of what is learned: a saved pipeline follows its
        config, and `spacy.load(path, config={"components.tagger.model.tok2vec.embed.new_words": folder})` turns it on.
    cache_mb (int): millions of bytes for a cache of words at prediction on the CPU. It holds the rows of the words that
        were used last, and what a BiLSTMEncoder above makes of each alone. 0 for none: then a word is shared within a
        batch only. It may be changed in the config of a trained pipeline.
    RAISES: ConfigError for settings that contradict each other or name what is not there, and at initialization for a
        missing table.
    """
    where = "TweetEmbed.v1"
    check_at_least(where, 1, feature_width=feature_width, char_filters=char_filters, char_width=char_width)
    check_at_least(where, 1, brown_rows=brown_rows, brown_width=brown_width)
    for name, values in (("rows", rows), ("char_kernels", char_kernels), ("brown_prefixes", brown_prefixes)):
        for value in values:
            check_at_least(where, 1, **{name: value})
    check_fraction(where, norm_dropout=norm_dropout)
    check_at_least(where, 0, cache_mb=cache_mb)
    if len(attrs) != len(rows):
        raise ConfigError(
            f"TweetEmbed.v1: attrs has {len(attrs)} entries and rows has {len(rows)}; expected one number of rows per attribute"
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
    if not (attrs or include_static_vectors or char_kernels or brown_prefixes or tables or gazetteers):
        raise ConfigError(
            "TweetEmbed.v1: attrs, char_kernels, brown_prefixes and tables are empty, include_static_vectors and "
            "gazetteers are false, so there is nothing to embed"
        )
    if norm_dropout and "NORM" not in attrs:
        raise ConfigError(
            f"TweetEmbed.v1: norm_dropout = {norm_dropout}, but attrs has no NORM to drop; add it, or set norm_dropout = 0"
        )
    if finetune_vectors and not include_static_vectors:
        raise ConfigError("TweetEmbed.v1: finetune_vectors = True needs include_static_vectors = true, found false")
    if new_words and not tables:
        raise ConfigError(f"TweetEmbed.v1 has new_words = {new_words!r}, but no tables; name a distilled table, or set it to null")

    hashed = [HashedAttribute(column, width=feature_width, rows=n_rows) for column, n_rows in enumerate(rows)]
    features = []
    if include_static_vectors:
        features.append(TunedVectors() if finetune_vectors else NormVectors())
    features += [TableVectors(table, NewWords(table, Path(new_words)) if new_words else None) for table in tables]
    features += hashed
    if char_kernels:
        features.append(CharCNN(width=char_width, kernels=char_kernels, filters=char_filters))
    if brown_prefixes:
        features.append(HashedBrownPrefixes(brown_prefixes, width=brown_width, rows=brown_rows))
    return EmbedWordTypes(
        features,
        settings={
            "attrs": attrs,
            "include_static_vectors": include_static_vectors,
            "finetune_vectors": finetune_vectors,
            "tables": tables,
            "char_kernels": char_kernels,
            "brown_prefixes": brown_prefixes,
            "gazetteers": gazetteers,
        },
        names=GazetteerFeatures(None if gazetteers is True else gazetteers) if gazetteers else None,
        norm=hashed[attrs.index("NORM")] if "NORM" in attrs else None,
        norm_dropout=norm_dropout,
        cache_mb=cache_mb,
    )
