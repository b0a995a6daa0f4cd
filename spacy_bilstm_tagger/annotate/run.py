"""Files of records annotated into files, in any number of processes. A run that was killed goes on where it was."""

import hashlib
import os
import shutil
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any, Callable, Iterator, Literal, Mapping, Optional

import srsly

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

from ..errors import DataError, Errors
from ..util import file_checksum, follow, write_beside
from .annotator import TASK, Recipe, model_path
from .outputs import FORMATS, join, open_writer
from .records import Item, Layout, Record, Reject, read_records
from .shards import MANIFEST, RejectsFile, Shards, check_same_run, folder_checksum, has_files
from .sources import head, size
from .workers import Result, Task, annotated, one_thread

REJECTS = "rejects.jsonl"
PARTS = ".parts"  # the folder beside a single file, while it is made
# What a single file may differ in from what is asked for, and be kept by --resume always.
_PIPELINE = {"model", "--disable", "--batch-size", "version", "version of spaCy"}
_WAY_OUT = "give another name, or --resume never to begin anew"
MAX_IDS = 1_000_000  # different ids that are compared with later ones
_HEAD = 1 << 20  # bytes of an input whose hash tells it

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
        return self.output.suffix.removeprefix(".").lower() in FORMATS

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
        _stop_if_strict(job, found, beside(job.output, REJECTS))
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed after it had written the file
        return found
    is_made = not folder.exists()
    with _locked(folder):
        if job.resume == "never":
            _remove_earlier(folder)
        is_new, is_strict = job.resume == "never", job.resume == "auto"
        suffix = f".{job.recipe.form.format}"
        shards = Shards(folder, run, suffix=suffix, strict=is_strict, anew=is_new, way_out=_WAY_OUT)
        rejects = RejectsFile(folder / REJECTS, shards)
        total = Counter[str](texts=0, rejects=0, kept=0)
        tasks = _Tasks(job, shards, total)
        try:
            with one_thread(), annotated(job.recipe, job.processes, tasks) as results, rejects.file:
                _write(job, shards, rejects, results, total, lambda: progress and progress(total, tasks.bytes))
        except Exception:
            if is_made and not shards.entries:  # so that the corrected command finds nothing of this one
                shutil.rmtree(folder)
            raise
        total["files"] = tasks.files
        shards.finish(tasks.files, total)
        rejects.cut()
        if job.is_one_file:
            _join(job, folder, tasks.files, total, run)
    return total


def _stop_if_strict(job: Job, counts: Mapping[str, Any], rejects: Path) -> None:
    """RAISES: Stopped where an earlier run, which was not strict, has rejected records."""
    if job.strict and counts["rejects"]:
        raise Stopped(f"{rejects}: {counts['rejects']:,} records were rejected before; without --strict they are left out")


