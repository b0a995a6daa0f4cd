"""docs/results.md: what is stored, set into results.md.jinja."""

import re
from functools import cached_property
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Callable, Optional

import jinja2
import srsly

from .measure import is_stale, needed_seconds, stored
from .outputs import stored_output
from .plan import Column, Plan, Row, Run, Table

TEMPLATE = "results.md.jinja"
NOT_MEASURED = "not measured"
NONE = "–"
STALE = " †"
NAMES = {"python": "Python", "spacy": "spaCy"}


def render(plan: Plan) -> str:
    """The page as it should be. What is not measured says so."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(
        loader=loader,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

    def output(name: str) -> Optional[dict[str, Any]]:
        if name not in plan.outputs:
            raise KeyError(f"{TEMPLATE}: results.yml has no output {name!r}")
        return stored_output(plan, name)

    def found(name: str, pattern: str) -> str:
        """The first group of the pattern in the output of this name."""
        result = output(name)
        match = re.search(pattern, result["text"]) if result else None
        return match[1] if match else NOT_MEASURED

    tables = [TableView(plan, table) for table in plan.tables.values()]
    return environment.get_template(TEMPLATE).render(
        tables=tables, plan=plan, output=output, found=found, versions=version_line
    )


class TableView:
    """A table with its figures as text."""

    def __init__(self, plan: Plan, table: Table) -> None:
        self.plan, self.table = plan, table
        path = plan.measured / table.name / "speed.json"
        self.speeds: dict[str, Any] = srsly.read_json(path)["rows"] if path.is_file() else {}

    @cached_property
    def rows(self) -> list["RowView"]:
        return [self.view(row) for row in self.table.of_kind("recipe")]

    @cached_property
    def ablation(self) -> list["RowView"]:
        return [self.view(row) for row in self.table.of_kind("ablation")]

    @cached_property
    def variants(self) -> list["RowView"]:
        return [self.view(row) for row in self.table.of_kind("variant")]

    @property
    def main(self) -> Column:
        """What ablation and learning curve show."""
        return self.table.columns[0]

    @cached_property
    def curve(self) -> dict[str, dict[int, "RowView"]]:
        """The row's name -> percent of the training data -> the row trained on so much."""
        curves: dict[str, dict[int, RowView]] = {}
        for row in self.table.of_kind("curve"):
            points = curves.setdefault(row.of, {100: self.view(self.table.rows[row.of])})
            points[row.percent] = self.view(row)
        return {name: dict(sorted(points.items())) for name, points in curves.items()}

    @property
    def head(self) -> list[str]:
        titles = [column.title for column in self.table.columns]
        return ["recipe", *titles, "seeds", "parameters", "static", "size", "training", "tokens/s"]

    @property
    def base(self) -> "RowView":
        """The row whose features are removed."""
        return self.view(self.table.rows[self.ablation[0].row.of])

    def ablation_head(self, first: str) -> list[str]:
        beside = [column.title for column in self._ablated]
        added = "added to its command" if len(self.base.commands) == 1 else "added to its first command; to its second"
        return [first, self.main.title, "difference", *beside, "seeds", added]

    def ablation_cells(self, row: "RowView") -> list[str]:
        """Of the base, a row without one feature, or one with another setting."""
        difference = row.difference(self.main) if row.row.of else ""
        beside = [row.score(column) for column in self._ablated]
        return [row.what, row.score(self.main), difference, *beside, row.seeds, row.added]

    @property
    def _ablated(self) -> list[Column]:
        return [column for column in self.table.columns if column.ablated]

    @property
    def curve_head(self) -> list[str]:
        return ["recipe", *(f"{percent}%" for percent in self.percents)]

    @property
    def curve_cells(self) -> list[list[str]]:
        rows = []
        for name, points in self.curve.items():
            scores = [view.score(self.main) + (STALE if view.stale else "") for view in points.values()]
            rows.append([self.table.rows[name].what, *scores])
        return rows

    @property
    def has_curve(self) -> bool:
        return any(len(curve_points(points, self.main)) > 1 for points in self.curve.values())

    @property
    def percents(self) -> list[int]:
        return sorted({percent for points in self.curve.values() for percent in points})

    @property
    def stale(self) -> bool:
        points = [point for points in self.curve.values() for point in points.values()]
        return any(view.stale or view.stale_speed for view in [*self.rows, *self.ablation, *self.variants, *points])

    @property
    def versions(self) -> list[str]:
        """One line for each set of versions that figures of this table have."""
        results = [result for view in [*self.rows, *self.ablation, *self.variants] for result in view.results]
        return sorted({version_line(result["versions"]) for result in results})

    def view(self, row: Row) -> "RowView":
        return RowView(self.plan, self.table, row, self.speeds.get(row.name))


