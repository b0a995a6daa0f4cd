"""Rows of word types that a distilled vector table lacks, by the transformer that it was distilled from."""

import warnings
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Optional

import numpy as np
from spacy.strings import get_string_id
from spacy.vocab import Vocab

from ..errors import DataError
from .distill import Distiller, word_type
from .table import NO_ROW, Hashes, WordTable
from .vectors import DISTILLER

MAX_KEPT = 100_000  # word types whose rows stay in memory; width * itemsize bytes each


class NewWords:
    """Computes a row when its word type is first met, and keeps it in memory.

    Where that cannot be done (no folder, no transformers, another model) there are zeros, and one warning with the
    reason. The cache is neither saved nor pickled nor copied. Threads may share this.

    name (str): the vector table's name.
    model_dir (Path): the transformer's folder.
    """

    def __init__(self, name: str, model_dir: Path) -> None:
        self.name = name
        self.model_dir = model_dir
        self._lock = Lock()
        self._table: Optional[WordTable] = None  # whose distiller this is
        self._distiller: Optional[Distiller] = None
        self._kept: dict[int, np.ndarray] = {}  # the last ones, by their LOWER

    def __reduce__(self) -> tuple:
        return NewWords, (self.name, self.model_dir)

    def find(self, lowers: Hashes, vocab: Vocab, table: WordTable) -> np.ndarray:
        """The rows of words that the table lacks, as it would have them; (words, width), of the table's type.

        White space gets zeros, as a table has no row for it.
        lowers (uint64): the words' LOWER, (words,).
        """
        nothing = np.zeros(table.width, dtype=np.float32)
        wanted = lowers.tolist()
        with self._lock:
            self._use(table, len(nothing))
            found = {lower: self._kept[lower] for lower in wanted if lower in self._kept}
            new = [lower for lower in dict.fromkeys(wanted) if lower not in found]
            if new and self._distiller is not None:
                words = [word_type(vocab.strings[lower]) for lower in new]
                found.update(zip(new, self._compute(self._distiller, words, table)))
                if self._distiller is not None:
                    self._kept.update({lower: found[lower] for lower in new})
                    for lower in list(islice(self._kept, max(0, len(self._kept) - MAX_KEPT))):
                        del self._kept[lower]
        return np.array([found.get(lower, nothing) for lower in wanted])

    def _use(self, table: WordTable, width: int) -> None:
        """Read the table's distiller, unless it is the one of last time."""
        if table is self._table:
            return
        self._table, self._distiller = table, None
        self._kept.clear()
        if DISTILLER in table.info:
            self._distiller = Distiller(model_dir=self.model_dir, **table.info[DISTILLER])
        if self._distiller is None or self._distiller.dim != width:
            self._give_up("the pipeline has no record of how this table was distilled")

    def _compute(self, distiller: Distiller, words: list[str], table: WordTable) -> np.ndarray:
        """(words, width)"""
        rows = np.zeros((len(words), table.width), dtype=np.float32)
        # Only tokenizers that leave @users and links their own NORM come here with them: their row is in the table.
        at = table.find(np.array([get_string_id(word) for word in words], dtype=np.uint64))
        rows[at != NO_ROW] = table.rows(at[at != NO_ROW])
        unknown = [i for i, word in enumerate(words) if at[i] == NO_ROW and word.strip()]
        try:
            rows[unknown] = distiller.rows([words[i] for i in unknown])
        except DataError as error:
            rows[:] = 0
            self._give_up(str(error))
        return rows

    def _give_up(self, reason: str) -> None:
        self._distiller = None
        warnings.warn(
            f"TweetEmbed.v1: words outside of the vector table {self.name!r} get no row, as with new_words = null: {reason}",
            stacklevel=2,
        )
