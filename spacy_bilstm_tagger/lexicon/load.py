"""load_vectors.v1: vectors, Brown clusters and lists of names for `[initialize.before_init]`."""

import warnings
from functools import partial
from pathlib import Path
from typing import Callable, Literal, Optional

from spacy.language import Language
from thinc.api import Model

from ..errors import ConfigError, DataError
from .brown import load_brown
from .claim import tables_read
from .files import is_pipeline
from .gazetteers import load_gazetteers
from .sourced import check_sourced, sourced_components
from .sources import read_vectors
from .table import BROWN, GAZETTEERS, VECTORS_PREFIX
from .vectors import VOCAB_VECTORS, load_further_table, load_vectors, set_vectors


def create_load_vectors(
    source: Optional[str] = None,
    max_rows: Optional[int] = None,
    prune_to: Optional[int] = None,
    dim: Optional[int] = None,
    dtype: Literal["float32", "float16"] = "float32",
    brown: Optional[str] = None,
    tables: Optional[dict[str, Optional[str]]] = None,
    gazetteers: Optional[str] = None,
) -> Callable[[Language], None]:
    """Give the pipeline its vectors, Brown clusters and lists of names before its components are initialized, and
    compare sourced components with the pipeline and the training data.

    The tables are saved with the pipeline. A component that is sourced from a folder brings its further tables, clusters
    and lists along; only vectors have to be given again, with the folder as `source`.

    source (str or None): a folder made by `spacy-bilstm vectors`, or whatever that command reads: a gensim-data name
        such as glove-twitter-100, or a file. None: no vectors.
    max_rows, prune_to, dim, dtype: as in that command; a folder is taken as it is.
    brown (str or None): a file of Brown clusters (bit path TAB word TAB count, also .gz), or a folder made by
        `spacy-bilstm vectors brown`. None: no clusters.
    tables (dict or None): further vector tables, name -> a source as above. TweetEmbed.v1 takes them by these names.
        A name with None is left out.
    gazetteers (str or None): a folder of lists of names, one name a line in files called as the lists; a single such
        file; or a folder made by `spacy-bilstm vectors gazetteers`. None: no lists.
    RAISES: ConfigError with one line for a source that cannot be read, for a sourced component that was trained with
        other tables or has not all labels of the training data, and where there is nothing to load or to compare.
        WARNS of tables that no component of the pipeline reads.
    """
    for name, value in (("max_rows", max_rows), ("prune_to", prune_to), ("dim", dim)):
        if value is not None and value < 1:
            raise ConfigError(f"load_vectors.v1: {name} = {value}; expected a whole number of at least 1")
    return partial(
        _load,
        source=source,
        options={"max_rows": max_rows, "dim": dim},
        prune_to=prune_to,
        dtype=dtype,
        brown=brown,
        tables={name: table for name, table in (tables or {}).items() if table is not None},
        gazetteers=gazetteers,
    )


def _load(
    nlp: Language,
    *,
    source: Optional[str],
    options: dict[str, Optional[int]],
    prune_to: Optional[int],
    dtype: str,
    brown: Optional[str],
    tables: dict[str, str],
    gazetteers: Optional[str],
) -> None:
    has_tables = bool(tables) or any(each is not None for each in (source, brown, gazetteers))
    if not has_tables and not sourced_components(nlp):
        raise ConfigError(
            "load_vectors.v1: source, brown, gazetteers and tables are all null; expected at least one of them, or "
            "a sourced component that brings its own. Where the pipeline needs none, set [initialize] before_init = "
            "null, and take what it names out of TweetEmbed.v1 (tables = [])"
        )
    lookups = nlp.vocab.lookups
    try:
        for name, table in tables.items():
            load_further_table(table, name).to_lookups(lookups, VECTORS_PREFIX + name)
        if brown is not None:
            load_brown(Path(brown)).to_lookups(lookups, BROWN)
        if gazetteers is not None:
            load_gazetteers(Path(gazetteers)).to_lookups(lookups, GAZETTEERS)
        if source is not None and is_pipeline(Path(source)):
            load_vectors(nlp.vocab, Path(source))
        elif source is not None:
            read = read_vectors(source, **options)
            keys, rows = read.index_to_key, read.vectors
            set_vectors(nlp.vocab, keys, rows, name=Path(source).name, prune_to=prune_to, dtype=dtype)
    except DataError as error:
        raise ConfigError(str(error)) from None
    check_sourced(nlp)
    _warn_of_unread(nlp, source=source, brown=brown, gazetteers=gazetteers, tables=tables)


def _warn_of_unread(
    nlp: Language, *, source: Optional[str], brown: Optional[str], gazetteers: Optional[str], tables: dict[str, str]
) -> None:
    """WARNS of each table that is loaded and that no layer of the pipeline reads, unless there are no layers. Each is a
    path and a switch, and the switch is easily forgotten."""
    models = [pipe.model for _, pipe in nlp.components if isinstance(getattr(pipe, "model", None), Model)]
    if not models:
        return
    read = set().union(*map(tables_read, models))
    loaded = [(VOCAB_VECTORS, "source", "vectors", "include_static_vectors = true")] if source is not None else []
    loaded += [(BROWN, "brown", "Brown clusters", "brown_prefixes = [4, 8, 12, 16]")] if brown is not None else []
    loaded += [(GAZETTEERS, "gazetteers", "lists of names", "gazetteers = true")] if gazetteers is not None else []
    loaded += [(VECTORS_PREFIX + name, f"tables.{name}", "vectors", f'"{name}" among its tables') for name in tables]
    for table, setting, kind, switch in loaded:
        if table not in read:
            warnings.warn(
                f"load_vectors.v1: {setting} gives the pipeline {kind} that none of its components reads; "
                f"TweetEmbed.v1 reads them with {switch}. Or set {setting} to null",
                stacklevel=2,
            )