class RowView:
    """A row with its figures as text."""

    def __init__(self, plan: Plan, table: Table, row: Row, speed: Optional[dict[str, Any]]) -> None:
        self.table, self.row, self.speed = table, row, speed
        self.runs = plan.runs_of(table, row)
        pairs = [(run, result) for run in self.runs if (result := stored(run)) is not None]
        self.results = [result for _, result in pairs]
        self.measured_seeds = [run.seed for run, _ in pairs]
        self.stale = any(is_stale(run, result) for run, result in pairs)

    @property
    def stale_speed(self) -> bool:
        return self.speed is not None and self.speed["key"] not in {run.key for run in self.runs}

    @property
    def what(self) -> str:
        return self.row.what + STALE if self.stale else self.row.what

    @property
    def cells(self) -> list[str]:
        scores = [self.score(column) for column in self.table.columns]
        rest = [self.seeds, self.parameters, self.static, self.size, self.time, self.tokens_per_second]
        return [self.what, *scores, *rest]

    @property
    def seeds(self) -> str:
        """How many, where that is less than planned: 2 of 3."""
        n, planned = len(self.results), len(self.runs)
        return f"{n}" if n == planned else f"{n} of {planned}"

    @property
    def commands(self) -> list[str]:
        return self.runs[0].commands

    def by_seed(self, column: Column) -> dict[int, float]:
        group, _, name = column.score.partition(".")
        found = [(result["scores"][group] or {}).get(name) for result in self.results]
        return {seed: 100 * value for seed, value in zip(self.measured_seeds, found) if value is not None}

    def values(self, column: Column) -> list[float]:
        return list(self.by_seed(column).values())

    def score(self, column: Column) -> str:
        if not self.results:
            return NOT_MEASURED
        return mean_and_deviation(self.values(column))

    def difference(self, column: Column) -> str:
        """To the row that this one is made of, over the seeds that are measured of both, ± its standard error."""
        of = self.table.rows[self.row.of]
        others = RowView(self.runs[0].plan, self.table, of, None).by_seed(column)
        values = self.by_seed(column)
        differences = [values[seed] - others[seed] for seed in values if seed in others]
        if not differences:
            return NONE
        error = f" ± {stdev(differences) / len(differences) ** 0.5:.2f}" if len(differences) > 1 else ""
        return f"{mean(differences):+.2f}{error}"

    @property
    def added(self) -> str:
        """What was added to the commands of the row that this one is made of."""
        return "; ".join(f"`{each}`" if each else NONE for each in self.row.args)

    @property
    def parameters(self) -> str:
        return self._first(lambda result: None if result["parameters"] is None else f"{result['parameters']:,}")

    @property
    def static(self) -> str:
        return self._first(lambda result: f"{result['static']:,}" if result["static"] else None)

    @property
    def size(self) -> str:
        return self._first(lambda result: f"{result['bytes'] / 1e6:.1f} MB")

    @property
    def time(self) -> str:
        """Of the fastest run, with that of the runs that it is made of."""
        needed = needed_seconds(self.runs[0], _seconds)
        if not self.results or needed is None:
            return NONE
        minutes, seconds = divmod(round(min(result["seconds"] for result in self.results) + needed), 60)
        return f"{minutes}:{seconds:02}"

    @property
    def tokens_per_second(self) -> str:
        if self.speed is None:
            return NONE
        ratio = f" ({self.speed['ratio']:.2f})" if "ratio" in self.speed else ""
        return f"{self.speed['tokens_per_second']:,}{ratio}" + (STALE if self.stale_speed else "")

    def _first(self, text: Callable[[dict[str, Any]], Optional[str]]) -> str:
        return (text(self.results[0]) if self.results else None) or NONE


def mean_and_deviation(values: list[float]) -> str:
    if not values:
        return NONE
    return f"{mean(values):.2f}" + (f" ± {stdev(values):.2f}" if len(values) > 1 else "")


def version_line(versions: dict[str, str]) -> str:
    return ", ".join(f"{NAMES.get(name, name)} {number}" for name, number in versions.items())


def curve_points(points: dict[int, RowView], column: Column) -> list[tuple[int, list[float]]]:
    """(percent, scores of the seeds) of what is measured."""
    return [(percent, values) for percent, view in points.items() if (values := view.values(column))]


def draw_curves(plan: Plan, folder: Path) -> None:
    """A plot for each table that has a learning curve: curve-TABLE.png."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    for view in (TableView(plan, table) for table in plan.tables.values()):
        if not view.has_curve:
            continue
        figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
        for name, points in view.curve.items():
            percents, values = zip(*curve_points(points, view.main))
            deviations = [stdev(each) if len(each) > 1 else 0 for each in values]
            label = view.table.rows[name].what.replace("`", "")
            axes.errorbar(percents, list(map(mean, values)), yerr=deviations, marker="o", capsize=3, label=label)
        axes.set(xlabel="percent of the training data", ylabel=view.main.title, title=view.table.title)
        axes.set_xscale("log")
        axes.set_xticks(view.percents, list(map(str, view.percents)))
        axes.minorticks_off()
        axes.legend()
        folder.mkdir(parents=True, exist_ok=True)
        figure.savefig(folder / f"curve-{view.table.name}.png", dpi=120)
        plt.close(figure)


def _seconds(run: Run) -> Optional[float]:
    result = stored(run)
    return result["seconds"] if result else None
