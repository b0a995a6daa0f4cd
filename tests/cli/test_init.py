"""spacy-bilstm init and --version: what an installed package brings along."""

import platform
from importlib.metadata import version

import pytest
from spacy.util import load_config


def test_the_recipe_for_own_tweets_is_copied_by_default(spacy_bilstm, project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, output, error = spacy_bilstm("init")
    assert code == 0, error
    assert [path.name for path in tmp_path.rglob("*.*")] == ["finetune.cfg"]
    assert "configs/finetune.cfg" in output
    config = load_config("configs/finetune.cfg")
    assert config == load_config(project / "configs" / "finetune.cfg")


@pytest.mark.parametrize(
    ("name", "files"),
    [
        (
            "sample",
            {
                "configs/sample.cfg",
                *(f"assets/sample/{name}" for name in ("train.conll", "dev.conll", "ten.txt")),
                "assets/tag_maps/ritter-to-upos.tsv",
            },
        ),
        ("lecture", {"configs/lecture.cfg", "configs/labels/ritter.json"}),
    ],
)
def test_files_that_a_recipe_reads_come_along(spacy_bilstm, project, tmp_path, name, files):
    assert spacy_bilstm("init", name, "--output", tmp_path)[0] == 0
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert found == files
    assert all((tmp_path / path).read_bytes() == (project / path).read_bytes() for path in files)


def test_nothing_is_overwritten_without_force(spacy_bilstm, tmp_path):
    path = tmp_path / "configs" / "starter.cfg"
    path.parent.mkdir()
    path.write_text("mine", encoding="utf8")
    code, _, error = spacy_bilstm("init", "starter", "-o", tmp_path)
    assert code == 1
    assert "--force" in error
    assert path.read_text(encoding="utf8") == "mine"
    assert spacy_bilstm("init", "starter", "-o", tmp_path, "--force")[0] == 0
    assert path.read_text(encoding="utf8") != "mine"


def test_recipes_are_listed_and_an_unknown_one_is_one_line(spacy_bilstm, project):
    code, output, _ = spacy_bilstm("init", "--list")
    assert code == 0
    assert [line.split()[0] for line in output.splitlines()] == sorted(path.stem for path in (project / "configs").glob("*.cfg"))
    code, _, error = spacy_bilstm("init", "startr")
    assert code == 1
    assert error.startswith("✘ startr: found no such recipe; expected one of en_tweet, ")


def test_version(spacy_bilstm):
    code, output, _ = spacy_bilstm("--version")
    assert code == 0
    assert output.startswith(f"spacy-bilstm-tagger {version('spacy-bilstm-tagger')} (spacy {version('spacy')}, ")
    assert platform.python_version() in output
