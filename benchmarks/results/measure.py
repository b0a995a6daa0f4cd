"""Train what results.yml lists and store its scores, one JSON a row and seed. What is stored is not measured again."""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from fnmatch import fnmatch
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Callable, Iterable, Optional

import srsly

from spacy_bilstm_tagger.util import write_beside

from .plan import Plan, Run
from .read_plan import PROJECT
from .versions import versions

LOG = "log.txt"
LAST_LINES = 5
INPUTS = "inputs.json"
SAME = 1e-9  # scores are stored with ten digits


class RunFailed(Exception):
    """One of a run's commands did not end well."""


def stored(run: Run) -> Optional[dict[str, Any]]:
    return srsly.read_json(run.result) if run.result.is_file() else None


def is_measured(run: Run) -> bool:
    """Whether what is stored comes from these commands, configs and input files."""
    result = stored(run)
    return result is not None and result["key"] == run.key and result["inputs"] == run.inputs


def is_stale(run: Run, result: dict[str, Any]) -> bool:
    """Whether a stored result comes from other commands, configs or input files than the last run that had them. The
    files need not be here."""
    latest = last_inputs(run.plan)
    return result["key"] != run.key or any(latest.get(name, value) != value for name, value in result["inputs"].items())


def last_inputs(plan: Plan) -> dict[str, str]:
    """Name of an input -> the hash that it had when it was last used."""
    path = plan.measured / INPUTS
    return srsly.read_json(path) if path.is_file() else {}


def runs_to_do(plan: Plan, only: str, *, force: bool = False) -> dict[str, Run]:
    """Name -> run: those whose TABLE/ROW/SEED fits the pattern, which lack nothing and are not measured; and those that
    they need and whose pipelines are not there."""
    fitting = [run for run in plan.runs() if matches(run, only) and run.lacks is None]
    todo = {run.name: run for run in fitting if force or not is_measured(run)}
    for run in list(todo.values()):
        for needed in run.needs:
            if not (is_measured(needed) and (plan.root / needed.pipeline).exists()):
                todo[needed.name] = needed
    return todo


def matches(run: Run, pattern: str) -> bool:
    """A pattern is as in a shell; one without a seed fits all seeds, and one without a row all rows."""
    return any(fnmatch(run.name, pattern + rest) for rest in ("", "/*"))


def measure(todo: dict[str, Run], *, jobs: int, tell: Callable[[str], None]) -> list[str]:
    """Do the runs, `jobs` at a time, each on one thread. Returns the names of those that failed or that need one."""
    order: TopologicalSorter[str] = TopologicalSorter()
    for run in todo.values():
        order.add(run.name, *(needed.name for needed in run.needs if needed.name in todo))
    order.prepare()
    failed: list[str] = []
    running: dict[Future[None], str] = {}
    with ThreadPoolExecutor(jobs) as pool:
        while order.is_active():
            for name in order.get_ready():
                running[pool.submit(_measure_one, todo[name], jobs, failed, tell)] = name
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                name = running.pop(future)
                if (error := future.exception()) is not None:
                    if not isinstance(error, RunFailed):
                        raise error
                    failed.append(name)
                    tell(f"✘ {name}: {error}")
                order.done(name)
    return failed


def _measure_one(run: Run, jobs: int, failed: list[str], tell: Callable[[str], None]) -> None:
    """RAISES: RunFailed."""
    for needed in run.needs:
        if needed.name in failed:
            raise RunFailed(f"{needed.name} failed, and this one is made of it")
    tell(f"  {run.name} ...")
    folder = run.plan.root / run.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    key, inputs = run.key, run.inputs
    start = time.perf_counter()
    for command in run.commands_here:
        shell(command, run.plan.root, folder / LOG)
    seconds = time.perf_counter() - start
    result = {
        "key": key,
        "commands": run.commands,
        "inputs": inputs,
        "seconds": round(seconds, 1),
        "jobs": jobs,
        **score(run, folder),
        "versions": versions(),
    }
    with write_beside(run.result) as draft:
        srsly.write_json(draft, result)
    with write_beside(run.plan.measured / INPUTS) as draft:
        srsly.write_json(draft, dict(sorted({**last_inputs(run.plan), **inputs}.items())))
    tell(f"✔ {run.name}, {seconds:.0f} s")


def score_again(run: Run) -> Optional[str]:
    """Store what `score` finds by now of a pipeline that is there. Returns what keeps it from that, or None.

    A pipeline whose stored scores do not come again is another one, and is left alone. RAISES: RunFailed.
    """
    result = stored(run)
    if result is None or not is_measured(run):
        return "not measured"
    if not (run.plan.root / run.pipeline).exists():
        return f"{run.pipeline} is not there"
    found = score(run, run.plan.root / run.folder)
    for group, scores in result["scores"].items():
        for name, value in (scores or {}).items():
            now = (found["scores"][group] or {}).get(name)
            if value is not None and (now is None or abs(now - value) > SAME):
                return f"{group}.{name} was {value} and is {now}"
    with write_beside(run.result) as draft:
        srsly.write_json(draft, {**result, **found})
    return None


def score(run: Run, folder: Path) -> dict[str, Any]:
    """See `measure_pipeline`; in a process of its own, on one thread. RAISES: RunFailed."""
    out = folder / "scores.json"
    paths = [run.plan.root / path for path in (run.pipeline, run.table.train, run.table.dev)]
    call([sys.executable, "-m", "benchmarks.results", "score", *map(str, [*paths, out])], folder, folder / LOG)
    return srsly.read_json(out)


def shell(command: str, folder: Path, log: Path) -> None:
    """Run a shell command; "python" is this Python. RAISES: RunFailed."""
    call(["bash", "-c", command], folder, log)


def call(command: list[str], folder: Path, log: Path) -> None:
    """Run a program with all that it says added to the log. RAISES: RunFailed with the last lines of it."""
    with log.open("a", encoding="utf8") as file:
        file.write(f"$ {command[-1] if command[0] == 'bash' else ' '.join(command)}\n")
        file.flush()
        done = subprocess.run(
            command, cwd=folder, env=environment(), stdout=file, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        last = log.read_text(encoding="utf8", errors="replace").splitlines()[-LAST_LINES:]
        raise RunFailed(f"exit code {done.returncode}; the end of {log}:\n    " + "\n    ".join(last))


def environment() -> dict[str, str]:
    """One thread, so that the weights do not depend on the machine's cores."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    modules = os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return {**os.environ, "PATH": path, "PYTHONPATH": modules, "OMP_NUM_THREADS": "1"}


def needed_seconds(run: Run, seconds: Callable[[Run], Optional[float]]) -> Optional[float]:
    """The time of the runs that one run uses, each as fast as the fastest of its row, all together; None where any is
    not measured."""
    total = 0.0
    for name, count in run.row.needs.items():
        found = [seconds(each) for each in run.plan.runs_of(run.table, run.table.rows[name])]
        known = [value for value in found if value is not None]
        if not known:
            return None
        total += count * min(known)
    return total


def count_states(runs: Iterable[Run]) -> dict[str, int]:
    """measured, stale (by other commands, configs or files) and missing."""
    counts = {"measured": 0, "stale": 0, "missing": 0}
    for run in runs:
        state = "measured" if is_measured(run) else "stale" if stored(run) is not None else "missing"
        counts[state] += 1
    return counts
