"""No text that a recipe is scored on is among the texts that it is trained on."""

import os
import shlex
import warnings
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any, Iterable, Iterator, Mapping

import pytest
import srsly
from filelock import FileLock
from leaks import find_leaks, letters, read_commands
from typer.testing import CliRunner

from benchmarks.plan import PROJECT, read_plan
from spacy_bilstm_tagger import cli
from spacy_bilstm_tagger.corpus import read_corpus
from spacy_bilstm_tagger.corpus.docs import read_docbin_texts
from spacy_bilstm_tagger.corpus.raw import read_raw_texts

pytestmark = pytest.mark.slow
CONFIG = srsly.read_yaml(PROJECT / "project.yml")
READ_APART = {"distill", "pretrain", "results", "release-lg"}
# How many scored texts the sources of the distilled words hold, without their labels: a word's row is made of its
# letters alone, but some of these words would have none otherwise. docs/results.md says so.
DISTILLED_TOO = {
    ("assets/ritter/train", "corpus/ritter/dev.spacy"): 2,
    ("assets/wnut17/train.conll", "corpus/ritter/dev.spacy"): 54,
    ("assets/raw/ile.txt", "corpus/tweebank/dev.spacy"): 1,
    ("assets/raw/rigo.txt", "corpus/tweebank/dev.spacy"): 1,
}
UNFAIR = "wnut17/wnut17-words-of-dev"  # shows what that is worth, and says so
TREEBANK = "SPACY_BILSTM_TEST_TREEBANK"


def scripts() -> dict[str, list[str]]:
    """The lines of each command of project.yml, its variables filled in."""
    values = dict(CONFIG["vars"])
    if TREEBANK in os.environ:
        values["ptb_corpus"] = os.environ[TREEBANK]
    filled = {}
    for command in CONFIG["commands"]:
        filled[command["name"]] = command["script"]
        for name, value in values.items():
            filled[command["name"]] = [line.replace(f"${{vars.{name}}}", str(value)) for line in filled[command["name"]]]
    return filled


def writers(lines: Iterable[str]) -> dict[str, list[str]]:
    """A corpus -> the arguments of the `convert` that writes it, or of the script that puts raw texts together."""
    found = {}
    for words in map(shlex.split, lines):
        if "convert" in words:
            source, target, *options = words[words.index("convert") + 1 :]
            found[target] = ["convert", source, target, *options]
        elif "scripts/texts_to_jsonl.py" in words:
            found[words[-1]] = words[words.index("scripts/texts_to_jsonl.py") :]
    return found


def lines_of(steps: Iterable[str]) -> list[str]:
    return [line for step in steps for line in scripts()[step]]


@cache
def rows():
    """The first run of each line of the results that can be run."""
    runs = {}
    for run in read_plan().runs():
        if run.kind != "removed":
            runs.setdefault(f"{run.table_name}/{run.line}", run)
    return runs


class Corpora(Mapping[str, dict[str, str]]):
    """The texts of each corpus whose source is there, by the path that it is written to. Each is made when it is first asked
    for, by whichever process of the tests asks."""

    def __init__(self, room: Path) -> None:
        self.room = room
        lines = [*lines_of(scripts()), *(line for run in rows().values() for line in run.commands)]
        self.commands = {target: words for target, words in writers(lines).items() if _is_there(words)}
        self.letters: dict[str, dict[str, str]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self.commands)

    def __len__(self) -> int:
        return len(self.commands)

    def __getitem__(self, target: str) -> dict[str, str]:
        if target not in self.letters:
            self.letters[target] = self._make(target)
        return self.letters[target]

    def _make(self, target: str) -> dict[str, str]:
        program, *words = self.commands[target]
        if program != "convert":
            return letters(text for path in words[:-1] for text in read_raw_texts(PROJECT / path))
        return letters(read_docbin_texts(self.written(target)))

    def written(self, target: str) -> Path:
        """The .spacy file, in a folder that all processes share."""
        path = self.room / target
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            if not path.exists():
                words = ["convert", *map(str, self._arguments(target))]
                with pytest.MonkeyPatch.context() as patch:
                    patch.chdir(PROJECT)
                    CliRunner().invoke(cli.app, words, catch_exceptions=False)
        return path

    def _arguments(self, target: str) -> Iterator[Any]:
        """Without the `--exclude` of corpora that cannot be made: what is not there is not scored either."""
        _, source, _, *options = self.commands[target]
        yield from (source, self.room / target)
        for option, value in zip_longest(options, options[1:]):
            if option == "--exclude" and value.startswith("corpus/"):
                for corpus in self:
                    if corpus == value or corpus.startswith(f"{value}/"):
                        yield from (option, self.written(corpus))
            elif not option.startswith("corpus/"):
                yield option


