"""The page from a few stored results: means, missing results, and the learning curve."""

import re
from statistics import mean

import pytest
import srsly

from benchmarks.plan import PROJECT, read_plan
from benchmarks.report import LineView, TableView, draw_curves, render
from benchmarks.store import Store

CONTENT = {
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
            "rows": {
                "ours": {"title": "ours", "config": "a.cfg"},
                "other": {"title": "other", "command": "count"},
                "two": {"title": "two", "needs": {"ours": 2}, "seeds": [0]},
            },
            "ablation": {"row": "ours", "without": {"Brown": {"brown": "no"}}, "removed": {"wings": {"wings": 2}}},
            "curve": {"rows": ["ours"], "percent": [10]},
        }
    },
}


@pytest.fixture
def plan(tmp_path):
    srsly.write_yaml(tmp_path / "runs.yml", CONTENT)
    return read_plan(tmp_path / "runs.yml", root=tmp_path)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results.jsonl")


@pytest.fixture
def add(plan, store):
    """Stores a result: the run's name, its accuracy on gold tokens, and other fields of the result."""
    runs = {run.name: run for run in plan.runs()}

    def add_one(name, accuracy, **parts):
        result = {
            "seconds": 60.0,
            "scores": {"gold": {"tag_acc": accuracy}, "raw": None},
            "parameters": 12345,
            "static": 200,
            "bytes": 1_500_000,
        }
        store.add({**runs[f"tags/{name}"].identity, **result, **parts})

    return add_one


@pytest.fixture
def view(plan, store):
    return lambda: TableView(plan, store, "tags")


def cells(view, row):
    return view.cells(view.views[row])


def test_a_row_that_is_not_measured_is_shown_as_such(view):
    assert [row.run.line for row in view().of_kind("row")] == ["ours", "other", "two"]
    assert cells(view(), "ours") == ["ours", "not measured", "not measured", "0 of 2", "–", "–", "–", "–", "–"]
    assert view().views["ours-without-brown"].difference(view().ablated, view().main) == "–"


def test_seeds_are_averaged(view, add):
    add("ours/0", 0.90)
    add("ours/1", 0.94, seconds=125.0)
    assert cells(view(), "ours") == ["ours", "92.00 ± 2.83", "–", "2", "12,345", "200", "1.5 MB", "1:00", "–"]


def test_a_seed_that_is_missing_is_counted(view, add):
    add("ours/0", 0.9, parameters=None, static=0)
    assert cells(view(), "ours") == ["ours", "90.00", "–", "1 of 2", "–", "–", "1.5 MB", "1:00", "–"]


def test_an_ensembles_time_holds_that_of_its_members(view, add):
    add("two/0", 0.9, seconds=5.0)
    assert cells(view(), "two")[-2] == "–"
    add("ours/0", 0.9, seconds=60.0)
    add("ours/1", 0.9, seconds=70.0)
    assert cells(view(), "two")[-2] == "2:05"


def test_an_ablation_shows_the_options_of_each_training(view, add, plan, store):
    add("ours/0", 0.9)
    table = view()
    row = table.views["ours-without-brown"]
    assert table.ablation_cells(row) == ["Brown", "not measured", "–", "not measured", "0 of 2", "`--brown no`"]
    assert table.ablation_cells(table.ablated) == ["ours", "90.00", "", "–", "1 of 2", ""]
    added = "added to its command"
    assert table.ablation_head("without") == ["without", "accuracy", "difference", "end to end", "seeds", added]
    content = srsly.json_loads(srsly.json_dumps(CONTENT))
    content["tables"]["tags"]["rows"]["ours"]["first"] = {"config": "b.cfg"}
    srsly.write_yaml(plan.root / "runs.yml", content)
    runs = read_plan(plan.root / "runs.yml", root=plan.root).lines("tags")["ours-without-brown"]
    assert LineView(runs, store, None).added == "–; `--brown no`"


def test_speed_has_the_ratio_to_the_base(view, store):
    rows = {"ours": {"tokens_per_second": 12345, "ratio": 1.254}, "other": {"tokens_per_second": 9845, "ratio": 1.0}}
    store.add({"speed": "tags", "rounds": 1, "rows": rows})
    found = [row.tokens_per_second for row in view().of_kind("row")]
    assert found == ["12,345 (1.25)", "9,845 (1.00)", "–"]


