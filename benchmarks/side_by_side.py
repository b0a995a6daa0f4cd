"""What two pipelines find in the same tweets, as a table for docs/side-by-side.md.

python -m benchmarks.side_by_side assets/sample/ten.txt en_tweet_sm en_core_web_sm
"""

from pathlib import Path
from typing import Annotated

import spacy
import typer
from spacy.tokens import Doc

from spacy_bilstm_tagger.corpus.raw import read_raw_texts


def main(texts: Annotated[Path, typer.Argument()], pipelines: Annotated[list[str], typer.Argument()]) -> None:
    loaded = [spacy.load(name) for name in pipelines]
    print("| | tokens with their parts of speech | entities |\n|---|---|---|")
    for text in read_raw_texts(texts):
        for nlp in loaded:
            doc = nlp(text)
            print(f"| {nlp.meta['lang']}_{nlp.meta['name']} | {_cell(tokens(doc))} | {_cell(entities(doc))} |")


def tokens(doc: Doc) -> str:
    return " ".join(f"{token.text}/{token.pos_}" for token in doc if not token.is_space)


def entities(doc: Doc) -> str:
    return ", ".join(f"{ent.text} ({ent.label_})" for ent in doc.ents)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    typer.run(main)
