"""runs.yml, read: tables of rows, and the runs of each row, one a seed."""

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import AbstractSet, Any, Iterator, Mapping, Optional

import srsly
from pydantic import BaseModel, ConfigDict, Field, ValidationError

PROJECT = Path(__file__).parent.parent
RUNS = "training/results"
PLACEHOLDER = re.compile(r"\{(\w+)\}")
OWN = {"seed", "folder", "runs", "train", "dev"}
Overrides = dict[str, Any]
Vars = dict[str, str]


class PlanError(ValueError):
    """Something in runs.yml cannot be right."""


class Part(BaseModel):
    """A part of runs.yml."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Part):
    """score: GROUP.NAME as score.py names them, a share of 1; ablated: whether the ablation shows it too, next to the
    first column."""

    title: str
    score: str
    ablated: bool = False


class Training(Part):
    """A training by a config, with settings that replace the config's."""

    config: str
    overrides: Overrides = {}


class Row(Part):
    """A row of a table; runs.yml explains the fields.

    title: as on the page, Markdown; model: the folder of the pipeline, below the run's own.
    """

    title: str
    config: str = ""
    overrides: Overrides = {}
    first: Optional[Training] = None
    command: str = ""
    ensemble: dict[str, int] = {}
    needs: dict[str, int] = {}
    before: list[str] = []
    model: str = ""
    seeds: list[int] = []


class Ablation(Part):
    """Title -> overrides of the row: without one of its features, with another setting, or with one that the package had
    when it was measured and has no longer."""

    row: str
    without: dict[str, Overrides] = {}
    with_: dict[str, Overrides] = Field({}, alias="with")
    removed: dict[str, Overrides] = {}


class Curve(Part):
    """Rows that are also trained on parts of the texts."""

    rows: list[str]
    percent: list[int]


class Table(Part):
    """base: the row whose speed counts as 1."""

    title: str
    about: str
    train: str
    dev: str
    base: Optional[str] = None
    columns: list[Column]
    rows: dict[str, Row]
    ablation: Optional[Ablation] = None
    curve: Optional[Curve] = None


class Plan(Part):
    """vars: names that commands may use -> their values; outputs: name -> command.

    here: other values of vars for this machine alone, which the page does not know; root: the folder where commands run.
    """

    vars: Vars = {}
    seeds: list[int]
    tables: dict[str, Table]
    outputs: dict[str, str] = {}
    here: Vars = {}
    root: Path = PROJECT

    def lines(self, table: str) -> list["Line"]:
        """Of the table, its ablation and its learning curve."""
        content = self.tables[table]
        lines = [Line(self, table, name, name, row.title) for name, row in content.rows.items()]
        if content.ablation:
            of = content.ablation.row
            for kind, how in (("without", "without"), ("with_", "with"), ("removed", "with")):
                for title, overrides in getattr(content.ablation, kind).items():
                    name = f"{of}-{how}-{''.join(c if c.isalnum() else '-' for c in title.lower())}"
                    lines.append(Line(self, table, name, of, title, overrides, kind=kind.rstrip("_")))
        if content.curve:
            for of in content.curve.rows:
                for percent in content.curve.percent:
                    lines.append(Line(self, table, f"{of}-{percent}", of, "", percent=percent, kind="curve"))
        return lines

    def runs(self) -> Iterator["Run"]:
        for table in self.tables:
            for line in self.lines(table):
                yield from line.runs

    def output(self, name: str, here: Vars = {}) -> str:  # noqa: B006
        """The command of an output."""
        return fill(self.outputs[name], {**self.vars, **here})

    def not_set(self, text: str) -> list[str]:
        """The placeholders in the text whose values are in capitals and were not set here."""
        names = placeholders(text) & self.vars.keys() - self.here.keys()
        return sorted(name for name in names if self.vars[name].isupper())


@dataclass(frozen=True)
class Line:
    """A row of a table, or a row with other overrides, or on `percent` of the training data.

    of: the row's own name; kind: "row", "without", "with", "removed" or "curve".
    """

    plan: Plan
    table: str
    name: str
    of: str
    title: str
    overrides: Overrides = field(default_factory=dict)
    percent: int = 100
    kind: str = "row"

    @property
    def row(self) -> Row:
        return self.plan.tables[self.table].rows[self.of]

    @property
    def runs(self) -> list["Run"]:
        return [Run(self, seed) for seed in self.row.seeds or self.plan.seeds]

    @property
    def needs(self) -> dict[str, int]:
        return self.row.ensemble or self.row.needs

    @property
    def added(self) -> list[str]:
        """The options that the overrides add to the command of the first training, and to that of the second if any."""
        overrides = dict(self.overrides)
        first = [options(overrides.pop("first", {}), self.plan.vars)] if self.row.first else []
        return [*first, options(overrides, self.plan.vars)] if overrides else first


