"""Pipelines of a shared tok2vec over vectors, a tagger and an entity recognizer, for tests of whole pipelines."""

import numpy as np
import spacy
from small_pipelines import TOK2VEC
from spacy.training import Example

from spacy_bilstm_tagger.lexicon.vectors import set_vectors

TEXTS = [
    "so good in New York",
    "Kim likes it :) #now",
    "RT @mara_lune: so so good !!",
    "real garbage\n\n http://bit.ly/x7Qa2 do n't",
    "2nite 😭😭 in Lisbon w/ Mia Lee",
]
TOKENIZER = {"nlp": {"tokenizer": {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1"}}}
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 32, "upstream": "*"}


def make_pipeline(seed=0):
    """A shared tok2vec over vectors, tagger and ner."""
    nlp = spacy.blank("en", config=TOKENIZER)
    words = ["so", "good", "<user>", "<url>", "in", "new", "york", "kim", "<unk>"]
    rows = np.random.default_rng(seed).normal(size=(len(words), 4)).astype("f")
    set_vectors(nlp.vocab, words, rows, name="toy")
    tok2vec = {**TOK2VEC, "embed": {**TOK2VEC["embed"], "include_static_vectors": True}}
    nlp.add_pipe("bilstm_tok2vec", name="tok2vec", config={"model": tok2vec})
    for factory, head in (("bilstm_tagger", "TokenClassifier"), ("bilstm_ner", "LinearChainCRF")):
        model = {"@architectures": f"spacy-bilstm-tagger.{head}.v1", "tok2vec": LISTENER}
        nlp.add_pipe(factory, config={"model": model})
    tags, ents = ["RB", "JJ", "IN", "NNP", "NNP"], ["O", "O", "O", "B-place", "L-place"]
    examples = [Example.from_dict(nlp.make_doc(TEXTS[0]), {"tags": tags, "entities": ents})]
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(20):
        nlp.update(examples, sgd=optimizer)
    return nlp


def learn_on(nlp, **options):
    """The same pipeline, whose tok2vec has changed since."""
    tags, ents = ["RB", "JJ", "IN", "NNP", "RB"], ["O", "O", "O", "O", "U-place"]
    examples = [Example.from_dict(nlp.make_doc(TEXTS[0]), {"tags": tags, "entities": ents})]
    optimizer = nlp.resume_training()
    for _ in range(2):  # spaCy's tok2vec learns from a batch at the next one
        nlp.update(examples, sgd=optimizer, **options)
    return nlp


def output(nlp, texts=TEXTS):
    return [[(token.text, token.tag_, token.ent_iob_, token.ent_type_) for token in doc] for doc in nlp.pipe(texts)]
