"""From gensim's KeyedVectors to spaCy's vectors table, and to a folder that holds one."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Optional

import numpy as np
import spacy
from spacy.language import Language
from spacy.util import OOV_RANK
from spacy.vectors import Mode, Vectors
from spacy.vocab import Vocab

from ..errors import DataError, Errors, damaged
from ..util import write_beside

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

UNK_KEY = "<unk>"
DTYPES = ("float32", "float16")
_NAME = "vectors"  # in the meta.json of the folders written here


def set_vectors(
    vocab: Vocab,
    vectors: "KeyedVectors",
    *,
    name: str,
    prune_to: Optional[int] = None,
    dtype: str = "float32",
) -> None:
    """Make these the vocabulary's vectors, under gensim's own keys, with an `<unk>` row for other words.

    The `<unk>` row, where there is none yet, comes first and is the mean of all rows, the usual stand-in for
    a word that GloVe does not know.

    prune_to (int or None): keep this many rows; words beyond share the row of the most similar word kept.
    dtype (str): one of DTYPES, for the stored numbers.
    RAISES: DataError for a row with NaN or infinity, also once it is of this dtype, and where there are no rows.
    """
    # The published Twitter files hold an empty key.
    named = [i for i, key in enumerate(vectors.index_to_key) if key]
    if not named:
        raise DataError(Errors.VECTORS_EMPTY.format(path=name))
    if prune_to:  # pruning keeps the first rows, and a file may end with its `<unk>`
        named.sort(key=lambda i: vectors.index_to_key[i] != UNK_KEY)
    keys = [vectors.index_to_key[i] for i in named]
    with np.errstate(over="ignore"):
        data = np.asarray(vectors.vectors[named], dtype="float32")
        bad = np.flatnonzero(~np.isfinite(data.astype(dtype)).all(axis=1))
    if len(bad):
        raise DataError(Errors.VECTORS_NOT_FINITE.format(path=name, key=keys[int(bad[0])], dtype=dtype))
    if UNK_KEY not in vectors.key_to_index:
        keys.insert(0, UNK_KEY)
        mean = data.mean(axis=0, keepdims=True, dtype="float64").astype("float32")
        data = np.vstack([mean, data])
    table = Vectors(strings=vocab.strings, data=data, name=name)
    for row, key in enumerate(keys):
        table.add(vocab.strings.add(key), row=row)
    vocab.vectors = table
    if prune_to and prune_to < len(keys):
        vocab.prune_vectors(prune_to)
    if dtype != "float32":
        vocab.vectors.data = vocab.vectors.data.astype(dtype)
    _rank_lexemes(vocab)


def save_vectors(vectors: "KeyedVectors", path: Path, *, name: str, prune_to: Optional[int], dtype: str) -> Vectors:
    """Write a blank pipeline that holds the table, as `spacy init vectors` does: any config can name it.

    RAISES: DataError where `path` is something else than such a folder.
    """
    check_output(path)
    nlp = spacy.blank("en")
    set_vectors(nlp.vocab, vectors, name=name, prune_to=prune_to, dtype=dtype)
    nlp.meta["name"] = _NAME
    with write_beside(path) as draft:
        nlp.to_disk(draft)
    return nlp.vocab.vectors


def check_output(path: Path, *, name: str = _NAME) -> None:
    """Raise DataError where `path` is there and is not a folder that was made here, for what this name says."""
    if not path.exists():
        return
    try:
        meta = json.loads((path / "meta.json").read_text("utf8"))
        is_ours = meta["name"] == name and meta["pipeline"] == []
    except (OSError, ValueError, KeyError, TypeError):
        is_ours = False
    if not is_ours:
        raise DataError(Errors.OUTPUT_NOT_FOLDER.format(path=path))


def load_vectors(nlp: Language, folder: Path) -> None:
    """Take over the table that `save_vectors` wrote.

    RAISES: DataError where the folder is damaged, has no table or one of another mode.
    """
    try:
        source = Vocab().from_disk(folder / "vocab", exclude=["lookups"])
    except Exception as error:  # damaged data can raise anything
        raise damaged(folder, "a spaCy vectors table", error) from None
    if source.vectors.mode != Mode.default:
        raise DataError(Errors.VECTORS_FLORET.format(mode=str(source.vectors.mode)))
    if not source.vectors.size:
        raise DataError(
            f"{folder}: the pipeline in this folder has no vectors; expected a folder made by 'spacy-bilstm "
            "vectors', or in a config source = null for none"
        )
    for key in source.vectors:
        nlp.vocab.strings.add(source.strings[key])
    table = Vectors(strings=nlp.vocab.strings, data=source.vectors.data, name=folder.name)
    for key, row in source.vectors.key2row.items():
        table.add(key, row=row)
    nlp.vocab.vectors = table
    _rank_lexemes(nlp.vocab)


def _rank_lexemes(vocab: Vocab) -> None:
    for lexeme in vocab:
        lexeme.rank = vocab.vectors.key2row.get(lexeme.orth, OOV_RANK)
