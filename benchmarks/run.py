"""Train and score what runs.yml lists and results.jsonl lacks; time the trained pipelines; run the quoted commands."""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Callable, Optional

import spacy
import srsly
import torch
from spacy.language import Language

from .plan import PROJECT, Plan, Run
from .store import Store
from .timing import in_turn, read_texts, speed_ratio

LAST_LINES = 5
BATCH_SIZE = 256


class RunFailed(Exception):
    """A command did not end well."""


def matches(run: Run, pattern: str) -> bool:
    """A pattern is as in a shell; one without a seed fits all seeds, and one without a row all rows."""
    return any(fnmatch(run.name, pattern + rest) for rest in ("", "/*"))


def runs_to_do(plan: Plan, store: Store, pattern: str, *, force: bool = False) -> dict[str, Run]:
    """Name -> run: those whose TABLE/ROW/SEED fits the pattern, which lack nothing and are not measured; and those that
    they need and whose pipelines are not there."""
    fitting = [run for run in plan.runs() if matches(run, pattern) and not run.lacks]
    todo = {run.name: run for run in fitting if force or not store.get(**run.identity)}
    for run in list(todo.values()):
        for needed in run.needs:
            if not (store.get(**needed.identity) and (plan.root / needed.pipeline).exists()):
                todo[needed.name] = needed
    return todo


def measure(todo: dict[str, Run], store: Store, *, jobs: int, tell: Callable[[str], None]) -> list[str]:
    """Do the runs, `jobs` at a time, each on one thread; first those that others need. Returns the names of those that
    failed or that need one."""
    failed: list[str] = []
    for made_of_others in (False, True):
        runs = [run for run in todo.values() if bool(run.needs) == made_of_others]
        with ThreadPoolExecutor(jobs) as pool:
            futures = {pool.submit(_train_and_score, run, list(failed), tell): run for run in runs}
            for future in as_completed(futures):
                run = futures[future]
                try:
                    result = future.result()
                except RunFailed as error:
                    failed.append(run.name)
                    tell(f"✘ {run.name}: {error}")
                else:
                    store.add({**run.identity, "jobs": jobs, **result})
                    tell(f"✔ {run.name}, {result['seconds']:.0f} s")
    return failed


def _train_and_score(run: Run, failed: list[str], tell: Callable[[str], None]) -> dict[str, Any]:
    """RAISES: RunFailed."""
    for needed in run.needs:
        if needed.name in failed:
            raise RunFailed(f"{needed.name} failed, and this one is made of it")
    tell(f"  {run.name} ...")
    folder = run.plan.root / run.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start = time.perf_counter()
    for command in run.commands_here:
        shell(command, run.plan.root, folder / "log.txt")
    return {"seconds": round(time.perf_counter() - start, 1), **score(run)}


def score(run: Run) -> dict[str, Any]:
    """See `measure_pipeline`; in a process of its own, on one thread. RAISES: RunFailed."""
    out = f"{run.folder}/scores.json"
    command = f"python -m benchmarks score {run.pipeline} {run.table.train} {run.table.dev} {out}"
    shell(command, run.plan.root, run.plan.root / run.folder / "log.txt")
    return srsly.read_json(run.plan.root / out)


def shell(command: str, folder: Path, log: Optional[Path] = None) -> str:
    """Run a shell command on one thread, so that weights do not depend on the machine's cores; "python" is this Python.
    Returns what it prints, if it is not written to a log. RAISES: RunFailed with the last lines."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    modules = os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    env = {**os.environ, "PATH": path, "PYTHONPATH": modules, "OMP_NUM_THREADS": "1"}
    with log.open("a", encoding="utf8") if log else nullcontext(subprocess.PIPE) as out:
        done = subprocess.run(
            ["bash", "-c", command], cwd=folder, env=env, stdout=out, stderr=subprocess.STDOUT, text=True, check=False
        )
    if done.returncode:
        text = log.read_text(encoding="utf8", errors="replace") if log else done.stdout
        last = "".join(f"\n    {line}" for line in text.splitlines()[-LAST_LINES:])
        raise RunFailed(f"exit code {done.returncode} of {command}{f'; the end of {log}' if log else ''}:{last}")
    return done.stdout or ""


def measure_speed(plan: Plan, store: Store, table: str, *, rounds: int) -> list[str]:
    """Compare the speed of the rows of a table on one thread, each by its first seed that is measured and whose pipeline
    is there: all are loaded, and read the texts of dev in turn. Returns the rows' names.

    Tokens are those of the corpus, whatever a pipeline's own tokenizer makes of the texts.
    """
    torch.set_num_threads(1)
    pipelines = {}
    for name, runs in plan.lines(table).items():
        trained = [run for run in runs if store.get(**run.identity) and (plan.root / run.pipeline).exists()]
        if trained and trained[0].kind == "row":
            pipelines[name] = spacy.load(plan.root / trained[0].pipeline)
    if not pipelines:
        return []
    (texts, n_tokens), base = read_texts(plan.root / plan.tables[table].dev), plan.tables[table].base
    times = in_turn({name: partial(_annotate, nlp, texts) for name, nlp in pipelines.items()}, rounds)
    rows: dict[str, dict[str, Any]] = {}
    for name, taken in times.items():
        rows[name] = {"tokens_per_second": round(n_tokens / median(taken))}
        if base in times:
            rows[name]["ratio"] = round(speed_ratio(taken, times[base]), 3)
    store.add({"speed": table, "rounds": rounds, "rows": rows})
    return list(rows)


def _annotate(nlp: Language, texts: list[str]) -> None:
    for _ in nlp.pipe(texts, batch_size=BATCH_SIZE):
        pass
