"""A service: texts by HTTP in, annotations out (extra [serve]).

    POST /annotate   {"texts": ["so happy in Lisbon!!"]}  ->  {"results": [{"text": ..., "tokens": ..., "ents": ...}]}
    GET  /health     {"status": "ok", "model": ...}
    GET  /metrics    counters, in the text format of Prometheus

Texts of requests that wait at the same time are one batch. What is too much is refused at once, with 413 or 503, so that
memory has a bound.
"""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, AsyncIterator, Callable, Coroutine, Optional, Sequence

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from spacy.language import Language

from ..errors import DataError
from ..util import no_text, without_doubles
from .annotator import Annotator, Recipe

MOST_BYTES = 64_000_000
_EXPECTED = 'expected {"texts": ["so happy in Lisbon!!"]}'
USUAL_CHARS = 1_000  # of a text that waits, on average, at most


@dataclass(frozen=True)
class Limits:
    """texts: of a request; chars: of a text; waiting: texts of all requests that wait; batch: texts that are annotated at once."""

    texts: int = 256
    chars: int = 10_000
    waiting: int = 4096
    batch: int = 256

    @property
    def body(self) -> int:
        """Bytes of a request: of as many texts as may be, up to 64 MB. A client may escape characters, an emoji as
        two of 6 bytes."""
        return min(12 * self.texts * (self.chars + 100), MOST_BYTES)

    @property
    def chars_waiting(self) -> int:
        """Characters of all requests that wait."""
        return max(self.texts * self.chars, self.waiting * USUAL_CHARS)


class Question(BaseModel):
    """What a client sends."""

    model_config = ConfigDict(extra="forbid")
    texts: list[str] = Field(min_length=1)


class _StrictRequest(Request):
    async def json(self) -> Any:
        """RAISES: HTTPException with what is wrong with the body."""
        if self.headers.get("content-encoding", "identity") != "identity":
            raise HTTPException(415, f"found the Content-Encoding {self.headers['content-encoding']}, expected none")
        try:
            return json.loads(await self.body(), object_pairs_hook=without_doubles)
        except DataError as error:
            raise HTTPException(422, f"{error}; {_EXPECTED}") from None
        except (ValueError, RecursionError) as error:
            raise HTTPException(422, f"the body is no JSON in UTF-8: {error}; {_EXPECTED}") from None


class _StrictRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(_StrictRequest(request.scope, request.receive))

        return handle


class Answer(BaseModel):
    """What it gets: an annotation for each text, in order, see `to_annotation`; or {"text", "error"}."""

    results: list[dict[str, Any]]


