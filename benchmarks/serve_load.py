"""Load on `spacy-bilstm serve` over the loopback address: clients that ask again as soon as they have an answer.

    python -m benchmarks.serve_load en_tweet_sm assets/raw/gurez.txt --seconds 120

Each answer is compared with what the pipeline says of the text by itself, without probabilities, whose last digits depend
on the batch.
"""

import asyncio
import socket
import subprocess
import sys
import time
from itertools import cycle
from pathlib import Path
from typing import Annotated, Any

import httpx
import numpy as np
import spacy
import typer

from benchmarks.annotate import resident
from spacy_bilstm_tagger.annotate.annotation import to_annotation
from spacy_bilstm_tagger.corpus.raw import read_raw_texts


def main(
    model: str,
    texts: Annotated[Path, typer.Argument(help="One a line.")],
    clients: int = 8,
    seconds: float = 120,
    per_request: Annotated[int, typer.Option(help="Texts of a request.")] = 1,
    distinct: Annotated[int, typer.Option(help="Texts that are asked, again and again.")] = 2000,
) -> None:
    lines = read_raw_texts(texts)[:distinct]
    nlp = spacy.load(model)
    expected = {text: to_annotation(nlp(text)) for text in lines}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "spacy_bilstm_tagger", "serve", model, "--port", str(port)])
    try:
        asyncio.run(load(f"http://127.0.0.1:{port}", server.pid, lines, expected, clients, seconds, per_request))
    finally:
        server.terminate()


async def load(
    url: str, pid: int, lines: list[str], expected: dict[str, Any], clients: int, seconds: float, per_request: int
) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        while True:
            try:
                await client.get("/health")
                break
            except httpx.ConnectError:
                await asyncio.sleep(0.2)
        times: list[float] = []
        wrong = errors = 0
        stream = cycle(lines)
        end = time.perf_counter() + seconds

        async def ask() -> None:
            nonlocal wrong, errors
            while time.perf_counter() < end:
                asked = [next(stream) for _ in range(per_request)]
                begin = time.perf_counter()
                answer = await client.post("/annotate", json={"texts": asked})
                times.append(time.perf_counter() - begin)
                if answer.status_code != 200:
                    errors += 1
                    continue
                wrong += sum(not same(found, expected[text]) for found, text in zip(answer.json()["results"], asked))

        tasks = [asyncio.create_task(ask()) for _ in range(clients)]
        await asyncio.sleep(min(10, seconds / 4))
        early = resident(pid)
        await asyncio.gather(*tasks)
        late = resident(pid)
    p50, p99 = (1000 * float(np.percentile(times, share)) for share in (50, 99))
    typer.echo("| clients | requests | errors | other answers | texts a second | ms, p50 | p99 | MB at 10 s | at the end |")
    typer.echo("|---|---|---|---|---|---|---|---|---|")
    rate = len(times) * per_request / seconds
    typer.echo(
        f"| {clients} | {len(times):,} | {errors} | {wrong} | {rate:,.0f} | {p50:.1f} | {p99:.1f} | {early:,.0f} | {late:,.0f} |"
    )


def same(found: dict[str, Any], expected: dict[str, Any]) -> bool:
    return rounded(found) == rounded(expected)


def rounded(value: Any) -> Any:
    """Without the probabilities, whose last digits depend on the batch."""
    if isinstance(value, dict):
        return {key: None if key == "score" else rounded(each) for key, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list) else value


if __name__ == "__main__":
    typer.run(main)
