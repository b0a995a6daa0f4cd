"""Wrong labels that are planted into a real dev part are found again."""

import random
from statistics import mean

import pytest
import spacy

from benchmarks.planted_errors import PLANTINGS
from spacy_bilstm_tagger.report.cases import Target
from spacy_bilstm_tagger.report.data import read_examples
from spacy_bilstm_tagger.report.findings import find, predict
from spacy_bilstm_tagger.report.measures import suspects


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("planting", PLANTINGS["entities"])
def test_half_of_the_first_fifty_are_planted(en_tweet_sm, asset, planting):
    nlp = spacy.load("en_tweet_sm")
    target = Target("ner", "entities", "ents")
    examples = list(predict(nlp, read_examples(nlp, asset("wnut17/dev.conll"))))
    shares = []
    for seed in range(12):
        made, planted = PLANTINGS["entities"][planting](examples, target, random.Random(seed))
        found = suspects(find(nlp, target, made), 50)
        shares.append(len({each.text for each in found} & planted) / 50)
    assert mean(shares) >= 0.5
