"""Rows of word types that a distilled vector table lacks, by the transformer that it was distilled from."""

import warnings
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray
from spacy.strings import get_string_id
from spacy.vocab import Vocab

from .distiller import Distiller, distiller_key
from .errors import DataError
from .tokenizer.word_types import word_type
from .vector_tables import MISSING, VectorTable

KEPT_TYPES = 100_000  # whose rows stay in memory; width * itemsize bytes each
_UNREAD = object()


class NewWords:
    """Computes a row when its word type is first met, and keeps it in memory.

    Where that cannot be done (no folder, no transformers, another model) there are zeros, and one warning says why.
    What was met is neither saved nor pickled nor copied.
    Threads may share this.

    table (str): the vector table's name.
    model_dir (Path): the transformer's folder.
    """

    def __init__(self, table: str, model_dir: Path) -> None:
        self.table = table
        self.model_dir = model_dir
        self._lock = Lock()
        self._source: Any = _UNREAD  # the lookups table that the distiller was read from; None where there is none
        self._distiller: Optional[Distiller] = None
        self._kept: dict[int, np.ndarray] = {}  # the last ones, by their LOWER

    def __reduce__(self) -> tuple:
        return NewWords, (self.table, self.model_dir)

    def find(self, lowers: NDArray[np.uint64], vocab: Vocab, table: VectorTable) -> np.ndarray:
        """The rows of words that the table lacks, as it would have them; (words, width), of the table's type.

        White space gets zeros, as a table has no row for it.
        lowers (uint64): the words' LOWER, (words,).
        """
        types, word_to_type = np.unique(lowers, return_inverse=True)
        found = np.zeros((len(types), table.width), dtype=table.data.dtype)
        with self._lock:
            self._use(vocab, table)
            new = []
            for i, lower in enumerate(types.tolist()):
                if lower in self._kept:
                    found[i] = self._kept[lower]
                else:
                    new.append(i)
            if new and self._distiller is not None:
                words = [word_type(vocab.strings[lower]) for lower in types[new].tolist()]
                found[new] = self._compute(self._distiller, words, table)
                if self._distiller is not None:
                    self._keep(types[new].tolist(), found[new])
        return found[word_to_type.reshape(-1)]

    def _use(self, vocab: Vocab, table: VectorTable) -> None:
        """Read the vocabulary's distiller, unless it is the one of last time."""
        key = distiller_key(self.table)
        source = vocab.lookups.get_table(key, None)
        if source is self._source:
            return
        self._source, self._distiller = source, None
        self._kept.clear()
        if source is not None:
            self._distiller = Distiller.from_lookups(vocab.lookups, table=self.table, model_dir=self.model_dir)
        if self._distiller is None or self._distiller.dim != table.width:
            self._give_up("the pipeline does not say how this table was distilled")

    def _compute(self, distiller: Distiller, words: list[str], table: VectorTable) -> np.ndarray:
        """(words, width)"""
        rows = np.zeros((len(words), table.width), dtype=table.data.dtype)
        # Only tokenizers that leave @users and links their own NORM come here with them: their row is in the table.
        at = table.find(np.array([get_string_id(word) for word in words], dtype="uint64"))
        rows[at != MISSING] = table.data[at[at != MISSING]]
        unknown = [i for i, word in enumerate(words) if at[i] == MISSING and word.strip()]
        try:
            rows[unknown] = distiller.rows([words[i] for i in unknown])
        except DataError as error:
            rows[:] = 0
            self._give_up(str(error))
        return rows

    def _keep(self, lowers: list[int], rows: np.ndarray) -> None:
        self._kept.update(zip(lowers, rows))
        for lower in list(islice(self._kept, max(0, len(self._kept) - KEPT_TYPES))):
            del self._kept[lower]

    def _give_up(self, reason: str) -> None:
        self._distiller = None
        warnings.warn(
            (
                f"TweetEmbed.v1: words outside of the vector table {self.table!r} get no row, as with new_words = "
                f"null: {reason}"
            ),
            stacklevel=2,
        )
