"""The `spacy-bilstm` command: one file a subcommand."""

import sys

import typer

from ..errors import ConfigError, DataError
from .convert import convert
from .ensemble import ensemble
from .tokenize_eval import tokenize_eval
from .vectors import vectors_app

app = typer.Typer(
    help="Tag tweets with spaCy: corpora, vectors and measurements around the BiLSTM components.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(convert)
app.command()(ensemble)
app.command()(tokenize_eval)
app.add_typer(vectors_app, name="vectors")


def main() -> None:
    """Run the command. What the user can mend is printed as one line; exit code 1."""
    try:
        app()
    except (DataError, ConfigError, OSError) as error:
        typer.secho(f"✘ {error}", fg=typer.colors.RED, err=True)
        sys.exit(1)
