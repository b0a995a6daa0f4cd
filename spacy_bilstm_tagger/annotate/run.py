"""Files of records annotated into files, in any number of processes. A run that was killed goes on where it was."""

import gc
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections import Counter, deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import groupby, islice
from pathlib import Path
from typing import IO, Any, Callable, Iterable, Iterator, Literal, Optional, Union

import srsly
import torch

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

from ..errors import DataError, Errors
from ..util import file_checksum, write_beside
from .annotator import TASK, Annotator, Recipe, model_path
from .outputs import FORMATS, join, open_writer
from .records import Item, Layout, Record, Reject, read_records
from .shards import MANIFEST, Shards, check_same_run, folder_checksum
from .sources import head, size

REJECTS = "rejects.jsonl"
PARTS = ".parts"  # the folder beside a single file, while it is made
_WAY_OUT = "give another name, or --resume never to begin anew"
_HEAD = 1 << 20  # bytes of an input whose hash tells it
_AHEAD = 3  # tasks for each process that are read before they are asked for
_BREAKS = 3  # processes that die one after another without a task done

Resume = Literal["auto", "never", "always"]
Progress = Callable[[Counter[str], int], None]


class Stopped(DataError):
    """A record was rejected, and the run is strict."""


@dataclass(kw_only=True)
class Job:
    """What `run_job` is asked for.

    sources (list of str): files, as `find_files` gives them. layout (Layout): how records lie in them.
    recipe (Recipe): how they are annotated.
    output (Path): a folder, or one file with the ending of its format.
    processes (int): each loads the pipeline. shard_size (int): records of a file. limit (int or None): records that are read.
    resume: "auto" goes on with an earlier run of the same job; "always" keeps the files of another one too; "never" begins
        anew.
    strict (bool): stop at the first record that is rejected.
    """

    sources: list[str]
    layout: Layout
    recipe: Recipe
    output: Path
    processes: int = 1
    shard_size: int = 50_000
    limit: Optional[int] = None
    resume: Resume = "auto"
    strict: bool = False

    @property
    def is_one_file(self) -> bool:
        return self.output.suffix.removeprefix(".") in FORMATS

    def to_run(self) -> dict[str, Any]:
        """What the output depends on. JSON values."""
        form, layout = asdict(self.recipe.form), asdict(self.layout)
        form["types"] = {name: str(kind) for name, kind in form["types"].items()}
        return {
            "model": folder_checksum(model_path(self.recipe.model)),
            "input": [fingerprint(source) for source in self.sources],
            **{f"layout: {name}": value for name, value in layout.items()},
            **{f"output: {name}": value for name, value in form.items()},
            "--disable": sorted(self.recipe.disable),
            "--batch-size": self.recipe.batch_size,
            "--shard-size": self.shard_size,
            "--limit": self.limit,
            "version": version("spacy-bilstm-tagger"),
            "version of spaCy": version("spacy"),
        }


def run_job(job: Job, progress: Optional[Progress] = None) -> Counter[str]:
    """Annotate all records of a job. Returns counts: "texts", "rejects", and "kept" of files of an earlier run.

    progress (callable): gets the counts so far, and the bytes of the input that were read.
    RAISES: DataError for an output of something else or of another job; Stopped if the job is strict; OSError for a full disk.
        What is complete stays, and the same job goes on with it.
    """
    folder = job.output.with_name(job.output.name + PARTS) if job.is_one_file else job.output
    run = job.to_run()
    if job.is_one_file and (found := _finished(job, run)) is not None:
        return found
    if job.resume == "never":
        _remove_earlier(folder)
    shards = Shards(folder, run, suffix=f".{job.recipe.form.format}", strict=job.resume == "auto", way_out=_WAY_OUT)
    with _locked(folder):
        rejects = _Rejects(folder / REJECTS, shards)
        total, consumed = Counter[str](texts=0, rejects=0, kept=0), _Consumed()
        tasks = _Tasks(job, shards, total, consumed)
        with _one_thread(), _annotated(job, tasks) as results, rejects:
            _write(job, shards, rejects, results, total, lambda: progress and progress(total, consumed.bytes))
        total["files"] = tasks.files
        shards.finish(tasks.files, total)
        if job.is_one_file:
            _join(job, folder, tasks.files, total, run)
    return total


class _Consumed:
    """How much of the input was read."""

    bytes = 0

    def __call__(self, place: int) -> None:
        self.bytes = place


@dataclass
class _Task:
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


