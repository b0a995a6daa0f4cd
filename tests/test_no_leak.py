"""No text that a recipe is scored on is among the texts that it is trained on."""

import os
import shlex
import sys
from functools import cache

import pytest
import spacy
import srsly
from leaks import find_leaks, letters, read_commands
from spacy.tokens import DocBin

from benchmarks.results.read_plan import PROJECT, read_plan
from spacy_bilstm_tagger import cli
from spacy_bilstm_tagger.corpus.raw import read_raw_texts

CONFIG = srsly.read_yaml(PROJECT / "project.yml")
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
            filled[command["name"]] = [
                line.replace(f"${{vars.{name}}}", str(value)) for line in filled[command["name"]]
            ]
    return filled


@cache
def writers() -> dict[str, list[str]]:
    """A corpus -> the arguments of the `convert` that writes it, or of the script that puts raw texts together."""
    found = {}
    for words in (shlex.split(line) for script in scripts().values() for line in script):
        if "convert" in words:
            source, target, *options = words[words.index("convert") + 1 :]
            found[target] = ["convert", source, target, *options]
        elif "scripts/texts_to_jsonl.py" in words:
            found[words[-1]] = words[words.index("scripts/texts_to_jsonl.py") :]
    return found


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    """The texts of each corpus whose source is there, by the path that it is written to."""
    room, made = tmp_path_factory.mktemp("corpora"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(PROJECT)
        for target, (program, *words) in writers().items():
            if not (PROJECT / words[0]).is_file():
                continue
            if program != "convert":
                made[target] = letters(text for path in words[:-1] for text in read_raw_texts(PROJECT / path))
                continue
            words = [str(room / word) if word in writers() else word for word in words]  # what is written, or excluded
            patch.setattr(sys, "argv", ["spacy-bilstm", "convert", *words])
            with pytest.raises(SystemExit) as exit:
                cli.main()
            assert not exit.value.code, words
            docs = DocBin().from_disk(room / target).get_docs(spacy.blank("xx").vocab)
            made[target] = letters(doc.text for doc in docs)
    return made


def check(lines, corpora, also_scored=()):
    reading = read_commands(lines, writers(), PROJECT)
    reading.scored |= set(also_scored)
    assert not reading.unknown, f"trained on, and written by no command: {reading.unknown}"
    absent = sorted((reading.trained | reading.scored) - corpora.keys())
    reading.trained -= set(absent)
    reading.scored -= set(absent)
    leaks = find_leaks(reading, corpora)
    assert not leaks, "texts that are scored and trained on:\n" + "\n".join(leaks)
    if absent:
        pytest.skip(f"checked but for {', '.join(absent)}, whose sources are not there: run 'spacy project assets'")


@pytest.mark.real_data
@pytest.mark.parametrize("workflow", CONFIG["workflows"])
def test_workflows_train_on_no_text_that_is_scored(workflow, corpora):
    steps = CONFIG["workflows"][workflow]
    check([line for step in steps for line in scripts()[step]], corpora)


def rows():
    return {f"{run.table.name}/{run.row.name}": run for run in read_plan().runs() if run.seed == run.row.seeds[0]}


@pytest.mark.real_data
@pytest.mark.parametrize("row", rows())
def test_rows_of_the_results_train_on_no_text_that_is_scored(row, corpora):
    run = rows()[row]
    check(run.commands, corpora, also_scored=[run.table.dev])


def test_words_of_scored_texts_are_not_distilled():
    """Each line of project.yml that takes words or vectors from files."""
    lines = [line for script in scripts().values() for line in script]
    scored = read_commands(lines, writers(), PROJECT).scored
    sources = {word for target in scored for word in writers()[target][1:-1]}
    sources |= {asset["dest"] for asset in CONFIG["assets"] if asset.get("extra")}
    for words in map(shlex.split, lines):
        if "vectors" in words:
            assert sources.isdisjoint(words), words
