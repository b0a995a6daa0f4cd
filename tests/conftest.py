import os
import runpy
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # a worker of -n has one core; torch reads it when it is imported

import pytest
import spacy
import torch
import typer
from catalogue import Registry
from hypothesis import settings
from spacy.language import Language
from spacy.training import Example
from spacy.util import logger
from thinc.api import fix_random_seed
from typer.testing import CliRunner

from spacy_bilstm_tagger import cli

PROJECT = Path(__file__).resolve().parent.parent
# Folders of the checkout that hold what users have made. Tests write into temporary folders.
OUTPUTS = ("corpus", "metrics", "packages", "training", "vectors")

# The same examples each time, so that a commit does not fail by lot; --hypothesis-profile explore draws others.
settings.register_profile("same", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile("same")


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run the tests that train or package for real, too")


def pytest_collection_modifyitems(config, items):
    """Skip the slow tests without --slow. With it, begin with their files, so that no worker ends long after the others."""
    if config.getoption("--slow"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow; runs with --slow"))


@pytest.fixture(scope="session", autouse=True)
def _outputs_of_the_checkout_stay():
    before = _outputs()
    yield
    assert _outputs() == before, "a test wrote into the checkout; expected tmp_path"


def _outputs() -> dict[Path, int]:
    """File or folder -> time of its last change."""
    return {path: path.lstat().st_mtime_ns for name in OUTPUTS for path in (PROJECT / name).rglob("*")}


@pytest.fixture(scope="session", autouse=True)
def _entry_points_are_looked_up_once():
    """For each name, catalogue goes through all entry points of the environment: a quarter of the time that loading takes."""
    look_up, found = Registry._get_entry_points, {}

    def remember(registry):
        namespace = registry.entry_point_namespace
        return found[namespace] if namespace in found else found.setdefault(namespace, look_up(registry))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Registry, "_get_entry_points", remember)
        yield


@pytest.fixture(autouse=True)
def _same_seed():
    fix_random_seed(0)


@pytest.fixture(scope="session")
def project() -> Path:
    return PROJECT


@pytest.fixture
def run_script():
    """Runs a program of scripts/ in this process: its file's name, and its arguments."""

    def run(name, *words):
        app = typer.Typer()
        app.command()(runpy.run_path(str(PROJECT / "scripts" / name))["main"])
        return CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False)

    return run


@pytest.fixture(scope="session")
def en_tweet_sm(tmp_path_factory, project):
    """The pipeline of wheels/ can be imported, as if it was installed; the folder that it is in."""
    folder = tmp_path_factory.mktemp("wheels")
    (wheel,) = (project / "wheels").glob("en_tweet_sm-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield folder


@pytest.fixture(scope="module")
def browser():
    """Chromium, for tests of pages; skips them where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("needs Chromium (Debian: apt-get install chromium)")
    # It may run as root, and asks nobody for anything.
    options = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    options += ["--disable-component-update", "--disable-sync"]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A folder with the project's files and none of its outputs, in which workflows may write."""
    folder = tmp_path / "checkout"
    (folder / "assets").mkdir(parents=True)
    for path in [*PROJECT.glob("assets/*"), *map(PROJECT.joinpath, ("configs", "scripts", "project.yml"))]:
        (folder / path.relative_to(PROJECT)).symlink_to(path)
    return folder


@pytest.fixture
def spacy_bilstm(monkeypatch, capsys):
    """Runs our command in this process; gives its exit code, stdout and stderr."""

    def run(*args) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["spacy-bilstm", *map(str, args)])
        with pytest.raises(SystemExit) as exit:
            cli.main()
        captured = capsys.readouterr()
        return exit.value.code or 0, captured.out, captured.err

    return run


@pytest.fixture(scope="session")
def run_spacy() -> Callable[..., str]:
    """Runs a command of spaCy in this process, in the folder of the project; gives its output.

    An exception that the command does not catch is raised, where a user would see a traceback.
    """
    from spacy.cli import app

    def run(*args, code: int = 0, cwd: Path = PROJECT) -> str:
        level = logger.level  # which commands set
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(cwd)
            try:
                result = CliRunner().invoke(app, [str(arg) for arg in args], catch_exceptions=False)
            finally:
                logger.setLevel(level)
        assert result.exit_code == code, result.output
        return result.output

    return run


@pytest.fixture
def tweet_nlp() -> Language:
    config = {"nlp": {"tokenizer": {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1"}}}
    return spacy.blank("en", config=config)


TAGGED = [
    ("RT @mara_lune: so good !!", ["RT", "USR", ":", "RB", "JJ", "."]),
    ("I like it http://bit.ly/x1 #now", ["PRP", "VBP", "PRP", "URL", "HT"]),
    ("do n't go there", ["VBP", "RB", "VB", "RB"]),
    ("the new record is out", ["DT", "JJ", "NN", "VBZ", "RP"]),
]


@pytest.fixture
def make_examples():
    """Examples of a few tagged tweets, with the vocabulary of the given pipeline."""

    def make(nlp: Language) -> list[Example]:
        docs = (nlp.make_doc(text) for text, _ in TAGGED)
        return [Example.from_dict(doc, {"tags": tags}) for doc, (_, tags) in zip(docs, TAGGED)]

    return make


@pytest.fixture
def asset(project):
    """The path of a downloaded asset; skips the test where it is not there."""

    def find(name: str) -> Path:
        path = project / "assets" / name
        if not path.is_file():
            pytest.skip(f"assets/{name} is not there: run 'spacy project assets' or scripts/assets_from_folder.py")
        return path

    return find


@pytest.fixture(scope="session")
def transformer_folder(tmp_path_factory) -> Path:
    """A tiny BERT of random weights with its tokenizer, as `save_pretrained` leaves them."""
    pytest.importorskip("spacy_transformers", reason="needs pip install 'spacy-bilstm-tagger[transformers]'")
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("transformer")
    pieces = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "so",
        "good",
        "go",
        "##od",
        "##o",
        "is",
        "it",
        "@",
        "x",
        "!",
    ]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf8")
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=32).save_pretrained(folder)
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(pieces), max_position_embeddings=32, **sizes)
    BertModel(config).save_pretrained(folder)
    return folder
