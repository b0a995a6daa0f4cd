"""Static vectors distilled from a transformer: every word type encoded alone, reduced by PCA.

Tulkens and van Dongen's model2vec does this too (https://github.com/MinishLab/model2vec), but its `distill` keeps
neither the mean nor the components, without which a word met later cannot get its row.
"""

from pathlib import Path
from typing import Optional

import numpy as np
import spacy
from spacy.lookups import Lookups
from spacy.vectors import Vectors

from ..distiller import PROBE, Distiller, distiller_key
from ..errors import DataError, damaged
from ..util import write_beside
from ..word_encoder import WordEncoder
from .table import check_output, set_vectors

NAME = "vectors"  # in the meta.json of the folders written here, as of all that hold vectors


def fit_distiller(
    model_dir: Path, words: list[str], *, dim: int, layer: Optional[int] = None
) -> tuple[Distiller, np.ndarray]:
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
            f"--dim {dim}: found {len(words)} word types, expected at least {dim + 1}; give more words or a "
            "smaller --dim"
        )
    encoded = encoder.encode(words, shows_progress=True)
    mean, projection = _fit_pca(encoded, dim)
    if not (np.isfinite(mean).all() and np.isfinite(projection).all()):
        raise DataError(
            f"{model_dir}: the encodings of the words hold NaN or infinity, or are all the same; get the model again"
        )
    probe = encoder.encode([PROBE])[0]
    distiller = Distiller(model_dir, encoder.layer, mean=mean, projection=projection, probe=probe)
    encoded -= mean  # in place: for a million words it is a gigabyte
    return distiller, encoded @ projection


def load_distiller(folder: Path, *, model_dir: Optional[Path] = None) -> Distiller:
    """From a folder made by `spacy-bilstm vectors distill`, or of any pipeline that holds such vectors.

    RAISES: DataError where it is none or damaged; a missing model is an error of `rows`.
    """
    try:
        lookups = Lookups().from_disk(folder / "vocab")
        if distiller_key() in lookups:
            return Distiller.from_lookups(lookups, model_dir=model_dir)
    except Exception as error:  # damaged data can raise anything
        raise damaged(folder, "distilled vectors", error) from None
    raise DataError(f"{folder}: holds no distilled vectors; expected a folder made by 'spacy-bilstm vectors distill'")


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
