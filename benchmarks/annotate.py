"""Speed and memory of `spacy-bilstm annotate`, beside `nlp.pipe` alone.

    python -m benchmarks.annotate en_tweet_sm assets/raw/gurez.txt --speed 20000 --memory 1000000

Texts are those of the file again and again, made distinct by a number behind them. Speed is measured in rounds that take turns;
loading does not count, but for the row with two processes, where it does. Memory is that of all processes together (PSS of
Linux, where shared pages count once), looked at whenever a file of 50,000 records is complete.
"""

import json
import subprocess
import sys
import tempfile
import time
from itertools import count, cycle, islice
from pathlib import Path
from statistics import median
from typing import Annotated, Iterator

import spacy
import torch
import typer
from spacy.language import Language

from spacy_bilstm_tagger.annotate.annotator import TASK, Recipe
from spacy_bilstm_tagger.annotate.outputs import Form
from spacy_bilstm_tagger.annotate.records import Layout
from spacy_bilstm_tagger.annotate.run import Job, run_job
from spacy_bilstm_tagger.corpus.raw import read_raw_texts

SHARD = 50_000


def main(
    model: str,
    texts: Annotated[Path, typer.Argument(help="One a line.")],
    speed: Annotated[int, typer.Option(help="Texts whose speed is measured.")] = 20_000,
    rounds: int = 2,
    memory: Annotated[int, typer.Option(help="Texts whose memory is measured; 0 for none.")] = 0,
    processes: int = 2,
) -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        if speed:
            show_speed(model, write_texts(room / "speed.jsonl", texts, speed), room, rounds, processes)
        if memory:
            show_memory(model, write_texts(room / "memory.jsonl", texts, memory), room, processes)


def write_texts(path: Path, texts: Path, number: int) -> Path:
    with path.open("w", encoding="utf8") as file:
        for i, text in zip(count(), islice(cycle(read_raw_texts(texts)), number)):
            file.write(json.dumps({"id": f"t{i}", "text": f"{text} {i}"}, ensure_ascii=False) + "\n")
    return path


def show_speed(model: str, source: Path, room: Path, rounds: int, processes: int) -> None:
    texts = [json.loads(line)["text"] for line in source.open(encoding="utf8")]
    nlp = spacy.load(model)
    numbers: Iterator[int] = iter(range(1000))

    def pipe() -> None:
        for start in range(0, len(texts), TASK):
            with nlp.memory_zone():
                for _ in nlp.pipe(texts[start : start + TASK], batch_size=256):
                    pass

    class Loaded(Recipe):
        def load(self) -> Language:
            return nlp

    def annotate(format: str, workers: int) -> None:
        job = make_job(model, source, room / f"out{next(numbers)}", format, workers)
        if workers == 1:
            job.recipe = Loaded(model, job.recipe.form)
        run_job(job)

    calls = {
        "nlp.pipe": pipe,
        "annotate, JSON lines": lambda: annotate("jsonl", 1),
        "annotate, Parquet": lambda: annotate("parquet", 1),
        f"annotate, Parquet, {processes} processes": lambda: annotate("parquet", processes),
    }
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            begin = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - begin)
    typer.echo(f"{len(texts):,} texts, medians of {rounds} rounds\n")
    typer.echo("| | texts a second | beside nlp.pipe |\n|---|---|---|")
    for name, found in seconds.items():
        ratio = median(base / own for base, own in zip(seconds["nlp.pipe"], found))
        typer.echo(f"| {name} | {len(texts) / median(found):,.0f} | {ratio:.2f} |")


def make_job(model: str, source: Path, output: Path, format: str, processes: int) -> Job:
    recipe = Recipe(model, Form(format=format, has_ids=True))
    return Job(sources=[str(source)], layout=Layout(id_field="id"), recipe=recipe, output=output, processes=processes)


def show_memory(model: str, source: Path, room: Path, processes: int) -> None:
    out = room / "memory"
    options = ["--id-field", "id", "--format", "parquet", "--processes", str(processes), "--shard-size", str(SHARD)]
    begin = time.perf_counter()
    run = subprocess.Popen([sys.executable, "-m", "spacy_bilstm_tagger", "annotate", model, source, out, *options])
    typer.echo("\n| texts | MB of all processes | texts a second so far |\n|---|---|---|")
    done = 0
    while run.poll() is None:
        number = len(list(out.glob("part-*"))) if out.exists() else 0
        if number > done:
            done = number
            megabytes = sum(map(resident, [run.pid, *children(run.pid)]))
            rate = done * SHARD / (time.perf_counter() - begin)
            typer.echo(f"| {done * SHARD:,} | {megabytes:,.0f} | {rate:,.0f} |")
        time.sleep(0.2)


def children(parent: int) -> list[int]:
    paths = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(pid) for path in paths for pid in path.read_text().split()]


def resident(process: int) -> float:
    """Megabytes."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next(float(line.split()[1]) / 1000 for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    typer.run(main)
