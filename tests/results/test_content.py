from pathlib import Path

import numpy as np
import pytest
from spacy.vocab import Vocab

from benchmarks.results.content import content_hash
from spacy_bilstm_tagger.distiller import Distiller


def hash_of(path):
    content_hash.cache_clear()
    return content_hash(path)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "table" / "vocab").mkdir(parents=True)
    (tmp_path / "table" / "meta.json").write_text("{}", encoding="utf8")
    return tmp_path / "table"


def write(folder, table):
    with (folder / "vocab" / "vectors").open("wb") as file:
        np.save(file, table)
    return hash_of(folder)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_a_table_whose_last_bits_differ_is_the_same(folder, dtype):
    rng = np.random.default_rng(0)
    table = rng.normal(size=(1000, 8)).astype(dtype)
    other = np.nextafter(table, rng.choice(np.array([-np.inf, np.inf], dtype=dtype), size=table.shape))
    assert (table != other).all()
    assert write(folder, table) == write(folder, other)


@pytest.mark.parametrize(
    "change", [lambda t: t * 1.05, lambda t: t[:-1], lambda t: t.astype("float64"), lambda t: t.round()]
)
def test_a_table_of_other_floats_is_another(folder, change):
    table = np.random.default_rng(0).normal(size=(1000, 8)).astype("float32")
    assert write(folder, table) != write(folder, change(table))


def test_what_a_table_was_distilled_with_is_the_same_but_for_its_layer(folder):
    def hash_with(layer=3, mean=0.0, brown=None):
        vocab = Vocab()
        arrays = {"mean": np.full(4, mean), "projection": np.ones((4, 2)), "probe": np.ones(4)}
        Distiller(Path("model"), layer, **arrays).to_vocab(vocab, table="t")
        if brown:
            vocab.lookups.add_table("brown", {"a": brown})
        vocab.lookups.to_disk(folder / "vocab")
        return hash_of(folder)

    assert hash_with(mean=1e-7) == hash_with()
    assert len({hash_with(), hash_with(layer=4), hash_with(brown="01"), hash_with(brown="10")}) == 4


def test_whole_numbers_and_other_files_count_by_the_byte(folder):
    table = np.arange(10)
    changed = table.copy()
    changed[[0, 1]] = table[[1, 0]]
    assert write(folder, table) != write(folder, changed)
    before = hash_of(folder)
    (folder / "meta.json").write_text("{ }", encoding="utf8")
    assert hash_of(folder) != before
    before = hash_of(folder)
    (folder / "meta.json").rename(folder / "other.json")
    assert hash_of(folder) != before
