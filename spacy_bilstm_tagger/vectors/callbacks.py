"""load_vectors.v1: vectors and Brown clusters for `[initialize.before_init]`."""

from functools import partial
from pathlib import Path
from typing import Callable, Optional

from spacy.language import Language

from ..checks import check_choice, check_least
from ..errors import ConfigError, DataError, Errors
from .brown import load_brown
from .sources import read_vectors
from .table import DTYPES, load_vectors, set_vectors


def create_load_vectors(
    source: Optional[str] = None,
    max_rows: Optional[int] = None,
    prune_to: Optional[int] = None,
    dim: Optional[int] = None,
    dtype: str = "float32",
    brown: Optional[str] = None,
) -> Callable[[Language], None]:
    """Give the pipeline its vectors and Brown clusters before its components are initialized. They are saved with it.

    source (str or None): a folder made by `spacy-bilstm vectors`, or whatever that command reads: a gensim-data name
        such as glove-twitter-100, or a file. None: no vectors.
    max_rows, prune_to, dim, dtype: as in that command; a folder is taken as it is.
    brown (str or None): a file of Brown clusters (bit path TAB word TAB count, also .gz), or a folder made by
        `spacy-bilstm vectors brown`. None: no clusters.
    RAISES: ConfigError with one line that says what is wrong with a source.
    """
    where = "load_vectors.v1"
    check_choice(where, "dtype", dtype, DTYPES)
    for name, value in (("max_rows", max_rows), ("prune_to", prune_to), ("dim", dim)):
        if value is not None:
            check_least(where, name, value, 1)
    if source is None and brown is None:
        raise ConfigError(Errors.LOAD_NOTHING)
    return partial(_load, source=source, max_rows=max_rows, prune_to=prune_to, dim=dim, dtype=dtype, brown=brown)


def _load(
    nlp: Language,
    *,
    source: Optional[str],
    max_rows: Optional[int],
    prune_to: Optional[int],
    dim: Optional[int],
    dtype: str,
    brown: Optional[str],
) -> None:
    try:
        if brown is not None:
            load_brown(nlp.vocab, Path(brown))
        if source is None:
            return
        if (Path(source) / "vocab").is_dir():
            load_vectors(nlp, Path(source))
            return
        vectors = read_vectors(source, max_rows=max_rows, dim=dim)
        set_vectors(nlp.vocab, vectors, name=Path(source).name, prune_to=prune_to, dtype=dtype)
    except DataError as error:
        raise ConfigError(str(error)) from None
