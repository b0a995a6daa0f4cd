"""results.yml in, a Plan out. Whatever cannot be right is one line that names the table and the row."""

import dataclasses
import string
from pathlib import Path
from typing import Any, Optional

import srsly

from .plan import Column, Plan, Row, Table

HERE = Path(__file__).parent
PROJECT = HERE.parent.parent
OWN = {"seed", "folder", "runs", "train", "dev", "args", "args2"}
PART = "python -m benchmarks.results part {source} {folder}/train.spacy --percent {percent}"


class PlanError(ValueError):
    """Something in results.yml cannot be right."""


def read_plan(
    path: Path = HERE / "results.yml", *, root: Path = PROJECT, here: Optional[dict[str, str]] = None
) -> Plan:
    """root (Path): the folder where commands run; here (dict or None): other values of `vars` for this machine.

    RAISES: PlanError.
    """
    content = srsly.read_yaml(path)
    known = content.get("vars") or {}
    for name in here or {}:
        if name not in known:
            raise PlanError(f"--set {name}: expected one of {', '.join(known)}, the vars of {path.name}")
    tables = {name: _table(name, part, content["seeds"]) for name, part in content["tables"].items()}
    for table in tables.values():
        _check(table, set(known))
    outputs = content.get("outputs") or {}
    for name, command in outputs.items():
        _check_names(f"outputs, {name}", command, set(known))
    return Plan(root, path.parent / "measured", known, tables, outputs, here or {})


def _table(name: str, content: dict[str, Any], seeds: list[int]) -> Table:
    content = dict(content)
    rows = {row["name"]: Row(**{"seeds": seeds, **row}) for row in content.pop("rows")}
    ablation, curve = content.pop("ablation", None), content.pop("curve", None)
    columns = [Column(**column) for column in content.pop("columns")]
    table = Table(name=name, rows=dict(rows), columns=columns, **content)
    if ablation:
        base = _base(table, ablation["row"], "{args}")
        for kind, how in (("ablation", "without"), ("variant", "with")):
            for what, args in ablation.get(how, {}).items():
                args = [args] if isinstance(args, str) else args
                if len(args) > 1:
                    _base(table, base.name, "{args2}")
                name = _slug(base, how, what)
                table.rows[name] = dataclasses.replace(base, name=name, what=what, args=args, kind=kind, of=base.name)
    if curve:
        for base in (_base(table, row, "{train}") for row in curve["rows"]):
            for percent in curve["percent"]:
                if percent < 100:
                    row = _part_row(base, table.train, percent)
                    table.rows[row.name] = row
    return table


def _part_row(base: Row, source: str, percent: int) -> Row:
    part = PART.replace("{source}", source).replace("{percent}", str(percent))
    return dataclasses.replace(
        base,
        name=f"{base.name}-{percent}",
        commands=[part, *base.commands],
        train="{folder}/train.spacy",
        kind="curve",
        of=base.name,
        percent=percent,
    )


def _base(table: Table, name: str, placeholder: str) -> Row:
    """The row of this name. RAISES: PlanError where there is none, or none of its commands has the placeholder."""
    if name not in table.rows:
        raise PlanError(f"table {table.name}: there is no row {name!r}; found {', '.join(table.rows)}")
    row = table.rows[name]
    if not any(placeholder in command for command in row.commands):
        raise PlanError(f"table {table.name}, row {name}: expected {placeholder} in one of its commands")
    return row


def _check(table: Table, known: set[str]) -> None:
    if table.base is not None:
        _base(table, table.base, "")
    for row in table.rows.values():
        where = f"table {table.name}, row {row.name}"
        for name in row.needs:
            _base(table, name, "")
            if table.rows[name].needs:
                raise PlanError(f"{where}: needs {name}, which needs others itself; name those too or join the rows")
        for text in [*row.commands, row.pipeline]:
            _check_names(where, text, known | OWN)


def _check_names(where: str, text: str, known: set[str]) -> None:
    for _, name, _, _ in string.Formatter().parse(text):
        if name is not None and name not in known:
            raise PlanError(f"{where}: {{{name}}} in {text!r} is not known; expected one of {', '.join(sorted(known))}")


def _slug(base: Row, how: str, what: str) -> str:
    return f"{base.name}-{how}-{''.join(c if c.isalnum() else '-' for c in what.lower())}"
