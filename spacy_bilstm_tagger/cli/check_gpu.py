"""spacy-bilstm check-gpu: what is missing for --gpu-id, in one line."""

from typing import Annotated

import torch
import typer
from thinc import compat

from ..errors import DataError


def check_gpu(
    gpu_id: Annotated[int, typer.Option(help="The number that 'spacy train' shall get; -1 for the CPU.")] = 0,
) -> None:
    """Say whether 'spacy train --gpu-id' can work here, and if not, what is missing."""
    if gpu_id < 0:
        typer.echo("CPU")
        return
    problems = find_problems(gpu_id)
    if problems:
        raise DataError(f"--gpu-id {gpu_id}: {'; '.join(problems)}")
    typer.secho(f"✔ GPU {gpu_id}: {torch.cuda.get_device_name(gpu_id)}", fg=typer.colors.GREEN)


def find_problems(gpu_id: int) -> list[str]:
    """What keeps our layers (torch) or thinc's (CuPy) from this GPU, each with the way out."""
    version, cuda = torch.__version__, torch.version.cuda or ""
    build = f"cupy-cuda{cuda.partition('.')[0] or '13'}x"
    problems = []
    if not cuda:
        page = "https://pytorch.org/get-started/locally"
        problems.append(f"torch {version} is a build for the CPU alone, install one for CUDA ({page} tells how)")
    elif not torch.cuda.is_available():
        problems.append(
            "torch finds no GPU, expected a CUDA device that the command nvidia-smi lists and that CUDA_VISIBLE_DEVICES does "
            "not hide; without one, train on the CPU (--gpu-id -1)"
        )
    elif gpu_id >= torch.cuda.device_count():
        found = torch.cuda.device_count()
        problems.append(f"found {found} GPU(s), expected a number below {found}")
    if not compat.has_cupy:
        problems.append(f"CuPy is not installed, install {build} (the extra [gpu] brings that for CUDA 13)")
    elif cuda and torch.cuda.is_available() and not compat.has_cupy_gpu:
        problems.append(f"CuPy finds no GPU, expected the build for torch's CUDA {cuda}: {build}")
    return problems
