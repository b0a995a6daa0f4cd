"""results.jsonl: a line for each run, each comparison of speeds and each output that the page quotes."""

import json
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Optional

from .plan import PROJECT

Record = dict[str, Any]
IDENTITY = ("table", "row", "seed", "overrides", "percent", "speed", "output")
PACKAGES = ("spacy-bilstm-tagger", "spacy", "thinc", "torch", "numpy", "spacy-transformers", "transformers")


class Store:
    """Lines are only added; of those with the same identity the last one counts."""

    def __init__(self, path: Path = PROJECT / "benchmarks" / "results.jsonl") -> None:
        self.path = path
        lines = path.read_text(encoding="utf8").splitlines() if path.exists() else []
        self.records: dict[str, Record] = {self.key(record): record for record in map(json.loads, lines)}

    @staticmethod
    def key(record: Record) -> str:
        return json.dumps([record.get(name) for name in IDENTITY], sort_keys=True)

    def get(self, **identity: Any) -> Optional[Record]:
        return self.records.get(self.key(identity))

    def add(self, record: Record) -> None:
        """Versions and commit are added."""
        record = {**record, "versions": versions(), "commit": commit()}
        self.records[self.key(record)] = record
        with self.path.open("a", encoding="utf8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def versions() -> dict[str, str]:
    """Of Python and of the packages that are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def commit() -> Optional[str]:
    """Of the project, with "-dirty" where files were changed since; None without git."""
    command = ["git", "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