def _is_there(command: list[str]) -> bool:
    words = command[1:]
    assets = {words[0], *(word for word in words if word.startswith("assets/"))}
    return all((PROJECT / asset).exists() for asset in assets)  # that of raters is a folder


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    room = tmp_path_factory.getbasetemp()
    return Corpora((room.parent if "PYTEST_XDIST_WORKER" in os.environ else room) / "corpora")


def check(lines, corpora, also_scored=()):
    """Compare the corpora that are there; skip where no two of them can be compared."""
    reading = read_commands(lines, writers(lines), PROJECT)
    reading.scored |= set(also_scored)
    assert reading.scored
    assert not reading.unknown, f"trained on, and written by no command: {reading.unknown}"
    absent = sorted((reading.trained | reading.scored) - corpora.keys())
    reading.trained -= set(absent)
    reading.scored -= set(absent)
    if absent and not (reading.trained and reading.scored):
        pytest.skip(f"no sources of {', '.join(absent)}: run 'spacy project assets'")
    if absent:
        warnings.warn(f"not compared: {', '.join(absent)}, whose sources are not there", stacklevel=2)
    leaks = find_leaks(reading, corpora)
    assert not leaks, "texts that are scored and trained on:\n" + "\n".join(leaks)


@pytest.mark.real_data
@pytest.mark.parametrize("workflow", [name for name in CONFIG["workflows"] if name not in READ_APART])
def test_workflows_train_on_no_text_that_is_scored(workflow, corpora):
    check(lines_of(CONFIG["workflows"][workflow]), corpora)


@pytest.mark.real_data
def test_each_network_of_release_lg_trains_on_no_text_that_it_is_scored_on(corpora):
    """Two of the three are those of other workflows. A text of another one's task may be among its own."""
    pos = ["upos-corpus", "tweebank-corpus", "upos-teacher", "upos-label", "upos-first", "lg-pos-train"]
    workflows = CONFIG["workflows"]
    assert {*workflows["release-lg"]} == {*workflows["tags"], *workflows["entities"], *pos, "release-dev", "lg-package"}
    scored = ["corpus/release/dev/tweebank.spacy", "corpus/release/dev/ewt.spacy"]
    check(lines_of([*pos, "release-dev"]), corpora, also_scored=scored)


@pytest.mark.real_data
def test_pretraining_reads_no_text_that_any_workflow_scores(corpora):
    lines = lines_of(scripts())
    scores = [line for line in lines if {"convert", "evaluate"} & set(shlex.split(line))]
    check([*lines_of(CONFIG["workflows"]["pretrain"]), *scores], corpora)


@pytest.mark.real_data
@pytest.mark.parametrize("row", rows())
def test_rows_of_the_results_train_on_no_text_that_is_scored(row, corpora):
    run = rows()[row]
    check([*lines_of(CONFIG["workflows"]["results"]), *run.commands], corpora, also_scored=[run.table.dev])


def test_words_of_scored_texts_are_not_distilled():
    """Each line of project.yml and of the results that takes words or vectors from files."""
    lines = lines_of(scripts())
    scored = read_commands(lines, writers(lines), PROJECT).scored
    sources = {word for target in scored for word in writers(lines)[target][1:-1]}
    sources |= {asset["dest"] for asset in CONFIG["assets"] if asset.get("extra")}
    lines += [command for name, run in rows().items() if name != UNFAIR for command in run.commands]
    for words in map(shlex.split, lines):
        if "vectors" in words:
            assert sources.isdisjoint(words), words


@pytest.mark.real_data
def test_texts_whose_words_are_distilled_hold_known_ones_of_the_scored_texts_only(corpora, asset):
    for source in ("ritter/dev", *(source.removeprefix("assets/") for source, _ in DISTILLED_TOO)):
        asset(source)
    lines = lines_of(scripts())
    scored = {run.table.dev for run in rows().values()} & corpora.keys()
    (distill,) = [shlex.split(line) for line in lines if "vectors distill" in line and "vectors/distilled" in line]
    sources = [word for word in distill if word.startswith("assets/") and (PROJECT / word).is_file()]
    sources = [word for word in sources if word != CONFIG["vars"]["brown"]]
    assert set(sources) > {source for source, _ in DISTILLED_TOO}
    found = {}
    for source in sources:
        read = read_raw_texts if source.endswith(".txt") else raw_of_corpus
        texts = letters(read(PROJECT / source))
        found |= {(source, target): len(texts.keys() & corpora[target].keys()) for target in scored}
    assert {pair: count for pair, count in found.items() if count} == DISTILLED_TOO


def raw_of_corpus(path):
    return [" ".join(text.words) if text.raw is None else text.raw for text in read_corpus(path)[1]]
