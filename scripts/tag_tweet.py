"""Install the wheel of a pipeline into a temporary folder, load it by name, and tag a tweet."""

import subprocess
import sys
import tempfile
from pathlib import Path

import spacy
import typer
from rich.console import Console
from rich.table import Table


def main(wheel: Path, tweet: str) -> None:
    if not wheel.is_file():
        raise typer.BadParameter(f"{wheel}: no such file; make it with 'spacy project run package'")
    name = wheel.name.split("-")[0]
    with tempfile.TemporaryDirectory() as folder:
        install = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, str(wheel)]
        subprocess.run([sys.executable, *install], check=True)
        sys.path.insert(0, folder)
        doc = spacy.load(name)(tweet)
    table = Table("token", "tag", "pos", "entity", title=f"{name}: {tweet}")
    for token in doc:
        table.add_row(token.text, token.tag_, token.pos_, token.ent_type_)
    Console().print(table)
    typer.echo(
        "This pipeline has seen 354 invented tweets. A better one lies in wheels/, see docs/pipelines.md; to train on your own, "
        "see docs/your-own-tweets.md"
    )


if __name__ == "__main__":
    typer.run(main)
