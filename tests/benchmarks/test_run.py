"""Runs in their order, stored once; shell commands stand in for training."""

import os
from pathlib import Path

import pytest
import spacy
import srsly
from spacy.tokens import Doc, DocBin
from typer.testing import CliRunner

from benchmarks.__main__ import app
from benchmarks.plan import read_plan
from benchmarks.run import measure, measure_speed, runs_to_do, shell
from benchmarks.score import measure_pipeline
from benchmarks.store import Store

TRAIN = "cp -r model {folder}/model && echo {seed} >> log.txt"
ONE = {"command": TRAIN}


@pytest.fixture
def unscored(monkeypatch):
    monkeypatch.setattr("benchmarks.run.score", lambda run: {"scores": {}})


@pytest.fixture
def scored(monkeypatch):
    """Scores in this process; another one would take seconds."""

    def score(run):
        paths = [run.plan.root / path for path in (run.pipeline, run.table.train, run.table.dev)]
        return measure_pipeline(paths[0], train=paths[1], dev=paths[2])

    monkeypatch.setattr("benchmarks.run.score", score)


@pytest.fixture
def read(tmp_path):
    vocab = spacy.blank("en").vocab
    train = Doc(vocab, words=["So", "good"], tags=["X", "Y"])
    dev = Doc(vocab, words=["so", "bad", "!"], tags=["X", "X", "Y"])
    DocBin(docs=[train] * 4).to_disk(tmp_path / "train.spacy")
    DocBin(docs=[dev]).to_disk(tmp_path / "dev.spacy")
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger").add_label("X")  # which every token gets
    nlp.initialize()
    nlp.to_disk(tmp_path / "model")
    table = {"title": "Tags", "about": "A toy.", "train": "train.spacy", "dev": "dev.spacy", "base": "one"}
    table["columns"] = [{"title": "accuracy", "score": "gold.tag_acc"}]

    def read_rows(**rows):
        rows = {name: {"title": "", **row} for name, row in {"one": ONE, **rows}.items()}
        srsly.write_yaml(tmp_path / "runs.yml", {"seeds": [0], "tables": {"tags": {**table, "rows": rows}}})
        return read_plan(tmp_path / "runs.yml", root=tmp_path)

    return read_rows


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results.jsonl")


def do(plan, store, only="*", jobs=1):
    """The runs to do, those that failed, and the messages."""
    messages = []
    todo = runs_to_do(plan, store, only)
    return list(todo), measure(todo, store, jobs=jobs, tell=messages.append), messages


def test_a_run_is_trained_scored_stored_and_not_done_again(scored, read, store, tmp_path):
    plan = read()
    assert do(plan, store)[:2] == (["tags/one/0"], [])
    (run,) = plan.runs()
    (result,) = Store(store.path).records.values()
    assert result == store.get(**run.identity)
    assert result["scores"]["gold"]["tag_acc"] == pytest.approx(2 / 3)
    assert result["scores"]["gold"]["unseen_tag_acc"] == pytest.approx(1 / 2)  # "bad" and "!"; "so" is "So" of train
    assert result["scores"]["raw"] is None
    assert result["bytes"] == sum(file.stat().st_size for file in (tmp_path / "model").rglob("*") if file.is_file())
    assert result["seconds"] >= 0
    assert result["versions"]["spacy"] == spacy.__version__
    assert "commit" in result
    assert (tmp_path / "log.txt").read_text() == "0\n"
    assert do(plan, Store(store.path))[0] == []
    assert list(runs_to_do(plan, store, "*", force=True)) == ["tags/one/0"]


def test_a_run_with_other_overrides_is_another_one(unscored, read, store, tmp_path):
    (run,) = read().runs()
    store.add({**run.identity, "overrides": {"a.b": 1}, "scores": {}})
    assert do(read(), store)[0] == ["tags/one/0"]
    store.add({**run.identity, "scores": {"gold": {}}})  # measured again
    assert Store(store.path).get(**run.identity)["scores"] == {"gold": {}}
    assert len(store.path.read_text().splitlines()) == 3


def test_a_row_made_of_others_waits_for_them_and_brings_them_along(unscored, read, store):
    both = {"needs": {"one": 2}, "command": "cp -r {runs}/one/1/model {folder}/model"}
    plan = read(both=both, one={**ONE, "seeds": [0, 1]})
    todo, failed, messages = do(plan, store, "tags/both", jobs=2)
    assert (sorted(todo), failed) == (["tags/both/0", "tags/one/0", "tags/one/1"], [])
    assert messages[-1].startswith("✔ tags/both/0")


def test_a_command_that_fails_ends_its_run_and_what_is_made_of_it_alone(unscored, read, store, tmp_path):
    bad = {"before": ["echo out of luck; exit 3"], "command": TRAIN}
    plan = read(bad=bad, both={"needs": {"bad": 1}, "command": "true"})
    todo, failed, messages = do(plan, store)
    assert (len(todo), sorted(failed)) == (3, ["tags/bad/0", "tags/both/0"])
    assert any("✘ tags/bad/0: exit code 3" in line and "out of luck" in line for line in messages)
    assert any("tags/bad/0 failed, and this one is made of it" in line for line in messages)
    assert [run.name for run in plan.runs() if store.get(**run.identity)] == ["tags/one/0"]
    assert "out of luck" in (tmp_path / "training/results/tags/bad/0/log.txt").read_text()


