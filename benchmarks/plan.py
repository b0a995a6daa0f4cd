"""runs.yml, read: tables of rows, and the runs of each row, one a seed."""

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import AbstractSet, Any, Iterator, Optional

import srsly
from pydantic import BaseModel, ConfigDict, ValidationError

PROJECT = Path(__file__).parent.parent
RUNS = "training/results"
PLACEHOLDER = re.compile(r"\{(\w+)\}")
OWN = {"seed", "folder", "runs", "train", "dev"}
Overrides = dict[str, Any]
Vars = dict[str, str]


class PlanError(ValueError):
    """Something in runs.yml cannot be right."""


class Part(BaseModel):
    """A part of runs.yml, which explains the fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Part):
    """score: GROUP.NAME as score.py names them, a share of 1; ablated: whether the ablation shows it too, next to the
    first column."""

    title: str
    score: str
    ablated: bool = False


class Training(Part):
    config: str
    overrides: Overrides = {}


class Row(Part):
    """title: as on the page, Markdown; model: the folder of the pipeline, below the run's own."""

    title: str
    config: str = ""
    overrides: Overrides = {}
    first: Optional[Training] = None
    command: str = ""
    needs: dict[str, int] = {}
    before: list[str] = []
    model: str = ""
    seeds: list[int] = []


class Ablation(Part):
    """Title -> overrides of the row: without one of its features, or with another setting."""

    row: str
    without: dict[str, Overrides] = {}
    changed: dict[str, Overrides] = {}
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
    """here: values of vars for this machine alone, which the page does not show; root: the folder where commands run."""

    vars: Vars = {}
    seeds: list[int]
    tables: dict[str, Table]
    outputs: dict[str, str] = {}
    here: Vars = {}
    root: Path = PROJECT

    def lines(self, name: str) -> dict[str, list["Run"]]:
        """The runs of each line of a table, of its ablation and of its learning curve."""
        table = self.tables[name]
        lines = [(row, row, {"title": table.rows[row].title}) for row in table.rows]
        if table.ablation:
            of = table.ablation.row
            for kind in ("without", "changed", "removed"):
                for title, overrides in getattr(table.ablation, kind).items():
                    how = "without" if kind == "without" else "with"
                    line = f"{of}-{how}-{''.join(c if c.isalnum() else '-' for c in title.lower())}"
                    lines.append((line, of, {"title": title, "kind": kind, "overrides": overrides}))
        if table.curve:
            for of in table.curve.rows:
                lines += [(f"{of}-{part}", of, {"kind": "curve", "percent": part}) for part in table.curve.percent]
        return {
            line: [Run(self, name, line, of, seed, **fields) for seed in table.rows[of].seeds or self.seeds]
            for line, of, fields in lines
        }

    def runs(self) -> Iterator["Run"]:
        for table in self.tables:
            for runs in self.lines(table).values():
                yield from runs

    def output(self, name: str, here: Vars = {}) -> str:  # noqa: B006
        """The command of an output."""
        return fill(self.outputs[name], {**self.vars, **here})

    def not_set(self, text: str) -> list[str]:
        """The placeholders in the text whose values are in capitals and were not set here."""
        names = placeholders(text) & self.vars.keys() - self.here.keys()
        return sorted(name for name in names if self.vars[name].isupper())


