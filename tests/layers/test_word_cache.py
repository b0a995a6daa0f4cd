"""A cache of rows of word types, against computing each row anew."""

import os
import random
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from spacy_bilstm_tagger.layers.word_cache import FEW, SLOT_OVERHEAD, WordCache

WIDTHS = (2, 3)
SLOT = SLOT_OVERHEAD + 8 * 2 + 4 * sum(WIDTHS)  # bytes


def keys_of(words):
    return np.array([[word, word % 3] for word in words], dtype=np.uint64).reshape(-1, 2)


def rows_of(keys):
    return np.column_stack([np.sin(keys[:, 0] * k) for k in range(1, 6)]).astype("f")


def double(rows):
    return rows[:, :1] * 2


class Computed:
    """Rows, and which words were asked for."""

    def __init__(self):
        self.words = []

    def __call__(self, keys):
        self.words += keys[:, 0].tolist()
        return rows_of(keys)


BATCHES = st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=12), min_size=1, max_size=12)


def check(words, keys):
    assert_array_equal(words.rows[words.index], rows_of(keys))
    distinct = len(np.unique(keys, axis=0))
    assert len(words.rows) in ((distinct,) if words.cache is None or len(keys) > FEW else (distinct, len(keys)))


@given(BATCHES, st.sampled_from([0, 1, 5, 20, 1000]), st.booleans())
def test_rows_are_those_of_each_word(batches, capacity, derives):
    cache = WordCache(capacity * SLOT)
    for numbers in batches:
        keys = keys_of(numbers)
        words = cache.look_up(keys, WIDTHS, (), rows_of)
        check(words, keys)
        assert words.blocks == [slice(0, 2), slice(2, 5)]
        if derives:
            assert_array_equal(words.derive("layer", 0, 1, double)[words.index], 2 * rows_of(keys)[:, :1])
        assert len(cache._slots.fills) <= capacity
        assert len(cache._slots.slot_of) + len(cache._slots.free) <= len(cache._slots.fills)


def test_computes_what_it_does_not_hold():
    cache, compute = WordCache(100 * SLOT), Computed()
    cache.look_up(keys_of([1, 2, 1]), WIDTHS, (), compute)
    cache.look_up(keys_of([2, 3]), WIDTHS, (), compute)
    assert sorted(compute.words) == [1, 2, 3]


def test_keeps_what_was_used_last():
    cache, compute = WordCache(20 * SLOT), Computed()
    for number in range(20):
        cache.look_up(keys_of([number]), WIDTHS, (), compute)
    cache.look_up(keys_of([0]), WIDTHS, (), compute)
    cache.look_up(keys_of([20, 21]), WIDTHS, (), compute)  # no room: two go
    compute.words.clear()
    cache.look_up(keys_of([0, 3, 19, 20, 21]), WIDTHS, (), compute)
    assert compute.words == []
    cache.look_up(keys_of([1, 2]), WIDTHS, (), compute)
    assert sorted(compute.words) == [1, 2]


def test_what_layers_derive_is_kept_and_counts_as_memory():
    cache, seen = WordCache(1000 * SLOT), []

    def wide(rows):
        seen.append(len(rows))
        return np.repeat(rows[:, :1], 400, axis=1)

    for _ in range(3):
        cache.look_up(keys_of(range(50)), WIDTHS, (), rows_of).derive("layer", 0, 400, wide)
    assert seen == [50, 50]  # the first is not kept: only then is it known how much of memory each word takes
    for start in range(0, 3000, 20):
        keys = keys_of(range(start, start + 20))
        words = cache.look_up(keys, WIDTHS, (), rows_of)
        assert_array_equal(words.derive("layer", 0, 400, wide)[words.index], np.repeat(rows_of(keys)[:, :1], 400, axis=1))
    assert len(cache._slots.fills) * (SLOT + 1600) <= cache.memory


