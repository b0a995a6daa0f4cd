"""What a result depends on besides its commands: the content of configs and of the files that are read."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Optional

import numpy as np
from thinc.api import Config

NUMPY = b"\x93NUMPY"


@lru_cache
def read_config(path: Path) -> Optional[str]:
    """The config without its comments, or None where there is none yet."""
    return Config().from_disk(path, interpolate=False).to_str(interpolate=False) if path.is_file() else None


@lru_cache
def content_hash(path: Path) -> str:
    """Of a file, or of all files below a folder and their names. A table of floats counts as the same where the spread
    of each column is the same to three digits: built again on another machine, its last bits differ. That does not tell
    the order of its rows; their names, which are in files of their own, do."""
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(path.parent).as_posix().encode())
        digest.update(hashlib.sha256(_floats(file) or file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _floats(file: Path) -> Optional[bytes]:
    with file.open("rb") as start:
        if start.read(len(NUMPY)) != NUMPY:
            return None
    table = np.load(file, allow_pickle=False)
    if table.dtype.kind != "f":
        return None
    spread = np.atleast_1d(table.std(axis=0, dtype="float64"))
    return f"{table.dtype} {table.shape} {' '.join(f'{each:.2e}' for each in spread)}".encode()
