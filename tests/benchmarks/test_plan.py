"""runs.yml is read into rows, and each row into runs with their commands."""

import pytest
import srsly

from benchmarks.plan import PlanError, read_plan

OURS = {"title": "ours", "config": "a.cfg", "overrides": {"paths.vectors": "{vectors}", "x.list": [1, 2]}}
CONTENT = {
    "vars": {"vectors": "vectors/x", "model": "MODEL"},
    "seeds": [0, 1],
    "tables": {
        "tags": {
            "title": "Tags",
            "about": "A toy.",
            "train": "train.spacy",
            "dev": "dev.spacy",
            "base": "other",
            "columns": [{"title": "accuracy", "score": "gold.tag_acc"}],
            "rows": {
                "ours": OURS,
                "other": {"title": "other", "command": "count {model} {train}", "seeds": [7]},
                "both": {"title": "both", "needs": {"ours": 2}, "seeds": [0]},
            },
            "ablation": {
                "row": "ours",
                "without": {"Brown clusters": {"embed.brown": []}},
                "changed": {"two layers": {"encode.depth": 2}},
                "removed": {"wings": {"embed.wings": True}},
            },
            "curve": {"rows": ["ours"], "percent": [50]},
        }
    },
    "outputs": {"speed": "time {vectors}"},
}
TRAIN = "python -m spacy train a.cfg --output training/results/tags"
PATHS = "--paths.train train.spacy --paths.dev dev.spacy"


@pytest.fixture
def read(tmp_path):
    (tmp_path / "a.cfg").touch()

    def read_from(content=CONTENT, **here):
        srsly.write_yaml(tmp_path / "runs.yml", content)
        return read_plan(tmp_path / "runs.yml", root=tmp_path, here=here)

    return read_from


def runs(plan):
    return {run.name: run for run in plan.runs()}


def changed(row="ours", **parts):
    """CONTENT with other fields of a row."""
    content = srsly.json_loads(srsly.json_dumps(CONTENT))
    content["tables"]["tags"]["rows"][row].update(parts)
    return content


def test_each_seed_of_each_row_is_a_run(read):
    names = ["ours/0", "ours/1", "other/7", "both/0"]
    names += [f"ours-{how}/{seed}" for how in ("without-brown-clusters", "with-two-layers") for seed in (0, 1)]
    names += [f"ours-{how}/{seed}" for how in ("with-wings", "50") for seed in (0, 1)]
    assert list(runs(read())) == [f"tags/{name}" for name in names]


def test_commands_are_made_of_the_fields(read):
    found = runs(read())
    assert found["tags/ours/1"].commands == [f"{TRAIN}/ours/1 --system.seed 1 {PATHS} --paths.vectors vectors/x --x.list '[1,2]'"]
    assert found["tags/ours/1"].pipeline == "training/results/tags/ours/1/model-best"
    assert found["tags/other/7"].commands == ["count MODEL train.spacy"]
    assert found["tags/both/0"].commands == [
        "python -m spacy_bilstm_tagger ensemble training/results/tags/ours/0/model-best "
        "training/results/tags/ours/1/model-best -o training/results/tags/both/0/model"
    ]
    assert found["tags/both/0"].pipeline == "training/results/tags/both/0/model"
    assert read().output("speed") == "time vectors/x"


def test_a_first_training_comes_before_with_overrides_of_its_own(read):
    first = {"config": "b.cfg", "overrides": {"paths.train": "corpus/all", "x.y": None}}
    run = runs(read(changed(first=first, before=["get {folder}"], overrides={}, model="model-last")))["tags/ours/0"]
    folder = "training/results/tags/ours/0"
    assert run.commands == [
        f"get {folder}",
        f"python -m spacy train b.cfg --output {folder}/first --system.seed 0 --paths.train corpus/all "
        "--paths.dev dev.spacy --x.y null",
        f"{TRAIN}/ours/0 --system.seed 0 {PATHS} --paths.first {folder}/first/model-last",
    ]
    assert run.pipeline == f"{folder}/model-last"


def test_a_run_needs_those_of_its_own_seed_alone(read):
    def needed(**parts):
        content = changed(seeds=[0, 1, 2, 3])
        content["tables"]["tags"]["rows"]["both"] |= parts
        plan = runs(read(content))
        return [[run.seed for run in plan[f"tags/both/{seed}"].needs] for seed in (0, 1)]

    assert needed(seeds=[0, 1]) == [[0, 1], [2, 3]]
    assert needed(seeds=[0, 1], needs={"ours": 1}) == [[0], [1]]
    assert needed(seeds=[0, 1], command="join", needs={"ours": 2}) == [[0, 1], [2, 3]]


def test_an_ablation_adds_its_overrides(read):
    run = runs(read())["tags/ours-without-brown-clusters/0"]
    assert run.commands[0].endswith(" --paths.vectors vectors/x --x.list '[1,2]' --embed.brown '[]'")
    assert (run.title, run.kind, run.of) == ("Brown clusters", "without", "ours")
    assert run.added == ["--embed.brown '[]'"]
    run = runs(read())["tags/ours-with-two-layers/1"]
    assert run.commands[0].endswith(" --encode.depth 2")
    assert (run.title, run.kind, run.of) == ("two layers", "changed", "ours")


