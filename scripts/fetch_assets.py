"""What `spacy project assets` does; where a download fails, one line with the way out."""

from pathlib import Path
from typing import Annotated

import typer
from weasel.cli.assets import project_assets

PROJECT = Path(__file__).resolve().parent.parent


def main(
    project: Annotated[Path, typer.Option(help="The project whose assets to download.")] = PROJECT,
    extra: Annotated[bool, typer.Option(help="Also those that are marked as extra.")] = False,
) -> None:
    try:
        project_assets(project, extra=extra)
    except Exception as error:  # of whichever library weasel downloads with
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        typer.secho(
            f"✘ Cannot download ({reason}). What has been fetched stays. Without network, get the files on another machine "
            "(project.yml has their addresses) and run: python scripts/assets_from_folder.py DIR",
            fg=typer.colors.RED,
            err=True,
        )
        raise typer.Exit(1) from None


if __name__ == "__main__":
    typer.run(main)
