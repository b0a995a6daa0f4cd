"""spacy-bilstm serve: a pipeline as a web service."""

import socket
from contextlib import suppress
from typing import Annotated, Literal, Optional

import typer

from ..errors import DataError


def serve(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A pipeline: its folder, or the name of its package.")],
    host: Annotated[str, typer.Option(help="0.0.0.0 lets other machines in; there is no password.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    fields: Annotated[str, typer.Option(help="What is answered.")] = "tokens,tag,pos,lemma,sents,ents,spans",
    offsets: Annotated[Literal["codepoint", "utf16"], typer.Option(help="As of annotate.")] = "codepoint",
    disable: Annotated[str, typer.Option(help="Components to leave out, with commas between them.")] = "",
    max_texts: Annotated[int, typer.Option(min=1, help="Texts of a request.")] = 256,
    max_chars: Annotated[int, typer.Option(min=1, max=1_000_000, help="Characters of a text.")] = 10_000,
) -> None:
    """Answer over HTTP: POST /annotate {"texts": [...]}, GET /health, GET /metrics (the extra serve)."""
    try:
        import uvicorn

        from ..annotate.service import Limits, create_app
    except ImportError:
        raise DataError("serve needs FastAPI and uvicorn: pip install 'spacy-bilstm-tagger[serve]'") from None
    from ..annotate.annotation import check_fields
    from ..annotate.annotator import Recipe
    from ..annotate.outputs import Form
    from .annotate import names_of

    try:  # before the pipeline is loaded
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{_shown(host, port)}: cannot be used ({reason}); give another --host or --port") from None
    form = Form(fields=check_fields(names_of(fields)), offsets=offsets)
    limits = Limits(texts=max_texts, chars=max_chars, waiting=max(4096, 4 * max_texts))

    class Server(uvicorn.Server):
        async def startup(self, sockets: Optional[list[socket.socket]] = None) -> None:
            await super().startup(sockets)
            if self.started:
                host, port, *_ = self.servers[0].sockets[0].getsockname()
                address = f"http://{_shown(host, port)}"
                typer.secho(f"✔ {model} answers on {address}; Ctrl+C ends it", fg=typer.colors.GREEN, err=True)

    app = create_app(Recipe(model, form, tuple(names_of(disable))), limits)
    server = Server(uvicorn.Config(app, host=host, port=port, log_level="warning"))
    with suppress(KeyboardInterrupt):  # as uvicorn.run
        server.run()
    if not server.started:
        raise typer.Exit(1)


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
