"""Word vectors: as `vocab.vectors`, an ordinary spaCy table, or as a further table in the vocabulary's lookups."""

import hashlib
from pathlib import Path
from typing import Any, Optional

import numpy as np
from spacy.strings import get_string_id
from spacy.util import OOV_RANK
from spacy.vectors import Mode, Vectors
from spacy.vocab import Vocab
from thinc.util import to_numpy

from ..errors import ConfigError, DataError, Errors
from .files import VECTORS_FOLDER, find_pipeline, is_pipeline, keeping_reason, read_lookups, save_folder
from .sources import GENSIM_NAMES, read_vectors
from .table import VECTORS_PREFIX, WordTable
from .text_rows import check_finite

VOCAB_VECTORS = "vocab.vectors"  # names that table among those that layers read
DISTILLER = "distiller"  # in the lookups of a folder of distilled vectors, and in the info of a further table
UNK_KEY = "<unk>"
UNK_HASH = get_string_id(UNK_KEY)


def set_vectors(
    vocab: Vocab,
    keys: list[str],
    rows: np.ndarray,
    *,
    name: str,
    prune_to: Optional[int] = None,
    dtype: str = "float32",
) -> None:
    """Make these the vocabulary's vectors. An `<unk>` row for other words, where there is none yet, comes first and is the
    mean of all rows, the usual stand-in for a word that GloVe does not know.

    keys (list of str): the words, as they stand in the file.
    rows (array): (keys, width).
    prune_to (int or None): keep this many rows; words beyond share the row of the most similar word kept.
    dtype (str): float32 or float16, for the stored numbers.
    RAISES: DataError for a row with NaN or infinity, also once it is of this dtype, and where there are no rows, or zeros alone.
    """
    keys, data = _named_rows(keys, rows, name=name, dtype=dtype)
    if prune_to and UNK_KEY in keys:  # pruning keeps the first rows, and a file may end with its `<unk>`
        order = sorted(range(len(keys)), key=lambda i: keys[i] != UNK_KEY)
        keys, data = [keys[i] for i in order], data[order]
    if UNK_KEY not in keys:
        keys.insert(0, UNK_KEY)
        mean = data.mean(axis=0, keepdims=True, dtype="float64").astype("float32")
        data = np.vstack([mean, data])
    for key in keys:
        vocab.strings.add(key)
    vocab.vectors = Vectors(strings=vocab.strings, data=data, keys=keys, name=name)
    if prune_to and prune_to < len(keys):
        vocab.prune_vectors(prune_to)
    if dtype != "float32":
        vocab.vectors.data = vocab.vectors.data.astype(dtype)
    _rank_lexemes(vocab)


def _named_rows(keys: list[str], rows: np.ndarray, *, name: str, dtype: str) -> tuple[list[str], np.ndarray]:
    """The words, and their rows in float32, without those of an empty key, which the published Twitter files hold. RAISES: as
    `set_vectors`."""
    named = [i for i, key in enumerate(keys) if key]
    if not named:
        raise DataError(Errors.VECTORS_EMPTY.format(path=name))
    keys = [keys[i] for i in named]
    with np.errstate(over="ignore"):
        data = np.asarray(rows[named], dtype="float32")
    check_finite(keys, data, name=name, dtype=dtype)
    if not data.any():
        raise DataError(f"{name}: all rows are zeros, which say nothing of a word; expected vectors. Get the file again")
    return keys, data


def save_vectors(keys: list[str], rows: np.ndarray, output: Path, **settings: Any) -> Vectors:
    """Write a blank pipeline that holds the table: see `save_folder`, and `set_vectors` for the settings."""
    vocab = Vocab()
    set_vectors(vocab, keys, rows, **settings)
    save_folder(vocab, output, kind=VECTORS_FOLDER)
    return vocab.vectors


def load_vectors(vocab: Vocab, folder: Path) -> None:
    """Make the vectors of a pipeline's folder those of the vocabulary.

    RAISES: DataError where the folder is damaged, has no table or one of another mode.
    """
    source = _read_folder(folder)
    vectors = source.vectors
    for key in vectors:
        vocab.strings.add(source.strings[key])
    vectors.strings, vectors.name = vocab.strings, folder.name
    vocab.vectors = vectors
    _rank_lexemes(vocab)