def test_an_ablation_is_compared_with_its_row(view, add):
    def found():
        table = view()
        row = table.views["ours-without-brown"]
        return row.score(table.main), row.difference(table.ablated, table.main)

    add("ours/0", 0.9)
    add("ours-without-brown/0", 0.885)
    assert found() == ("88.50", "-1.50")
    add("ours/1", 0.8)  # of a seed that is not measured without
    assert found()[1] == "-1.50"
    add("ours-without-brown/1", 0.795)  # differences of -1.5 and -0.5: deviation 0.71, over the root of 2
    assert found()[1] == "-1.00 ± 0.50"


def test_the_curve_ends_in_the_row_itself(view, add, plan, store, tmp_path):
    add("ours/0", 0.9)
    assert not view().has_curve
    add("ours-10/0", 0.7)
    assert view().curve_head == ["recipe", "10%", "100%"]
    assert view().curve_cells == [["ours", "70.00", "90.00"]]
    draw_curves(plan, store, tmp_path / "images")
    assert (tmp_path / "images" / "curve-tags.png").read_bytes().startswith(b"\x89PNG")


def test_an_output_that_the_page_quotes_has_to_be_listed(plan, store):
    with pytest.raises(KeyError, match=r"runs\.yml has no output 'entities'"):
        render(plan, store)


def test_docs_results_is_up_to_date():
    """Otherwise: python -m benchmarks write"""
    assert (PROJECT / "docs" / "results.md").read_text(encoding="utf8") == render(read_plan(), Store())


def test_each_result_belongs_to_a_row():
    plan, store = read_plan(), Store()
    known = [run.identity for run in plan.runs()]
    known += [{"speed": name} for name in plan.tables] + [{"output": name} for name in plan.outputs]
    assert not store.records.keys() - set(map(store.key, known))


def test_settings_that_were_removed_are_shown_apart():
    page = render(read_plan(), Store())
    kept, removed = page.partition("## Entities")[0].split("### Removed since")
    assert "| two layers | 90.25 " in kept
    assert "| label smoothing of 0.1, without scores between neighbouring tags | 90.40 " in removed


RECIPES_ROWS = {
    "T-POS (Ritter et al.)": ("ritter", "ritter", "ritter-ensemble", "ritter-transformer", "spacy-cnn"),
    "Tweebank, universal tags": ("tweebank", "tweebank", None, None, "spacy-cnn"),
}


@pytest.mark.parametrize("corpus", RECIPES_ROWS)
def test_the_figures_of_the_recipes_are_those_of_the_page(corpus):
    name, *rows = RECIPES_ROWS[corpus]
    table = TableView(read_plan(), Store(), name)
    values = [mean(table.views[row].values(table.main).values()) if row else None for row in rows]
    cells = " | ".join("–" if value is None else f"{value:.1f}" for value in values)
    lines = (PROJECT / "docs" / "recipes.md").read_text(encoding="utf8").splitlines()
    (line,) = [line for line in lines if line.startswith(f"| {corpus} |")]
    assert line.endswith(f" | {cells} |")


@pytest.mark.parametrize(
    ("row", "column", "output", "cell"),
    [
        ("WNUT 2017, workflow `entities`", 3, "entities", r"\| wnut17 .*\| ([\d.]+) ± [\d.]+ \|$"),
        ("WNUT 2017, workflow `entities`", 5, "entities-teacher", r"\| wnut17 .*\| ([\d.]+) \|$"),
        ("the mean of four corpora, WNUT 2017 among them", 3, "entities", r"\| mean .*\| ([\d.]+) ± [\d.]+ \|$"),
        ("the mean of four corpora, WNUT 2017 among them", 5, "entities-teacher", r"\| mean .*\| ([\d.]+) \|$"),
        ("toxic spans, one seed", 3, "toxic", r"\| trial \| ([\d.]+) \|"),
    ],
)
def test_the_figures_of_the_recipes_are_those_of_the_quoted_commands(row, column, output, cell):
    lines = (PROJECT / "docs" / "recipes.md").read_text(encoding="utf8").splitlines()
    (line,) = [line for line in lines if line.startswith(f"| {row} |")]
    found = re.search(cell, Store().get(output=output)["text"], re.MULTILINE)
    assert line.split("|")[column].strip() == found[1]
