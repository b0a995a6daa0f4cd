"""Threads that read few texts take turns."""

import os
import signal
import threading

import pytest

from spacy_bilstm_tagger.layers.shim import FEW_TEXTS, turn


class TestTurns:
    def others_wait(self, texts) -> bool:
        """Whether another thread cannot read them now."""
        begun = threading.Event()

        def read():
            with turn(texts):
                begun.set()

        with turn([""]):
            thread = threading.Thread(target=read, daemon=True)
            thread.start()
            waits = not begun.wait(0.2)
        thread.join(10)
        assert begun.is_set()
        return waits

    @pytest.mark.parametrize("count", [1, FEW_TEXTS])
    def test_are_taken_with_few_texts(self, count):
        assert self.others_wait([""] * count)

    def test_are_not_taken_with_many_texts(self):
        assert not self.others_wait([""] * (FEW_TEXTS + 1))

    def test_one_thread_may_take_several(self):
        with turn([""]), turn([""]):
            pass

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
    def test_a_forked_process_waits_for_no_thread_that_it_lacks(self):
        held, done = threading.Event(), threading.Event()

        def hold():
            with turn([""]):
                held.set()
                done.wait(10)

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait(10)
        child = os.fork()
        if not child:
            signal.alarm(5)
            with turn([""]):
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        done.set()
        thread.join()
