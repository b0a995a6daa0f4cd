"""Static vectors distilled from a transformer: every word type encoded alone, reduced by PCA.

Tulkens and van Dongen's model2vec does this too (https://github.com/MinishLab/model2vec), but its `distill` keeps
neither the mean nor the components, without which a word met later cannot get its row.
"""

from pathlib import Path
from typing import Optional

import numpy as np
import spacy
from spacy.lookups import Lookups, Table
from spacy.vectors import Vectors
from spacy.vocab import Vocab

from ..errors import DataError, Errors
from ..files import write_beside
from .pickles import damaged
from .table import check_output, set_vectors
from .word_encoder import WordEncoder

NAME = "vectors"  # in the meta.json of the folders written here, as of all that hold vectors
TABLE = "distilled_vectors"
_ARRAYS = ("mean", "projection", "probe")
_PROBE = "the"  # its encoding tells whether a model is the one that was distilled
_TOLERANCE = 1e-3  # relative to the probe's length; far more than rounding on another machine


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

    @classmethod
    def fit(
        cls, model_dir: Path, words: list[str], *, dim: int, layer: Optional[int] = None
    ) -> tuple["Distiller", np.ndarray]:
        """Fit the PCA to the encodings of these words; also returns their rows, (words, dim) float32.

        The components are scaled by one number, so that the columns have variance 1 on average.
        layer (int or None): see `WordEncoder`.
        RAISES: DataError for a model that is missing or damaged, a dim that is larger than its hidden states or needs
            more words, and encodings that are not finite or all the same.
        """
        encoder = WordEncoder(model_dir, layer)
        if dim > encoder.width:
            raise DataError(Errors.DISTILL_DIM.format(dim=dim, path=model_dir, width=encoder.width))
        if dim >= len(words):
            raise DataError(Errors.DISTILL_FEW.format(count=len(words), dim=dim, least=dim + 1))
        encoded = encoder.encode(words)
        mean, projection = _fit_pca(encoded, dim)
        if not (np.isfinite(mean).all() and np.isfinite(projection).all()):
            raise DataError(Errors.DISTILL_NOT_FINITE.format(path=model_dir))
        probe = encoder.encode([_PROBE])[0]
        distiller = cls(model_dir, encoder.layer, mean=mean, projection=projection, probe=probe)
        distiller._encoder = encoder
        encoded -= mean  # in place: for a million words it is a gigabyte
        return distiller, encoded @ projection

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
        probe = encoder.encode([_PROBE])[0]
        is_same = probe.shape == self.probe.shape
        if not is_same or np.linalg.norm(probe - self.probe) > _TOLERANCE * np.linalg.norm(self.probe):
            raise DataError(Errors.DISTILL_OTHER_MODEL.format(path=self.model_dir))
        return encoder

    def to_vocab(self, vocab: Vocab) -> None:
        """Keep this in the vocabulary's lookups, which spaCy saves with a pipeline."""
        arrays = {name: getattr(self, name).astype("<f4").tobytes() for name in _ARRAYS}
        content = {"model": str(self.model_dir), "layer": self.layer, **arrays}
        vocab.lookups.set_table(TABLE, Table(name=TABLE, data=content))

    @classmethod
    def from_lookups(cls, lookups: Lookups, *, model_dir: Optional[Path] = None) -> "Distiller":
        """What `to_vocab` kept; KeyError where there is nothing.

        model_dir (Path or None): where the transformer lies now; None for where it was distilled from.
        """
        table = lookups.get_table(TABLE)
        arrays = {name: np.frombuffer(table[name], dtype="<f4") for name in _ARRAYS}
        arrays["projection"] = arrays["projection"].reshape(len(arrays["mean"]), -1)
        return cls(model_dir or Path(table["model"]), table["layer"], **arrays)

    @classmethod
    def load(cls, folder: Path, *, model_dir: Optional[Path] = None) -> "Distiller":
        """From a folder made by `spacy-bilstm vectors distill`, or of any pipeline that holds such vectors.

        RAISES: DataError where it is none or damaged; a missing model is an error of `rows`.
        """
        try:
            lookups = Lookups().from_disk(folder / "vocab")
            if TABLE in lookups:
                return cls.from_lookups(lookups, model_dir=model_dir)
        except Exception as error:  # damaged data can raise anything
            raise damaged(folder, "distilled vectors", error) from None
        raise DataError(Errors.DISTILL_NO_TABLE.format(path=folder))


def save_distilled(distiller: Distiller, words: list[str], rows: np.ndarray, output: Path, *, dtype: str) -> Vectors:
    """Write a blank pipeline that holds the table, and what the rows of further words take.

    RAISES: DataError where `output` is something else than a folder of vectors made here.
    """
    from gensim.models import KeyedVectors

    check_output(output)
    vectors = KeyedVectors(distiller.dim)
    vectors.add_vectors(words, rows)
    nlp = spacy.blank("en")
    set_vectors(nlp.vocab, vectors, name=distiller.model_dir.name, dtype=dtype)
    distiller.to_vocab(nlp.vocab)
    nlp.meta["name"] = NAME
    with write_beside(output) as draft:
        nlp.to_disk(draft)
    return nlp.vocab.vectors


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
