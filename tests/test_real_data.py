"""The workflows on the published corpora, with a cut of the published vectors: minutes, and only where they are."""

import os
import re
import subprocess
import sys

import pytest
import spacy
import srsly
from spacy.training import Corpus

pytestmark = [pytest.mark.slow, pytest.mark.real_data, pytest.mark.timeout(900)]
VECTORS = "SPACY_BILSTM_TEST_VECTORS"


@pytest.fixture
def vectors():
    if VECTORS not in os.environ:
        pytest.skip(f"set {VECTORS} to a file with rows of glove.twitter.27B.100d.txt")
    return os.environ[VECTORS]


@pytest.fixture
def run_workflow(project, vectors):
    def run(name: str) -> str:
        command = [
            sys.executable,
            "-m",
            "spacy",
            "project",
            "run",
            name,
            ".",
            "--force",
            "--vars.vectors",
            vectors,
        ]
        result = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    return run


def printed_accuracies(log: str) -> list[float]:
    """The column TAG_ACC of spaCy's training log."""
    return [float(match[1]) for match in re.finditer(r"^ *\d+ +\d+ +[\d.]+ +([\d.]+) +[\d.]+ *$", log, re.MULTILINE)]


def test_ritter_is_above_0_87_on_dev_before_saving_and_after_loading(asset, run_workflow, project):
    asset("ritter/train")
    best = max(printed_accuracies(run_workflow("ritter")))
    saved = srsly.read_json(project / "metrics" / "ritter.json")
    assert saved["tag_acc"] >= 0.87
    assert 100 * saved["tag_acc"] == pytest.approx(best, abs=0.005)  # the log prints two decimals
    nlp = spacy.load(project / "training" / "ritter" / "model-best")
    corpus = Corpus(project / "corpus" / "ritter" / "dev.spacy")
    assert nlp.evaluate(list(corpus(nlp)))["tag_acc"] == pytest.approx(
        saved["tag_acc"], abs=1e-9
    )  # ten digits are saved


def test_lecture_prints_every_half_epoch_and_ends_above_0_65(asset, run_workflow, project):
    asset("ritter/train")
    accuracies = printed_accuracies(run_workflow("lecture"))
    assert len(accuracies) == 20  # steps 0, 28, 56 ... of 560
    assert accuracies[-1] > 65
    assert srsly.read_json(project / "metrics" / "lecture.json")["tag_acc"] > 0.65
