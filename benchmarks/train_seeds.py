"""Train recipes several times each and print the scores as a Markdown table.

Each row is a recipe, with overrides as `spacy train` takes them:

    python benchmarks/train_seeds.py tag_acc --set paths.vectors=FILE \
        --row "configs/ritter.cfg training.optimizer.use_averages=true" \
        --row "configs/ritter.cfg training.optimizer.use_averages=false"
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean, stdev
from typing import Annotated, Optional

import srsly
import typer


def main(
    score: Annotated[str, typer.Argument(help="A score of the pipelines, such as tag_acc.")],
    row: Annotated[list[str], typer.Option(help="CONFIG [SETTING=VALUE ...], one row each.")],
    set: Annotated[list[str], typer.Option(help="SETTING=VALUE for all rows.")] = [],  # noqa: B006
    seeds: Annotated[int, typer.Option(min=2)] = 3,
    keep: Annotated[Optional[Path], typer.Option(help="Keep the best pipelines here, as ROW-SEED.")] = None,
) -> None:
    typer.echo(f"| recipe | {score} on dev, best checkpoint: mean ± standard deviation of {seeds} seeds | each |")
    typer.echo("|---|---|---|")
    for number, recipe in enumerate(row):
        config, *settings = recipe.split()
        scores = []
        for seed in range(seeds):
            with tempfile.TemporaryDirectory() as folder:
                output = keep / f"{number}-{seed}" if keep else Path(folder)
                scores.append(100 * train(config, score, [*set, *settings, f"system.seed={seed}"], output))
        each = ", ".join(f"{value:.2f}" for value in scores)
        typer.echo(f"| `{recipe}` | {mean(scores):.2f} ± {stdev(scores):.2f} | {each} |")


def train(config: str, score: str, settings: list[str], output: Path) -> float:
    command = [sys.executable, "-m", "spacy", "train", config, "--output", str(output)]
    for setting in settings:
        name, _, value = setting.partition("=")
        command += [f"--{name}", value]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise typer.BadParameter(done.stdout[-2000:] + done.stderr[-2000:])
    return srsly.read_json(output / "model-best" / "meta.json")["performance"][score]


if __name__ == "__main__":
    typer.run(main)
