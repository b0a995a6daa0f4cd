"""Small pipelines of several seeds, and what they find."""

import spacy
from small_pipelines import SMALL_CRF, ner_examples, span_examples, train
from spacy.training import Example
from thinc.api import fix_random_seed

SMALL_SOFTMAX = {**SMALL_CRF, "@architectures": "spacy-bilstm-tagger.TokenClassifier.v1"}
TAGS = [("so good !!", ["RB", "JJ", "."]), ("Kim likes it #now", ["NNP", "VBZ", "PRP", "HT"])]
TEXTS = ["Mara likes New York so", "", "real garbage , Kim !!", "what a nice day #now", "  "]


def tag_examples(nlp):
    return [Example.from_dict(nlp.make_doc(text), {"tags": tags}) for text, tags in TAGS]


def both_examples(nlp):
    found = [Example.from_dict(nlp.make_doc(text), {"tags": tags, "entities": []}) for text, tags in TAGS]
    return [*found, *ner_examples(nlp)]


EXAMPLES = {"bilstm_tagger": tag_examples, "bilstm_ner": ner_examples, "bilstm_spans": span_examples}
KINDS = [
    ("bilstm_tagger", SMALL_SOFTMAX),
    ("bilstm_tagger", SMALL_CRF),
    ("bilstm_ner", SMALL_CRF),
    ("bilstm_spans", SMALL_SOFTMAX),
    ("bilstm_spans", SMALL_CRF),
]


def train_seeds(make, examples, folder, seeds=(1, 2, 3), steps=8):
    """Folders of pipelines, one a seed."""
    paths = []
    for seed in seeds:
        fix_random_seed(seed)
        nlp = make()
        train(nlp, examples(nlp), steps=steps)
        nlp.meta["performance"] = {"tag_acc": 0.5}
        folder.mkdir(exist_ok=True)
        paths.append(folder / f"seed{seed}")
        nlp.to_disk(paths[-1])
    return paths


SHARED = """
[nlp]
lang = "en"
pipeline = ["tok2vec", "tagger", "ner"]
[nlp.tokenizer]
@tokenizers = "spacy-bilstm-tagger.TweetTokenizer.v1"
[components]
[components.tok2vec]
factory = "tok2vec"
[components.tok2vec.model]
@architectures = "spacy.Tok2Vec.v2"
[components.tok2vec.model.embed]
@architectures = "spacy-bilstm-tagger.TweetEmbed.v1"
attrs = ["NORM", "SHAPE"]
rows = [200, 100]
include_static_vectors = false
[components.tok2vec.model.encode]
@architectures = "spacy-bilstm-tagger.BiLSTMEncoder.v1"
width = 32
depth = 1
[components.tagger]
factory = "bilstm_tagger"
[components.tagger.model]
@architectures = "spacy-bilstm-tagger.TokenClassifier.v1"
[components.tagger.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = ${components.tok2vec.model.encode.width}
[components.ner]
factory = "bilstm_ner"
[components.ner.model]
@architectures = "spacy-bilstm-tagger.LinearChainCRF.v1"
[components.ner.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = ${components.tok2vec.model.encode.width}
[training]
frozen_components = ["tok2vec"]
"""


def shared_pipeline():
    """A tagger and a recognizer that listen to one tok2vec, as variables of the config say."""
    config = spacy.util.load_config_from_str(SHARED, interpolate=False)
    return spacy.util.load_model_from_config(config, auto_fill=True)


def emissions(nlp, name):
    """Of the tokens of all texts."""
    return scores(nlp, name).emissions.numpy()


def scores(nlp, name):
    return nlp.get_pipe(name).model.predict([nlp.make_doc(text) for text in TEXTS])


def annotations(docs):
    return [
        (
            [(token.tag_, token.ent_iob_, token.ent_type_) for token in doc],
            {key: [(span.start, span.end, span.label_) for span in group] for key, group in doc.spans.items()},
        )
        for doc in docs
    ]


def save_changed(path, change, folder):
    """A folder with this pipeline after a change."""
    nlp = spacy.load(path)
    change(nlp)
    nlp.to_disk(folder)
    return folder
