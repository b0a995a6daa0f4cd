"""Where tables of words live: size and loading time in the vocabulary's lookups, as now, and in the layers that read them.

python -m benchmarks.table_storage assets/brown/6mpaths.tsv assets/gazetteers vectors/distilled
"""

import tempfile
import time
from pathlib import Path
from typing import Any, Callable

import numpy as np
import srsly
import typer
from spacy.lookups import Lookups
from thinc.api import Model, deserialize_attr, serialize_attr

from spacy_bilstm_tagger.lexicon.brown import load_brown
from spacy_bilstm_tagger.lexicon.gazetteers import load_gazetteers
from spacy_bilstm_tagger.lexicon.table import BROWN, GAZETTEERS, VECTORS_PREFIX, WordTable
from spacy_bilstm_tagger.lexicon.vectors import load_further_table

NOTHING = WordTable(np.zeros(0, dtype="uint64"), {})


def main(brown: Path, gazetteers: Path, distilled: Path, rounds: int = 7) -> None:
    tables = {
        BROWN: load_brown(brown),
        GAZETTEERS: load_gazetteers(gazetteers),
        f"{VECTORS_PREFIX}distilled": load_further_table(str(distilled), "distilled"),
    }
    lookups = Lookups()
    for name, table in tables.items():
        table.to_lookups(lookups, name)
    typer.echo("| tables in | MB | seconds to load |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        lookups.to_disk(folder)
        size = (Path(folder) / "lookups.bin").stat().st_size
        show("the vocabulary", size, lambda: Lookups().from_disk(folder), rounds)
    for members in (1, 2, 3):
        data = layers(list(tables.values()) * members).to_bytes()
        empty = [NOTHING] * (len(tables) * members)
        show(f"layers, {members} members", len(data), lambda data=data, e=empty: layers(e).from_bytes(data), rounds)


def layers(tables: list[WordTable]) -> Model:
    nodes = [Model("reader", pass_on, attrs={"table": table}) for table in tables]
    return Model("readers", pass_on, layers=nodes)


def pass_on(model: Model, X: Any, is_train: bool) -> tuple[Any, Callable[[Any], Any]]:
    return X, lambda dY: dY


def show(where: str, size: int, load: Callable[[], Any], rounds: int) -> None:
    times = []
    for _ in range(rounds):
        start = time.process_time()
        load()
        times.append(time.process_time() - start)
    typer.echo(f"| {where} | {size / 1e6:.1f} | {min(times):.3f} |")


@serialize_attr.register(WordTable)
def serialize(_: Any, value: WordTable, name: str, model: Model) -> bytes:
    return srsly.msgpack_dumps({"hashes": value.hashes, "arrays": dict(value.arrays), "info": dict(value.info)})


@deserialize_attr.register(WordTable)
def deserialize(_: Any, value: bytes, name: str, model: Model) -> WordTable:
    return WordTable(**srsly.msgpack_loads(value))


if __name__ == "__main__":
    typer.run(main)
