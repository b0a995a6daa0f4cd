import re

import pytest
import torch
from thinc import compat

from spacy_bilstm_tagger.cli.check_gpu import find_problems


@pytest.fixture
def machine(monkeypatch):
    """A machine with a GPU and all that it needs, but for the given parts."""

    def make(cuda="13.0", torch_gpu=True, cupy=True, cupy_gpu=True, count=2):
        monkeypatch.setattr(torch.version, "cuda", cuda)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: torch_gpu)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: "ACME 1")
        monkeypatch.setattr(compat, "has_cupy", cupy)
        monkeypatch.setattr(compat, "has_cupy_gpu", cupy_gpu)

    return make


def test_nothing_is_missing(machine, spacy_bilstm):
    machine()
    assert spacy_bilstm("check-gpu", "--gpu-id", "1") == (0, "✔ GPU 1: ACME 1\n", "")
    assert spacy_bilstm("check-gpu", "--gpu-id", "-1") == (0, "CPU\n", "")


@pytest.mark.parametrize(
    ("missing", "gpu_id", "message"),
    [
        ({"cuda": None}, 0, "is a build for the CPU alone, install one for CUDA"),
        ({"torch_gpu": False}, 0, "torch finds no GPU, expected a CUDA device"),
        ({"cupy": False}, 0, "CuPy is not installed, install cupy-cuda13x"),
        ({"cupy": False, "cuda": "12.8"}, 0, "install cupy-cuda12x"),
        ({"cuda": None, "cupy": False}, 0, "CPU alone, .*; CuPy is not installed, install cupy-cuda13x"),
        ({"cupy_gpu": False}, 0, "CuPy finds no GPU, expected the build for torch's CUDA 13.0"),
        ({}, 2, r"found 2 GPU\(s\), expected a number below 2"),
    ],
)
def test_what_is_missing_is_one_line(machine, spacy_bilstm, missing, gpu_id, message):
    machine(**missing)
    assert re.search(message, "; ".join(find_problems(gpu_id)))
    code, _, err = spacy_bilstm("check-gpu", "--gpu-id", gpu_id)
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith(f"✘ --gpu-id {gpu_id}: ")
