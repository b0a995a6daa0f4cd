"""Which texts a list of shell commands trains on, which it scores on, and which are both."""

import shlex
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Iterable

from spacy.util import load_config

from spacy_bilstm_tagger.corpus.annotated_text import text_fingerprints

Texts = dict[str, str]  # what two texts are compared by -> the text


def letters(texts: Iterable[str]) -> Texts:
    """By what two corpora that cut a text differently, and hide users and links, have in common: the shorter fingerprint."""
    return {min(text_fingerprints(text), key=len): text for text in texts}


@dataclass
class Reading:
    """The corpora, by the paths that commands write them to, that commands train on and that they score on."""

    trained: set[str] = field(default_factory=set)
    scored: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)  # paths that a command trains by, and no command writes


SCORING = ("evaluate", "report", "benchmarks.entity_devs", "benchmarks.toxic_devs")


def read_commands(lines: Iterable[str], corpora: Iterable[str], root: Path) -> Reading:
    """What the commands read of the corpora: [corpora] of the config of each command that trains, with its overrides,
    and whatever else names a corpus or its folder.

    Scored on is what stands as dev, or is evaluated. `convert` reads and writes corpora, and trains on nothing.
    """
    corpora = set(corpora)
    reading = Reading()
    same: dict[str, str] = {}  # a file that a command makes of another one -> the other
    gathered: set[str] = set()  # folders of copies; the corpora that are copied count as trained on
    for words in map(_words, lines):
        if "convert" in words:
            continue
        if "fill-config" in words or "part" in words:
            source, target = words[words.index("fill-config" if "fill-config" in words else "part") + 1 :][:2]
            same[target] = same.get(source, source)
            continue
        if "scripts/gather.py" in words:
            gathered.add(words[words.index("scripts/gather.py") + 1])
        paths = _paths(words, same, root)
        named = set(paths.values())
        evaluates = any(word in SCORING for word in words)
        scores = set(words) if evaluates else {paths.pop("dev", "")}
        reading.scored |= _below(scores, corpora)
        trains = {paths.get("train", ""), paths.get("raw_text", "")} | (set(words) - scores)
        trains = {same.get(path, path) for path in trains}
        reading.trained |= _below(trains, corpora) - (reading.scored if evaluates else set())
        reading.unknown |= {path for path in named - {"", *gathered} if not _below({same.get(path, path)}, corpora)}
    return reading


def find_leaks(reading: Reading, corpora: dict[str, Texts]) -> list[str]:
    """A line for each text that is trained on and scored on."""
    pairs = [(dev, train) for dev in sorted(reading.scored) for train in sorted(reading.trained)]
    return [
        f"{dev} and {train}: {corpora[dev][key]!r}"
        for dev, train in pairs
        for key in sorted(corpora[dev].keys() & corpora[train].keys())
    ]


def _words(line: str) -> list[str]:
    """`--name=value` is two of them, as `--name value` is. A corpus of `--exclude` is not among them: its texts are left out."""
    words = [part for word in shlex.split(line) for part in (word.split("=", 1) if word.startswith("--") else [word])]
    return [word for before, word in zip(["", *words], words) if before != "--exclude"]


def _paths(words: list[str], same: dict[str, str], root: Path) -> dict[str, str]:
    """What a command that trains by a config reads as train and dev, or as raw_text and dev."""
    given = {name[2:]: value for name, value in pairwise(words) if name.startswith(("--paths.", "--corpora."))}
    paths = {"raw_text": given.pop("paths.raw_text", "")}
    if "spacy" in words and words[words.index("spacy") + 1] in ("train", "pretrain"):
        config = words[words.index("spacy") + 2]
        corpora = load_config(root / same.get(config, config), given, interpolate=True)["corpora"]
        paths |= {name: corpora[name]["path"] for name in ("train", "dev")}
    if "pretrain" in words:  # it learns from raw texts
        paths.pop("train", None)
    return paths


def _below(paths: set[str], corpora: set[str]) -> set[str]:
    return {name for name in corpora for path in paths if path and (name == path or name.startswith(f"{path}/"))}