@dataclass(frozen=True)
class Run:
    """A line with one seed."""

    line: Line
    seed: int

    @property
    def plan(self) -> Plan:
        return self.line.plan

    @property
    def table(self) -> Table:
        return self.plan.tables[self.line.table]

    @property
    def name(self) -> str:
        return f"{self.line.table}/{self.line.name}/{self.seed}"

    @property
    def identity(self) -> dict[str, Any]:
        """By what its result is found again."""
        line = self.line
        return {
            "table": line.table,
            "row": line.of,
            "seed": self.seed,
            "overrides": line.overrides,
            "percent": line.percent,
        }

    @property
    def folder(self) -> str:
        return f"{RUNS}/{self.name}"

    @property
    def pipeline(self) -> str:
        row = self.line.row
        return f"{self.folder}/{row.model or ('model-best' if row.config else 'model')}"

    @property
    def needs(self) -> list["Run"]:
        """The runs that this one is made of. Where it needs three of a row, they are 0 to 2 for seed 0, and 3 to 5 for
        seed 1."""
        others = {line.name: line for line in self.plan.lines(self.line.table) if line.kind == "row"}
        pairs = [(run, count) for name, count in self.line.needs.items() for run in others[name].runs]
        return [run for run, count in pairs if run.seed // count == self.seed]

    @property
    def commands(self) -> list[str]:
        """As the page shows them."""
        return self._commands(self.plan.vars)

    @property
    def commands_here(self) -> list[str]:
        """As this machine runs them."""
        return self._commands({**self.plan.vars, **self.plan.here})

    def _commands(self, values: Vars) -> list[str]:
        row, overrides = self.line.row, dict(self.line.overrides)
        own = {"seed": str(self.seed), "folder": self.folder, "runs": f"{RUNS}/{self.line.table}"}
        values = {**values, **own, "train": self.table.train, "dev": self.table.dev}
        commands = []
        if self.line.percent < 100:
            source, values["train"] = values["train"], f"{self.folder}/train.spacy"
            commands.append(f"python -m benchmarks part {source} {values['train']} --percent {self.line.percent}")
        commands += [fill(command, values) for command in row.before]
        settings: Overrides = {"system.seed": self.seed, "paths.train": "{train}", "paths.dev": "{dev}"}
        if row.first:
            first = {**settings, **row.first.overrides, **overrides.pop("first", {})}
            commands.append(
                f"python -m spacy train {row.first.config} --output {self.folder}/first {options(first, values)}"
            )
            settings["paths.first"] = "{folder}/first/model-last"
        if row.config:
            config, settings = fill(row.config, values), {**settings, **row.overrides, **overrides}
            return [*commands, f"python -m spacy train {config} --output {self.folder} {options(settings, values)}"]
        if row.ensemble:
            members = " ".join(run.pipeline for run in self.needs)
            return [*commands, f"python -m spacy_bilstm_tagger ensemble {members} -o {self.folder}/model"]
        return [*commands, fill(row.command, values)]

    @property
    def lacks(self) -> Optional[str]:
        """The reason why it cannot be run, if any."""
        if self.line.kind == "removed":
            return "the package has no longer what it measures"
        row = self.line.row
        for config in (row.first.config if row.first else "", row.config):
            if not placeholders(config) and not (self.plan.root / config).exists():
                return f"{config} is not there"
        names = self.plan.not_set(row.model_dump_json())
        return f"give it with --set {names[0]}=..." if names else None


def options(settings: Overrides, values: Mapping[str, str]) -> str:
    """As `spacy train` takes them."""
    texts = {name: value if isinstance(value, str) else srsly.json_dumps(value) for name, value in settings.items()}
    return " ".join(f"--{name} {shlex.quote(fill(text, values))}" for name, text in texts.items())


def fill(text: str, values: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: values[match[1]], text)


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def read_plan(path: Path = PROJECT / "benchmarks" / "runs.yml", *, root: Path = PROJECT, here: Vars = {}) -> Plan:  # noqa: B006
    """RAISES: PlanError, with one line."""
    try:
        plan = Plan(**srsly.read_yaml(path), here=here, root=root)
    except ValidationError as error:
        first = error.errors()[0]
        raise PlanError(f"{path.name}, {', '.join(map(str, first['loc']))}: {first['msg']}") from None
    for name in here.keys() - plan.vars.keys():
        raise PlanError(f"--set {name}: expected one of {', '.join(plan.vars)}, the vars of {path.name}")
    for name, table in plan.tables.items():
        _check_table(f"{path.name}, table {name}", table, plan.vars.keys() | OWN)
    for name, command in plan.outputs.items():
        _check_placeholders(f"{path.name}, output {name}", command, plan.vars.keys())
    return plan


def _check_table(where: str, table: Table, known: AbstractSet[str]) -> None:
    def get(name: str) -> Row:
        if name not in table.rows:
            raise PlanError(f"{where}: there is no row {name!r}; found {', '.join(table.rows)}")
        return table.rows[name]

    for name, row in table.rows.items():
        if sum(map(bool, (row.config, row.command, row.ensemble))) != 1:
            raise PlanError(f"{where}, row {name}: expected one of config, command and ensemble")
        for other in row.ensemble or row.needs:
            if get(other).ensemble or get(other).needs:
                raise PlanError(f"{where}, row {name}: needs {other}, which needs others itself; name those too")
        _check_placeholders(f"{where}, row {name}", row.model_dump_json(), known)
    if table.base:
        get(table.base)
    if table.ablation:
        row = get(table.ablation.row)
        if not row.config:
            raise PlanError(f"{where}, ablation: row {table.ablation.row} has no config to change")
        if not row.first and '"first"' in table.ablation.model_dump_json():
            raise PlanError(f"{where}, ablation: overrides of first, where row {table.ablation.row} has none")
        _check_placeholders(f"{where}, ablation", table.ablation.model_dump_json(), known)
    for name in table.curve.rows if table.curve else []:
        if not get(name).config and "train" not in placeholders(get(name).command):
            raise PlanError(f"{where}, row {name}: expected {{train}} in its command, for the learning curve")


def _check_placeholders(where: str, text: str, known: AbstractSet[str]) -> None:
    for name in placeholders(text) - known:
        raise PlanError(f"{where}: {{{name}}} is not known; expected one of {', '.join(sorted(known))}")
