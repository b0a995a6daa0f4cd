"""A tiny trained pipeline with all that a tweet can pass: each feature of TweetEmbed, shared by a tagger and entities."""

import json
from pathlib import Path

import numpy as np
import spacy
from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config

from spacy_bilstm_tagger.corpus import read_corpus, to_docbin
from spacy_bilstm_tagger.tokenizer import glove_key

PROJECT = Path(__file__).resolve().parent.parent
EMBED = "components.tok2vec.model.embed"
SETTINGS = {
    "nlp.pipeline": ["tok2vec", "tagger", "ner"],
    f"{EMBED}.include_static_vectors": True,
    f"{EMBED}.brown_prefixes": [2, 4],
    f"{EMBED}.brown_rows": 20,
    f"{EMBED}.brown_width": 4,
    f"{EMBED}.gazetteers": True,
    f"{EMBED}.char_kernels": [2, 3],
    f"{EMBED}.char_filters": 4,
    f"{EMBED}.char_width": 8,
    f"{EMBED}.rows": [50, 20, 20, 20],
    f"{EMBED}.feature_width": 4,
    f"{EMBED}.norm_dropout": 0.0,
    "components.tok2vec.model.encode.width": 16,
    "training.dropout": 0.0,
    "training.max_steps": 60,
    "training.eval_frequency": 60,
    "training.optimizer.learn_rate": 0.02,
    "training.optimizer.use_averages": False,
}


def train_tiny_pipeline(files: Path) -> Language:
    """Of configs/starter.cfg and 16 sample tweets. What it is made of is written to `files`."""
    corpus = PROJECT / "assets" / "sample" / "dev.conll"
    texts = read_corpus(corpus)[1][:16]
    to_docbin(corpus, texts).to_disk(files / "corpus.spacy")
    words = sorted({glove_key(word) for text in texts for word in text.words})
    for name, dim in (("vectors", 4), ("distilled", 3)):
        rows = np.random.default_rng(dim).normal(size=(len(words), dim)).round(2)
        lines = (f"{word} {' '.join(map(str, row))}\n" for word, row in zip(words, rows))
        (files / f"{name}.txt").write_text("".join(lines), encoding="utf8")
    clusters = (f"{i % 16:04b}\t{word}\t1\n" for i, word in enumerate(words))
    (files / "brown.tsv").write_text("".join(clusters), encoding="utf8")
    (files / "names").mkdir()
    (files / "names" / "town").write_text("Lisbon\nNew York\n", encoding="utf8")
    paths = {"train": "corpus.spacy", "dev": "corpus.spacy", "vectors": "vectors.txt", "distilled": "distilled.txt"}
    paths |= {"brown": "brown.tsv", "gazetteers": "names"}
    overrides = {f"paths.{name}": str(files / file) for name, file in paths.items()}
    nlp = init_nlp(load_config(PROJECT / "configs" / "starter.cfg", overrides={**SETTINGS, **overrides}))
    train(nlp)
    return nlp


def annotate(folder: Path, texts: list[str]) -> list[dict]:
    """The tags, entities and their probabilities that the pipeline in the folder gives, as JSON has them."""
    nlp = spacy.load(folder, config={"components": {"tagger": {"tag_scores": True}}})
    found = []
    for doc in nlp.pipe(texts):
        group = doc.spans["ents"]
        entities = [[ent.start, ent.end, ent.label_, float(p)] for ent, p in zip(group, group.attrs["scores"])]
        tags = [[token.tag_, float(token._.tag_scores[token.tag_])] for token in doc]
        found.append({"text": doc.text, "tags": tags, "entities": entities})
    return json.loads(json.dumps(found))
