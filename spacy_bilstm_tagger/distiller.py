"""What a distilled vector table was computed with, so that a word met later gets its row too.

It lies in a vocabulary's lookups, which spaCy saves and copies with it.
"""

from pathlib import Path
from typing import Optional

import numpy as np
from spacy.lookups import Lookups, Table
from spacy.vocab import Vocab

from .errors import DataError
from .word_encoder import WordEncoder

PROBE = "the"  # its encoding tells whether a model is the one that was distilled
_VECTORS_KEY = "distilled_vectors"
_TABLE_PREFIX = "distiller_"
_ARRAYS = ("mean", "projection", "probe")
_TOLERANCE = 1e-3  # relative to the probe's length; far more than rounding on another machine


def distiller_key(table: Optional[str] = None) -> str:
    """Where a vocabulary's lookups hold the distiller of this further vector table, or of `vocab.vectors`."""
    return _VECTORS_KEY if table is None else _TABLE_PREFIX + table


def is_distiller_key(name: str) -> bool:
    return name == _VECTORS_KEY or name.startswith(_TABLE_PREFIX)


class Distiller:
    """Computes rows as they lie in a distilled table, for words that are not in it.

    model_dir (Path): the transformer's folder; it is read when the first word is encoded.
    layer (int): whose hidden states are read, see `WordEncoder`.
    mean (ndarray): (hidden,) mean of the encodings that the PCA was fitted to.
    projection (ndarray): (hidden, dim) principal components times the scale.
    probe (ndarray): (hidden,) what the model made of a certain word.
    """

    def __init__(
        self, model_dir: Path, layer: int, *, mean: np.ndarray, projection: np.ndarray, probe: np.ndarray
    ) -> None:
        self.model_dir = model_dir
        self.layer = layer
        self.mean = mean
        self.projection = projection
        self.probe = probe
        self._encoder: Optional[WordEncoder] = None

    @property
    def dim(self) -> int:
        return self.projection.shape[1]

    def rows(self, words: list[str]) -> np.ndarray:
        """The rows of these word types (see `word_type`), (words, dim) float32.

        RAISES: DataError where the model is missing, damaged or another one.
        """
        if not words:
            return np.zeros((0, self.dim), dtype="float32")
        if self._encoder is None:
            self._encoder = self._load_encoder()
        return (self._encoder.encode(words) - self.mean) @ self.projection

    def _load_encoder(self) -> WordEncoder:
        encoder = WordEncoder(self.model_dir, self.layer)
        probe = encoder.encode([PROBE])[0]
        is_same = probe.shape == self.probe.shape
        if not is_same or np.linalg.norm(probe - self.probe) > _TOLERANCE * np.linalg.norm(self.probe):
            raise DataError(
                f"{self.model_dir}: another model than the one the vectors were distilled from; give that one, or "
                "distill again"
            )
        return encoder

    def to_vocab(self, vocab: Vocab, *, table: Optional[str] = None) -> None:
        """Keep this in the vocabulary's lookups.

        table (str or None): the further vector table that it made; None for `vocab.vectors`.
        """
        key = distiller_key(table)
        arrays = {name: getattr(self, name).astype("<f4").tobytes() for name in _ARRAYS}
        content = {"model": str(self.model_dir), "layer": self.layer, **arrays}
        vocab.lookups.set_table(key, Table(name=key, data=content))

    @classmethod
    def from_lookups(
        cls, lookups: Lookups, *, table: Optional[str] = None, model_dir: Optional[Path] = None
    ) -> "Distiller":
        """What `to_vocab` kept; KeyError where there is nothing.

        table (str or None): as there.
        model_dir (Path or None): where the transformer lies now; None for where it was distilled from.
        """
        content = lookups.get_table(distiller_key(table))
        arrays = {name: np.frombuffer(content[name], dtype="<f4") for name in _ARRAYS}
        arrays["projection"] = arrays["projection"].reshape(len(arrays["mean"]), -1)
        return cls(model_dir or Path(content["model"]), content["layer"], **arrays)
