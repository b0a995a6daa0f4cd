"""A part of a training file, the same texts for the same share; a smaller part lies inside of a larger one."""

import random
from pathlib import Path

import spacy
from spacy.tokens import DocBin
from spacy.training import Corpus

from spacy_bilstm_tagger.util import write_beside


def write_part(source: Path, target: Path, *, percent: int, seed: int = 0) -> int:
    """The number of texts. What comes first is drawn by lot, what is drawn keeps its order."""
    nlp = spacy.blank("xx")
    docs = [example.reference for example in Corpus(source, gold_preproc=True)(nlp)]
    lots = list(range(len(docs)))
    random.Random(seed).shuffle(lots)
    drawn = sorted(lots[: max(1, round(len(docs) * percent / 100))])
    with write_beside(target) as draft:
        DocBin(docs=[docs[i] for i in drawn], store_user_data=True).to_disk(draft)
    return len(drawn)
