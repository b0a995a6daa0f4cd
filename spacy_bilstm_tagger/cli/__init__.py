"""The `spacy-bilstm` command: one file a group of subcommands."""

import platform
import sys
from importlib.metadata import version
from typing import Annotated, Callable

import typer
from thinc.api import ConfigValidationError

from ..errors import DataError
from ..util import NO_ROOM
from .annotate import annotate
from .card import card
from .check_gpu import check_gpu
from .convert import convert
from .ensemble import ensemble
from .explain import explain
from .init import init
from .label import label
from .pretag import pretag
from .report import report
from .scores import scores
from .serve import serve
from .tag import tag
from .tokenize_eval import tokenize_eval
from .vectors import vectors_app

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


def _show_version(asked: bool) -> None:
    if asked:
        others = ", ".join(f"{name} {version(name)}" for name in ("spacy", "thinc", "torch"))
        typer.echo(f"spacy-bilstm-tagger {version('spacy-bilstm-tagger')} ({others}, Python {platform.python_version()})")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the versions, and stop."),
    ] = False,
) -> None:
    """Tag tweets with spaCy: corpora, vectors and measurements around the BiLSTM components."""


_COMMANDS: list[Callable[..., None]] = [annotate, card, check_gpu, convert, ensemble, explain, init, label, pretag]
_COMMANDS += [report, scores, serve, tag, tokenize_eval]
for _command in _COMMANDS:
    app.command()(_command)
app.add_typer(vectors_app, name="vectors")


def main() -> None:
    """Run the command. An error in a file, an option or a setting is printed as one line; the exit code is 1."""
    try:
        app()
    except ConfigValidationError as error:
        settings = "; ".join(f"{' -> '.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors or [])
        _fail(f"{error.title}: {settings}" if settings else str(error.title))
    except DataError as error:
        _fail(str(error))
    except OSError as error:
        is_full = error.errno in NO_ROOM and error.filename is None
        _fail(f"a file or the standard output cannot be written ({error.strerror}); make room" if is_full else str(error))


def _fail(message: str) -> None:
    typer.secho(f"✘ {message}", fg=typer.colors.RED, err=True)
    sys.exit(1)
