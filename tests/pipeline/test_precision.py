"""precision = "auto": bfloat16 once the labels of the first texts have been the same."""

import gc
import pickle
import threading

import numpy as np
import pytest
import spacy
import torch
from shared_pipelines import LISTENER, TEXTS, learn_on, make_pipeline, output
from small_pipelines import SMALL_CRF, small_pipeline, span_examples
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.layers import bilstm, lstm_prediction
from spacy_bilstm_tagger.layers.bilstm import PackedRNN, auto_weights
from spacy_bilstm_tagger.layers.lstm_prediction import Weights
from spacy_bilstm_tagger.models import BiLSTMEncoder
from spacy_bilstm_tagger.pipeline import precision

BATCH = TEXTS * 4


@pytest.fixture(autouse=True)
def small_sample(monkeypatch):
    """A CPU that has bfloat16, and a sample of few tokens. No other test pays for the comparison."""
    monkeypatch.setattr(bilstm, "has_bfloat16", lambda: True)
    monkeypatch.setattr(lstm_prediction, "SAMPLE", 100)
    monkeypatch.setattr(PackedRNN, "any_auto", False)


@pytest.fixture
def plain():
    """A tagger and a recognizer on one tok2vec."""
    return make_pipeline()


@pytest.fixture
def nlp(plain, tmp_path):
    """As plain, with precision = "auto"."""
    plain.to_disk(tmp_path)
    return spacy.load(tmp_path, config={"components.tok2vec.model.encode.precision": "auto"})


def encoder(nlp, name="tok2vec"):
    shims = (shim for node in nlp.get_pipe(name).model.walk() for shim in node.shims)
    return next(shim.module for shim in shims if isinstance(getattr(shim, "module", None), PackedRNN))


def readers(nlp, name="tok2vec"):
    """How many tokens each component has compared, how many of them have the same labels; and whether they all agree."""
    (weights,) = auto_weights(nlp.get_pipe(name).model)
    return [(each.tokens, each.same) for each in weights.readers.values()], weights.use_half("auto")


def read(nlp):
    """A batch, with its rows."""
    docs = list(nlp.pipe(BATCH, batch_size=len(BATCH)))
    return docs, np.concatenate([doc.tensor for doc in docs])


def test_all_readers_agree_before_it_is_taken(nlp, plain, caplog):
    caplog.set_level("INFO", logger="spacy.bilstm_tagger")
    n_tokens = sum(len(plain.make_doc(text)) for text in BATCH)
    _, expected = read(plain)
    for n_compared in (0, n_tokens):  # the first batch tells who reads the rows
        _, rows = read(nlp)
        assert np.array_equal(rows, expected)
        assert readers(nlp) == ([(n_compared, n_compared)] * 2, n_compared >= 100)
    _, rows = read(nlp)
    assert not np.array_equal(rows, expected)
    assert np.abs(rows - expected).max() < 0.02
    assert readers(nlp) == ([(n_tokens, n_tokens)] * 2, True)  # nothing is compared any more
    assert nlp.get_pipe("tok2vec").rows_in_half == {}
    assert f"bilstm_ner: {n_tokens} of {n_tokens} tokens have the same labels by products of bfloat16" in caplog.text
    assert output(nlp) == output(plain)


def test_texts_one_by_one_are_compared_too(nlp, plain, monkeypatch):
    """By products of half precision, which single texts have in a comparison alone."""
    products = []
    bmm = torch.bmm
    monkeypatch.setattr(torch, "bmm", lambda *args: products.append(args[0].dtype) or bmm(*args))
    for text in BATCH:
        assert np.abs(nlp(text).tensor - plain(text).tensor).max() < 1e-5
    assert readers(nlp)[1]
    assert set(products) == {torch.bfloat16}
    n_products = len(products)
    nlp(TEXTS[0])
    assert len(products) == n_products


def test_labels_that_differ(nlp, plain, monkeypatch):
    """The docs get those of float32."""
    monkeypatch.setattr(Weights, "half", property(lambda self: -self.recurrent.bfloat16()))
    expected = read(plain)[1]
    for _ in range(4):
        assert np.array_equal(read(nlp)[1], expected)
    counts, is_half = readers(nlp)
    assert all(tokens >= 100 for tokens, _ in counts)
    assert any(same < 0.999 * tokens for tokens, same in counts)
    assert not is_half
    assert output(nlp) == output(plain)


def test_a_reader_that_joins_is_compared_first(nlp, plain):
    with nlp.select_pipes(disable="bilstm_ner"):
        for _ in range(3):
            read(nlp)
        assert readers(nlp)[1]
    read(nlp)
    assert not readers(nlp)[1]
    assert np.array_equal(read(nlp)[1], read(plain)[1])
    assert readers(nlp)[1]


def test_a_reader_that_does_not_come_back_is_not_waited_for_for_ever(nlp, monkeypatch):
    monkeypatch.setattr(precision, "MOST_COMPARED", 300)
    read(nlp)
    nlp.disable_pipe("bilstm_ner")
    for _ in range(6):
        read(nlp)
    assert nlp.get_pipe("tok2vec").rows_in_half == {}
    assert not readers(nlp)[1]
    nlp.remove_pipe("bilstm_ner")
    gc.collect()
    assert readers(nlp)[1]