def test_only_what_fits_is_done(read, store):
    plan = read(two={"command": TRAIN, "seeds": [0, 1]})
    assert list(runs_to_do(plan, store, "tags/two")) == ["tags/two/0", "tags/two/1"]
    assert list(runs_to_do(plan, store, "tags/*/1")) == ["tags/two/1"]
    assert list(runs_to_do(plan, store, "tags")) == list(runs_to_do(plan, store, "*"))


def test_speed_is_stored_for_what_is_trained(unscored, read, store):
    plan = read(two={"command": TRAIN})
    assert measure_speed(plan, store, "tags", rounds=1) == []
    do(plan, store, "tags/one")
    assert measure_speed(plan, store, "tags", rounds=1) == ["one"]
    rows = Store(store.path).get(speed="tags")["rows"]
    assert rows["one"]["ratio"] == 1
    assert rows["one"]["tokens_per_second"] > 0


def test_commands_run_on_one_thread_by_this_python(tmp_path):
    found = shell("python -c 'import sys, os; print(sys.prefix, os.environ[\"OMP_NUM_THREADS\"])'", tmp_path)
    import sys

    assert found.split() == [sys.prefix, "1"]


@pytest.fixture
def command(monkeypatch, tmp_path):
    """Runs python -m benchmarks in this process, with files of its own."""
    monkeypatch.setattr("benchmarks.__main__.Store", lambda: Store(tmp_path / "results.jsonl"))
    monkeypatch.setattr("benchmarks.__main__.read_plan", lambda here: read_plan(tmp_path / "runs.yml", root=tmp_path))

    def run(*args, code=0):
        result = CliRunner().invoke(app, [str(arg) for arg in args])
        assert result.exit_code == code, result.output
        return result.output

    return run


def test_runs_are_listed_and_done_by_the_command(unscored, read, command):
    read(two={"command": "false"})
    assert command("run", "--list").splitlines() == ["0 of 2 measured; to do: 2", "  tags/one/0", "  tags/two/0"]
    assert command("run", "--only", "tags/one").splitlines()[0] == "0 of 1 measured; to do: 1"
    assert command("run", code=1).splitlines()[-1] == "✘ 1 of 1 were not measured: tags/two/0"
    assert command("run", "--set", "wheels", code=1) == "✘ --set wheels: expected NAME=VALUE\n"


def test_outputs_are_stored_once(tmp_path, command):
    content = {"seeds": [], "tables": {}, "vars": {"tweets": "TWEETS"}}
    outputs = {"time": "echo 1 | tee -a log.txt", "texts": "cat {tweets}"}
    srsly.write_yaml(tmp_path / "runs.yml", {**content, "outputs": outputs})
    assert command("outputs") == "✔ time\n  texts is left out: give it with --set tweets=...\n"
    found = Store(tmp_path / "results.jsonl").get(output="time")
    assert (found["command"], found["text"]) == (outputs["time"], "1")
    command("outputs")
    assert (tmp_path / "log.txt").read_text() == "1\n"
    command("outputs", "--force")
    assert (tmp_path / "log.txt").read_text() == "1\n1\n"


def test_parts_lie_in_one_another(tmp_path, command):
    vocab = spacy.blank("en").vocab
    DocBin(docs=[Doc(vocab, words=[f"w{i}"]) for i in range(20)]).to_disk(tmp_path / "all.spacy")

    def part(percent):
        command("part", tmp_path / "all.spacy", tmp_path / "part.spacy", "--percent", percent)
        return [doc[0].text for doc in DocBin().from_disk(tmp_path / "part.spacy").get_docs(vocab)]

    tenth, half, whole = part(10), part(50), part(100)
    assert (len(tenth), len(half)) == (2, 10)
    assert set(tenth) < set(half)
    assert whole == [f"w{i}" for i in range(20)]


@pytest.mark.slow
def test_a_recipe_on_the_sample_corpus(tmp_path, project, spacy_bilstm, store):
    """The row that runs.yml has for the sample corpus, with few steps, scored as a user's would be."""
    for name in ("configs", "assets"):
        os.symlink(project / name, tmp_path / name)
    table = srsly.read_yaml(project / "benchmarks" / "runs.yml")["tables"]["sample"]
    few = {"training.max_steps": 4, "training.eval_frequency": 2, "paths.vectors": "vectors"}
    table["rows"]["sample"]["overrides"] = few
    srsly.write_yaml(tmp_path / "runs.yml", {"seeds": [0], "tables": {"sample": table}})
    plan = read_plan(tmp_path / "runs.yml", root=tmp_path)
    sample = Path(project / "assets" / "sample")
    for part in ("train", "dev"):
        assert spacy_bilstm("convert", sample / f"{part}.conll", tmp_path / f"corpus/sample/{part}.spacy")[0] == 0
    made = spacy_bilstm("vectors", "train", sample / "train.conll", tmp_path / "vectors", "--dim", 8, "--epochs", 1)
    assert made[0] == 0
    assert measure(runs_to_do(plan, store, "*"), store, jobs=1, tell=print) == []
    (run,) = plan.runs()
    result = store.get(**run.identity)
    for column in run.table.columns:
        group, _, name = column.score.partition(".")
        assert 0 <= result["scores"][group][name] <= 1
    assert 0 <= result["scores"]["gold"]["unseen_ents_f"] <= 1
    assert result["parameters"] > 100_000
    assert result["static"] == 8 * result["vectors"][0]
    assert result["bytes"] > 100_000
