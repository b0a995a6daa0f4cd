"""Tasks of records, annotated in this process or in several."""

import gc
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor, TimeoutError
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing.process import BaseProcess
from typing import Iterable, Iterator, Optional, Union

import torch

from ..errors import DataError
from .annotator import Annotator, Recipe
from .records import Item, Record, Reject

_AHEAD = 3  # tasks for each process that are read before they are asked for
_PATIENCE = 5.0  # seconds without a result after which to look whether a process is dead
_BREAKS = 3  # processes that die one after another without a task done


@dataclass
class Task:
    """Some items of one file, whose records one process annotates at once."""

    shard: int
    items: list[Item]

    @property
    def records(self) -> list[Record]:
        return [item for item in self.items if isinstance(item, Record)]

    def rejects(self, failed: dict[int, str]) -> list[Reject]:
        """In order. failed (dict): why the pipeline failed on records, by their numbers."""
        records, found = self.records, [item for item in self.items if isinstance(item, Reject)]
        for number, reason in failed.items():
            record = records[number]
            found.append(Reject(record.source, record.line, reason, record.text[:200]))
        return sorted(found, key=lambda reject: reject.line) if failed else found


Result = tuple[bytes, int, dict[int, str]]


@contextmanager
def annotated(recipe: Recipe, processes: int, tasks: Iterable[Task]) -> Iterator[Iterator[tuple[Task, Result]]]:
    """The tasks with what the pipeline made of them, in order."""
    if processes == 1:
        yield _in_this_process(recipe, tasks)
        return
    workers = _Workers(recipe, processes)
    try:
        yield workers.run(tasks)
    finally:
        workers.stop()


def _in_this_process(recipe: Recipe, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
    annotator: Optional[Annotator] = None
    for task in tasks:
        annotator = annotator or _load(recipe)
        yield task, annotator.encode(task.records)


@contextmanager
def one_thread() -> Iterator[None]:
    """Of torch: more gain nothing and get in each other's way. Their number changes the last bits, too, and a run may go on with
    another number of processes."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _load(recipe: Recipe) -> Annotator:
    annotator = Annotator(recipe)
    gc.collect()
    gc.freeze()  # the collector would look through the pipeline, again and again, for each batch of new rows
    return annotator


class _Workers:
    """A pool of processes. Where one dies, as of want of memory, all tasks that are under way are given to a new pool."""

    def __init__(self, recipe: Recipe, processes: int) -> None:
        self.recipe, self.processes = recipe, processes
        self.pool = self._new()

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
        waiting: deque[tuple[Task, Future[Result]]] = deque()
        breaks, stream = 0, iter(tasks)
        while True:
            for task in islice(stream, _AHEAD * self.processes - len(waiting)):
                waiting.append((task, self._submit(task)))
            if not waiting:
                return
            task, future = waiting[0]
            try:
                result = self._result(future)
            except BrokenProcessPool:
                breaks += 1
                if breaks > _BREAKS:
                    raise DataError(
                        f"a process died {breaks} times on the same records, perhaps of want of memory; give fewer "
                        "--processes, or a smaller --batch-size or --max-chars. The same command goes on"
                    ) from None
                self.stop()
                self.pool = self._new()
                waiting = deque((task, self._submit(task)) for task, _ in waiting)
                continue
            breaks = 0
            waiting.popleft()
            yield task, result

    def _result(self, future: "Future[Result]") -> Result:
        """RAISES: BrokenProcessPool. A process that dies while it writes a result does not break the pool, which waits for the
        rest of it."""
        is_dead = False
        while True:
            try:
                return future.result(timeout=_PATIENCE)
            except TimeoutError:
                if future.done():  # of the task itself
                    raise
                if is_dead:
                    raise BrokenProcessPool("a process died while it wrote a result") from None
                is_dead = any(process.exitcode is not None for process in self._running())

    def _running(self) -> list[BaseProcess]:
        return list((self.pool._processes or {}).values())

    def stop(self) -> None:
        processes, results = self._running(), self.pool._result_queue
        self.pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        # The pool's own thread may wait for the rest of a result; there is none once nobody can write it.
        results._writer.close()  # type: ignore[attr-defined]

    def _submit(self, task: Task) -> "Future[Result]":
        try:
            return self.pool.submit(_annotate_task, task.records)
        except BrokenProcessPool as error:  # it broke since
            failed: Future[Result] = Future()
            failed.set_exception(error)
            return failed

    def _new(self) -> ProcessPoolExecutor:
        # Forked processes would share locked pools of threads.
        return ProcessPoolExecutor(
            self.processes,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=(self.recipe, os.getpid()),
        )


_annotator: Union[Annotator, Exception, None] = None  # of a worker


def _start_worker(recipe: Recipe, parent: int) -> None:
    global _annotator
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process
    torch.set_num_threads(1)
    try:
        _annotator = _load(recipe)
    except Exception as error:  # an error here would break the pool without a reason
        _annotator = error


def _end_with(parent: int) -> None:
    """A main process that was killed cannot end its workers."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _annotate_task(records: list[Record]) -> Result:
    if not isinstance(_annotator, Annotator):
        raise _annotator or RuntimeError("a worker that was not started")
    return _annotator.encode(records)
