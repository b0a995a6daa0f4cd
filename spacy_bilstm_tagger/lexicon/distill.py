"""Static vectors distilled from a transformer: every word type encoded alone, reduced by PCA.

Tulkens and van Dongen's model2vec does this too (https://github.com/MinishLab/model2vec), but its `distill` keeps
neither the mean nor the components, without which a word met later cannot get its row.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import numpy as np
from spacy.lookups import Table
from spacy.vectors import Vectors
from spacy.vocab import Vocab

from ..errors import DataError
from ..tokenizer.glove_keys import glove_key
from .files import VECTORS_FOLDER, save_folder
from .table import without_sign
from .vectors import DISTILLER, set_vectors
from .word_encoder import WordEncoder

SHARED_KEYS = ("<user>", "<url>")  # GloVe's keys for words that hardly ever occur twice
PROBE = "the"  # its encoding tells whether a model is the one that was distilled
_TOLERANCE = 1e-3  # relative to the probe's length; far more than rounding on another machine


def word_type(text: str) -> str:
    """The key of a token in a distilled table: the lower-cased text without the # of a hashtag; <user> for @users,
    <url> for links and e-mail addresses."""
    key = glove_key(text)
    if key in SHARED_KEYS:
        return key
    return without_sign(text.lower())


@dataclass(eq=False)
class Distiller:
    """Computes rows as they lie in a distilled table, for words that are not in it.

    model_dir (Path): the transformer's folder; it is read when the first word is encoded.
    layer (int): whose hidden states are read, see `WordEncoder`.
    mean (ndarray): (hidden,) mean of the encodings that the PCA was fitted to.
    projection (ndarray): (hidden, dim) principal components times the scale.
    probe (ndarray): (hidden,) the encoding of PROBE.
    """

    model_dir: Path
    layer: int
    mean: np.ndarray
    projection: np.ndarray
    probe: np.ndarray
    _encoder: Optional[WordEncoder] = field(default=None, init=False)

    @property
    def dim(self) -> int:
        return self.projection.shape[1]

    def rows(self, words: list[str]) -> np.ndarray:
        """The rows of these word types (see `word_type`), (words, dim) float32.

        RAISES: DataError where the model is missing, damaged or another one.
        """
        if not words:
            return np.zeros((0, self.dim), dtype="float32")
        self._encoder = self._encoder or self._load_encoder()
        return (self._encoder.encode(words) - self.mean) @ self.projection

    def _load_encoder(self) -> WordEncoder:
        encoder = WordEncoder(self.model_dir, self.layer)
        probe = encoder.encode([PROBE])[0]
        is_same = probe.shape == self.probe.shape
        if not is_same or np.linalg.norm(probe - self.probe) > _TOLERANCE * np.linalg.norm(self.probe):
            raise DataError(
                f"{self.model_dir}: another model than the one the vectors were distilled from; give that one, or distill again"
            )
        return encoder


def fit_distiller(model_dir: Path, words: list[str], *, dim: int, layer: Optional[int] = None) -> tuple[Distiller, np.ndarray]:
    """Fit the PCA to the encodings of these words; also returns their rows, (words, dim) float32.

    The components are scaled by one number, so that the columns have variance 1 on average.
    layer (int or None): see `WordEncoder`.
    RAISES: DataError for a model that is missing or damaged, a dim that is larger than its hidden states or needs
        more words, and encodings that are not finite or all the same.
    """
    encoder = WordEncoder(model_dir, layer)
    if dim > encoder.width:
        raise DataError(f"--dim {dim}: the hidden states of {model_dir} are {encoder.width} wide; give that or less")
    if dim >= len(words):
        raise DataError(
            f"--dim {dim}: found {len(words)} word types, expected at least {dim + 1}; give more words or a smaller --dim"
        )
    encoded = encoder.encode(words, shows_progress=True)
    mean, projection = _fit_pca(encoded, dim)
    if not (np.isfinite(mean).all() and np.isfinite(projection).all()):
        raise DataError(f"{model_dir}: the encodings of the words hold NaN or infinity, or are all the same; get the model again")
    probe = encoder.encode([PROBE])[0]
    distiller = Distiller(model_dir=model_dir, layer=encoder.layer, mean=mean, projection=projection, probe=probe)
    encoded -= mean  # in place: for a million words it is a gigabyte
    return distiller, encoded @ projection


def save_distilled(distiller: Distiller, words: list[str], rows: np.ndarray, output: Path, *, dtype: str) -> Vectors:
    """Write a blank pipeline that holds the table, and the distiller for the rows of further words.

    RAISES: DataError where `output` is something else than a folder of vectors made here.
    """
    vocab = Vocab()
    set_vectors(vocab, words, rows, name=distiller.model_dir.name, dtype=dtype)
    info = {name: getattr(distiller, name) for name in ("layer", "mean", "projection", "probe")}  # its folder may move
    vocab.lookups.set_table(DISTILLER, Table(name=DISTILLER, data={DISTILLER: info}))
    save_folder(vocab, output, kind=VECTORS_FOLDER)
    return vocab.vectors


def _fit_pca(encoded: np.ndarray, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean, and the first principal components scaled so that the columns have variance 1 on average."""
    mean = encoded.mean(axis=0, dtype="float64")
    covariance = np.zeros((len(mean), len(mean)))
    for start in range(0, len(encoded), 10_000):  # in float64 without a copy of everything
        centred = encoded[start : start + 10_000] - mean
        covariance += centred.T @ centred
    covariance /= len(encoded) - 1
    if not np.isfinite(covariance).all():
        return mean, covariance
    variances, components = np.linalg.eigh(covariance)
    variances, components = variances[::-1][:dim], components[:, ::-1][:, :dim]
    # eigh leaves the sign open; so that it does not depend on the machine, the largest number is positive.
    largest = components[np.abs(components).argmax(axis=0), np.arange(dim)]
    with np.errstate(divide="ignore", invalid="ignore"):
        projection = components * np.sign(largest) / np.sqrt(variances.mean())
    return mean.astype("float32"), projection.astype("float32")
