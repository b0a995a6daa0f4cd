"""spacy-bilstm check-gpu: what is missing for --gpu-id, in one line."""

from typing import Annotated, Optional

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
    problem = find_problem(gpu_id)
    if problem:
        raise DataError(f"--gpu-id {gpu_id}: {problem}")
    typer.secho(f"✔ GPU {gpu_id}: {torch.cuda.get_device_name(gpu_id)}", fg=typer.colors.GREEN)


def find_problem(gpu_id: int) -> Optional[str]:
    """What keeps thinc's layers (CuPy) or ours (torch) from this GPU, and the way out; None where nothing does."""
    if torch.version.cuda is None:
        return (
            f"torch {torch.__version__} is a build for the CPU alone; install one for CUDA "
            "(https://pytorch.org/get-started/locally tells how)"
        )
    if not torch.cuda.is_available():
        return (
            "torch finds no GPU; expected a CUDA device that the command nvidia-smi lists and that CUDA_VISIBLE_DEVICES does "
            "not hide. Without one, train on the CPU (--gpu-id -1)"
        )
    cuda = torch.version.cuda.partition(".")[0]
    if not compat.has_cupy:
        return (
            f"CuPy is not installed; torch is built for CUDA {torch.version.cuda}, so install cupy-cuda{cuda}x "
            "(the extra [gpu] brings that for CUDA 13)"
        )
    if not compat.has_cupy_gpu:
        return f"CuPy finds no GPU; expected the build for CUDA {torch.version.cuda}, as torch has it: cupy-cuda{cuda}x"
    found = torch.cuda.device_count()
    if gpu_id >= found:
        return f"found {found} GPU(s); expected a number below {found}"
    return None
