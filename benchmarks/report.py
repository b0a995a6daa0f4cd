"""docs/results.md: what is stored, set into results.md.jinja."""

import re
from math import inf
from pathlib import Path
from statistics import mean, stdev
from typing import Optional

import jinja2

from .plan import Column, Plan, Run
from .store import Record, Store

TEMPLATE = "results.md.jinja"
NOT_MEASURED = "not measured"
NONE = "–"
NAMES = {"python": "Python", "spacy": "spaCy"}


def render(plan: Plan, store: Store) -> str:
    """The page as it should be. What is not measured says so."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

    def output(name: str) -> Optional[Record]:
        if name not in plan.outputs:
            raise KeyError(f"{TEMPLATE}: runs.yml has no output {name!r}")
        return store.get(output=name)

    def found(name: str, pattern: str) -> str:
        """The first group of the pattern in the output of this name."""
        match = re.search(pattern, (output(name) or {"text": ""})["text"])
        return match[1] if match else NOT_MEASURED

    environment.globals |= {"output": output, "found": found, "version_line": version_line, "command": plan.output}
    return environment.get_template(TEMPLATE).render(tables=[TableView(plan, store, name) for name in plan.tables])


class LineView:
    """A line with its figures as text."""

    def __init__(self, runs: list[Run], store: Store, speed: Optional[Record]) -> None:
        self.run, self.speed = runs[0], speed
        found = {run.seed: store.get(**run.identity) for run in runs}
        self.results = {seed: result for seed, result in found.items() if result}
        self.seconds = min((result["seconds"] for result in self.results.values()), default=inf)
        n, planned = len(self.results), len(found)
        self.seeds = f"{n}" if n == planned else f"{n} of {planned}"
        self.added = "; ".join(f"`{each}`" if each else NONE for each in self.run.added)

    def values(self, column: Column) -> dict[int, float]:
        """Seed -> percent."""
        group, _, name = column.score.partition(".")
        found = {seed: (result["scores"][group] or {}).get(name) for seed, result in self.results.items()}
        return {seed: 100 * value for seed, value in found.items() if value is not None}

    def score(self, column: Column) -> str:
        values = list(self.values(column).values())
        if not values:
            return NONE if self.results else NOT_MEASURED
        return f"{mean(values):.2f}" + (f" ± {stdev(values):.2f}" if len(values) > 1 else "")

    def difference(self, base: "LineView", column: Column) -> str:
        """To another line, over the seeds that are measured of both, ± its standard error."""
        values, others = self.values(column), base.values(column)
        differences = [values[seed] - others[seed] for seed in values if seed in others]
        if not differences:
            return NONE
        error = f" ± {stdev(differences) / len(differences) ** 0.5:.2f}" if len(differences) > 1 else ""
        return f"{mean(differences):+.2f}{error}"

    @property
    def sizes(self) -> list[str]:
        """Parameters, static numbers and bytes."""
        if not self.results:
            return [NONE] * 3
        result = next(iter(self.results.values()))
        parameters, static = (f"{result[name]:,}" if result[name] else NONE for name in ("parameters", "static"))
        return [parameters, static, f"{result['bytes'] / 1e6:.1f} MB"]

    @property
    def tokens_per_second(self) -> str:
        if not self.speed:
            return NONE
        ratio = f" ({self.speed['ratio']:.2f})" if "ratio" in self.speed else ""
        return f"{self.speed['tokens_per_second']:,}{ratio}"


class TableView:
    """A table with its figures as text."""

    def __init__(self, plan: Plan, store: Store, name: str) -> None:
        self.name, self.table = name, plan.tables[name]
        self.main = self.table.columns[0]  # the score of ablation and learning curve
        speeds = (store.get(speed=name) or {"rows": {}})["rows"]
        self.views = {line: LineView(runs, store, speeds.get(line)) for line, runs in plan.lines(name).items()}

    def of_kind(self, kind: str) -> list[LineView]:
        return [view for view in self.views.values() if view.run.kind == kind]

    @property
    def head(self) -> list[str]:
        titles = [column.title for column in self.table.columns]
        return ["recipe", *titles, "seeds", "parameters", "static", "size", "training", "tokens/s"]

    def cells(self, view: LineView) -> list[str]:
        scores = [view.score(column) for column in self.table.columns]
        return [view.run.title, *scores, view.seeds, *view.sizes, self.time(view), view.tokens_per_second]

    def time(self, view: LineView) -> str:
        """Of the fastest run, with that of the runs that it is made of, each as fast as the fastest of its row."""
        seconds = view.seconds + sum(count * self.views[name].seconds for name, count in view.run.row.needs.items())
        return f"{round(seconds) // 60}:{round(seconds) % 60:02}" if seconds < inf else NONE

    @property
    def ablated(self) -> Optional[LineView]:
        """The row that the ablation changes."""
        return self.views[self.table.ablation.row] if self.table.ablation else None

    def ablation_head(self, first: str) -> list[str]:
        titles = [column.title for column in self.table.columns if column.ablated]
        two_steps = self.ablated and self.ablated.run.row.first
        added = "added to its first command; to its second" if two_steps else "added to its command"
        return [first, self.main.title, "difference", *titles, "seeds", added]

    def ablation_cells(self, view: LineView) -> list[str]:
        changed = self.ablated and view is not self.ablated
        difference, added = (view.difference(self.ablated, self.main), view.added) if changed else ("", "")
        scores = [view.score(column) for column in self.table.columns if column.ablated]
        return [view.run.title, view.score(self.main), difference, *scores, view.seeds, added]

    @property
    def curve(self) -> dict[str, dict[int, LineView]]:
        """The row's title -> percent of the training data -> the row trained on so much."""
        if self.table.curve is None:
            return {}
        names = {name: {p: f"{name}-{p}" for p in self.table.curve.percent} | {100: name} for name in self.table.curve.rows}
        views = {name: {p: self.views[each] for p, each in points.items()} for name, points in names.items()}
        return {points[100].run.title: points for points in views.values()}

    @property
    def curve_head(self) -> list[str]:
        return ["recipe", *(f"{percent}%" for percent in next(iter(self.curve.values())))]

    @property
    def curve_cells(self) -> list[list[str]]:
        return [[title, *(view.score(self.main) for view in points.values())] for title, points in self.curve.items()]

    @property
    def has_curve(self) -> bool:
        return any(sum(bool(view.results) for view in points.values()) > 1 for points in self.curve.values())

    @property
    def versions(self) -> list[str]:
        """One line for each set of versions that figures of this table have."""
        views = [view for view in self.views.values() if view.run.kind != "curve"]
        return sorted({version_line(result["versions"]) for view in views for result in view.results.values()})


def version_line(versions: dict[str, str]) -> str:
    return ", ".join(f"{NAMES.get(name, name)} {number}" for name, number in versions.items())


def draw_curves(plan: Plan, store: Store, folder: Path) -> None:
    """A plot for each table that has a learning curve: curve-TABLE.png."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    for table in (TableView(plan, store, name) for name in plan.tables):
        if not table.has_curve:
            continue
        figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
        for title, points in table.curve.items():
            values = {percent: list(view.values(table.main).values()) for percent, view in points.items()}
            values = {percent: each for percent, each in values.items() if each}
            deviations = [stdev(each) if len(each) > 1 else 0 for each in values.values()]
            means, label = [mean(each) for each in values.values()], title.replace("`", "")
            axes.errorbar(list(values), means, yerr=deviations, marker="o", capsize=3, label=label)
        axes.set(xlabel="percent of the training data", ylabel=table.main.title, title=table.table.title)
        axes.set_xscale("log")
        percents = list(next(iter(table.curve.values())))
        axes.set_xticks(percents, list(map(str, percents)))
        axes.minorticks_off()
        axes.legend()
        folder.mkdir(parents=True, exist_ok=True)
        figure.savefig(folder / f"curve-{table.name}.png", dpi=120)
        plt.close(figure)