def test_an_ablation_of_two_steps_adds_to_each_its_own(read):
    content = changed(first={"config": "b.cfg"}, overrides={})
    content["tables"]["tags"]["ablation"]["without"] = {
        "clusters": {"first": {"brown": 0}},
        "clipping": {"first": {"clip": 0}, "clip": 0},
        "a constant rate": {"rate": 1},
    }
    found = runs(read(content))
    plain = found["tags/ours/0"].commands
    for name, added, shown in (
        ("clusters", [" --brown 0", ""], ["--brown 0"]),
        ("clipping", [" --clip 0", " --clip 0"], ["--clip 0", "--clip 0"]),
        ("a-constant-rate", ["", " --rate 1"], ["", "--rate 1"]),
    ):
        run = found[f"tags/ours-without-{name}/0"]
        commands = [command.replace(f"ours-without-{name}", "ours") for command in run.commands]
        assert commands == [command + more for command, more in zip(plain, added)]
        assert run.added == shown


def test_a_point_of_the_curve_trains_on_a_part_that_it_makes_first(read):
    run = runs(read())["tags/ours-50/0"]
    part = "training/results/tags/ours-50/0/train.spacy"
    assert run.commands[0] == f"python -m benchmarks part train.spacy {part} --percent 50"
    assert f"--paths.train {part} " in run.commands[1]
    assert (run.kind, run.percent, run.of) == ("curve", 50, "ours")


def test_values_for_this_machine_are_run_and_not_shown(read):
    plan = read(vectors="/disk/v")
    run = runs(plan)["tags/ours/0"]
    assert run.commands_here == [command.replace("vectors/x", "/disk/v") for command in run.commands]
    assert run.commands == runs(read())["tags/ours/0"].commands
    assert (plan.output("speed"), plan.output("speed", plan.here)) == ("time vectors/x", "time /disk/v")


def test_a_var_in_capitals_has_to_be_set(read):
    assert runs(read())["tags/other/7"].lacks == "give it with --set model=..."
    assert runs(read(model="folder"))["tags/other/7"].lacks is None


def test_a_row_whose_config_is_not_there_lacks_it(read, tmp_path):
    assert runs(read(changed(first={"config": "b.cfg"})))["tags/ours/0"].lacks == "b.cfg is not there"
    (tmp_path / "a.cfg").unlink()
    assert runs(read())["tags/ours/0"].lacks == "a.cfg is not there"
    assert runs(read(changed(config="{folder}/filled.cfg")))["tags/ours/0"].lacks is None  # the row itself writes it


def test_a_removed_setting_is_not_run(read):
    assert "no longer" in runs(read())["tags/ours-with-wings/0"].lacks


def test_a_run_is_known_by_its_row_seed_and_overrides(read):
    def identities(content=CONTENT):
        return [run.identity for run in read(content).runs()]

    assert identities(changed(title="mine")) == identities()
    content = changed()
    content["tables"]["tags"]["ablation"]["changed"] = {"a second layer": {"encode.depth": 2}}
    assert identities(content) == identities()
    content["tables"]["tags"]["ablation"]["changed"] = {"two layers": {"encode.depth": 3}}
    assert [new for new, old in zip(identities(content), identities()) if new != old] == [
        {"table": "tags", "row": "ours", "seed": seed, "overrides": {"encode.depth": 3}, "percent": 100} for seed in (0, 1)
    ]


BAD = [
    (changed(wheels=4), r"^runs.yml, tables, tags, rows, ours, wheels: Extra inputs are not permitted$"),
    (
        changed(before=["get {wheels}"]),
        r"^runs.yml, table tags: \{wheels\} is not known; expected one of dev,",
    ),
    (changed(command="train"), r"^runs.yml, table tags, row ours: expected config or command, or needs alone$"),
    (changed("both", needs={"mine": 3}), r"^runs.yml, table tags: there is no row 'mine'; found ours, other, both$"),
    (changed("other", needs={"both": 1}), r"^runs.yml, table tags, row other: needs both, which needs others itself"),
    (
        changed(config="", command="train {train}"),
        r"^runs.yml, table tags, ablation: row ours has no config to change$",
    ),
]


@pytest.mark.parametrize(("content", "message"), BAD)
def test_a_mistake_is_one_line(read, content, message):
    with pytest.raises(PlanError, match=message):
        read(content)


def test_mistakes_in_ablation_and_curve_are_one_line(read):
    content = changed()
    content["tables"]["tags"]["ablation"]["changed"] = {"a constant rate": {"first": {"rate": 1}}}
    with pytest.raises(PlanError, match=r"table tags, ablation: overrides of first, where row ours has none$"):
        read(content)
    content = changed("other", command="count")
    content["tables"]["tags"]["curve"]["rows"] = ["other"]
    with pytest.raises(PlanError, match=r"table tags, row other: expected \{train\} in its command"):
        read(content)


def test_an_unknown_name_to_set_is_one_line(read):
    with pytest.raises(PlanError, match=r"^--set wheels: expected one of vectors, model, the vars of runs.yml$"):
        read(wheels="4")


def test_the_projects_own_plan_is_sound():
    plan = read_plan()
    assert {"ritter", "wnut17", "tweebank", "toxic_spans"} <= set(plan.tables)
    for run in plan.runs():
        assert run.commands
        assert run.lacks is None or run.lacks.startswith(("give it with --set transformer", "the package"))
