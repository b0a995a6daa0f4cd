"""The words that occur several times in raw texts, one a line, for `spacy-bilstm vectors distill`."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from spacy_bilstm_tagger.corpus.raw import iter_raw_texts
from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.lexicon.distill import word_type
from spacy_bilstm_tagger.tokenizer import default_tokenizer
from spacy_bilstm_tagger.util import write_beside


def main(
    texts: Annotated[Path, typer.Argument(metavar="TEXTS", help="One text a line, or a corpus.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write.")],
    min_count: Annotated[int, typer.Option(min=1, help="How often a word has to occur.")] = 2,
) -> None:
    tokenizer = default_tokenizer()
    try:
        counts = Counter(
            word_type(token.text) for text in iter_raw_texts(texts) for token in tokenizer(text) if not token.is_space
        )
    except DataError as error:
        typer.secho(str(error), fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
    words = [word for word, count in counts.items() if count >= min_count and "\t" not in word]
    with write_beside(output) as draft:
        draft.write_text("".join(f"{word}\n" for word in words), encoding="utf8")
    typer.echo(f"✔ {output}: {len(words):,} of {len(counts):,} words")


if __name__ == "__main__":
    typer.run(main)
