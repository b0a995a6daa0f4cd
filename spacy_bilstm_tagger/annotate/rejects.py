"""The file of rejected records of a run."""

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from .records import Reject
from .shards import Shards


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
