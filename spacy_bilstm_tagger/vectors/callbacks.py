"""load_vectors.v1: vectors, Brown clusters and lists of names for `[initialize.before_init]`."""

from functools import partial
from pathlib import Path
from typing import Callable, Optional

import numpy as np
import spacy
from spacy.language import Language
from spacy.lookups import Lookups
from spacy.vocab import Vocab

from ..checks import check_choice, check_least
from ..distiller import distiller_key
from ..errors import ConfigError, DataError
from ..vector_tables import PREFIX, set_vector_table
from .brown import load_brown
from .gazetteers import load_gazetteers
from .lookups_folder import is_pipeline, read_lookups
from .sourced import check_sourced
from .sources import GENSIM_NAMES, read_vectors
from .table import DTYPES, load_vectors, set_vectors
from .unread import warn_of_unread


def create_load_vectors(
    source: Optional[str] = None,
    max_rows: Optional[int] = None,
    prune_to: Optional[int] = None,
    dim: Optional[int] = None,
    dtype: str = "float32",
    brown: Optional[str] = None,
    tables: Optional[dict[str, Optional[str]]] = None,
    gazetteers: Optional[str] = None,
) -> Callable[[Language], None]:
    """Give the pipeline its vectors, Brown clusters and lists of names before its components are initialized.

    They are saved with it.

    source (str or None): a folder made by `spacy-bilstm vectors`, or whatever that command reads: a gensim-data name
        such as glove-twitter-100, or a file. None: no vectors.
    max_rows, prune_to, dim, dtype: as in that command; a folder is taken as it is.
    brown (str or None): a file of Brown clusters (bit path TAB word TAB count, also .gz), or a folder made by
        `spacy-bilstm vectors brown`. None: no clusters.
    tables (dict or None): further vector tables, name -> a source as above. TweetEmbed.v1 takes them by these names.
        A name with None is left out.
    gazetteers (str or None): a folder of lists of names, one name a line in files called as the lists; a single such
        file; or a folder made by `spacy-bilstm vectors gazetteers`. None: no lists.
    RAISES: ConfigError with one line that says what is wrong with a source, or that a sourced component was trained
        with other tables or has not all labels of the training data. WARNS of what no component of the pipeline reads.
    """
    where = "load_vectors.v1"
    check_choice(where, "dtype", dtype, DTYPES)
    given_tables = {name: table for name, table in (tables or {}).items() if table is not None}
    for name, value in (("max_rows", max_rows), ("prune_to", prune_to), ("dim", dim)):
        if value is not None:
            check_least(where, name, value, 1)
    if source is None and brown is None and gazetteers is None and not given_tables:
        raise ConfigError(
            "load_vectors.v1: source, brown, gazetteers and tables are all null; expected at least one of them. "
            "Where the pipeline needs none, set [initialize] before_init = null, and take what it names out of "
            "TweetEmbed.v1 (tables = [])"
        )
    return partial(
        _load,
        source=source,
        max_rows=max_rows,
        prune_to=prune_to,
        dim=dim,
        dtype=dtype,
        brown=brown,
        tables=given_tables,
        gazetteers=gazetteers,
    )


def _load(
    nlp: Language,
    *,
    source: Optional[str],
    max_rows: Optional[int],
    prune_to: Optional[int],
    dim: Optional[int],
    dtype: str,
    brown: Optional[str],
    tables: dict[str, str],
    gazetteers: Optional[str],
) -> None:
    try:
        for name, table in tables.items():
            _load_table(nlp.vocab, name, table)
        if brown is not None:
            load_brown(nlp.vocab, Path(brown))
        if gazetteers is not None:
            load_gazetteers(nlp.vocab, Path(gazetteers))
        if source is not None and is_pipeline(Path(source)):
            load_vectors(nlp, Path(source))
        elif source is not None:
            vectors = read_vectors(source, max_rows=max_rows, dim=dim)
            set_vectors(nlp.vocab, vectors, name=Path(source).name, prune_to=prune_to, dtype=dtype)
    except DataError as error:
        raise ConfigError(str(error)) from None
    check_sourced(nlp)
    warn_of_unread(
        nlp, vectors=source is not None, brown=brown is not None, gazetteers=gazetteers is not None, tables=list(tables)
    )


def _load_table(vocab: Vocab, name: str, source: str) -> None:
    """Read a source as for `vocab.vectors`, and keep it as a further table under its own keys. A pipeline that has a
    further table of this name gives that one. What a distilled table was computed with comes along."""
    if distiller_key(name) in vocab.lookups:  # of the table whose place this one takes
        vocab.lookups.remove_table(distiller_key(name))
    if not Path(source).exists() and source not in GENSIM_NAMES:
        raise DataError(
            f"{source}: no such file or folder, for the vector table {name!r}. 'spacy-bilstm vectors distill "
            f"MODEL_DIR WORDS... {source}' makes it. Or set it to null, and take it out of tables in TweetEmbed.v1"
        )
    aside = spacy.blank("xx")
    if is_pipeline(Path(source)):
        lookups = read_lookups(Path(source))
        if PREFIX + name in lookups:
            vocab.lookups.set_table(PREFIX + name, lookups.get_table(PREFIX + name))
            _take_distiller(vocab, name, lookups, distiller_key(name))
            return
        load_vectors(aside, Path(source))
        _take_distiller(vocab, name, lookups, distiller_key())
    else:
        set_vectors(aside.vocab, read_vectors(source), name=name)
    vectors = aside.vocab.vectors
    hashes = np.fromiter(vectors.key2row.keys(), dtype="uint64")
    rows = np.fromiter(vectors.key2row.values(), dtype="int64")
    set_vector_table(vocab, name, hashes, np.asarray(vectors.data)[rows])


def _take_distiller(vocab: Vocab, name: str, lookups: Lookups, key: str) -> None:
    if key in lookups:
        vocab.lookups.set_table(distiller_key(name), lookups.get_table(key))
