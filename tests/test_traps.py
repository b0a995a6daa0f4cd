"""Traps of spaCy 3.8.18's and thinc 8.3.14's own BiLSTM, shim and vectors, which ours avoids.

Each test runs on ours and on theirs, where it is expected to fail. If one passes there ("XPASS"), they have repaired it.
"""

import re
import subprocess
import sys

import numpy as np
import pytest
import spacy
import torch
from golden.make import GOLDEN
from numpy.testing import assert_allclose, assert_array_equal
from spacy.cli.evaluate import evaluate
from spacy.ml.models.tok2vec import BiLSTMEncoder as TorchBiLSTMEncoder
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Corpus
from spacy.vocab import Vocab
from thinc.api import Adam, set_dropout_rate

from spacy_bilstm_tagger.models import BiLSTMEncoder

THEIRS = pytest.mark.xfail(strict=False, reason="so in spaCy 3.8.18 and thinc 8.3.14")


def texts(lengths, width=8):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, width)).astype("f") for n in lengths]


def theirs(width=8, depth=1):
    return TorchBiLSTMEncoder(width=width, depth=depth, dropout=0.0).initialize(X=texts([3]))


def ours(**settings):
    return BiLSTMEncoder(**{"width": 8, "depth": 1, **settings}).initialize(X=texts([3]))


def shim_of(model):
    (shim,) = [shim for node in model.walk() for shim in node.shims]
    return shim


both = pytest.mark.parametrize("make", [ours, pytest.param(theirs, marks=THEIRS)], ids=["ours", "theirs"])


@both
def test_a_text_does_not_depend_on_its_batch_mates(make):
    model, Xs = make(), texts([3, 12])
    assert np.abs(model.predict([Xs[0]])[0] - model.predict(Xs)[0]).max() <= 1e-5


@both
def test_a_batch_may_have_no_tokens(make):
    assert [Y.shape for Y in make().predict(texts([0, 0]))] == [(0, 8), (0, 8)]


@both
def test_an_odd_width_is_refused(make):
    with pytest.raises(ValueError, match="width = 7; expected an even number"):
        make(width=7)


@both
def test_the_dropout_of_an_update_reaches_the_module(make):
    model, X = make(depth=2), texts([30])
    set_dropout_rate(model, 0.5)
    assert np.abs(model.begin_update(X)[0][0] - model.predict(X)[0]).max() > 1e-3


@both
def test_averages_reach_the_module(make):
    model, X, optimizer = make(), texts([5]), Adam(0.1, use_averages=True)
    for _ in range(3):
        Y, backprop = model.begin_update(X)
        backprop(Y)
        model.finish_update(optimizer)
    before = model.predict(X)
    with model.use_params(optimizer.averages):
        after = model.predict(X)
    assert np.abs(np.concatenate(list(after)) - np.concatenate(list(before))).max() > 0


@both
def test_prediction_leaves_the_module_s_mode_alone(make, monkeypatch):
    model, calls = make(), []
    monkeypatch.setattr(shim_of(model)._model, "train", lambda mode=True: calls.append(mode))
    model.predict(texts([3]))
    assert calls == []


@both
def test_weights_are_not_read_by_a_bare_torch_load(make, monkeypatch):
    """What is refused then depends on the version of torch; safetensors, which ours reads, cannot hold code."""
    calls, load = [], torch.load
    monkeypatch.setattr(torch, "load", lambda *args, **kwargs: calls.append(kwargs) or load(*args, **kwargs))
    shim = shim_of(make())
    shim.from_bytes(shim.to_bytes())
    assert all(kwargs.get("weights_only") for kwargs in calls)
    assert make is theirs or calls == []


@both
def test_weights_are_updated_in_place(make):
    """A weight that moves in memory unflattens cuDNN's buffer."""
    model = make()
    shim = shim_of(model)
    weights = list(shim._model.parameters())
    before = [weight.data_ptr() for weight in weights]
    Y, backprop = model.begin_update(texts([3]))
    backprop(Y)
    shim.finish_update(lambda key, weight, gradient: (weight - gradient, gradient))
    assert [weight.data_ptr() for weight in weights] == before


@both
def test_a_copy_has_an_id_of_its_own(make):
    """Two layers with one id share the optimizer's moments and averages."""
    model = make()
    assert shim_of(model.copy()).id != shim_of(model).id


