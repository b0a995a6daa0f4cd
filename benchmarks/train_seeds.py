"""Train a recipe several times and print the scores as a Markdown table.

Each row is one variant of the recipe, an override as `spacy train` takes it:

    python benchmarks/train_seeds.py configs/ritter.cfg tag_acc \
        --variant training.optimizer.use_averages=true --variant training.optimizer.use_averages=false \
        --set paths.vectors=FILE
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean, stdev
from typing import Annotated

import srsly
import typer


def main(
    config: Path,
    score: Annotated[str, typer.Argument(help="A score of the pipeline, such as tag_acc.")],
    variant: Annotated[list[str], typer.Option(help="SETTING=VALUE; one row each.")],
    set: Annotated[list[str], typer.Option(help="SETTING=VALUE for all rows.")] = [],  # noqa: B006
    seeds: Annotated[int, typer.Option(min=2)] = 3,
) -> None:
    typer.echo(
        f"| {config.name} | {score} on dev, best checkpoint: mean ± standard deviation of {seeds} seeds | each |"
    )
    typer.echo("|---|---|---|")
    for row in variant:
        scores = [100 * train(config, score, [*set, row, f"system.seed={seed}"]) for seed in range(seeds)]
        each = ", ".join(f"{value:.2f}" for value in scores)
        typer.echo(f"| `{row}` | {mean(scores):.2f} ± {stdev(scores):.2f} | {each} |")


def train(config: Path, score: str, settings: list[str]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "spacy", "train", str(config), "--output", folder]
        for setting in settings:
            name, _, value = setting.partition("=")
            command += [f"--{name}", value]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise typer.BadParameter(done.stdout[-2000:] + done.stderr[-2000:])
        return srsly.read_json(Path(folder) / "model-best" / "meta.json")["performance"][score]


if __name__ == "__main__":
    typer.run(main)
