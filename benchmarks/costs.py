"""Hours and costs of a million, a hundred million and a billion tweets, from a measured rate and published prices.

    python -m benchmarks.costs "en_tweet_sm=650" "a transformer=60"

Each argument is a name and the tweets a second of one core, as `benchmarks.annotate` measures them with two processes (half of
its rate). hours = tweets / rate / cores / 3600; cost = hours of cores * price of a core's hour. Of a language model: tweets *
(tokens read * price + tokens written * price).
"""

from typing import Annotated

import typer

SIZES = (10**6, 10**8, 10**9)


def main(
    rates: Annotated[list[str], typer.Argument(metavar="NAME=RATE ...")],
    core_hour: Annotated[float, typer.Option(help="Dollars.")] = 0.0816 / 2,
    cores: Annotated[int, typer.Option(help="Whose hours are shown.")] = 64,
    tokens_read: Annotated[int, typer.Option(help="Of a tweet and its share of the instructions.")] = 60,
    tokens_written: Annotated[int, typer.Option(help="Of its answer: entities as JSON, no tags.")] = 40,
    read_price: Annotated[float, typer.Option(help="Dollars of a million tokens.")] = 0.075,
    written_price: float = 0.30,
) -> None:
    heads = [f"{size:,} tweets" for size in SIZES]
    typer.echo(f"| | tweets a second and core | {' | '.join(heads)} |")
    typer.echo("|---|---|" + "---|" * len(heads))
    for given in rates:
        name, _, rate = given.rpartition("=")
        hours = [size / float(rate) / 3600 for size in SIZES]
        cells = [f"{show(hour / cores)} h, ${show(hour * core_hour)}" for hour in hours]
        typer.echo(f"| {name} | {float(rate):,.0f} | {' | '.join(cells)} |")
    price = (tokens_read * read_price + tokens_written * written_price) / 1e6
    typer.echo(f"| a language model | | {' | '.join(f'${show(size * price)}' for size in SIZES)} |")


def show(number: float) -> str:
    return f"{number:,.2f}" if number < 10 else f"{number:,.0f}"


if __name__ == "__main__":
    typer.run(main)
