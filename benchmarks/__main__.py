"""python -m benchmarks: measure what runs.yml lists into results.jsonl, and write docs/results.md of it."""

import random
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, NoReturn

import spacy
import srsly
import typer
from spacy.tokens import DocBin
from spacy.training import Corpus

from spacy_bilstm_tagger.util import write_beside

from .plan import PROJECT, Plan, PlanError, read_plan
from .report import draw_curves, render
from .run import RunFailed, matches, measure, measure_speed, runs_to_do, shell
from .store import Store

PAGE = PROJECT / "docs" / "results.md"
app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)
Only = Annotated[str, typer.Option(help="Only those whose names fit, with * as in a shell.")]
Set = Annotated[list[str], typer.Option("--set", help="NAME=VALUE: another value of one of the vars, for this machine.")]
Force = Annotated[bool, typer.Option(help="Also what is measured already.")]


@app.command()
def run(
    only: Annotated[str, typer.Option(help="TABLE, TABLE/ROW or TABLE/ROW/SEED, with * as in a shell.")] = "*",
    set: Set = [],  # noqa: B006
    jobs: Annotated[int, typer.Option(min=1, help="Number of trainings at once, each on one thread.")] = 1,
    force: Force = False,
    only_list: Annotated[bool, typer.Option("--list", help="Only list the runs to do.")] = False,
) -> None:
    """Train and score each row and seed that is not measured yet."""
    plan, store = load(set), Store()
    todo = runs_to_do(plan, store, only, force=force)
    runs = [run for run in plan.runs() if matches(run, only)]
    measured = sum(store.get(**run.identity) is not None for run in runs)
    typer.echo(f"{measured} of {len(runs)} measured; to do: {len(todo)}")
    for name, reason in {run.name.rsplit("/", 1)[0]: run.lacks for run in runs if run.lacks}.items():
        typer.echo(f"  {name} is left out: {reason}")
    if only_list:
        typer.echo("".join(f"  {name}\n" for name in todo), nl=False)
    elif failed := measure(todo, store, jobs=jobs, tell=typer.echo):
        fail(f"{len(failed)} of {len(todo)} were not measured: {', '.join(failed)}")


@app.command()
def speed(only: Only = "*", rounds: Annotated[int, typer.Option(min=1)] = 7) -> None:
    """Time the trained pipelines of each table against one another, on one thread."""
    plan, store = load([]), Store()
    for name in plan.tables:
        if fnmatch(name, only):
            rows = measure_speed(plan, store, name, rounds=rounds)
            typer.echo(f"{name}: {', '.join(rows) or 'nothing is trained'}")


@app.command()
def outputs(only: Only = "*", set: Set = [], force: Force = False) -> None:  # noqa: B006
    """Run the commands whose output the page quotes."""
    plan, store = load(set), Store()
    failed = []
    for name in plan.outputs:
        command, old = plan.output(name), store.get(output=name)
        if not fnmatch(name, only) or (old and old["command"] == command and not force):
            continue
        if missing := plan.not_set(plan.outputs[name]):
            typer.echo(f"  {name} is left out: give it with --set {missing[0]}=...")
            continue
        try:
            text = shell(plan.output(name, plan.here), plan.root)
            store.add({"output": name, "command": command, "text": text.strip()})
            typer.echo(f"✔ {name}")
        except RunFailed as error:
            failed.append(name)
            typer.echo(f"✘ {name}: {error}")
    if failed:
        fail(f"{len(failed)} did not end well: {', '.join(failed)}")


@app.command()
def write(check: Annotated[bool, typer.Option(help="Only check that the page is up to date.")] = False) -> None:
    """Write docs/results.md, and draw its plots."""
    plan, store = load([]), Store()
    text = render(plan, store)
    if check:
        if PAGE.read_text(encoding="utf8") != text:
            fail(f"{PAGE.relative_to(PROJECT)} is not up to date: run 'python -m benchmarks write'")
        return
    draw_curves(plan, store, PAGE.parent / "images")
    with write_beside(PAGE) as draft:
        draft.write_text(text, encoding="utf8")
    missing = sum(store.get(**run.identity) is None for run in plan.runs() if run.kind != "removed")
    typer.echo(f"✔ {PAGE.relative_to(PROJECT)}; runs that are not measured: {missing}")


@app.command()
def score(pipeline: Path, train: Path, dev: Path, out: Path) -> None:
    """Score a pipeline and write the figures as JSON: the last step of each run."""
    from .score import measure_pipeline

    srsly.write_json(out, measure_pipeline(pipeline, train=train, dev=dev))


@app.command()
def part(source: Path, target: Path, percent: Annotated[int, typer.Option(min=1, max=100)]) -> None:
    """Write a part of a training file: the first step of each point of the learning curve. A smaller part lies inside of
    a larger one, and the texts keep their order."""
    docs = [example.reference for example in Corpus(source, gold_preproc=True)(spacy.blank("xx"))]
    shuffled = list(range(len(docs)))
    random.Random(0).shuffle(shuffled)
    drawn = sorted(shuffled[: max(1, round(len(docs) * percent / 100))])
    with write_beside(target) as draft:
        DocBin(docs=[docs[i] for i in drawn], store_user_data=True).to_disk(draft)
    typer.echo(f"{len(drawn)} texts")


def load(values: list[str]) -> Plan:
    try:
        for value in values:
            if "=" not in value:
                raise PlanError(f"--set {value}: expected NAME=VALUE")
        pairs = [value.split("=", 1) for value in values]
        return read_plan(here={name: value for name, value in pairs if value})
    except PlanError as error:
        fail(str(error))


def fail(message: str) -> NoReturn:
    typer.secho(f"✘ {message}", fg="red", err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
