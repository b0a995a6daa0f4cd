"""results.yml is read into rows, and a row's key changes with what it measures and with nothing else."""

import pytest
import srsly

from benchmarks.results.read_plan import PlanError, read_plan

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
            "rows": [
                {
                    "name": "ours",
                    "what": "ours",
                    "commands": ["train a.cfg -o {folder} --seed {seed} --train {train} --vectors {vectors} {args}"],
                    "pipeline": "{folder}/model",
                },
                {"name": "other", "what": "other", "commands": ["train {model}"], "pipeline": "{folder}", "seeds": [7]},
                {
                    "name": "both",
                    "what": "both",
                    "needs": {"ours": 2},
                    "seeds": [0],
                    "commands": ["join {runs}/ours/$((2 * {seed} + 1))/model"],
                    "pipeline": "{folder}",
                },
            ],
            "ablation": {"row": "ours", "without": {"Brown clusters": "--brown '[]'"}, "with": {"two layers": "-d 2"}},
            "curve": {"rows": ["ours"], "percent": [50, 100]},
        }
    },
    "outputs": {"speed": "time {vectors}"},
}


@pytest.fixture
def read(tmp_path):
    (tmp_path / "a.cfg").write_text("# why\n[a]\nb = 1\n", encoding="utf8")

    def read_from(content=CONTENT, **here):
        srsly.write_yaml(tmp_path / "results.yml", content)
        return read_plan(tmp_path / "results.yml", root=tmp_path, here=here)

    return read_from


def runs(plan):
    return {run.name: run for run in plan.runs()}


def changed(**parts):
    """CONTENT with other settings of the row "ours"."""
    content = srsly.json_loads(srsly.json_dumps(CONTENT))
    content["tables"]["tags"]["rows"][0].update(parts)
    return content


def test_each_seed_of_each_row_is_a_run(read):
    assert list(runs(read())) == [
        "tags/ours/0",
        "tags/ours/1",
        "tags/other/7",
        "tags/both/0",
        "tags/ours-without-brown-clusters/0",
        "tags/ours-without-brown-clusters/1",
        "tags/ours-with-two-layers/0",
        "tags/ours-with-two-layers/1",
        "tags/ours-50/0",
        "tags/ours-50/1",
    ]


def test_placeholders_are_filled(read):
    found = runs(read())
    folder = "training/results/tags/ours/1"
    assert found["tags/ours/1"].commands == [
        f"train a.cfg -o {folder} --seed 1 --train train.spacy --vectors vectors/x"
    ]
    assert found["tags/ours/1"].pipeline == f"{folder}/model"
    assert found["tags/both/0"].commands == ["join training/results/tags/ours/$((2 * 0 + 1))/model"]
    assert [run.name for run in found["tags/both/0"].needs] == ["tags/ours/0", "tags/ours/1"]


def test_a_run_needs_those_of_its_own_seed_alone(read):
    def needed(**parts):
        content = changed(seeds=[0, 1, 2, 3])
        content["tables"]["tags"]["rows"][2] |= parts
        plan = runs(read(content))
        return [[run.seed for run in plan[f"tags/both/{seed}"].needs] for seed in (0, 1)]

    assert needed(seeds=[0, 1]) == [[0, 1], [2, 3]]
    assert needed(seeds=[0, 1], needs={"ours": 1}) == [[0], [1]]


def test_an_ablation_adds_its_arguments(read):
    run = runs(read())["tags/ours-without-brown-clusters/0"]
    assert run.commands[0].endswith(" --vectors vectors/x --brown '[]'")
    assert (run.row.what, run.row.kind, run.row.of) == ("Brown clusters", "ablation", "ours")
    run = runs(read())["tags/ours-with-two-layers/1"]
    assert run.commands[0].endswith(" --vectors vectors/x -d 2")
    assert (run.row.what, run.row.kind, run.row.of) == ("two layers", "variant", "ours")


def test_an_ablation_of_two_steps_adds_to_each_its_own(read):
    content = changed(commands=["train a.cfg {train} {args}", "train b.cfg {args2}"])
    content["tables"]["tags"]["ablation"]["without"] = {"clusters": "--brown 0", "clipping": ["--clip 0", "--clip 0"]}
    content["tables"]["tags"]["ablation"]["with"] = {"a constant rate": ["", "--rate 1"]}
    found = runs(read(content))
    for name, added in (("without-clusters", (" --brown 0", "")), ("without-clipping", (" --clip 0", " --clip 0"))):
        commands = [f"train a.cfg train.spacy{added[0]}", f"train b.cfg{added[1]}"]
        assert found[f"tags/ours-{name}/0"].commands == commands
    assert found["tags/ours-with-a-constant-rate/0"].commands == ["train a.cfg train.spacy", "train b.cfg --rate 1"]


