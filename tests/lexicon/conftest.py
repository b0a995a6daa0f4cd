import numpy as np
import pytest
from gensim.models import KeyedVectors

ROWS = {"<user>": (1, 2, 3), "the": (3, -2.5, 0.25), ":)": (-1, 0.5, 2)}


@pytest.fixture
def toy() -> KeyedVectors:
    """Three rows of width 3, whose mean is (1, 0, 1.75)."""
    vectors = KeyedVectors(3)
    vectors.add_vectors(list(ROWS), np.array(list(ROWS.values()), dtype="float32"))
    return vectors


@pytest.fixture
def write_text(tmp_path):
    """Write rows as GloVe text: headerless, or with the lines given before them."""

    def write(rows=ROWS, *, name="toy.txt", before="", end="\n"):
        lines = [" ".join([key, *map(str, numbers)]) + end for key, numbers in rows.items()]
        path = tmp_path / name
        path.write_bytes((before + "".join(lines)).encode("utf8"))
        return path

    return write


@pytest.fixture
def as_dict():
    """What a gensim or a spaCy table holds: key to row, as tuples."""

    def read(vectors):
        if isinstance(vectors, KeyedVectors):
            return {key: tuple(vectors[key].tolist()) for key in vectors.index_to_key}
        rows = vectors.data.tolist()
        return {vectors.strings[key]: tuple(rows[row]) for key, row in vectors.key2row.items()}

    return read