class Batcher:
    """Annotates what waits, one batch after another, in a thread of its own."""

    def __init__(self, annotator: Annotator, limits: Limits) -> None:
        self.annotator, self.limits = annotator, limits
        self.waiting: asyncio.Queue[tuple[list[str], asyncio.Future[list[dict[str, Any]]]]] = asyncio.Queue()
        self.n_waiting = self.n_chars = 0
        self.counts = {"requests": 0, "texts": 0, "batches": 0, "refused": 0, "failed": 0}
        self.seconds = 0.0

    async def annotate(self, texts: list[str]) -> list[dict[str, Any]]:
        """RAISES: OverflowError if too many texts, or characters, wait."""
        n_chars = sum(map(len, texts))
        if self.n_waiting + len(texts) > self.limits.waiting or self.n_chars + n_chars > self.limits.chars_waiting:
            raise OverflowError
        self.n_waiting += len(texts)
        self.n_chars += n_chars
        future: asyncio.Future[list[dict[str, Any]]] = asyncio.get_running_loop().create_future()
        self.waiting.put_nowait((texts, future))
        return await future

    async def run(self) -> None:
        """Until it is cancelled."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="annotator") as thread:
            while True:
                asked = [await self.waiting.get()]
                while not self.waiting.empty() and sum(len(texts) for texts, _ in asked) < self.limits.batch:
                    asked.append(self.waiting.get_nowait())
                texts = [text for some, _ in asked for text in some]
                begin = time.perf_counter()
                try:
                    results = await loop.run_in_executor(thread, self._annotate, texts)
                except Exception as error:
                    for future in (future for _, future in asked if not future.done()):
                        future.set_exception(error)
                    continue
                finally:
                    self.n_waiting -= len(texts)
                    self.n_chars -= sum(map(len, texts))
                self.seconds += time.perf_counter() - begin
                self.counts["batches"] += 1
                for some, future in asked:
                    if not future.done():  # else the client has gone
                        future.set_result(results[: len(some)])
                    results = results[len(some) :]

    def _annotate(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        found = self.annotator.annotations(texts)
        self.counts["failed"] += sum("error" in each for each in found)
        return [{"text": text, **each} for text, each in zip(texts, found)]


def create_app(recipe: Recipe, limits: Optional[Limits] = None, nlp: Optional[Language] = None) -> FastAPI:
    """The service as an ASGI app. nlp: the pipeline, if it is loaded already."""
    annotator, bounds = Annotator(recipe, nlp), limits or Limits()
    batcher = Batcher(annotator, bounds)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(batcher.run())
        yield
        task.cancel()

    app = FastAPI(title=f"spacy-bilstm-tagger: {recipe.model}", lifespan=lifespan)
    app.state.batcher = batcher
    app.router.route_class = _StrictRoute

    @app.middleware("http")
    async def refuse_large(request: Request, call_next: Any) -> Any:
        length = request.headers.get("content-length", "")
        if request.method == "POST" and (not length.isdecimal() or "transfer-encoding" in request.headers):
            answer = PlainTextResponse("expected the header Content-Length, and no Transfer-Encoding", 411)
        elif length.isdecimal() and int(length) > bounds.body:
            answer = PlainTextResponse(f"{int(length):,} bytes, expected at most {bounds.body:,}", 413)
        else:
            answer = await call_next(request)
        batcher.counts["refused"] += answer.status_code >= 400 and request.url.path == "/annotate"
        return answer

    @app.exception_handler(RequestValidationError)
    async def tell_what_is_wrong(request: Request, error: RequestValidationError) -> JSONResponse:
        # Without the input itself, which may be nothing that JSON knows.
        found = [{"loc": list(each["loc"]), "msg": f"{each['msg']}; {_EXPECTED}"} for each in error.errors()]
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            found.append({"loc": ["header", "content-type"], "msg": "expected application/json"})
        return JSONResponse({"detail": found}, 422)

    @app.post("/annotate")
    async def annotate(question: Question) -> Answer:
        texts = question.texts
        if len(texts) > bounds.texts:
            raise HTTPException(413, f"{len(texts)} texts, expected at most {bounds.texts}")
        for number, text in enumerate(texts):
            if reason := no_text(text):
                raise HTTPException(422, f"text {number} holds {reason}")
            if len(text) > bounds.chars:
                raise HTTPException(413, f"text {number} has {len(text):,} characters, expected at most {bounds.chars:,}")
        try:
            results = await batcher.annotate(texts)
        except OverflowError:
            message = f"{batcher.n_waiting:,} texts wait; ask again later"
            raise HTTPException(503, message, headers={"Retry-After": "1"}) from None
        batcher.counts["requests"] += 1
        batcher.counts["texts"] += len(texts)
        return Answer(results=results)

    @app.get("/health")
    async def health() -> dict[str, Any]:
        return {"status": "ok", "model": recipe.model, "components": annotator.nlp.pipe_names}

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> str:
        lines = [f"spacy_bilstm_{name}_total {count}" for name, count in batcher.counts.items()]
        lines += [
            f"spacy_bilstm_seconds_total {batcher.seconds:.3f}",
            f"spacy_bilstm_waiting_texts {batcher.n_waiting}",
        ]
        return "\n".join(lines) + "\n"

    return app
