import pytest
import spacy
from golden.make import GOLDEN
from thinc.model import Model

from spacy_bilstm_tagger.annotate.annotator import Annotator, Recipe
from spacy_bilstm_tagger.annotate.outputs import Form
from spacy_bilstm_tagger.annotate.records import Record
from spacy_bilstm_tagger.layers.word_cache import forget_words

TWEETS = ("so happy in Lisbon!! 😭", "RT @mara: see you\nin New York", "@kim lol #now http://t.co/a", "it's  ok\t:)")
TEXTS = [f"{TWEETS[i % 4]} {i}" for i in range(800, 1000)]


@pytest.fixture
def nlp():
    return spacy.load(GOLDEN / "pipeline")


def scores(nlp, texts):
    """Not rounded."""
    return [score for doc in nlp.pipe(texts, batch_size=8) for score in doc.spans["ents"].attrs["scores"]]


def test_with_empty_caches_the_last_bit_is_that_of_a_new_pipeline(nlp):
    first = scores(nlp, TEXTS)
    assert len(first) > 20
    for history in ([], TEXTS[::-1], ["other words here"] * 20):
        scores(nlp, history)
        for _, pipe in nlp.pipeline:
            if isinstance(pipe.model, Model):
                forget_words(pipe.model)
        assert scores(nlp, TEXTS) == first


def test_a_piece_does_not_depend_on_what_was_read_before(nlp):
    annotator = Annotator(Recipe("", Form(), batch_size=8), nlp)
    records = [Record(i, text) for i, text in enumerate(TEXTS)]
    first = annotator.encode(records)
    annotator.encode(records[::-1])
    assert annotator.encode(records) == first
