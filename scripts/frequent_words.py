"""The words that occur several times in raw texts, and the commonest of English, one a line, for `spacy-bilstm vectors distill`."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from spacy.util import load_language_data, registry

from spacy_bilstm_tagger.corpus.raw import iter_raw_texts
from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.lexicon.distill import word_type
from spacy_bilstm_tagger.tokenizer import default_tokenizer
from spacy_bilstm_tagger.util import write_beside


def main(
    texts: Annotated[Path, typer.Argument(metavar="TEXTS", help="One text a line, or a corpus.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write.")],
    min_count: Annotated[int, typer.Option(min=1, help="How often a word has to occur.")] = 2,
    common: Annotated[
        int,
        typer.Option(min=0, help="Also so many of the commonest words of spaCy's table of English (spacy-lookups-data)."),
    ] = 0,
) -> None:
    tokenizer = default_tokenizer()
    try:
        counts = Counter(word_type(token.text) for text in iter_raw_texts(texts) for token in tokenizer(text) if not token.is_space)
    except DataError as error:
        typer.secho(str(error), fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
    words = [word for word, count in counts.items() if count >= min_count and "\t" not in word]
    words = list(dict.fromkeys([*words, *(commonest(common) if common else ())]))
    with write_beside(output) as draft:
        draft.write_text("".join(f"{word}\n" for word in words), encoding="utf8")
    typer.echo(f"✔ {output}: {len(words):,} of {len(counts):,} words")


def commonest(count: int) -> list[str]:
    """Words of letters a to z, by their probability in comments of Reddit."""
    probabilities = load_language_data(registry.lookups.get("en")["lexeme_prob"])
    best: dict[str, float] = {}
    for word, probability in probabilities.items():
        if word.isascii() and word.isalpha():
            best[word.lower()] = max(probability, best.get(word.lower(), probability))
    return sorted(best, key=lambda word: -best[word])[:count]


if __name__ == "__main__":
    typer.run(main)
