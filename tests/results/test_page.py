"""The page from a few stored results: means, what is missing, what is out of date, and the learning curve."""

import dataclasses
from statistics import mean

import pytest
import srsly

from benchmarks.results.page import TableView, draw_curves, render
from benchmarks.results.read_plan import PROJECT, read_plan

VERSIONS = {"python": "3.11.0", "spacy": "3.8.18"}
CONTENT = {
    "vars": {},
    "seeds": [0, 1],
    "tables": {
        "tags": {
            "title": "Tags",
            "about": "A toy.",
            "train": "train.spacy",
            "dev": "dev.spacy",
            "base": "other",
            "columns": [
                {"title": "accuracy", "score": "gold.tag_acc"},
                {"title": "end to end", "score": "raw.tag_micro_f", "ablated": True},
            ],
            "rows": [
                {"name": "ours", "what": "ours", "commands": ["train {folder} {train} {args}"], "pipeline": "{folder}"},
                {"name": "other", "what": "other", "commands": ["train {seed}"], "pipeline": "{folder}"},
                {
                    "name": "two",
                    "what": "two",
                    "needs": {"ours": 2},
                    "seeds": [0],
                    "commands": ["join"],
                    "pipeline": "x",
                },
                {"name": "step", "what": "step", "commands": ["first"], "pipeline": "x", "shown": False},
            ],
            "ablation": {"row": "ours", "without": {"Brown": "--brown no"}},
            "curve": {"rows": ["ours"], "percent": [10, 100]},
        }
    },
    "outputs": {},
}


@pytest.fixture
def plan(tmp_path):
    srsly.write_yaml(tmp_path / "results.yml", CONTENT)
    return read_plan(tmp_path / "results.yml", root=tmp_path)


@pytest.fixture
def store(plan):
    """Stores a result: the run's name, its accuracy on gold tokens, and other parts of what is stored."""
    runs = {run.name: run for run in plan.runs()}

    def store_one(name, accuracy, **parts):
        run = runs[name]
        result = {
            "key": run.key,
            "commands": run.commands,
            "inputs": {},
            "seconds": 60.0,
            "scores": {"gold": {"tag_acc": accuracy}, "raw": None},
            "parameters": 12345,
            "static": 200,
            "bytes": 1_500_000,
            "versions": VERSIONS,
            **parts,
        }
        run.result.parent.mkdir(parents=True, exist_ok=True)
        srsly.write_json(run.result, result)

    return store_one


@pytest.fixture
def view(plan):
    return lambda: TableView(plan, plan.tables["tags"])


def cells(view, name):
    return next(row.cells for row in view.rows if row.row.name == name)


def test_what_is_not_measured_says_so(view):
    assert [row.row.name for row in view().rows] == ["ours", "other", "two"]
    assert cells(view(), "ours") == ["ours", "not measured", "not measured", "0 of 2", "–", "–", "–", "–", "–"]
    assert [row.difference(view().main) for row in view().ablation] == ["–"]


def test_seeds_are_averaged(view, store):
    store("tags/ours/0", 0.90)
    store("tags/ours/1", 0.94, seconds=125.0)
    assert cells(view(), "ours") == ["ours", "92.00 ± 2.83", "–", "2", "12,345", "200", "1.5 MB", "1:00", "–"]


def test_a_seed_that_is_missing_is_counted(view, store):
    store("tags/ours/0", 0.9, parameters=None, static=0)
    assert cells(view(), "ours") == ["ours", "90.00", "–", "1 of 2", "–", "–", "1.5 MB", "1:00", "–"]


def test_an_ensembles_time_holds_that_of_its_members(view, store):
    store("tags/two/0", 0.9, seconds=5.0)
    assert cells(view(), "two")[-2] == "–"
    store("tags/ours/0", 0.9, seconds=60.0)
    store("tags/ours/1", 0.9, seconds=70.0)
    assert cells(view(), "two")[-2] == "2:05"


def test_what_an_ablation_adds_is_shown_command_by_command(view, plan, store):
    store("tags/ours/0", 0.9)
    (row,) = view().ablation
    assert view().ablation_cells(row) == ["Brown", "not measured", "–", "not measured", "0 of 2", "`--brown no`"]
    assert view().ablation_cells(view().base) == ["ours", "90.00", "", "–", "1 of 2", ""]
    assert view().ablation_head("without")[1:4] == ["accuracy", "difference", "end to end"]
    two = dataclasses.replace(plan.tables["tags"].rows["ours-without-brown"], args=["", "--rate 1"])
    assert TableView(plan, plan.tables["tags"]).view(two).added == "–; `--rate 1`"


