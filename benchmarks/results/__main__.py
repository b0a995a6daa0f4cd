"""python -m benchmarks.results: measure what results.yml lists, and write docs/results.md."""

from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, NoReturn

import srsly
import typer

from spacy_bilstm_tagger.util import write_beside

from .measure import RunFailed, count_states, matches, runs_to_do, score_again, stored
from .measure import measure as measure_runs
from .outputs import store_output, stored_output
from .page import draw_curves, render
from .part import write_part
from .plan import Plan
from .read_plan import PROJECT, PlanError, read_plan
from .score import measure_pipeline
from .speed import measure_speed

PAGE = PROJECT / "docs" / "results.md"
app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)
Only = Annotated[str, typer.Option(help="Only what fits: TABLE, TABLE/ROW or TABLE/ROW/SEED, with * as in a shell.")]
Here = Annotated[
    list[str], typer.Option("--set", help="NAME=VALUE: another value of one of the vars, for this machine.")
]


@app.command()
def measure(
    only: Only = "*",
    set: Here = [],  # noqa: B006
    jobs: Annotated[int, typer.Option(min=1, help="How many to train at once, each on one thread.")] = 1,
    force: Annotated[bool, typer.Option(help="Also what is measured already.")] = False,
    only_list: Annotated[bool, typer.Option("--list", help="Say what there is to do, and do nothing.")] = False,
) -> None:
    """Train and score each row and seed that is not measured yet."""
    plan = load(set)
    todo = runs_to_do(plan, only, force=force)
    runs = [run for run in plan.runs() if matches(run, only)]
    typer.echo(", ".join(f"{count} {state}" for state, count in count_states(runs).items()) + f"; to do: {len(todo)}")
    for name, reason in {f"{run.table.name}/{run.row.name}": run.lacks for run in runs if run.lacks}.items():
        typer.echo(f"  {name} is left out: {reason}")
    if only_list:
        for name in todo:
            typer.echo(f"  {name}")
        return
    failed = measure_runs(todo, jobs=jobs, tell=typer.echo)
    if failed:
        typer.secho(f"✘ {len(failed)} of {len(todo)} were not measured: {', '.join(failed)}", fg="red", err=True)
        raise typer.Exit(1)


@app.command()
def rescore(only: Only = "*", set: Here = []) -> None:  # noqa: B006
    """Score again what is measured and whose pipelines are there: after a change of score.py, instead of training."""
    for run in load(set).runs():
        if not matches(run, only) or stored(run) is None:
            continue
        try:
            reason = score_again(run)
            typer.echo(f"  {run.name} is left as it is: {reason}" if reason else f"✔ {run.name}")
        except RunFailed as error:
            fail(f"{run.name}: {error}")


@app.command()
def speed(
    only: Annotated[str, typer.Option(help="Only the tables whose names fit.")] = "*",
    rounds: Annotated[int, typer.Option(min=1)] = 7,
) -> None:
    """Time the trained pipelines of each table against one another, on one thread."""
    plan = load([])
    for table in plan.tables.values():
        if fnmatch(table.name, only):
            names = measure_speed(plan, table, rounds=rounds)
            typer.echo(f"{table.name}: {', '.join(names) if names else 'nothing is trained'}")


@app.command()
def outputs(
    only: Annotated[str, typer.Option(help="Only those whose names fit.")] = "*",
    set: Here = [],  # noqa: B006
    force: Annotated[bool, typer.Option(help="Also those that are stored already.")] = False,
) -> None:
    """Run the commands whose output the page quotes."""
    plan = load(set)
    failed = False
    for name, command in plan.outputs.items():
        old = stored_output(plan, name)
        if not fnmatch(name, only) or (old and old["command"] == command.format(**plan.vars) and not force):
            continue
        if names := plan.not_set(command):
            typer.echo(f"  {name} is left out: give it with --set {names[0]}=...")
            continue
        try:
            store_output(plan, name)
            typer.echo(f"✔ {name}")
        except RunFailed as error:
            failed = True
            typer.secho(f"✘ {name}: {error}", fg="red", err=True)
    if failed:
        raise typer.Exit(1)


@app.command()
def write(check: Annotated[bool, typer.Option(help="Only say whether the page is up to date.")] = False) -> None:
    """Write docs/results.md, and draw its plots."""
    plan = load([])
    text = render(plan)
    if check:
        if PAGE.read_text(encoding="utf8") != text:
            fail(f"{PAGE.relative_to(PROJECT)} is not up to date: run 'python -m benchmarks.results write'")
        return
    draw_curves(plan, PAGE.parent / "images")
    with write_beside(PAGE) as draft:
        draft.write_text(text, encoding="utf8")
    missing = sum(stored(run) is None for run in plan.runs())
    typer.echo(f"✔ {PAGE.relative_to(PROJECT)}; runs that are not measured: {missing}")


@app.command()
def score(pipeline: Path, train: Path, dev: Path, out: Path) -> None:
    """Score a pipeline and write what is found as JSON: the last step of each row."""
    srsly.write_json(out, measure_pipeline(pipeline, train=train, dev=dev))


@app.command()
def part(source: Path, target: Path, percent: Annotated[int, typer.Option(min=1, max=100)]) -> None:
    """Write a part of a training file: the first step of each point of the learning curve."""
    typer.echo(f"{write_part(source, target, percent=percent)} texts")


def load(values: list[str]) -> Plan:
    try:
        for value in values:
            if "=" not in value:
                raise PlanError(f"--set {value}: expected NAME=VALUE")
        pairs = dict(value.split("=", 1) for value in values)
        return read_plan(here={name: value for name, value in pairs.items() if value})
    except PlanError as error:
        fail(str(error))


def fail(message: str) -> NoReturn:
    typer.secho(f"✘ {message}", fg="red", err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
