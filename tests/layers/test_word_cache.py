"""A cache of rows of word types, against computing each row anew."""

import random
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from spacy_bilstm_tagger.layers import word_cache
from spacy_bilstm_tagger.layers.word_cache import SLOT_OVERHEAD, WordCache

WIDTHS = (2, 3)
SLOT = SLOT_OVERHEAD + 8 * 2 + 4 * sum(WIDTHS)  # bytes


def keys_of(words):
    return np.array([[word, word % 3] for word in words], dtype=np.uint64).reshape(-1, 2)


def rows_of(keys):
    return np.column_stack([np.sin(keys[:, 0] * k) for k in range(1, 6)]).astype("f")


def double(rows, out):
    np.multiply(rows[:, :1], 2, out=out)


class Computed:
    """Rows, and which words were asked for."""

    def __init__(self):
        self.words = []

    def __call__(self, keys):
        self.words += keys[:, 0].tolist()
        return rows_of(keys)


BATCHES = st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=12), min_size=1, max_size=12)


@given(BATCHES, st.sampled_from([0, 1, 5, 20, 1000]), st.booleans())
@settings(deadline=None)
def test_rows_are_those_of_each_word(batches, capacity, derives):
    cache = WordCache(capacity * SLOT)
    for words in batches:
        keys = keys_of(words)
        cached, slots = cache.look_up(keys, WIDTHS, (), rows_of)
        assert_array_equal(cached.rows[slots], rows_of(keys))
        assert cached.blocks == [slice(0, 2), slice(2, 5)]
        if derives:
            assert_array_equal(cached.derive("layer", 0, 1, double)[slots], 2 * rows_of(keys)[:, :1])
        kept = cache._cached
        assert kept.count * kept.slot_bytes <= max(cache.memory, 0) or kept.count <= capacity


def test_computes_what_it_does_not_hold():
    cache, compute = WordCache(100 * SLOT), Computed()
    cache.look_up(keys_of([1, 2, 1]), WIDTHS, (), compute)
    cache.look_up(keys_of([2, 3]), WIDTHS, (), compute)
    assert sorted(compute.words) == [1, 2, 3]


def test_keeps_what_was_used_last():
    cache, compute = WordCache(10 * SLOT), Computed()
    for word in range(10):
        cache.look_up(keys_of([word]), WIDTHS, (), compute)
    cache.look_up(keys_of([0]), WIDTHS, (), compute)
    cache.look_up(keys_of([10]), WIDTHS, (), compute)  # no room: half of them go
    compute.words.clear()
    cache.look_up(keys_of([0, 10, 6, 7, 8, 9]), WIDTHS, (), compute)
    assert compute.words == []
    cache.look_up(keys_of([1, 5]), WIDTHS, (), compute)
    assert sorted(compute.words) == [1, 5]


def test_what_layers_derive_counts_as_memory():
    cache = WordCache(1000 * SLOT)
    for start in range(0, 3000, 50):
        cached, _ = cache.look_up(keys_of(range(start, start + 50)), WIDTHS, (), rows_of)
        cached.derive("layer", 0, 400, lambda rows, out: out.fill(0))
        assert cached.slot_bytes == SLOT + 1600
    assert cached.count * cached.slot_bytes <= cache.memory


def test_another_state_or_version_voids_what_was_computed():
    cache, compute, table = WordCache(100 * SLOT), Computed(), object()
    for state in [(table, 1), (table, 1), (table, 2), (object(), 2), (table,)]:
        cache.look_up(keys_of([1]), WIDTHS, state, compute)
    assert compute.words == [1, 1, 1, 1]
    cached, _ = cache.look_up(keys_of([1]), WIDTHS, (table,), compute)
    calls = []
    for version in (0, 0, 1):
        cached.derive("layer", version, 1, lambda rows, out: calls.append(len(rows)))
    assert calls == [1, 1]


def test_two_words_of_one_hash(monkeypatch):
    monkeypatch.setattr(word_cache, "mix_columns", lambda keys: np.zeros(len(keys), dtype=np.uint64))
    cache = WordCache(100 * SLOT)
    for words in ([1], [2], [1, 2, 3, 2], [3], [1]):
        cached, slots = cache.look_up(keys_of(words), WIDTHS, (), rows_of)
        assert_array_equal(cached.rows[slots], rows_of(keys_of(words)))


@pytest.mark.parametrize("capacity", [8, 60])
def test_threads_share_it(capacity):
    cache, errors = WordCache(capacity * SLOT), []

    def work(seed):
        draw = random.Random(seed)
        try:
            for _ in range(300):
                keys = keys_of([draw.randrange(80) for _ in range(draw.randrange(1, 12))])
                cached, slots = cache.look_up(keys, WIDTHS, (), rows_of)
                derived = cached.derive("layer", 0, 1, double)
                assert_array_equal(cached.rows[slots], rows_of(keys))
                assert_array_equal(derived[slots], 2 * rows_of(keys)[:, :1])
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