def test_a_head_that_learns_is_compared_anew(nlp):
    for _ in range(3):
        read(nlp)
    examples = [Example.from_dict(nlp.make_doc(TEXTS[0]), {"tags": ["RB", "JJ", "IN", "NNP", "NNP"]})]
    nlp.update(examples, sgd=nlp.resume_training(), exclude=["tok2vec", "bilstm_ner"], annotates=["tok2vec"])
    read(nlp)
    assert not readers(nlp)[1]


def test_rows_that_are_not_those_of_the_tok2vec_are_left_alone(nlp):
    """Of a component that merges tokens, or of the caller."""
    nlp.add_pipe("merge_entities", after="tok2vec")
    docs = [nlp.make_doc(text) for text in BATCH]
    for doc in docs:
        doc.ents = [Span(doc, 0, 2, label="place")]
    with nlp.select_pipes(disable="merge_entities"):
        read(nlp)
    docs = list(nlp.pipe(docs))
    assert all(tokens == 0 for tokens, _ in readers(nlp)[0])
    rows = np.zeros((len(docs[0]), 32), dtype="f")
    with nlp.select_pipes(disable=["tok2vec", "merge_entities"]):
        docs[0].tensor = rows
        assert nlp(docs[0]).tensor is rows


def test_a_component_of_spacy_keeps_float32(nlp, plain):
    listener = {**LISTENER, "upstream": "tok2vec"}
    model = {"@architectures": "spacy.Tagger.v2", "nO": None, "normalize": False, "tok2vec": listener}
    tagger = nlp.add_pipe("tagger", config={"model": model})
    examples = [Example.from_dict(nlp.make_doc(TEXTS[0]), {"tags": ["RB", "JJ", "IN", "NNP", "NNP"]})]
    tagger.initialize(lambda: examples, nlp=nlp)
    for _ in range(4):
        assert np.array_equal(read(nlp)[1], read(plain)[1])
    nlp.remove_pipe("tagger")
    for _ in range(3):
        read(nlp)
    assert readers(nlp)[1]


def test_weights_that_change_are_compared_anew(nlp):
    for _ in range(3):
        read(nlp)
    assert readers(nlp)[1]
    learn_on(nlp)
    assert readers(nlp) == ([], False)


def test_cpu_without_bfloat16(nlp, plain, monkeypatch):
    monkeypatch.setattr(bilstm, "has_bfloat16", lambda: False)
    expected = read(plain)[1]
    for _ in range(3):
        assert np.array_equal(read(nlp)[1], expected)


def test_spans_of_a_component_with_its_own_encoder():
    nlp = small_pipeline("bilstm_spans", spans_key="toxic")
    nlp.initialize(lambda: span_examples(nlp))
    encoder(nlp, "bilstm_spans").precision = "auto"
    for _ in range(5):
        list(nlp.pipe(BATCH))
    counts, is_half = readers(nlp, "bilstm_spans")
    assert is_half
    assert counts[0][0] >= 100


@pytest.mark.parametrize("texts", [[], [""]])
def test_nothing_to_compare(nlp, texts):
    read(nlp)
    read(nlp)
    counts = readers(nlp)[0]
    list(nlp.pipe(texts))
    assert readers(nlp)[0] == counts


def test_it_is_a_setting_of_the_config():
    encode = {**SMALL_CRF["tok2vec"]["encode"], "precision": "auto"}
    model = {**SMALL_CRF, "tok2vec": {**SMALL_CRF["tok2vec"], "encode": encode}}
    nlp = small_pipeline("bilstm_ner", model=model)
    assert encoder(nlp, "bilstm_ner").precision == "auto"
    encode["precision"] = "float16"
    with pytest.raises(ValueError, match="precision"):
        small_pipeline("bilstm_ner", model=model)
    with pytest.raises(ConfigError, match="precision = 'float16'; expected one of float32, bfloat16, auto"):
        BiLSTMEncoder(width=6, depth=1, precision="float16")


def test_extensions_of_docs_are_left_alone(nlp):
    Doc.set_extension("note", default=None, force=True)
    docs = [nlp.make_doc(text) for text in BATCH]
    for doc in docs:
        doc._.note = doc[:1]  # which cannot be copied
    for _ in range(3):
        read(nlp)
    assert [doc._.note.text for doc in nlp.pipe(docs)] == [doc[0].text for doc in docs]
    Doc.remove_extension("note")


def test_a_pipeline_that_compares_can_be_copied(nlp, plain):
    read(nlp)
    twin = pickle.loads(pickle.dumps(nlp))
    assert output(twin) == output(plain)
    assert readers(nlp)[0] == [(0, 0)] * 2
    assert [list(doc) for doc in nlp.pipe([])] == []
    docs = list(nlp.pipe(BATCH, n_process=2))
    assert [[token.tag_ for token in doc] for doc in docs] == [[token.tag_ for token in doc] for doc in plain.pipe(BATCH)]


def test_readers_that_come_while_another_thread_decides():
    """As in 8 threads of one pipeline."""
    weights = Weights.of(torch.nn.LSTM(2, 2, bidirectional=True))
    keys, stop = [threading.Event() for _ in range(2000)], threading.Event()

    def add():
        while not stop.is_set():
            for key in keys:
                weights.readers[key] = lstm_prediction.Agreement()
            weights.readers.clear()

    thread = threading.Thread(target=add)
    thread.start()
    try:
        for _ in range(2000):
            assert not weights.use_half("auto")
    finally:
        stop.set()
        thread.join()