def load_further_table(source: str, name: str, *, dtype: str = "float32", **reading: Any) -> WordTable:
    """A further vector table, with the keys of the source. A pipeline that has a further table of this name gives that
    one; any other gives its `vocab.vectors`. A distilled table keeps its distiller.

    dtype (str): of the numbers of a file. reading: see `read_vectors`, for a file likewise.
    RAISES: DataError as `load_vectors`, `set_vectors` and `read_vectors`.
    """
    folder = find_pipeline(source)
    if not folder.exists() and source not in GENSIM_NAMES:
        raise DataError(
            f"{source}: no such file or folder, for the vector table {name!r}. 'spacy-bilstm vectors distill "
            f"MODEL_DIR WORDS... {source}' makes it. Or set it to null, and take it out of tables in TweetEmbed.v1"
        )
    if is_pipeline(folder):
        lookups = read_lookups(folder)
        table = WordTable.from_lookups(lookups, VECTORS_PREFIX + name)
        if table is not None:
            return table
        info = {DISTILLER: lookups.get_table(DISTILLER)[DISTILLER]} if DISTILLER in lookups else {}
        vectors = _read_folder(folder).vectors
        hashes = np.fromiter(vectors.key2row.keys(), dtype=np.uint64)
        at = np.fromiter(vectors.key2row.values(), dtype=np.int64)
        return WordTable.build(hashes, info, rows=np.asarray(vectors.data)[at])
    keyed = read_vectors(source, **reading)
    keys, rows = _named_rows(keyed.index_to_key, keyed.vectors, name=name, dtype=dtype)
    hashes = np.array([get_string_id(key) for key in keys], dtype=np.uint64)
    return WordTable.build(hashes, rows=rows.astype(dtype))


def is_same(vectors: Vectors, others: Vectors) -> bool:
    """Whether two tables, each on any device, give every word the same row."""
    if vectors is others or vectors.data is others.data:
        return True
    same_words = vectors.shape == others.shape and vectors.key2row == others.key2row
    return same_words and np.array_equal(to_numpy(vectors.data), to_numpy(others.data))


def check_vectors(vectors: Vectors) -> None:
    """Raise ConfigError for a table that is missing, of another mode, zero throughout, or holds NaN, infinity or more than a
    float32."""
    if vectors.mode != Mode.default:
        raise ConfigError(Errors.VECTORS_FLORET.format(mode=str(vectors.mode)))
    if vectors.shape[0] == 0 or vectors.shape[1] == 0:
        raise ConfigError(Errors.VECTORS_MISSING)
    # The sum of a row is finite only if every number in it is. Models compute in float32, which reaches less far.
    with np.errstate(over="ignore"):
        data = vectors.data.astype("float32") if vectors.data.dtype == np.float64 else vectors.data
        sums = data.sum(axis=1, dtype="float64")
    bad = ~np.isfinite(sums.get() if hasattr(sums, "get") else sums)  # cupy's arrays have get
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        keys = [key for key, at in vectors.key2row.items() if at == row and key in vectors.strings]
        raise ConfigError(
            f"The vectors table holds NaN or infinity (row {row}, key {vectors.strings[keys[0]] if keys else '?'!r}); "
            "expected finite float32 numbers"
        )
    if not sums.any() and not data.any():
        raise ConfigError("The vectors table holds zeros alone, which say nothing of a word; get the vectors again")


def checksum(vectors: Vectors) -> str:
    """SHA-256 of the rows and of the row of each key."""
    hashes = np.fromiter(vectors.key2row.keys(), dtype=np.uint64)
    at = np.fromiter(vectors.key2row.values(), dtype=np.int64)
    order = np.argsort(hashes)
    data = vectors.data.get() if hasattr(vectors.data, "get") else vectors.data  # cupy's arrays have get
    digest = hashlib.sha256(f"{data.dtype.str}{data.shape}".encode())
    for part in (hashes[order], at[order], np.ascontiguousarray(data)):
        digest.update(part.data)
    return digest.hexdigest()[:32]


def check_shape(vectors: Vectors, *, width: int, tuned_rows: Optional[int] = None) -> None:
    """Raise ConfigError for vectors of another width, or of another number of rows than were fine-tuned."""
    expected, found = (f"{rows} rows of width {columns}" for rows, columns in ((tuned_rows, width), vectors.shape))
    if tuned_rows is not None and expected != found:
        raise ConfigError(
            f"TweetEmbed.v1 has fine-tuned the rows of a vectors table of {expected}, but the pipeline's has {found}. "
            "Load the vectors the model was trained with, or train again"
        )
    if vectors.shape[1] != width:
        raise ConfigError(
            f"TweetEmbed.v1 was built for vectors of width {width}, but the pipeline's table has width "
            f"{vectors.shape[1]}. Load the vectors the model was trained with, or train again"
        )


def _read_folder(folder: Path) -> Vocab:
    with keeping_reason(folder, "a spaCy vectors table"):
        source = Vocab().from_disk(folder / "vocab", exclude=["lookups"])
    if source.vectors.mode != Mode.default:
        raise DataError(Errors.VECTORS_FLORET.format(mode=str(source.vectors.mode)))
    if not source.vectors.size:
        raise DataError(
            f"{folder}: the pipeline in this folder has no vectors; expected a folder made by 'spacy-bilstm vectors', "
            "or in a config source = null for none"
        )
    return source


def _rank_lexemes(vocab: Vocab) -> None:
    for lexeme in vocab:
        lexeme.rank = vocab.vectors.key2row.get(lexeme.orth, OOV_RANK)
