"""results.yml, read: tables of rows, and the runs of each row, one a seed."""

import hashlib
import json
import shlex
import string
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, Mapping, Optional

from .content import content_hash, read_config

RUNS = "training/results"


@dataclass(frozen=True)
class Column:
    """title (str): its head; score (str): GROUP.NAME as score.py names them, a share of 1; ablated (bool): whether the
    ablation shows it too, beside the first column."""

    title: str
    score: str
    ablated: bool = False


@dataclass(frozen=True)
class Row:
    """A line of a table.

    what (str): how the page calls it, Markdown.
    commands (list of str): shell commands with placeholders; pipeline (str): the folder that they end in.
    needs (dict): names of other rows of the table -> how many of their runs one run of this row uses.
    args (list of str), train (str): what the placeholders stand for, {args} for the first of args and {args2} for the
        second; train is "" for the table's own.
    kind (str): "recipe", "ablation", "variant" or "curve"; all but the first are made of the commands of another row,
        `of`.
    percent (int): how much of the training data.
    """

    name: str
    what: str
    commands: list[str]
    pipeline: str
    seeds: list[int]
    needs: dict[str, int] = field(default_factory=dict)
    args: list[str] = field(default_factory=list)
    train: str = ""
    kind: str = "recipe"
    of: str = ""
    percent: int = 100
    shown: bool = True


@dataclass(frozen=True)
class Table:
    """base (str or None): the row whose speed counts as 1."""

    name: str
    title: str
    about: str
    train: str
    dev: str
    columns: list[Column]
    rows: dict[str, Row]
    base: Optional[str] = None

    def of_kind(self, kind: str) -> list[Row]:
        return [row for row in self.rows.values() if row.kind == kind and row.shown]


@dataclass(frozen=True)
class Plan:
    """root (Path): the project's folder, where commands run; measured (Path): the folder of the results.

    vars (dict): names that commands may use -> their values; here (dict): other values for this machine alone, which
    neither the page nor the keys know.
    outputs (dict): name -> command.
    """

    root: Path
    measured: Path
    vars: dict[str, str]
    tables: dict[str, Table]
    outputs: dict[str, str]
    here: dict[str, str] = field(default_factory=dict)

    def not_set(self, command: str) -> list[str]:
        """The names in a command, with its placeholders, whose values are in capitals and were not set here."""
        names = {name for _, name, _, _ in string.Formatter().parse(command) if name}
        return sorted(name for name in names & self.vars.keys() - self.here.keys() if self.vars[name].isupper())

    def runs(self) -> Iterator["Run"]:
        for table in self.tables.values():
            for row in table.rows.values():
                yield from self.runs_of(table, row)

    def runs_of(self, table: Table, row: Row) -> list["Run"]:
        return [Run(self, table, row, seed) for seed in row.seeds]


@dataclass(frozen=True)
class Run:
    """A row with one seed."""

    plan: Plan
    table: Table
    row: Row
    seed: int

    @property
    def name(self) -> str:
        return f"{self.table.name}/{self.row.name}/{self.seed}"

    @property
    def folder(self) -> str:
        return f"{RUNS}/{self.name}"

    @property
    def result(self) -> Path:
        """Where it is stored."""
        return self.plan.measured / self.table.name / f"{self.row.name}-{self.seed}.json"

    @property
    def pipeline(self) -> str:
        return self._fill(self.row.pipeline, self.plan.vars)

    @property
    def commands(self) -> list[str]:
        return [self._fill(command, self.plan.vars) for command in self.row.commands]

    @property
    def commands_here(self) -> list[str]:
        values = {**self.plan.vars, **self.plan.here}
        return [self._fill(command, values) for command in self.row.commands]

    @property
    def needs(self) -> list["Run"]:
        """The runs that this one is made of. Where it needs three of a row, they are 0 to 2 for seed 0, and 3 to 5 for
        seed 1."""
        pairs = [(self.table.rows[name], count) for name, count in self.row.needs.items()]
        runs = [(run, count) for row, count in pairs for run in self.plan.runs_of(self.table, row)]
        return [run for run, count in runs if run.seed // count == self.seed]

    @property
    def configs(self) -> list[Path]:
        """Those that are there before the commands run."""
        words = [word for word in _words(self.commands) if word.endswith(".cfg") and not word.startswith(RUNS)]
        return [self.plan.root / word for word in words]

    @property
    def lacks(self) -> Optional[str]:
        """What keeps it from being run at all."""
        for path in self.configs:
            if not path.is_file():
                return f"{path.relative_to(self.plan.root)} is not there"
        names = [name for command in self.row.commands for name in self.plan.not_set(command)]
        return f"give it with --set {names[0]}=..." if names else None

    @property
    def key(self) -> str:
        """The same as long as commands and configs, comments apart, are the same, also those of the rows it needs."""
        content = {
            "commands": self.commands,
            "pipeline": self.pipeline,
            "configs": [read_config(path) for path in self.configs],
            "dev": self.table.dev,
            "needs": sorted(run.key for run in self.needs),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def inputs(self) -> dict[str, str]:
        """What the commands read, also those of the runs it needs, dev and train -> a hash of the content, for those
        that are there. Called by their names in the plan, wherever they lie on this machine. A word of a command is a
        path if it has a / or is one of the plan's vars."""
        words = zip(_words(self.commands), _words(self.commands_here))
        pairs = [(name, path) for name, path in words if "/" in name or name in self.plan.vars.values()]
        pairs += [(path, path) for path in (self.table.train, self.table.dev)]
        own = {
            name: content_hash(self.plan.root / path)
            for name, path in pairs
            if not name.startswith((RUNS, "-")) and not name.endswith(".cfg") and (self.plan.root / path).exists()
        }
        return {name: value for run in self.needs for name, value in run.inputs.items()} | own

    def _fill(self, text: str, values: Mapping[str, str]) -> str:
        own = {
            "seed": self.seed,
            "folder": self.folder,
            "runs": f"{RUNS}/{self.table.name}",
            "train": self.row.train.format(folder=self.folder) or self.table.train,
            "dev": self.table.dev,
            "args": self.row.args[0] if self.row.args else "",
            "args2": self.row.args[1] if len(self.row.args) > 1 else "",
        }
        return text.format(**values, **own).rstrip()


def _words(commands: list[str]) -> list[str]:
    return [word for command in commands for word in shlex.split(command)]
