"""A small model, and a few texts with entities and with spans."""

import hashlib
from pathlib import Path
from typing import Callable

import numpy as np
import spacy
import srsly
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_bilstm_tagger.lexicon.files import CHECKSUMS, write_checksums

TWEETS = {"nlp": {"tokenizer": {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1"}}}
TOK2VEC = {
    "@architectures": "spacy.Tok2Vec.v2",
    "embed": {
        "@architectures": "spacy-bilstm-tagger.TweetEmbed.v1",
        "attrs": ["NORM", "SHAPE"],
        "rows": [200, 100],
        "char_kernels": [],
        "include_static_vectors": False,
    },
    "encode": {"@architectures": "spacy-bilstm-tagger.BiLSTMEncoder.v1", "width": 32, "depth": 1},
}
SMALL_CRF = {"@architectures": "spacy-bilstm-tagger.LinearChainCRF.v1", "tok2vec": TOK2VEC}

ENTITIES = [
    ("Mara Lune met Kim in New York", [(0, 9, "person"), (14, 17, "person"), (21, 29, "place")]),
    ("in Lisbon with Ana Paula !!", [(3, 9, "place"), (15, 24, "person")]),
    ("so good !!", []),
    ("Kim likes it #now", [(0, 3, "person")]),
]
# Spans of different labels overlap.
SPANS = [
    ("you are a real piece of garbage", [(10, 31, "insult"), (15, 31, "noun")]),
    ("what a nice day", [(12, 15, "noun")]),
    ("so good !!", []),
    ("real garbage , idiot", [(0, 20, "insult"), (5, 12, "noun"), (15, 20, "noun")]),
]


def rows_by_doc(scores) -> list[np.ndarray]:
    """The emissions of `ChainScores`, or their gradient, for each doc."""
    return np.split(scores.emissions.numpy(), np.cumsum(scores.lengths)[:-1])


def small_pipeline(factory: str, **config) -> Language:
    """A blank pipeline with one component on a small model, and these settings."""
    nlp = spacy.blank("en", config=TWEETS)
    nlp.add_pipe(factory, config={"model": SMALL_CRF, **config})
    return nlp


def ner_examples(nlp: Language) -> list[Example]:
    return [Example.from_dict(nlp.make_doc(text), {"entities": entities}) for text, entities in ENTITIES]


def triples(spans):
    return [(span.start, span.end, span.label_) for span in spans]


def gold_of(nlp, words, ents=(), *, default="outside"):
    doc = Doc(nlp.vocab, words=words.split(" ") if words else [])
    reference = doc.copy()
    reference.set_ents([Span(reference, *ent[:2], label=ent[2]) for ent in ents], default=default)
    return Example(doc, reference)


def loss_of(nlp, *examples):
    ner = nlp.get_pipe("bilstm_ner")
    loss, gradient = ner.get_loss(examples, ner.model.predict([eg.predicted for eg in examples]))
    return loss, rows_by_doc(gradient)


def span_examples(nlp: Language) -> list[Example]:
    return [Example.from_dict(nlp.make_doc(text), {"spans": {"toxic": spans}}) for text, spans in SPANS]


def train(nlp: Language, examples: list[Example], steps: int = 40) -> dict[str, float]:
    """Losses of the last step."""
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(steps):
        losses = nlp.update(examples, sgd=optimizer)
    return losses


def change_vectors(pipeline: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """In the folder of a saved pipeline."""
    path = pipeline / "vocab" / "vectors"
    data = change(np.load(path))
    with path.open("wb") as file:
        np.save(file, data)
    renew_checksums(pipeline)


def renew_checksums(pipeline: Path) -> None:
    """As if the files of a saved pipeline had been saved as they are now."""
    for sums in [*pipeline.glob(f"*/{CHECKSUMS}"), pipeline / CHECKSUMS]:
        write_checksums(sums.parent, [line.partition("  ")[2] for line in sums.read_text(encoding="utf8").splitlines()])
    if (pipeline / "meta.json").exists():
        meta = srsly.read_json(pipeline / "meta.json")
        if meta.get(CHECKSUMS):
            digest = hashlib.sha256((pipeline / CHECKSUMS).read_bytes()).hexdigest()
            srsly.write_json(pipeline / "meta.json", {**meta, CHECKSUMS: digest})
