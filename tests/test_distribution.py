"""The wheel and the source distribution: what is in them, and that the wheel works where there is no checkout."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
import srsly
from spacy.util import load_config

pytestmark = pytest.mark.slow
NAME = "spacy_bilstm_tagger"


def run(*args, cwd: Path, python: Path = Path(sys.executable), **env: str) -> str:
    given = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    result = subprocess.run([python, *map(str, args)], cwd=cwd, env={**given, **env}, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def built(project, tmp_path_factory) -> Path:
    """A folder with the wheel and the source distribution, made of the files that git knows, without network."""
    pytest.importorskip("build", reason="needs pip install 'spacy-bilstm-tagger[test]'")
    pytest.importorskip("setuptools", reason="needs pip install 'spacy-bilstm-tagger[test]'")
    if not (project / ".git").exists():
        pytest.skip("needs a checkout, with the files that git knows")
    folder = tmp_path_factory.mktemp("distribution")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=project, capture_output=True, check=True).stdout.decode("utf8").split("\0")
    for name in filter(None, names):
        if (project / name).is_file():  # not removed since
            (folder / "copy" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(project / name, folder / "copy" / name)
    run("-m", "build", "--no-isolation", "--outdir", folder / "dist", cwd=folder / "copy")
    return folder / "dist"


@pytest.fixture(scope="module")
def wheel(built) -> Path:
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    run("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", folder, wheel, cwd=folder)
    return folder


def test_there_is_one_of_each(built):
    version = distribution("spacy-bilstm-tagger").version
    assert {path.name for path in built.iterdir()} == {f"{NAME}-{version}-py3-none-any.whl", f"{NAME}-{version}.tar.gz"}


def test_twine_finds_nothing_wrong(built):
    pytest.importorskip("twine", reason="needs pip install 'spacy-bilstm-tagger[test]'")
    output = run("-m", "twine", "check", "--strict", *built.iterdir(), cwd=built, NO_COLOR="1")
    assert output.count("PASSED") == 2


def test_the_wheel_has_all_of_the_package_and_nothing_else(wheel, project):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert f"{NAME}/configs/starter.cfg" in names
    package = {path for path in (project / NAME).rglob("*") if path.suffix in (".py", ".typed", ".jinja", ".css", ".js")}
    assert {"py.typed", "page.html.jinja", "page.css", "page.js"} <= {path.name for path in package}
    recipes = {path.relative_to(project) for path in (project / "configs").rglob("*.*")}
    sample = {path.relative_to(project) for path in (project / "assets" / "sample").glob("*.conll")}
    maps = {path.relative_to(project) for path in (project / "assets" / "tag_maps").iterdir()}
    expected = {path.relative_to(project).as_posix() for path in package}
    expected |= {f"{NAME}/{path.as_posix()}" for path in recipes | sample | maps}
    assert expected - names == set()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {NAME}  # and NAME-VERSION.dist-info
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_source_distribution_has_what_its_tests_and_readers_need(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "CHANGELOG.md",
        "CITATION.cff",
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "configs/sample.cfg",
        "assets/sample/train.conll",
        f"{NAME}/py.typed",
        "tests/conftest.py",
    } <= names
    assert not [name for name in names if name.startswith(("wheels/", "training/", ".git/"))]


def test_entry_points_are_those_of_the_checkout(installed):
    (info,) = installed.glob("*.dist-info")
    found = {(point.group, point.name, point.value) for point in Distribution.at(info).entry_points}
    assert ("console_scripts", "spacy-bilstm", f"{NAME}.__main__:main") in found
    assert found == {(point.group, point.name, point.value) for point in distribution("spacy-bilstm-tagger").entry_points}


def test_it_is_imported_and_works_without_a_checkout(installed, tmp_path):
    env = {"PYTHONPATH": str(installed)}
    assert Path(run("-c", f"import {NAME}; print({NAME}.__file__)", cwd=tmp_path, **env).strip()).is_relative_to(installed)
    script = "import spacy; nlp = spacy.blank('en'); nlp.add_pipe('bilstm_ner'); print(type(nlp.get_pipe('bilstm_ner')))"
    assert f"{NAME}.pipeline.ner" in run("-c", script, cwd=tmp_path, **env)
    version = distribution("spacy-bilstm-tagger").version
    assert run("-m", NAME, "--version", cwd=tmp_path, **env).startswith(f"spacy-bilstm-tagger {version} ")
    run("-m", NAME, "init", cwd=tmp_path, **env)
    assert load_config(tmp_path / "configs" / "finetune.cfg")["nlp"]["lang"] == "en"
    run("-c", f"from {NAME}.report.page import *", cwd=tmp_path, **env)


def test_both_wheels_in_a_fresh_environment(wheel, project, tmp_path):
    """README's first command, without an index: spaCy, torch and what they need are those of the environment of the tests."""
    (pipeline,) = (project / "wheels").glob("en_tweet_sm-*.whl")
    run("-m", "venv", tmp_path / "venv", cwd=tmp_path)
    programs = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python = programs / "python"
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    folder = Path(run("-c", where, cwd=tmp_path, python=python).strip())
    (folder / "others.pth").write_text(sysconfig.get_path("purelib"), encoding="utf8")
    install = ("-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--force-reinstall")
    run(*install, wheel, pipeline, cwd=tmp_path, python=python)
    place = f"import {NAME}, en_tweet_sm; print({NAME}.__file__, en_tweet_sm.__file__, sep='\\n')"
    places = run("-c", place, cwd=tmp_path, python=python).splitlines()
    assert all(Path(each).is_relative_to(folder) for each in places)
    required = Distribution.at(next(folder.glob("en_tweet_sm-*.dist-info"))).requires
    assert required is not None
    assert sorted(re.match("[a-z-]+", each).group() for each in required) == ["spacy", "spacy-bilstm-tagger"]
    given = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    tweet = "RT @mara: sooo happy in Lisbon!! 😭"
    shell = subprocess.run(
        [programs / "spacy-bilstm", "tag", tweet, "--json"], env=given, cwd=tmp_path, capture_output=True, check=True
    )
    row = srsly.json_loads(shell.stdout)
    tags = ["RT", "USR", ":", "RB", "JJ", "IN", "NNP", ".", "UH"]
    assert [token["tag"] for token in row["tokens"]] == tags
    assert [(ent["text"], ent["label"]) for ent in row["ents"]] == [("Lisbon", "location")]
