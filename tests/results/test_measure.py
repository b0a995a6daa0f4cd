"""Runs in their order, stored once, in processes of their own; shell commands stand in for training."""

import os
import re
import shutil

import pytest
import spacy
import srsly
from spacy.tokens import Doc, DocBin

from benchmarks.results.measure import is_measured, measure, runs_to_do, score_again, stored
from benchmarks.results.part import write_part
from benchmarks.results.read_plan import read_plan
from benchmarks.results.speed import measure_speed

# $PWD keeps what it leaves behind out of the inputs, which are the files that a command names.
TRAIN = "cp -r $PWD/model {folder}/model && echo {seed} {args} >> $PWD/log.txt"
ONE = {"name": "one", "commands": [TRAIN]}


@pytest.fixture
def unscored(monkeypatch):
    """Scoring starts a process, which takes a second or two."""
    monkeypatch.setattr("benchmarks.results.measure.score", lambda run, folder: {"scores": {}})


@pytest.fixture
def read(tmp_path):
    vocab = spacy.blank("en").vocab
    train = Doc(vocab, words=["So", "good"], tags=["X", "Y"])
    dev = Doc(vocab, words=["so", "bad", "!"], tags=["X", "X", "Y"])
    DocBin(docs=[train] * 4).to_disk(tmp_path / "train.spacy")
    DocBin(docs=[dev]).to_disk(tmp_path / "dev.spacy")
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger").add_label("X")  # which it says of every token
    nlp.initialize()
    nlp.to_disk(tmp_path / "model")
    table = {
        "title": "Tags",
        "about": "A toy.",
        "train": "train.spacy",
        "dev": "dev.spacy",
        "base": "one",
        "columns": [{"title": "accuracy", "score": "gold.tag_acc"}],
    }

    def read_rows(*rows):
        rows = [{"what": "", "pipeline": "{folder}/model", "seeds": [0], **row} for row in rows]
        srsly.write_yaml(tmp_path / "results.yml", {"seeds": [0], "tables": {"tags": {**table, "rows": rows}}})
        return read_plan(tmp_path / "results.yml", root=tmp_path)

    return read_rows


def do(plan, only="*", jobs=1, **options):
    """What was to do, what failed, and what was said."""
    said = []
    todo = runs_to_do(plan, only, **options)
    return list(todo), measure(todo, jobs=jobs, tell=said.append), said


def test_a_run_is_trained_scored_stored_and_not_done_again(read, tmp_path):
    plan = read(ONE)
    assert do(plan)[:2] == (["tags/one/0"], [])
    (run,) = plan.runs()
    result = stored(run)
    gold = result["scores"]["gold"]
    assert gold["tag_acc"] == pytest.approx(2 / 3)
    assert gold["unseen_tag_acc"] == pytest.approx(1 / 2)  # "bad" and "!"; "so" is "So" of train
    assert result["scores"]["raw"] is None
    assert result["commands"] == [f"cp -r $PWD/model {run.folder}/model && echo 0  >> $PWD/log.txt"]
    assert set(result["inputs"]) == {"train.spacy", "dev.spacy"}
    assert srsly.read_json(plan.measured / "inputs.json") == result["inputs"]
    assert result["versions"]["spacy"] == spacy.__version__
    assert (tmp_path / "log.txt").read_text() == "0\n"
    assert do(plan)[0] == []
    assert list(runs_to_do(plan, "*", force=True)) == ["tags/one/0"]


def test_other_data_or_commands_are_measured_again(unscored, read, tmp_path):
    plan = read(ONE)
    do(plan)
    assert all(is_measured(run) for run in plan.runs())
    assert not any(is_measured(run) for run in read({**ONE, "args": "--more"}).runs())
    DocBin(docs=[]).to_disk(tmp_path / "train.spacy")
    from benchmarks.results.content import content_hash

    content_hash.cache_clear()
    assert not any(is_measured(run) for run in plan.runs())


def test_a_row_made_of_others_waits_for_them_and_brings_them_along(unscored, read):
    both = {"name": "both", "needs": {"one": 2}, "commands": ["cp -r {runs}/one/1/model {folder}/model"]}
    plan = read(both, {**ONE, "seeds": [0, 1]})
    todo, failed, said = do(plan, "tags/both", jobs=2)
    assert (sorted(todo), failed) == (["tags/both/0", "tags/one/0", "tags/one/1"], [])
    assert said[-1].startswith("✔ tags/both/0")


def test_a_command_that_fails_ends_its_run_and_what_is_made_of_it_alone(unscored, read):
    bad = {"name": "bad", "commands": ["echo out of luck; exit 3", TRAIN]}
    both = {"name": "both", "needs": {"bad": 1}, "commands": ["true"]}
    plan = read(bad, both, ONE)
    todo, failed, said = do(plan)
    assert (len(todo), sorted(failed)) == (3, ["tags/bad/0", "tags/both/0"])
    assert any("✘ tags/bad/0: exit code 3" in line and "out of luck" in line for line in said)
    assert any("tags/bad/0 failed, and this one is made of it" in line for line in said)
    assert [run.name for run in plan.runs() if stored(run)] == ["tags/one/0"]