class _Tasks:
    """The tasks of the files that are still to be made, in order. A task lies in one file, so a file is made of the same
    batches whatever else is done.

    files, bytes (int): how much of the input was read.
    """

    def __init__(self, job: Job, shards: Shards, total: Counter[str]) -> None:
        self.job, self.shards, self.total = job, shards, total
        self.files = self.bytes = 0

    def _read_to(self, place: int) -> None:
        self.bytes = place

    def _counted(self, items: Iterator[Item]) -> Iterator[Item]:
        """Counts ids that came before, as strings, which is what they are in most outputs."""
        seen: set[int] = set()
        for item in items:
            if isinstance(item, Record):
                key = hash(str(item.id))
                if key in seen:
                    self.total["repeated"] += 1
                elif len(seen) < MAX_IDS:
                    seen.add(key)
            yield item

    def __iter__(self) -> Iterator[Task]:
        job = self.job
        items: Iterator[Item] = islice(read_records(job.sources, job.layout, self._read_to), job.limit)
        items = self._counted(items) if job.layout.id_field else items
        while (first := next(items, None)) is not None:
            number, self.files = self.files, self.files + 1
            rest = chain([first], islice(items, job.shard_size - 1))
            found = self.shards.done(number)
            if found is not None:
                _stop_if_strict(job, found, self.shards.folder / REJECTS)
                self.total.update(texts=found["texts"], rejects=found["rejects"], kept=1)
                self._check_count(number, found, sum(1 for _ in rest))
                continue
            while given := list(islice(rest, TASK)):
                yield Task(number, given)

    def _check_count(self, number: int, found: dict[str, Any], count: int) -> None:
        """RAISES: DataError for a file of an earlier run that holds other records, which "always" lets through so far."""
        if found["texts"] + found["rejects"] != count:
            raise DataError(
                f"{self.shards.folder / self.shards.name(number)}: holds {found['texts'] + found['rejects']} records, and now "
                f"{count} belong there; give the --limit and the input of before, or --resume never"
            )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """The folder, for this run alone, where the system can; the lock goes with the process. A new one is made.

    RAISES: DataError while another run has it, and for a file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise DataError(Errors.OUTPUT_NOT_FOLDER.format(path=folder)) from None
    if fcntl is None:
        yield
        return
    with ExitStack() as stack:
        try:
            number = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, number)
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.stat(number).st_ino != folder.stat().st_ino:  # another run has removed the one that was opened
                raise FileNotFoundError
        except (BlockingIOError, FileNotFoundError):
            raise DataError(f"{folder}: another run is writing there; wait for it, or give another name") from None
        yield


def _write(
    job: Job,
    shards: Shards,
    rejects: RejectsFile,
    results: Iterator[tuple[Task, Result]],
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
                        raise Stopped(f"{here[0].source}, line {here[0].line}: {here[0].reason}; without --strict it is left out")
                    write(piece)
                    counts.update(texts=counts["texts"] + texts, rejects=len(found))
                    total.update(texts=texts, rejects=len(here))
                    tell()
            counts.update(rejects.append(number, found))


def fingerprint(source: str) -> dict[str, Any]:
    """What tells an input from another, without reading it whole: its size, and the hash of its first megabyte."""
    if source == "-":
        return {"name": "the standard input", "time": time.time_ns()}  # never the same
    return {"size": size(source), "sha256 of its head": hashlib.sha256(head(source, _HEAD)).hexdigest()}


def beside(output: Path, name: str) -> Path:
    """The path of a file that belongs to a single output file: tweets.jsonl -> tweets.jsonl.rejects.jsonl; of a link, beside
    the file itself."""
    output = follow(output)
    return output.with_name(f"{output.name}.{name}")


def _join(job: Job, folder: Path, files: int, total: Counter[str], run: dict[str, Any]) -> None:
    """Make one file of the parts, and remove them. The output takes its name last: whatever a killed run leaves, either the parts
    are there, or an output that is listed."""
    parts = [folder / f"part-{number:05}.{job.recipe.form.format}" for number in range(files)]
    with write_beside(job.output) as output:
        join(job.recipe.form, parts, output)
        checksums = [file_checksum(path) for path in (output, folder / REJECTS)]
        with write_beside(beside(job.output, MANIFEST)) as draft:
            srsly.write_json(draft, {"run": run, "sha256": checksums, "total": dict(total)})
        with write_beside(beside(job.output, REJECTS)) as draft:
            shutil.copyfile(folder / REJECTS, draft)
    for name in (MANIFEST, REJECTS):  # who may read the texts, may read these
        shutil.copymode(job.output, beside(job.output, name))
    shutil.rmtree(folder)


def _finished(job: Job, run: dict[str, Any]) -> Optional[Counter[str]]:
    """The counts of a single file that an earlier run has finished; None if there is none, or it is damaged.

    RAISES: DataError for a file of something else, and of another job.
    """
    if job.output.is_dir():
        raise DataError(f"{job.output}: is a folder, expected the name of a file; give another name, or remove it")
    listed, rejects = beside(job.output, MANIFEST), beside(job.output, REJECTS)
    if not job.output.exists() and not (rejects.exists() and not listed.exists()):
        return None
    if job.resume == "never" and (listed.exists() or not rejects.exists()):
        return None
    try:
        manifest = srsly.read_json(listed)
        before, checksum, total = manifest["run"], manifest["sha256"], manifest["total"]
    except (OSError, ValueError, KeyError, TypeError):
        there = job.output if job.output.exists() else rejects
        raise DataError(
            f"{there}: exists, and was not made by this command; give another name, or --resume never to replace the output"
        ) from None
    now = srsly.json_loads(srsly.json_dumps(run))
    # Nobody counts the records of one file again, so its input has to be the same.
    names = None if job.resume == "auto" else tuple(now.keys() - _PIPELINE)
    check_same_run(job.output, before, now, names, way_out=_WAY_OUT)
    whole = rejects.is_file() and [file_checksum(job.output), file_checksum(rejects)] == checksum
    return Counter({**total, "kept": total["files"]}) if whole else None


def _remove_earlier(folder: Path) -> None:
    """What an earlier run has made, and nothing else. RAISES: DataError for a folder that no run has made."""
    if not has_files(folder):
        return
    try:
        manifest = dict(srsly.read_json(folder / MANIFEST))
        run, listed = manifest["run"], list(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(Errors.OUTPUT_NOT_FOLDER.format(path=folder)) from None
    written = [path.name for path in folder.glob(f"part-?????.{run.get('output: format')}")]  # one may not be listed
    for name in {*listed, *written, REJECTS, MANIFEST}:
        (folder / name).unlink(missing_ok=True)
