"""load_vectors.v1: vectors for `[initialize.before_init]`."""

from functools import partial
from pathlib import Path
from typing import Callable, Optional

from spacy.language import Language

from ..checks import check_choice, check_least
from ..errors import ConfigError, DataError
from .sources import read_vectors
from .table import DTYPES, load_vectors, set_vectors


def create_load_vectors(
    source: str,
    max_rows: Optional[int] = None,
    prune_to: Optional[int] = None,
    dim: Optional[int] = None,
    dtype: str = "float32",
) -> Callable[[Language], None]:
    """Give the pipeline its vectors before its components are initialized. They are saved with it.

    source (str): a folder made by `spacy-bilstm vectors`, or whatever that command reads: a gensim-data name
        such as glove-twitter-100, or a file.
    max_rows, prune_to, dim, dtype: as in that command; a folder is taken as it is.
    RAISES: ConfigError with one line that says what is wrong with the source.
    """
    where = "load_vectors.v1"
    check_choice(where, "dtype", dtype, DTYPES)
    for name, value in (("max_rows", max_rows), ("prune_to", prune_to), ("dim", dim)):
        if value is not None:
            check_least(where, name, value, 1)
    return partial(_load, source=source, max_rows=max_rows, prune_to=prune_to, dim=dim, dtype=dtype)


def _load(
    nlp: Language,
    *,
    source: str,
    max_rows: Optional[int],
    prune_to: Optional[int],
    dim: Optional[int],
    dtype: str,
) -> None:
    try:
        if (Path(source) / "vocab").is_dir():
            load_vectors(nlp, Path(source))
            return
        vectors = read_vectors(source, max_rows=max_rows, dim=dim)
        set_vectors(nlp.vocab, vectors, name=Path(source).name, prune_to=prune_to, dtype=dtype)
    except DataError as error:
        raise ConfigError(str(error)) from None
