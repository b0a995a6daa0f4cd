"""precision = "auto": bfloat16 once the labels of the first texts have been the same."""

import numpy as np
import pytest
import spacy
from shared_pipelines import TEXTS, learn_on, make_pipeline, output
from small_pipelines import SMALL_CRF, small_pipeline, span_examples
from spacy.tokens import Doc

from spacy_bilstm_tagger.layers import bilstm, lstm_prediction
from spacy_bilstm_tagger.layers.bilstm import PackedRNN, auto_weights
from spacy_bilstm_tagger.pipeline import precision

BATCH = TEXTS * 4


@pytest.fixture(autouse=True)
def small_sample(monkeypatch):
    """A CPU that has bfloat16, and a sample of few tokens. No other test pays for the comparison."""
    monkeypatch.setattr(bilstm, "has_bfloat16", lambda: True)
    for module in (lstm_prediction, precision):
        monkeypatch.setattr(module, "SAMPLE", 100)
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
    (weights,) = auto_weights(nlp.get_pipe(name).model)
    return weights.readers, weights.use_half("auto")


def read(nlp):
    """A batch, with its rows."""
    docs = list(nlp.pipe(BATCH, batch_size=len(BATCH)))
    return docs, np.concatenate([doc.tensor for doc in docs])


def test_all_readers_agree_before_it_is_taken(nlp, plain):
    n_tokens = sum(len(plain.make_doc(text)) for text in BATCH)
    _, expected = read(plain)
    for n_batches in (1, 2):
        _, rows = read(nlp)
        assert np.array_equal(rows, expected)
        counts, is_half = readers(nlp)
        assert counts == dict.fromkeys(("bilstm_tagger", "bilstm_ner"), (n_batches * n_tokens, n_batches * n_tokens))
        assert is_half == (n_batches * n_tokens >= 100)
        if is_half:
            break
    _, rows = read(nlp)
    assert not np.array_equal(rows, expected)
    assert np.abs(rows - expected).max() < 0.02
    assert readers(nlp)[0] == counts  # nothing is compared any more
    assert output(nlp) == output(plain)


def test_labels_that_differ(nlp, plain, monkeypatch):
    """The docs get those of float32."""
    single = nlp.get_pipe("bilstm_tagger").decode

    def decode(docs, scores):
        found = single(docs, scores)
        if lstm_prediction.FORCED.get() == "bfloat16":
            found = found[::-1]
        return found

    monkeypatch.setattr(nlp.get_pipe("bilstm_tagger"), "decode", decode)
    expected = read(plain)[1]
    for _ in range(3):
        assert np.array_equal(read(nlp)[1], expected)
    counts, is_half = readers(nlp)
    assert counts["bilstm_tagger"][1] < 0.999 * counts["bilstm_tagger"][0]
    assert not is_half
    assert output(nlp) == output(plain)


def test_a_reader_that_joins_is_compared_first(nlp, plain):
    with nlp.select_pipes(disable="bilstm_ner"):
        for _ in range(3):
            read(nlp)
        assert readers(nlp)[1]
    expected = read(plain)[1]
    assert np.array_equal(read(nlp)[1], expected)  # read again in float32, for the recognizer
    assert set(readers(nlp)[0]) == {"bilstm_tagger", "bilstm_ner"}


def test_weights_that_change_are_compared_anew(nlp):
    for _ in range(3):
        read(nlp)
    assert readers(nlp)[1]
    learn_on(nlp)
    assert readers(nlp) == ({}, False)


def test_cpu_without_bfloat16(nlp, plain, monkeypatch):
    monkeypatch.setattr(bilstm, "has_bfloat16", lambda: False)
    expected = read(plain)[1]
    for _ in range(3):
        assert np.array_equal(read(nlp)[1], expected)


def test_spans_of_a_component_with_its_own_encoder():
    nlp = small_pipeline("bilstm_spans", spans_key="toxic")
    nlp.initialize(lambda: span_examples(nlp))
    encoder(nlp, "bilstm_spans").precision = "auto"
    for _ in range(4):
        list(nlp.pipe(BATCH))
    counts, is_half = readers(nlp, "bilstm_spans")
    assert is_half
    assert counts["bilstm_spans"][0] >= 100


@pytest.mark.parametrize("texts", [[], [""]])
def test_nothing_to_compare(nlp, texts):
    read(nlp)
    counts = dict(readers(nlp)[0])
    list(nlp.pipe(texts))
    assert readers(nlp)[0] == counts


def test_it_is_a_setting_of_the_config(tmp_path):
    encode = {**SMALL_CRF["tok2vec"]["encode"], "precision": "auto"}
    model = {**SMALL_CRF, "tok2vec": {**SMALL_CRF["tok2vec"], "encode": encode}}
    nlp = small_pipeline("bilstm_ner", model=model)
    assert encoder(nlp, "bilstm_ner").precision == "auto"
    encode["precision"] = "float16"
    with pytest.raises(ValueError, match="precision"):
        small_pipeline("bilstm_ner", model=model)


def test_extensions_of_docs_are_left_alone(nlp):
    Doc.set_extension("note", default=None, force=True)
    docs = [nlp.make_doc(text) for text in BATCH]
    for doc in docs:
        doc._.note = doc.text
    assert [doc._.note for doc in nlp.pipe(docs)] == BATCH
    Doc.remove_extension("note")