class _Tasks:
    """The tasks of the files that are still to be made, in order. A task lies in one file, so a file is made of the same
    batches whatever else is done."""

    def __init__(self, job: Job, shards: Shards, total: Counter[str], progress: Callable[[int], None]) -> None:
        self.job, self.shards, self.total, self.progress = job, shards, total, progress
        self.files = 0

    def __iter__(self) -> Iterator[_Task]:
        job = self.job
        items = islice(read_records(job.sources, job.layout, self.progress), job.limit)
        while (first := next(items, None)) is not None:
            number, self.files = self.files, self.files + 1
            rest = _chain(first, islice(items, job.shard_size - 1))
            found = self.shards.done(number)
            if found is not None:
                self.total.update(texts=found["texts"], rejects=found["rejects"], kept=1)
                self._check_count(number, found, sum(1 for _ in rest))
                continue
            while given := list(islice(rest, TASK)):
                yield _Task(number, given)

    def _check_count(self, number: int, found: dict[str, Any], count: int) -> None:
        """RAISES: DataError for a file of an earlier run that holds other records, which "always" lets through so far."""
        if found["texts"] + found["rejects"] != count:
            raise DataError(
                f"{self.shards.folder / self.shards.name(number)}: holds {found['texts'] + found['rejects']} records, and now "
                f"{count} belong there; give the --limit and the input of before, or --resume never"
            )


def _chain(first: Item, rest: Iterable[Item]) -> Iterator[Item]:
    yield first
    yield from rest


Result = tuple[bytes, int, dict[int, str]]


@contextmanager
def _annotated(job: Job, tasks: Iterable[_Task]) -> Iterator[Iterator[tuple[_Task, Result]]]:
    """The tasks with what the pipeline made of them, in order."""
    if job.processes == 1:
        yield _in_this_process(job, tasks)
        return
    workers = _Workers(job)
    try:
        yield workers.run(tasks)
    finally:
        workers.stop()


