"""What a result depends on besides its commands: the content of configs and of the files that are read."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Optional

import numpy as np
import srsly
from spacy.lookups import Lookups
from thinc.api import Config

from spacy_bilstm_tagger.distiller import is_distiller_key

NUMPY = b"\x93NUMPY"
LOOKUPS = "lookups.bin"


@lru_cache
def read_config(path: Path) -> Optional[str]:
    """The config without its comments, or None where there is none yet."""
    return Config().from_disk(path, interpolate=False).to_str(interpolate=False) if path.is_file() else None


@lru_cache
def content_hash(path: Path) -> str:
    """Of a file, or of all files below a folder and their names.

    A vector table that is built again on another machine differs in its last bits, and counts as the same. Its words
    count, which are in files of their own, its shape and the spread of each column to two digits; the order of its rows
    and what it was distilled with, but for the layer, do not.
    """
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(path.parent).as_posix().encode())
        content = _lookups(file) if file.name == LOOKUPS else _floats(file)
        digest.update(hashlib.sha256(file.read_bytes() if content is None else content).digest())
    return digest.hexdigest()[:16]


def _lookups(file: Path) -> bytes:
    tables = Lookups().from_disk(file.parent, filename=file.name)
    content = {}
    for name in tables.tables:
        table = tables.get_table(name)
        content[name] = srsly.msgpack_dumps(table["layer"]) if is_distiller_key(name) else table.to_bytes()
    return srsly.msgpack_dumps(dict(sorted(content.items())))


def _floats(file: Path) -> Optional[bytes]:
    with file.open("rb") as start:
        if start.read(len(NUMPY)) != NUMPY:
            return None
    table = np.load(file, allow_pickle=False)
    if table.dtype.kind != "f":
        return None
    spread = np.atleast_1d(table.std(axis=0, dtype="float64"))
    return f"{table.dtype} {table.shape} {' '.join(f'{each:.1e}' for each in spread)}".encode()