@dataclass(frozen=True)
class Run:
    """One seed of a line. A line is a row (`of`), a row with other overrides, or a row on `percent` of the training data;
    its kind is "row", "without", "changed", "removed" or "curve"."""

    plan: Plan
    table_name: str
    line: str
    of: str
    seed: int
    title: str = ""
    kind: str = "row"
    overrides: Overrides = field(default_factory=dict)
    percent: int = 100

    @property
    def identity(self) -> dict[str, Any]:
        """The fields by which its result is found."""
        names = {"table": self.table_name, "row": self.of}
        return {**names, "seed": self.seed, "overrides": self.overrides, "percent": self.percent}

    @property
    def table(self) -> Table:
        return self.plan.tables[self.table_name]

    @property
    def row(self) -> Row:
        return self.table.rows[self.of]

    @property
    def name(self) -> str:
        return f"{self.table_name}/{self.line}/{self.seed}"

    @property
    def folder(self) -> str:
        return f"{RUNS}/{self.name}"

    @property
    def pipeline(self) -> str:
        return f"{self.folder}/{self.row.model or ('model-best' if self.row.config else 'model')}"

    @property
    def needs(self) -> list["Run"]:
        """The runs that this one is made of. Where it needs three of a row, they are 0 to 2 for seed 0, and 3 to 5 for
        seed 1."""
        lines = self.plan.lines(self.table_name) if self.row.needs else {}
        return [run for name, n in self.row.needs.items() for run in lines[name] if run.seed // n == self.seed]

    @property
    def commands(self) -> list[str]:
        """As the page shows them."""
        return self._commands(self.plan.vars)

    @property
    def commands_here(self) -> list[str]:
        """As this machine runs them."""
        return self._commands({**self.plan.vars, **self.plan.here})

    def _commands(self, values: Vars) -> list[str]:
        row, overrides, train = self.row, dict(self.overrides), "python -m spacy train"
        paths = {"train": self.table.train, "dev": self.table.dev, "runs": f"{RUNS}/{self.table_name}"}
        values = {**values, **paths, "seed": str(self.seed), "folder": self.folder}
        commands = []
        if self.percent < 100:
            values["train"] = f"{self.folder}/train.spacy"
            part = f"python -m benchmarks part {self.table.train} {values['train']} --percent {self.percent}"
            commands.append(part)
        commands += [fill(command, values) for command in row.before]
        settings: Overrides = {"system.seed": self.seed, "paths.train": "{train}", "paths.dev": "{dev}"}
        if row.first:
            first = options({**settings, **row.first.overrides, **overrides.pop("first", {})}, values)
            commands.append(f"{train} {row.first.config} --output {self.folder}/first {first}")
            settings["paths.first"] = "{folder}/first/model-last"
        if row.config:
            own = options({**settings, **row.overrides, **overrides}, values)
            return [*commands, f"{train} {fill(row.config, values)} --output {self.folder} {own}"]
        if row.command:
            return [*commands, fill(row.command, values)]
        members = " ".join(run.pipeline for run in self.needs)
        return [*commands, f"python -m spacy_bilstm_tagger ensemble {members} -o {self.folder}/model"]

    @property
    def added(self) -> list[str]:
        """The options that the overrides add to the command of the first training, and to that of the second if any."""
        overrides = dict(self.overrides)
        first = [options(overrides.pop("first", {}), self.plan.vars)] if self.row.first else []
        return [*first, options(overrides, self.plan.vars)] if overrides else first

    @property
    def lacks(self) -> Optional[str]:
        """The reason why it cannot be run, if any."""
        if self.kind == "removed":
            return "the package no longer has this setting"
        for config in (self.row.first.config if self.row.first else "", self.row.config):
            if not placeholders(config) and not (self.plan.root / config).exists():
                return f"{config} is not there"
        names = self.plan.not_set(self.row.model_dump_json())
        return f"give it with --set {names[0]}=..." if names else None


def options(settings: Overrides, values: Vars) -> str:
    """As `spacy train` takes them."""
    texts = {name: value if isinstance(value, str) else srsly.json_dumps(value) for name, value in settings.items()}
    return " ".join(f"--{name} {shlex.quote(fill(text, values))}" for name, text in texts.items())


def fill(text: str, values: Vars) -> str:
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
        if (row.config and row.command) or not (row.config or row.command or row.needs):
            raise PlanError(f"{where}, row {name}: expected config or command, or needs alone")
        for other in row.needs:
            if get(other).needs:
                raise PlanError(f"{where}, row {name}: needs {other}, which needs others itself; name those instead")
    if table.base:
        get(table.base)
    if table.ablation:
        name = table.ablation.row
        if not get(name).config:
            raise PlanError(f"{where}, ablation: row {name} has no config to change")
        if not get(name).first and '"first"' in table.ablation.model_dump_json():
            raise PlanError(f"{where}, ablation: overrides of first, where row {name} has none")
    for name in table.curve.rows if table.curve else []:
        if not get(name).config and "train" not in placeholders(get(name).command):
            raise PlanError(f"{where}, row {name}: expected {{train}} in its command, for the learning curve")
    _check_placeholders(where, table.model_dump_json(), known)


def _check_placeholders(where: str, text: str, known: AbstractSet[str]) -> None:
    for name in placeholders(text) - known:
        raise PlanError(f"{where}: {{{name}}} is not known; expected one of {', '.join(sorted(known))}")
