import logging
import pickle
import shutil
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import spacy
import torch
from spacy.strings import get_string_id

from spacy_bilstm_tagger.layers.word_features import TableVectors
from spacy_bilstm_tagger.lexicon import new_words
from spacy_bilstm_tagger.lexicon.distill import Distiller, fit_distiller
from spacy_bilstm_tagger.lexicon.new_words import NewWords
from spacy_bilstm_tagger.lexicon.table import WordTable, WordTypes, get_table
from spacy_bilstm_tagger.lexicon.vectors import DISTILLER

WORDS = ["!", "<url>", "<user>", "go", "goo", "good", "is", "it", "so", "x"]
LISTED = WORDS[:-3]  # it, so and x are new


@pytest.fixture
def model_dir(transformer_folder, tmp_path):
    return Path(shutil.copytree(transformer_folder, tmp_path / "model"))


@pytest.fixture
def expected(model_dir, tweet_nlp):
    """What a table of all words would have; the pipeline's lacks three of them."""
    distiller, rows = fit_distiller(model_dir, WORDS, dim=3)
    info = {name: getattr(distiller, name) for name in ("layer", "mean", "projection", "probe")}
    give_table(tweet_nlp, rows, {DISTILLER: info})
    return dict(zip(WORDS, rows))


def give_table(nlp, rows, info):
    hashes = np.array([get_string_id(word) for word in LISTED], dtype="uint64")
    table = WordTable.build(hashes, info, rows=rows[: len(LISTED)].astype("float16"))
    table.to_lookups(nlp.vocab.lookups, "vectors_toy")


def find(nlp, filler, *words):
    lowers = np.array([nlp.vocab.strings.add(word) for word in words], dtype="uint64")
    return filler.find(lowers, nlp.vocab, get_table(nlp.vocab, "vectors_toy"))


def check(rows, expected, *words):
    for row, word in zip(rows, words, strict=True):
        np.testing.assert_allclose(row, expected[word], rtol=1e-3, atol=1e-3)


def test_a_new_word_gets_the_row_that_the_table_would_have(tweet_nlp, expected, model_dir):
    docs = [tweet_nlp("so good @mara"), tweet_nlp(""), tweet_nlp("X #It it http://a.io")]
    types = WordTypes.of(docs)
    model = TableVectors("toy", NewWords("toy", model_dir)).initialize(X=types)
    Y = model.predict(types)[types.index]
    check(Y, expected, "so", "good", "<user>", "x", "it", "it", "<url>")
    alone = TableVectors("toy", NewWords("toy", model_dir)).initialize(X=types)
    np.testing.assert_allclose(alone.predict(WordTypes.of([tweet_nlp("it")])), Y[4:5], rtol=1e-3, atol=1e-3)


def test_stand_ins_of_other_tokenizers_and_white_space(tweet_nlp, expected, model_dir):
    rows = find(tweet_nlp, NewWords("toy", model_dir), "@mara", "http://a.io", "\n", "so")
    check(rows[[0, 1, 3]], expected, "<user>", "<url>", "so")
    assert not rows[2].any()


def test_a_word_is_encoded_once_and_the_oldest_are_forgotten(tweet_nlp, expected, model_dir, monkeypatch):
    asked = []
    compute = Distiller.rows
    monkeypatch.setattr(Distiller, "rows", lambda self, words: asked.append(words) or compute(self, words))
    monkeypatch.setattr(new_words, "MAX_KEPT", 2)
    filler = NewWords("toy", model_dir)
    for words in (["so", "it", "so"], ["it", "so"], ["x", "so"]):
        check(find(tweet_nlp, filler, *words), expected, *words)
    assert [sorted(words) for words in asked] == [["it", "so"], ["x"]]
    check(find(tweet_nlp, filler, "so", "it", "x"), expected, "so", "it", "x")
    assert len(asked) == 3
    assert len(asked[2]) == 1
    copied = pickle.loads(pickle.dumps(filler))
    check(find(tweet_nlp, copied, "x"), expected, "x")
    assert asked[3:] == [["x"]]


def test_threads_share_it(tweet_nlp, expected, model_dir):
    filler = NewWords("toy", model_dir)
    with ThreadPoolExecutor(4) as pool:
        for row in pool.map(lambda i: find(tweet_nlp, filler, "so", f"x{i % 5}"), range(20)):
            check(row[:1], expected, "so")


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        ("folder", "no such folder"),
        ("transformers", "need transformers"),
        ("model", "another model than the one the vectors were distilled from"),
        ("lookups", "the pipeline has no record of how this table was distilled"),
    ],
)
def test_a_model_not_at_hand_is_one_warning_and_zeros(tweet_nlp, expected, model_dir, monkeypatch, break_it, reason):
    if break_it == "folder":
        shutil.rmtree(model_dir)
    elif break_it == "transformers":
        monkeypatch.setitem(sys.modules, "transformers", None)
    elif break_it == "model":
        from transformers import BertConfig, BertModel

        torch.manual_seed(1)
        BertModel(BertConfig.from_pretrained(model_dir)).save_pretrained(model_dir)
    else:
        give_table(tweet_nlp, np.ones((len(WORDS), 3)), {})
    filler = NewWords("toy", model_dir)
    with pytest.warns(UserWarning, match=f"words outside of the vector table 'toy' get no row.*{reason}"):
        assert not find(tweet_nlp, filler, "so", "@mara").any()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not find(tweet_nlp, filler, "so", "it").any()


def test_coverage_is_said_at_initialization(tweet_nlp, expected, model_dir, caplog):
    with caplog.at_level(logging.INFO, "spacy.bilstm_tagger"):
        TableVectors("toy", NewWords("toy", model_dir)).initialize(X=WordTypes.of([tweet_nlp("so so good it\n")]))
    assert "new words fill 2 of 3 word types without a row" in caplog.text


def test_a_trained_pipeline_follows_its_config(tweet_nlp, expected, model_dir, make_examples, tmp_path):
    embed = {"@architectures": "spacy-bilstm-tagger.TweetEmbed.v1", "attrs": [], "rows": [], "tables": ["toy"]}
    encode = {"@architectures": "spacy-bilstm-tagger.BiLSTMEncoder.v1", "width": 4, "depth": 1}
    tok2vec = {"@architectures": "spacy.Tok2Vec.v2", "embed": {**embed, "include_static_vectors": False}}
    model = {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1", "tok2vec": {**tok2vec, "encode": encode}}
    tweet_nlp.add_pipe("bilstm_tagger", config={"model": model})
    tweet_nlp.initialize(lambda: make_examples(tweet_nlp))
    tweet_nlp.to_disk(tmp_path / "nlp")
    option = "components.bilstm_tagger.model.tok2vec.embed.new_words"
    for folder, has_row in ((None, False), (str(model_dir), True)):
        nlp = spacy.load(tmp_path / "nlp", config={option: folder})
        table = next(node for node in nlp.get_pipe("bilstm_tagger").model.walk() if node.name == "table_vectors:toy")
        types = WordTypes.of([nlp.make_doc("so")])
        assert table.predict(types).any() == has_row
        copy = table.copy()
        assert copy.predict(types).any() == has_row
        assert table.to_bytes() == copy.to_bytes()