def _in_this_process(job: Job, tasks: Iterable[_Task]) -> Iterator[tuple[_Task, Result]]:
    annotator: Optional[Annotator] = None
    for task in tasks:
        annotator = annotator or _load(job.recipe)
        yield task, annotator.encode(task.records)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """The folder, for this run alone, where the system can; the lock goes with the process.

    RAISES: DataError while another run has it.
    """
    if fcntl is None:
        yield
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise DataError(f"{folder}: another run is writing there; wait for it, or give another name") from None
    finally:
        os.close(number)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Of torch: the number of threads changes the last bits, and a run may go on with another number of processes."""
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

    def __init__(self, job: Job) -> None:
        self.job = job
        self.pool = self._new()

    def run(self, tasks: Iterable[_Task]) -> Iterator[tuple[_Task, Result]]:
        waiting: deque[tuple[_Task, Future[Result]]] = deque()
        breaks, stream = 0, iter(tasks)
        while True:
            for task in islice(stream, _AHEAD * self.job.processes - len(waiting)):
                waiting.append((task, self._submit(task)))
            if not waiting:
                return
            task, future = waiting[0]
            try:
                result = future.result()
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

    def stop(self) -> None:
        processes = list((self.pool._processes or {}).values())
        self.pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()

    def _submit(self, task: _Task) -> "Future[Result]":
        try:
            return self.pool.submit(_annotate_task, task.records)
        except BrokenProcessPool as error:  # it broke since
            failed: Future[Result] = Future()
            failed.set_exception(error)
            return failed

    def _new(self) -> ProcessPoolExecutor:
        # Forked processes would share locked pools of threads.
        return ProcessPoolExecutor(
            self.job.processes,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=(self.job.recipe, os.getpid()),
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


def _write(
    job: Job,
    shards: Shards,
    rejects: "_Rejects",
    results: Iterator[tuple[_Task, Result]],
    total: Counter[str],
    tell: Any,
) -> None:
    for number, group in groupby(results, key=lambda pair: pair[0].shard):
        with shards.new(number) as (draft, counts):
            found: list[Reject] = []
            counts.update(texts=0, rejects=0)
            with open_writer(job.recipe.form, draft) as write:
                for task, (piece, texts, failed) in group:
                    found += (here := task.rejects(failed))
                    if job.strict and here:
                        raise Stopped(
                            f"{here[0].source}, line {here[0].line}: {here[0].reason}; without --strict it is left out"
                        )
                    write(piece)
                    counts.update(texts=counts["texts"] + texts, rejects=len(found))
                    total.update(texts=texts, rejects=len(here))
                    tell()
            counts.update(rejects.append(number, found))


class _Rejects:
    """The file of rejected records. A file of annotations is listed with the place where its rejects end, so what a killed
    run has written behind the last place goes."""

    def __init__(self, path: Path, shards: Shards) -> None:
        data = path.read_bytes() if path.exists() else b""
        self.shards, self.digest, self.end = shards, hashlib.sha256(), 0
        self.known: dict[str, dict[str, Any]] = {}
        listed = sorted(shards.entries.items(), key=lambda item: item[1]["counts"].get("rejects_end", 0))
        for name, entry in listed:
            end = entry["counts"].get("rejects_end", len(data) + 1)
            digest = self.digest.copy()
            digest.update(data[self.end : end])
            if end > len(data) or digest.hexdigest() != entry["counts"].get("rejects_sha256"):
                del shards.entries[name]  # to be made anew, with its rejects
                continue
            self.digest, self.end = digest, end
            self.known[name] = {key: entry["counts"][key] for key in ("rejects_end", "rejects_sha256")}
        self.file: IO[bytes] = path.open("r+b" if path.exists() else "w+b")
        self.file.truncate(self.end)
        self.file.seek(0, os.SEEK_END)

    def append(self, number: int, rejects: list[Reject]) -> dict[str, Any]:
        """Where they end, and the checksum up to there. Those of a file that was damaged are there already."""
        if (known := self.known.get(self.shards.name(number))) is not None:
            return known
        for reject in rejects:
            line = f"{json.dumps(asdict(reject), ensure_ascii=False)}\n".encode()
            self.file.write(line)
            self.digest.update(line)
        self.file.flush()
        return {"rejects_end": self.file.tell(), "rejects_sha256": self.digest.hexdigest()}

    def __enter__(self) -> "_Rejects":
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()


def fingerprint(source: str) -> dict[str, Any]:
    """What tells an input from another, without reading it whole: its size, and the hash of its first megabyte."""
    if source == "-":
        return {"name": "the standard input", "time": time.time_ns()}  # never the same
    return {"size": size(source), "sha256 of its head": hashlib.sha256(head(source, _HEAD)).hexdigest()}


def beside(output: Path, name: str) -> Path:
    """The path of a file that belongs to a single output file: tweets.jsonl -> tweets.rejects.jsonl."""
    return output.with_name(f"{output.stem}.{name}")


def _join(job: Job, folder: Path, files: int, total: Counter[str], run: dict[str, Any]) -> None:
    """Make one file of the parts, and remove them."""
    parts = [folder / f"part-{number:05}.{job.recipe.form.format}" for number in range(files)]
    with write_beside(job.output) as draft:
        join(job.recipe.form, parts, draft)
    with write_beside(beside(job.output, REJECTS)) as draft:
        shutil.copyfile(folder / REJECTS, draft)
    checksums = [file_checksum(path) for path in (job.output, beside(job.output, REJECTS))]
    with write_beside(beside(job.output, MANIFEST)) as draft:
        srsly.write_json(draft, {"run": run, "sha256": checksums, "total": dict(total)})
    shutil.rmtree(folder)


def _finished(job: Job, run: dict[str, Any]) -> Optional[Counter[str]]:
    """The counts of a single file that an earlier run has finished; None if there is none, or it is damaged.

    RAISES: DataError for a file of something else, and of another job.
    """
    listed = beside(job.output, MANIFEST)
    if job.resume == "never" or not job.output.exists():
        return None
    try:
        manifest = srsly.read_json(listed)
        before, checksum, total = manifest["run"], manifest["sha256"], manifest["total"]
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(
            f"{job.output}: exists, and was not made by this command; give another name, or --resume never to replace it"
        ) from None
    now = srsly.json_loads(srsly.json_dumps(run))
    if job.resume == "auto":
        check_same_run(job.output, before, now, way_out=_WAY_OUT)
    rejects = beside(job.output, REJECTS)
    whole = rejects.is_file() and [file_checksum(job.output), file_checksum(rejects)] == checksum
    return Counter(total) if whole and before == now else None


def _remove_earlier(folder: Path) -> None:
    """RAISES: DataError for a folder that no run has made."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / MANIFEST).is_file():
        raise DataError(Errors.OUTPUT_NOT_FOLDER.format(path=folder))
    for path in [*folder.glob("part-?????*.*"), folder / REJECTS, folder / MANIFEST]:
        path.unlink(missing_ok=True)