FORK = """
import spacy
import torch
from spacy.training import Example

torch.set_num_threads(2)  # with one thread there is no pool that a fork could lose
nlp = spacy.blank("en")
tok2vec = {
    "@architectures": "spacy.Tok2Vec.v2",
    "embed": {"@architectures": "spacy.MultiHashEmbed.v2", "width": 64, "attrs": ["NORM"], "rows": [100],
              "include_static_vectors": False},
    "encode": {"@architectures": "spacy-bilstm-tagger.BiLSTMEncoder.v1", "width": 64, "depth": 1},
}
nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": tok2vec}})
doc = nlp.make_doc("so good")
nlp.initialize(lambda: [Example.from_dict(doc, {"tags": ["RB", "JJ"]})])
texts = ["so good " * 50] * 400
list(nlp.pipe(texts[:50]))
print(len(list(nlp.pipe(texts, n_process=2, batch_size=50))))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_two_processes_after_a_prediction_in_the_parent():
    """Without our `os.register_at_fork`, the children wait for their parent's OpenMP threads for ever."""
    command = [sys.executable, "-c", FORK]
    assert subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=120, check=True).stdout.strip() == "400"


def with_rule(nlp):
    nlp.tokenizer.infix_finditer = re.compile(r"\(\^o\^\)").finditer
    return [token.text for token in nlp("hi(^o^)")]


class TestRulesOfTheTokenizer:
    """spaCy's Tokenizer takes off prefixes and suffixes first, so a rule that is only an infix is cut up by them. It is
    fast because it reads each chunk once."""

    @THEIRS
    def test_theirs(self):
        assert with_rule(spacy.blank("en")) == ["hi", "(^o^)"]

    def test_ours(self, tweet_nlp):
        assert with_rule(tweet_nlp) == ["hi", "(^o^)"]

    def test_ours_reads_a_chunk_once(self, tweet_nlp):
        chunks, find = [], tweet_nlp.tokenizer.infix_finditer
        tweet_nlp.tokenizer.infix_finditer = lambda chunk: chunks.append(chunk) or find(chunk)
        for _ in range(3):
            assert len(tweet_nlp("so:) good:)")) == 4
        assert chunks == ["so:)", "good:)"]


class TestGoldTokens:
    """spaCy's Corpus tokenizes again where the spaces are known; gold tokens without raw text have to be kept."""

    def tokens(self, nlp, path, **kwargs):
        DocBin(docs=[Doc(nlp.vocab, words=["do", "n't", ":", ")"], **kwargs)]).to_disk(path)
        (example,) = Corpus(path)(nlp)
        return [token.text for token in example.predicted]

    def test_known_spaces(self, tweet_nlp, tmp_path):
        spaces = [False, True, False, False]
        assert self.tokens(tweet_nlp, tmp_path / "x.spacy", spaces=spaces) == ["do", "n't", ":)"]

    def test_unknown_spaces(self, tweet_nlp, tmp_path):
        assert self.tokens(tweet_nlp, tmp_path / "x.spacy") == ["do", "n't", ":", ")"]


class TestDrawings:
    """`--displacy-path` looks for factories of spaCy's names. For others it writes nothing, and a check mark."""

    @pytest.fixture
    def gold(self, tmp_path):
        doc = Doc(Vocab(), words=["Mara", "left"], spaces=[True, False])
        doc.set_ents([Span(doc, 0, 1, label="person")])
        DocBin(docs=[doc]).to_disk(tmp_path / "gold.spacy")
        return tmp_path / "gold.spacy"

    @THEIRS
    def test_theirs(self, gold, tmp_path):
        evaluate(str(GOLDEN / "pipeline"), gold, displacy_path=tmp_path, silent=True)
        assert list(tmp_path.glob("*.html"))

    def test_ours(self, gold, tmp_path, spacy_bilstm):
        code, _, error = spacy_bilstm("report", GOLDEN / "pipeline", gold, "-o", tmp_path / "report.html")
        assert (code, "person" in (tmp_path / "report.html").read_text("utf8")) == (0, True), error

    def test_the_page_about_tagging_says_so(self, project):
        assert "[`spacy-bilstm report`](reports.md) draws" in (project / "docs" / "tag.md").read_text("utf8")


def test_predictions_before_and_after_saving_are_equal():
    model = ours(depth=2)
    loaded = BiLSTMEncoder(width=8, depth=2).from_bytes(model.to_bytes())
    for Y, Z in zip(model.predict(texts([4, 9])), loaded.predict(texts([4, 9]))):
        assert_array_equal(Y, Z)
    assert_allclose(model.predict(texts([4]))[0], loaded.predict(texts([4, 2]))[0], atol=1e-5)
