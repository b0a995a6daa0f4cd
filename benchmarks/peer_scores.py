"""Scores of installed pipelines on the same gold tokens of tweets, also of those whose labels are other ones.

python -m benchmarks.peer_scores assets/ritter/dev assets/tweebank/en-ud-tweet-dev.conllu assets/wnut17/dev.conll en_tweet_sm

Tags: accuracy on T-POS without users, hashtags, links and RT, for which the Penn Treebank has no tags.
Parts of speech: accuracy on Tweebank.
Entities: F1 on WNUT 2017. The types of OntoNotes count as the types that mean the same there, ORG as corporation or group; entities
of its other types (dates, numbers, nationalities ...) are left out, as WNUT 2017 does not annotate them.
"""

from pathlib import Path
from typing import Annotated, Iterator

import spacy
import typer
from spacy.tokens import Doc

from .score import annotated, gold_docs

OF_TWITTER = {"USR", "HT", "URL", "RT"}
ONTONOTES = {
    "PERSON": {"person"},
    "GPE": {"location"},
    "LOC": {"location"},
    "FAC": {"location"},
    "ORG": {"corporation", "group"},
    "PRODUCT": {"product"},
    "WORK_OF_ART": {"creative-work"},
}
WNUT17 = {name: {name} for names in ONTONOTES.values() for name in names}


def main(
    tpos: Annotated[Path, typer.Argument()],
    tweebank: Annotated[Path, typer.Argument()],
    wnut17: Annotated[Path, typer.Argument()],
    pipelines: Annotated[list[str], typer.Argument()],
) -> None:
    print("| pipeline | tags, accuracy | parts of speech, accuracy | entities, F1 |\n|---|---|---|---|")
    for name in pipelines:
        nlp = spacy.load(name)
        tags = [
            gold.tag_ == found.tag_
            for doc, each in annotated(nlp, gold_docs(tpos))
            for gold, found in zip(doc, each)
            if gold.tag_ not in OF_TWITTER
        ]
        pos = [
            gold.pos_ == found.pos_
            for doc, each in annotated(nlp, gold_docs(tweebank))
            for gold, found in zip(doc, each)
            if gold.pos_
        ]
        entities = entity_f1(annotated(nlp, gold_docs(wnut17)))
        print(f"| {name} | {share(tags):.1f} | {share(pos):.1f} | {100 * entities:.1f} |")


def share(right: list[bool]) -> float:
    return 100 * sum(right) / len(right)


def entity_f1(pairs: Iterator[tuple[Doc, Doc]]) -> float:
    """Exact boundaries; the type is right if the gold type is one of those that it may mean."""
    right = n_gold = n_found = 0
    for doc, each in pairs:
        gold = {(ent.start, ent.end): ent.label_ for ent in doc.ents}
        found = {(ent.start, ent.end): (ONTONOTES | WNUT17).get(ent.label_) for ent in each.ents}
        found = {place: types for place, types in found.items() if types}
        right += sum(gold.get(place) in types for place, types in found.items())
        n_gold, n_found = n_gold + len(gold), n_found + len(found)
    return 2 * right / (n_gold + n_found)


if __name__ == "__main__":
    typer.run(main)
