"""A folder of numbered files that one run writes, one after another, and that it can go on with after it was stopped; and the
file of the records that it rejects."""

import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Iterator, Mapping, Optional

import srsly

from ..errors import DataError, Errors
from ..util import file_checksum, write_beside
from .records import Reject

MANIFEST = "manifest.json"
WAY_OUT = "give another folder, or remove this one"
# Or the numbers of files would mean other records, and a table of Parquet have other columns.
ALWAYS_SAME = ("--shard-size", "output: format", "output: fields", "output: keep", "output: has_ids")
MIXED = "run whose files were kept (--resume always)"


class Shards:
    """The manifest lists what the run was asked for, and each file that is complete, with its SHA-256.

    A file is written beside its name and then renamed, and listed after that. So a run that is killed at any moment leaves
    only whole files, and at most one that is not listed, which is written again.

    folder (Path): new, or that of an earlier run.
    run (mapping): what the content of the files depends on, by the names that messages show. JSON values.
    anew (bool): whether the list begins anew, whatever lies there.
    strict (bool): whether the files of a run that was asked for something else are refused, or kept.
    RAISES: DataError for a folder of something else, and for one of a run that was asked for something else.
    """

    def __init__(
        self,
        folder: Path,
        run: Mapping[str, Any],
        *,
        suffix: str,
        strict: bool = True,
        anew: bool = False,
        way_out: str = WAY_OUT,
    ) -> None:
        self.folder, self.suffix = folder, suffix
        self.run = srsly.json_loads(srsly.json_dumps(dict(run)))
        self.entries: dict[str, dict[str, Any]] = {}
        if anew or not folder.exists() or (folder.is_dir() and not has_files(folder)):
            self.write_manifest()
            return
        try:
            manifest = dict(srsly.read_json(folder / MANIFEST))
            before, self.entries = manifest["run"], manifest["files"]
        except (OSError, ValueError, KeyError, TypeError):
            raise DataError(Errors.OUTPUT_NOT_FOLDER.format(path=folder)) from None
        check_same_run(folder, before, self.run, None if strict else ALWAYS_SAME, way_out)
        if before != self.run:  # a mixture, which no other run may take for its own
            self.run[MIXED] = True

    def done(self, number: int) -> Optional[dict[str, Any]]:
        """The counts that were kept with a file, or None if it is still to be written, or damaged."""
        path = self.folder / self.name(number)
        entry = self.entries.get(path.name)
        if entry is None or not path.is_file() or file_checksum(path) != entry["sha256"]:
            return None
        return dict(entry["counts"])

    @contextmanager
    def new(self, number: int) -> Iterator[tuple[Path, dict[str, Any]]]:
        """The path of a draft to write, and a dict for its counts. At the end of the block it becomes the file and is
        listed."""
        path, counts = self.folder / self.name(number), dict[str, Any]()
        with write_beside(path) as draft:
            yield draft, counts
        self.entries[path.name] = {"sha256": file_checksum(path), "counts": counts}
        self.write_manifest()

    def finish(self, files: int, total: Mapping[str, int]) -> None:
        """List the counts of all files: the run is complete. Files of an earlier run with more of them go."""
        names = {self.name(number) for number in range(files)}
        for name in self.entries.keys() - names:
            (self.folder / name).unlink(missing_ok=True)
            del self.entries[name]
        self.write_manifest(total)

    def name(self, number: int) -> str:
        return f"part-{number:05}{self.suffix}"

    def write_manifest(self, total: Optional[Mapping[str, int]] = None) -> None:
        with write_beside(self.folder / MANIFEST) as draft:
            found = {"run": self.run, "files": self.entries, **({"total": dict(total)} if total else {})}
            srsly.write_json(draft, found)


def has_files(folder: Path) -> bool:
    """Whether there is anything but drafts of a killed run."""
    return folder.exists() and any(not path.name.startswith(f".{MANIFEST}.") for path in folder.iterdir())


def check_same_run(
    place: Path,
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    names: Optional[tuple[str, ...]] = None,
    way_out: str = WAY_OUT,
) -> None:
    """RAISES: DataError with the first difference, in one of these names or in any."""
    for name in {**before, **now} if names is None else names:
        if before.get(name) != now.get(name):
            raise DataError(
                f"{place}: was begun with another {name} ({_short(before.get(name))}, now {_short(now.get(name))}); {way_out}"
            )


def path_checksum(path: Path) -> str:
    """SHA-256 of a file, or of all files of a folder."""
    return folder_checksum(path) if path.is_dir() else file_checksum(path)


def folder_checksum(folder: Path) -> str:
    """SHA-256 of the names and contents of all files of a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    lines = (f"{file_checksum(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)
    return hashlib.sha256("".join(lines).encode("utf8")).hexdigest()


def _short(value: Any) -> str:
    if isinstance(value, list) and value and all(isinstance(each, dict) and "size" in each for each in value):
        return f"{sum(each['size'] for each in value):,} bytes in {len(value)} files"
    return "none" if value is None else str(value)[:60]


class RejectsFile:
    """The file of rejected records. A file of annotations is listed with the place where its rejects end, so what a killed
    run has written behind the last place goes."""

    def __init__(self, path: Path, shards: Shards) -> None:
        data = path.read_bytes() if path.exists() else b""
        self.path, self.shards, self.digest, self.end = path, shards, hashlib.sha256(), 0
        self.known: dict[str, dict[str, Any]] = {}
        listed = sorted(shards.entries.items(), key=lambda item: item[1]["counts"].get("rejects_end", 0))
        for name, entry in listed:
            end = entry["counts"].get("rejects_end", len(data) + 1)
            digest = self.digest.copy()
            digest.update(data[self.end : end])
            if end > len(data) or digest.hexdigest() != entry["counts"].get("rejects_sha256"):
                del shards.entries[name]  # to be made anew, with its rejects
                continue
            self.digest, self.end = digest, end
            self.known[name] = {key: entry["counts"][key] for key in ("rejects_end", "rejects_sha256")}
        self.file: IO[bytes] = path.open("r+b" if path.exists() else "w+b")
        self.file.truncate(self.end)
        self.file.seek(0, os.SEEK_END)

    def append(self, number: int, rejects: list[Reject]) -> dict[str, Any]:
        """Where they end, and the checksum up to there. Those of a file that was damaged are there already."""
        if (known := self.known.get(self.shards.name(number))) is not None:
            return known
        for reject in rejects:
            line = f"{json.dumps(asdict(reject), ensure_ascii=False)}\n".encode()
            self.file.write(line)
            self.digest.update(line)
        self.file.flush()
        return {"rejects_end": self.file.tell(), "rejects_sha256": self.digest.hexdigest()}

    def cut(self) -> None:
        """Remove those of files that are no longer listed, at the end."""
        ends = [entry["counts"].get("rejects_end", 0) for entry in self.shards.entries.values()]
        with self.path.open("r+b") as file:
            file.truncate(max(ends, default=0))
