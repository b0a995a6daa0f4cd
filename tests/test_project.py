"""project.yml names what is there, and assets can be filled from any folder."""

import copy
import hashlib
import importlib.util
import re
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import srsly
from spacy.util import load_config
from typer.testing import CliRunner
from weasel.util.config import substitute_project_variables

from spacy_bilstm_tagger.errors import DataError

TREEBANKS = ("treebank", "treebank_transformer")
WORKFLOWS = {
    "all",
    "distill",
    "ritter",
    "ritter-transformer",
    "tweebank",
    "upos",
    "pretrain",
    "lecture",
    "hmm",
    "wnut17",
    "wnut17-alone",
    "transformer",
    "entities",
    "gmb",
    "release",
    "release-lg",
    "student",
    "tags",
    "toxic",
    "results",
}


@pytest.fixture(scope="module")
def config(pytestconfig):
    return srsly.read_yaml(pytestconfig.rootpath / "project.yml")


@pytest.fixture
def script(project):
    path = project / "scripts" / "assets_from_folder.py"
    spec = importlib.util.spec_from_file_location("assets_from_folder", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_workflows_are_made_of_commands(config):
    assert set(config["workflows"]) == WORKFLOWS
    commands = {command["name"] for command in config["commands"]}
    assert commands.isdisjoint(WORKFLOWS)  # spaCy refuses a name for both
    for steps in config["workflows"].values():
        assert set(steps) <= commands


def test_a_workflow_runs_dry(config, run_spacy, checkout):
    output = run_spacy("project", "run", "hmm", ".", "--dry", cwd=checkout)
    scripts = {command["name"]: command["script"] for command in config["commands"]}
    assert output.count("Running command: ") == sum(len(scripts[step]) for step in config["workflows"]["hmm"])


def test_all_variables_are_known(config):
    assert "${" not in srsly.json_dumps(substitute_project_variables(copy.deepcopy(config)))


def test_the_project_documents_itself(config, run_spacy, checkout):
    output = run_spacy("project", "document", ".", cwd=checkout)
    for name in [*WORKFLOWS, *(asset["dest"] for asset in config["assets"])]:
        assert f"`{name}`" in output


def test_what_a_command_needs_is_there_or_made_before(config, project):
    commands = {command["name"]: command for command in config["commands"]}
    assets = {asset["dest"] for asset in config["assets"]}
    for steps in config["workflows"].values():
        made = {*assets, "vectors/distilled"}  # which the workflow distill makes once for all
        variables = {f"${{vars.{name}}}": value for name, value in config["vars"].items()}
        for step in steps:
            for path in commands[step].get("deps", []):
                path = path if path in made else variables.get(path, path)
                assert path in made or (project / path).exists(), (step, path)
            made |= {*commands[step].get("outputs", []), *commands[step].get("outputs_no_cache", [])}


def test_workflows_hand_their_tables_on(config):
    scripts = [line for command in config["commands"] for line in command["script"]]
    for recipe, tables in {
        "treebank": {"vectors", "brown"},
        "treebank_transformer": {"vectors", "brown"},
        "lecture": {"vectors"},
        "wnut17": {"brown", "gazetteers"},
        "transformer": {"vectors", "brown"},
        "gmb": {"vectors"},
        "toxic_spans": {"vectors", "brown"},
    }.items():
        lines = [line for line in scripts if f"train configs/{recipe}.cfg" in line]
        assert lines
        for line in lines:
            for table in ("vectors", "brown", "gazetteers"):
                assert (f'--paths.{table} "${{vars.{table}}}"' in line) == (table in tables)
            assert "--gpu-id ${vars.gpu}" in line
    assert config["vars"]["vectors"] == "glove-twitter-100"


def test_the_transformer_is_all_that_the_two_first_steps_differ_in(project):
    plain, with_transformer = (load_config(project / "configs" / f"{name}.cfg") for name in TREEBANKS)
    embed = with_transformer["components"]["tok2vec"]["model"]["embed"].pop("*")
    assert set(embed) == {"transformer", "tweet"}
    with_transformer["components"]["tok2vec"]["model"]["embed"] = embed["tweet"]
    assert with_transformer["paths"].pop("transformer") == ""
    assert plain == with_transformer


def test_assets_have_an_address_and_an_md5_and_test_splits_are_extra(config):
    for asset in substitute_project_variables(copy.deepcopy(config))["assets"]:
        if re.match("assets/(?:gmb/ner_dataset.csv|raw/tweeteval.txt|toxic_spans/raters/)", asset["dest"]):  # the user's
            assert "url" not in asset
            continue
        assert asset["url"].startswith("https://")
        if asset["dest"] != "assets/ewt/train.conllu":  # a release of a growing treebank; any of them serves
            assert re.fullmatch("[0-9a-f]{32}", asset["checksum"])
        assert asset.get("extra", False) == ("test" in asset["dest"])


class TestAssetsFromFolder:
    @pytest.fixture
    def room(self, tmp_path):
        """A project with two assets, and a folder that holds one of them under another name."""
        project, folder = tmp_path / "project", tmp_path / "disk"
        (folder / "deep").mkdir(parents=True)
        project.mkdir()
        (folder / "deep" / "other-name").write_bytes(b"wanted")
        (folder / "noise").write_bytes(b"noise")
        assets = [
            {
                "dest": "assets/x/train",
                "url": "https://example.org/x",
                "checksum": hashlib.md5(b"wanted").hexdigest(),
            },
            {
                "dest": "assets/x/dev",
                "url": "https://example.org/y",
                "checksum": hashlib.md5(b"absent").hexdigest(),
            },
        ]
        srsly.write_yaml(project / "project.yml", {"assets": assets})
        return project, folder

    def test_files_are_found_by_md5(self, script, room):
        project, folder = room
        copied, missing = script.fill_assets(folder, project)
        assert copied == {"assets/x/train": folder / "deep" / "other-name"}
        assert missing == ["assets/x/dev"]
        assert (project / "assets" / "x" / "train").read_bytes() == b"wanted"
        assert not (project / "assets" / "x" / "dev").exists()

    def test_folder_without_assets_is_one_line(self, script, room, tmp_path):
        project, folder = room
        (folder / "deep" / "other-name").unlink()
        with pytest.raises(DataError, match=r"holds none of the 2 assets .* \(looked at 1 files by md5\)"):
            script.fill_assets(folder, project)

    def test_no_folder_is_one_line(self, script, room, tmp_path):
        import typer

        app = typer.Typer()
        app.command()(script.main)
        result = CliRunner().invoke(app, [str(tmp_path / "nowhere"), "--project", str(room[0])])
        assert result.exit_code == 1
        assert result.stderr.count("\n") == 1
        assert "nowhere: no such folder" in result.stderr


class TestFetchAssets:
    @pytest.fixture
    def address(self, tmp_path):
        """Of a server that has the file `there`."""
        (tmp_path / "served").mkdir()
        (tmp_path / "served" / "there").write_bytes(b"wanted")
        handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "served"))
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        server.server_close()

    def fetch(self, project, folder, *urls):
        folder.mkdir()
        assets = [{"dest": f"assets/{i}", "url": url} for i, url in enumerate(urls)]
        srsly.write_yaml(folder / "project.yml", {"assets": assets})
        command = [sys.executable, project / "scripts" / "fetch_assets.py", "--project", folder]
        return subprocess.run(command, capture_output=True, text=True)

    def test_what_is_there_is_fetched_and_the_rest_has_a_way_out(self, project, tmp_path, address):
        found = self.fetch(project, tmp_path / "project", f"{address}/there", "http://127.0.0.1:1/away")
        assert found.returncode == 1
        assert (tmp_path / "project" / "assets" / "0").read_bytes() == b"wanted"
        assert found.stderr.count("\n") == 1
        assert "run: python scripts/assets_from_folder.py DIR" in found.stderr

    def test_all_is_fetched(self, project, tmp_path, address):
        assert self.fetch(project, tmp_path / "project", f"{address}/there").returncode == 0


@pytest.mark.real_data
class TestRealCorpora:
    def test_ritter_train_is_551_tweets_and_eleven_repeats(self, asset):
        from spacy_bilstm_tagger.corpus import read_corpus

        texts = read_corpus(asset("ritter/train"))[1]
        assert len(texts) == 562
        assert [text.words for text in texts[551:]] == [text.words for text in texts[540:551]]
        assert sum(len(text.words) for text in texts[:551]) == 10652

    @pytest.mark.parametrize(
        ("name", "n_texts", "n_tokens"),
        [("ritter/dev", 118, 2242), ("wnut17/train.conll", 3394, 62730), ("wnut17/dev.conll", 1009, 15733)],
    )
    def test_sizes(self, asset, name, n_texts, n_tokens):
        from spacy_bilstm_tagger.corpus import read_corpus

        texts = read_corpus(asset(name))[1]
        assert (len(texts), sum(len(text.words) for text in texts)) == (n_texts, n_tokens)
