from pathlib import Path

import pytest
import spacy
import torch
from spacy.language import Language
from spacy.training import Example
from thinc.api import fix_random_seed

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _same_seed():
    fix_random_seed(0)


@pytest.fixture
def project() -> Path:
    return PROJECT


@pytest.fixture
def tweet_nlp() -> Language:
    config = {"nlp": {"tokenizer": {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1"}}}
    return spacy.blank("en", config=config)


TAGGED = [
    ("RT @mara_lune: so good !!", ["RT", "USR", ":", "RB", "JJ", "."]),
    ("I like it http://bit.ly/x1 #now", ["PRP", "VBP", "PRP", "URL", "HT"]),
    ("do n't go there", ["VBP", "RB", "VB", "RB"]),
    ("the new record is out", ["DT", "JJ", "NN", "VBZ", "RP"]),
]


@pytest.fixture
def make_examples():
    """Examples of a few tagged tweets, with the vocabulary of the given pipeline."""

    def make(nlp: Language) -> list[Example]:
        docs = (nlp.make_doc(text) for text, _ in TAGGED)
        return [Example.from_dict(doc, {"tags": tags}) for doc, (_, tags) in zip(docs, TAGGED)]

    return make


@pytest.fixture
def asset(project):
    """The path of a downloaded asset; skips the test where it is not there."""

    def find(name: str) -> Path:
        path = project / "assets" / name
        if not path.is_file():
            pytest.skip(f"assets/{name} is not there: run 'spacy project assets' or scripts/assets_from_folder.py")
        return path

    return find


@pytest.fixture(scope="session")
def transformer_folder(tmp_path_factory) -> Path:
    """A tiny BERT of random weights with its tokenizer, as `save_pretrained` leaves them."""
    pytest.importorskip("spacy_transformers", reason="needs pip install 'spacy-bilstm-tagger[transformers]'")
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("transformer")
    pieces = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "so",
        "good",
        "go",
        "##od",
        "##o",
        "is",
        "it",
        "@",
        "x",
        "!",
    ]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf8")
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=32).save_pretrained(folder)
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(pieces), max_position_embeddings=32, **sizes)
    BertModel(config).save_pretrained(folder)
    return folder
