"""Universal parts of speech of gold tokens: those of a network, and those by a map from its tags.

python -m benchmarks.parts_of_speech en_tweet_sm assets/tweebank/en-ud-tweet-dev.conllu
"""

from pathlib import Path
from typing import Annotated

import spacy
import typer

from spacy_bilstm_tagger.corpus.labels import read_tag_map

from .score import annotated, gold_docs

MAP = Path(__file__).parent.parent / "assets" / "tag_maps" / "ritter-to-upos.tsv"


def main(pipeline: Annotated[str, typer.Argument()], treebank: Annotated[Path, typer.Argument()]) -> None:
    nlp, mapping = spacy.load(pipeline), read_tag_map(MAP)
    found = [
        (token.pos_, tagged.pos_, mapping.get(tagged.tag_, "X").split("|")[0])
        for doc, each in annotated(nlp, gold_docs(treebank))
        for token, tagged in zip(doc, each)
        if token.pos_
    ]
    network, mapped = (sum(pair[0] == pair[i] for pair in found) / len(found) for i in (1, 2))
    print(f"{treebank.name}: {len(found):,} tokens, network and rules {network:.3f}, map alone {mapped:.3f}")


if __name__ == "__main__":
    typer.run(main)
