"""No text that a recipe is scored on is among the texts that it is trained on.

The corpora are those that the `convert` lines of project.yml make: a file or folder named dev or trial is scored on,
all others are trained on. Texts are compared in lower case and without white space, since corpora cut them differently.
"""

import shlex
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import spacy
import srsly
from spacy.tokens import DocBin

from spacy_bilstm_tagger import cli

SCORED = {"dev", "trial"}


def conversions(project: Path, workflow: str) -> list[list[str]]:
    """The arguments of `convert`, a list for each of its lines in the workflow."""
    config = srsly.read_yaml(project / "project.yml")
    scripts = {command["name"]: command["script"] for command in config["commands"]}
    lines = [line for step in config["workflows"][workflow] for line in scripts[step]]
    for name, value in config["vars"].items():
        lines = [line.replace(f"${{vars.{name}}}", str(value)) for line in lines]
    return [shlex.split(line.partition(" convert ")[2]) for line in lines if " convert " in line]


def letters(path: Path) -> dict[str, str]:
    """What is compared of each text -> the text."""
    docs = DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab)
    return {"".join(doc.text.split()).lower(): doc.text for doc in docs}


def workflows() -> list[str]:
    """All but `results`, which trains each recipe on its own corpora, as the others do."""
    named = srsly.read_yaml(Path(__file__).parent.parent / "project.yml")["workflows"]
    return [name for name in named if name != "results"]


@pytest.mark.real_data
@pytest.mark.parametrize("workflow", workflows())
def test_no_dev_text_is_trained_on(workflow, project, asset, tmp_path, monkeypatch):
    lines = conversions(project, workflow)
    for source, *_ in lines:
        asset(source.removeprefix("assets/"))
    monkeypatch.chdir(project)
    parts: dict[bool, dict[str, dict[str, str]]] = defaultdict(dict)
    for source, target, *options in lines:
        monkeypatch.setattr(sys, "argv", ["spacy-bilstm", "convert", source, str(tmp_path / target), *options])
        with pytest.raises(SystemExit) as exit:
            cli.main()
        assert not exit.value.code, source
        scored = not SCORED.isdisjoint(Path(target).with_suffix("").parts)
        parts[scored][target] = letters(tmp_path / target)
    leaks = [
        f"{dev} and {train}: {text!r}"
        for dev, dev_texts in parts[True].items()
        for train, train_texts in parts[False].items()
        for key, text in dev_texts.items()
        if key in train_texts
    ]
    assert not leaks, "texts that are scored and trained on:\n" + "\n".join(leaks)
