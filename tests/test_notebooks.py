"""The notebooks of examples/ run from top to bottom, and their last cell asserts what they claim."""

import json
import re
import shutil
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "examples").glob("*.ipynb"))
NAMES = ["named_entities.ipynb", "pos_tagging_of_tweets.ipynb"]


def code_cells(notebook: dict) -> list[dict]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def all_true(cell: dict) -> bool:
    return any("".join(output.get("text", "")) == "all true\n" for output in cell["outputs"])


def test_every_notebook_is_run_here():
    assert [path.name for path in NOTEBOOKS] == NAMES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_saved_outputs_are_of_one_run_and_of_no_machine(path):
    """Run a notebook from top to bottom before it is committed: GitHub shows what was saved."""
    text = path.read_text(encoding="utf8")
    cells = code_cells(json.loads(text))
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert all_true(cells[-1])
    kinds = {(output["output_type"], output.get("name")) for cell in cells for output in cell["outputs"]}
    assert not {kind for kind in kinds if kind[0] == "error" or kind[1] == "stderr"}
    assert not re.search(r"site-packages|/home/|/root/|/tmp/|/Users/|C:\\\\", text)
    assert json.loads(text)["metadata"]["kernelspec"]["name"] == "python3"


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_notebook_runs(path, tmp_path, project):
    """In a folder that holds the sample corpus and nothing else of the project."""
    nbclient = pytest.importorskip("nbclient", reason="needs pip install nbclient ipykernel")
    pytest.importorskip("ipykernel", reason="needs pip install nbclient ipykernel")
    import nbformat

    shutil.copytree(project / "assets" / "sample", tmp_path / "assets" / "sample")
    shutil.copy(project / "pyproject.toml", tmp_path)
    (tmp_path / "examples").mkdir()
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(tmp_path / "examples")}}
    nbclient.NotebookClient(notebook, timeout=240, kernel_name="python3", resources=resources).execute()
    assert all_true(code_cells(notebook)[-1])