def test_a_new_score_is_added_to_what_is_measured(read):
    plan = read(ONE)
    (run,) = plan.runs()
    assert score_again(run) == "not measured"
    do(plan)
    whole = stored(run)
    without = srsly.json_loads(srsly.json_dumps(whole))
    del without["scores"]["gold"]["unseen_tag_acc"]
    srsly.write_json(run.result, without)
    assert score_again(run) is None
    assert stored(run) == whole


def test_a_pipeline_that_is_another_by_now_is_not_scored_again(read):
    plan = read(ONE)
    do(plan)
    (run,) = plan.runs()
    other = stored(run)
    other["scores"]["gold"]["tag_acc"] = 0.5
    srsly.write_json(run.result, other)
    assert re.match(r"gold\.tag_acc was 0\.5 and is 0\.66", score_again(run))
    assert stored(run) == other
    shutil.rmtree(plan.root / run.pipeline)
    assert score_again(run) == f"{run.pipeline} is not there"


def test_only_what_fits_is_done(read):
    plan = read(ONE, {"name": "two", "commands": [TRAIN], "seeds": [0, 1]})
    assert list(runs_to_do(plan, "tags/two")) == ["tags/two/0", "tags/two/1"]
    assert list(runs_to_do(plan, "tags/*/1")) == ["tags/two/1"]
    assert list(runs_to_do(plan, "tags")) == list(runs_to_do(plan, "*"))


def test_speed_is_stored_for_what_is_trained(unscored, read):
    plan = read(ONE, {"name": "two", "commands": [TRAIN]})
    table = plan.tables["tags"]
    assert measure_speed(plan, table, rounds=1) is None
    do(plan, "tags/one")
    assert measure_speed(plan, table, rounds=1) == ["one"]
    rows = srsly.read_json(plan.measured / "tags" / "speed.json")["rows"]
    assert rows["one"]["ratio"] == 1
    assert rows["one"]["tokens_per_second"] > 0
    assert rows["one"]["key"] == next(plan.runs()).key


def test_what_was_trained_by_other_commands_is_not_timed(unscored, read):
    do(read(ONE))
    plan = read({**ONE, "commands": [f"{TRAIN} # other"]})
    assert measure_speed(plan, plan.tables["tags"], rounds=1) is None


def test_parts_lie_in_one_another(tmp_path):
    vocab = spacy.blank("en").vocab
    DocBin(docs=[Doc(vocab, words=[f"w{i}"]) for i in range(20)]).to_disk(tmp_path / "all.spacy")

    def part(percent):
        write_part(tmp_path / "all.spacy", tmp_path / "part.spacy", percent=percent)
        return [doc[0].text for doc in DocBin().from_disk(tmp_path / "part.spacy").get_docs(vocab)]

    tenth, half, whole = part(10), part(50), part(100)
    assert (len(tenth), len(half)) == (2, 10)
    assert set(tenth) < set(half)
    assert whole == [f"w{i}" for i in range(20)]


@pytest.mark.slow
def test_a_recipe_on_the_sample_corpus(tmp_path, project):
    """The commands that results.yml has for the sample corpus, with few steps."""
    convert = "python -m spacy_bilstm_tagger convert {source} {folder}/{part}.spacy"
    os.symlink(project / "configs", tmp_path / "configs")
    plan = srsly.read_yaml(project / "benchmarks" / "results" / "results.yml")
    table = plan["tables"]["sample"]
    (row,) = table["rows"]
    few = "--training.max_steps 4 --training.eval_frequency 2 --paths.vectors vectors --paths.dev {dev}"
    row["commands"] = [row["commands"][0].replace("{args}", few)]
    srsly.write_yaml(tmp_path / "results.yml", {"seeds": [0], "tables": {"sample": table}})
    plan = read_plan(tmp_path / "results.yml", root=tmp_path)
    from benchmarks.results.measure import shell

    sample = project / "assets" / "sample"
    for part in ("train", "dev"):
        command = convert.format(source=sample / f"{part}.conll", folder="corpus/sample", part=part)
        shell(command, tmp_path, tmp_path / "log.txt")
    options = "--dim 8 --epochs 1"
    shell(
        f"python -m spacy_bilstm_tagger vectors train {sample}/train.conll vectors {options}",
        tmp_path,
        tmp_path / "log.txt",
    )
    assert measure(runs_to_do(plan, "*"), jobs=1, tell=print) == []
    (run,) = plan.runs()
    result = stored(run)
    for column in run.table.columns:
        group, _, name = column.score.partition(".")
        assert 0 <= result["scores"][group][name] <= 1
    assert 0 <= result["scores"]["gold"]["unseen_ents_f"] <= 1
    assert result["parameters"] > 100_000
    assert result["static"] == 8 * result["vectors"][0]
    assert result["bytes"] > 100_000