def test_a_table_without_slots_derives_all_anew():
    """Another thread may have taken the memory of a table that this one looks words up in."""
    cache = WordCache(100 * SLOT)
    words = cache.look_up(keys_of([1, 2]), WIDTHS, (), rows_of)
    cache.memory = 0
    cache.look_up(keys_of([3]), WIDTHS, (), rows_of)  # makes a new one
    assert len(cache._slots.fills) == 0
    derived = words.derive("layer", 0, 1, lambda rows: rows[:, :1])
    assert_array_equal(derived[words.index], rows_of(keys_of([1, 2]))[:, :1])


def test_another_state_or_version_voids_what_was_computed():
    cache, compute, table = WordCache(100 * SLOT), Computed(), object()
    for state in [(table, 1), (table, 1), (table, 2), (object(), 2), (table,)]:
        cache.look_up(keys_of([1]), WIDTHS, state, compute)
    assert compute.words == [1, 1, 1, 1]
    calls = []
    for version in (0, 0, 1, 1):
        words = cache.look_up(keys_of([1]), WIDTHS, (table,), compute)
        words.derive("layer", version, 1, lambda rows: calls.append(len(rows)) or double(rows))
    assert calls == [1, 1, 1]  # the first is not kept


@pytest.mark.parametrize("count", [FEW, FEW + 1])
def test_words_that_occur_twice_are_computed_once(count):
    cache, compute = WordCache(500 * SLOT), Computed()
    keys = keys_of([number // 2 for number in range(count)])
    for _ in range(2):
        check(cache.look_up(keys, WIDTHS, (), compute), keys)
    assert len(compute.words) == -(-count // 2)
    assert len(cache._slots.slot_of) == -(-count // 2)


def test_a_batch_of_more_words_than_it_holds_uses_what_is_there():
    cache, compute = WordCache(20 * SLOT), Computed()
    cache.look_up(keys_of(range(8)), WIDTHS, (), compute)
    compute.words.clear()
    check(cache.look_up(keys_of(range(50)), WIDTHS, (), compute), keys_of(range(50)))
    assert sorted(compute.words) == list(range(8, 50))
    compute.words.clear()
    cache.look_up(keys_of(range(50)), WIDTHS, (), compute)
    assert len(compute.words) == 40  # two more were kept
    assert not set(compute.words) & set(range(8))


def test_rows_of_another_width():
    cache = WordCache(100 * SLOT)
    cache.look_up(keys_of([1]), WIDTHS, (), rows_of)
    words = cache.look_up(keys_of([1]), [2], (), lambda keys: rows_of(keys)[:, :2])
    assert words.rows.shape == (1, 2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("is_held", [True, False])
def test_a_forked_process_has_the_words_and_waits_for_no_thread_that_it_lacks(is_held):
    cache = WordCache(100 * SLOT)
    cache.look_up(keys_of([1]), WIDTHS, (), rows_of)
    compute = Computed()
    if is_held:  # by another thread
        cache._lock.acquire()
    child = os.fork()
    if not child:
        words = cache.look_up(keys_of([1]), WIDTHS, (), compute)
        check(words, keys_of([1]))
        os._exit(3 + len(compute.words))
    if is_held:
        cache._lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3 + is_held
    assert not cache._lock.locked()


@pytest.mark.parametrize("capacity", [8, 60])
def test_threads_share_it(capacity):
    cache, errors = WordCache(capacity * SLOT), []

    def work(seed):
        draw = random.Random(seed)
        try:
            for turn in range(300):
                keys = keys_of([draw.randrange(80) for _ in range(draw.randrange(1, 12))])
                words = cache.look_up(keys, WIDTHS, (), rows_of)
                derived = words.derive("layer", 0, 1, double)
                check(words, keys)
                assert_array_equal(derived[words.index], 2 * rows_of(keys)[:, :1])
                if seed == 0 and turn % 50 == 0:
                    cache.forget()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