def test_what_a_second_command_gets_needs_its_place_there(read):
    content = changed()
    content["tables"]["tags"]["ablation"]["with"] = {"a constant rate": ["", "--rate 1"]}
    with pytest.raises(PlanError, match=r"table tags, row ours: expected \{args2\} in one of its commands"):
        read(content)


def test_a_point_of_the_curve_trains_on_a_part_that_it_makes_first(read):
    run = runs(read())["tags/ours-50/0"]
    part = "training/results/tags/ours-50/0/train.spacy"
    assert run.commands[0] == f"python -m benchmarks.results part train.spacy {part} --percent 50"
    assert f"--train {part} " in run.commands[1]
    assert (run.row.kind, run.row.percent, run.row.of) == ("curve", 50, "ours")


def test_what_is_set_here_is_run_but_changes_no_key(read):
    ours, there = runs(read())["tags/ours/0"], runs(read(vectors="/disk/v"))["tags/ours/0"]
    assert there.commands_here == [command.replace("vectors/x", "/disk/v") for command in ours.commands_here]
    assert there.commands == ours.commands
    assert there.key == ours.key


def test_a_var_in_capitals_has_to_be_set(read):
    assert runs(read())["tags/other/7"].lacks == "give it with --set model=..."
    assert runs(read(model="folder"))["tags/other/7"].lacks is None


def test_a_row_whose_config_is_not_there_lacks_it(read, tmp_path):
    (tmp_path / "a.cfg").unlink()
    assert runs(read())["tags/ours/0"].lacks == "a.cfg is not there"


class TestKey:
    @pytest.fixture
    def before(self, read):
        return {name: run.key for name, run in runs(read()).items()}

    def test_comments_of_a_config_do_not_count(self, before, read, tmp_path):
        from benchmarks.results.content import read_config

        (tmp_path / "a.cfg").write_text("[a]\n# because\nb = 1\n", encoding="utf8")
        read_config.cache_clear()
        assert {name: run.key for name, run in runs(read()).items()} == before

    def test_a_value_of_a_config_does_and_rows_made_of_others_change_with_them(self, before, read, tmp_path):
        from benchmarks.results.content import read_config

        (tmp_path / "a.cfg").write_text("[a]\nb = 2\n", encoding="utf8")
        read_config.cache_clear()
        after = {name: run.key for name, run in runs(read()).items()}
        assert {name for name in before if before[name] != after[name]} == set(before) - {"tags/other/7"}

    def test_how_the_page_calls_a_row_does_not_count(self, before, read):
        assert {name: run.key for name, run in runs(read(changed(what="mine"))).items()} == before


def test_a_config_that_the_row_itself_writes_is_not_lacking(read):
    commands = [
        "init fill-config a.cfg {folder}/filled.cfg",
        "train {folder}/filled.cfg -o {folder} --seed {seed} --train {train} {args}",
    ]
    run = runs(read(changed(commands=commands)))["tags/ours/0"]
    assert run.lacks is None
    assert [path.name for path in run.configs] == ["a.cfg"]


def test_a_module_or_subcommand_that_is_called_as_a_folder_is_no_input(read, tmp_path):
    for folder in ("package", "vectors"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_text("content", encoding="utf8")

    inputs = runs(read(changed(commands=["python -m package vectors {train} {args}"])))["tags/ours/0"].inputs
    assert {"package", "vectors"}.isdisjoint(inputs)


def test_inputs_are_the_files_of_the_commands_and_the_corpora(read, tmp_path):
    for name in ("train.spacy", "dev.spacy", "v"):
        (tmp_path / name).write_text(name, encoding="utf8")
    found = runs(read(vectors=str(tmp_path / "v")))
    inputs = found["tags/ours/0"].inputs
    assert set(inputs) == {"train.spacy", "dev.spacy", "vectors/x"}
    assert found["tags/both/0"].inputs == inputs  # of what it is made of
    assert len(set(inputs.values())) == 3


BAD = [
    (
        {"commands": ["train {wheels} {args} {train}"]},
        r"row ours: \{wheels\} in 'train .*' is not known; expected one of",
    ),
    ({"commands": ["train {train}"]}, r"table tags, row ours: expected \{args\} in one of its commands"),
    ({"commands": ["train {args}"]}, r"table tags, row ours: expected \{train\} in one of its commands"),
    ({"needs": {"mine": 3}}, r"table tags: there is no row 'mine'; found ours, other, both"),
]


@pytest.mark.parametrize(("parts", "message"), BAD)
def test_what_cannot_be_is_one_line(read, parts, message):
    with pytest.raises(PlanError, match=message):
        read(changed(**parts))


def test_an_unknown_name_to_set_is_one_line(read):
    with pytest.raises(PlanError, match=r"^--set wheels: expected one of vectors, model, the vars of results.yml$"):
        read(wheels="4")


def test_the_projects_own_plan_is_sound(project):
    plan = read_plan()
    assert {"ritter", "wnut17", "tweebank", "toxic_spans"} <= set(plan.tables)
    for run in plan.runs():
        assert run.commands