def store_speed(plan, **keys):
    """Row -> the key of the run that was timed."""
    figures = {"ours": {"tokens_per_second": 12345, "ratio": 1.254}, "other": {"tokens_per_second": 9845, "ratio": 1.0}}
    rows = {name: {"key": key, **figures[name]} for name, key in keys.items()}
    (plan.measured / "tags").mkdir(parents=True, exist_ok=True)
    srsly.write_json(plan.measured / "tags" / "speed.json", {"rounds": 1, "rows": rows, "versions": VERSIONS})


def test_speed_has_the_ratio_to_the_base(view, plan):
    keys = {run.row.name: run.key for run in plan.runs() if run.seed == 1}
    store_speed(plan, ours=keys["ours"], other=keys["other"])
    assert [row.tokens_per_second for row in view().rows] == ["12,345 (1.25)", "9,845 (1.00)", "–"]
    assert not view().stale


def test_the_speed_of_an_earlier_recipe_is_marked(view, plan):
    store_speed(plan, ours="older")
    assert cells(view(), "ours")[-1] == "12,345 (1.25) †"
    assert view().stale


def test_what_comes_from_other_commands_is_marked(view, store):
    store("tags/ours/0", 0.9, key="older")
    assert view().stale
    assert cells(view(), "ours")[:2] == ["ours †", "90.00"]


def test_what_comes_from_other_files_is_marked(view, plan, store):
    store("tags/ours/0", 0.9, inputs={"vectors/x": "older", "train.spacy": "same"})
    store("tags/other/0", 0.9, inputs={"train.spacy": "same"})
    assert not view().stale
    srsly.write_json(plan.measured / "inputs.json", {"vectors/x": "newer", "train.spacy": "same"})
    assert [row.what for row in view().rows[:2]] == ["ours †", "other"]


def test_an_ablation_is_compared_with_its_row(view, store):
    store("tags/ours/0", 0.9)
    store("tags/ours-without-brown/0", 0.885)
    (row,) = view().ablation
    assert (row.score(view().main), row.difference(view().main)) == ("88.50", "-1.50")
    store("tags/ours/1", 0.8)  # of a seed that is not measured without
    (row,) = view().ablation
    assert row.difference(view().main) == "-1.50"
    store("tags/ours-without-brown/1", 0.795)  # differences of -1.5 and -0.5: deviation 0.71, over the root of 2
    (row,) = view().ablation
    assert row.difference(view().main) == "-1.00 ± 0.50"


def test_the_curve_ends_in_the_row_itself(view, store, plan, tmp_path):
    store("tags/ours/0", 0.9)
    assert not view().has_curve
    store("tags/ours-10/0", 0.7)
    assert view().curve_head == ["recipe", "10%", "100%"]
    assert view().curve_cells == [["ours", "70.00", "90.00"]]
    draw_curves(plan, tmp_path / "images")
    assert (tmp_path / "images" / "curve-tags.png").read_bytes().startswith(b"\x89PNG")


def test_what_the_page_quotes_is_listed(plan):
    with pytest.raises(KeyError, match=r"results\.yml has no output 'confidence'"):
        render(plan)


def test_docs_results_is_what_is_measured():
    """Otherwise: python -m benchmarks.results write"""
    assert (PROJECT / "docs" / "results.md").read_text(encoding="utf8") == render(read_plan())


def test_what_is_stored_belongs_to_rows_that_there_are():
    plan = read_plan()
    runs = {run.result for run in plan.runs()}
    stored = {path for name in plan.tables for path in (plan.measured / name).glob("*.json")}
    assert {path.name for path in stored - runs} <= {"speed.json"}


README_ROWS = {
    "T-POS (Ritter et al.)": ("ritter", "ritter", "ritter-ensemble", "ritter-transformer", "spacy-cnn"),
    "Tweebank, universal tags": ("tweebank", "tweebank", None, None, "spacy-cnn"),
    "WNUT 2017": ("wnut17", "wnut17-btc", "wnut17-btc-ensemble", "transformer", "spacy-cnn"),
    "toxic spans": ("toxic_spans", "toxic_spans", None, None, "spacy-spancat"),
}


@pytest.mark.parametrize("corpus", README_ROWS)
def test_the_figures_of_the_readme_are_those_of_the_page(corpus):
    plan = read_plan()
    name, *rows = README_ROWS[corpus]
    view = TableView(plan, plan.tables[name])
    values = [mean(view.view(view.table.rows[row]).values(view.main)) if row else None for row in rows]
    cells = " | ".join("–" if value is None else f"{value:.1f}" for value in values)
    lines = (PROJECT / "README.md").read_text(encoding="utf8").splitlines()
    (line,) = [line for line in lines if line.startswith(f"| {corpus} |")]
    assert line.endswith(f" | {cells} |")
