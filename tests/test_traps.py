"""What spaCy 3.8.18's and thinc 8.3.14's own BiLSTM, shim and vectors do wrong, each beside ours, which does not."""

import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
import spacy
import torch
from numpy.testing import assert_allclose, assert_array_equal
from spacy.ml.models.tok2vec import BiLSTMEncoder as TorchBiLSTMEncoder
from spacy.tokens import Doc, DocBin
from spacy.training import Corpus
from thinc.api import Adam, PyTorchShim, PyTorchWrapper, set_dropout_rate
from thinc.types import ArgsKwargs

from spacy_bilstm_tagger.models import BiLSTMEncoder


def texts(lengths, width=8):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, width)).astype("f") for n in lengths]


def theirs(width=8, dropout=0.0, depth=1):
    return TorchBiLSTMEncoder(width=width, depth=depth, dropout=dropout).initialize(X=texts([3]))


def ours(**settings):
    return BiLSTMEncoder(**{"width": 8, "depth": 1, **settings}).initialize(X=texts([3]))


class TestBatchMates:
    Xs = texts([3, 12])

    def difference(self, model):
        return np.abs(model.predict([self.Xs[0]])[0] - model.predict(self.Xs)[0]).max()

    def test_theirs(self):
        assert self.difference(theirs()) > 1e-2

    def test_ours(self):
        assert self.difference(ours()) <= 1e-5


class TestBatchesWithoutTokens:
    def test_theirs(self):
        with pytest.raises(RuntimeError):
            theirs().predict(texts([0, 0]))

    def test_ours(self):
        assert [Y.shape for Y in ours().predict(texts([0, 0]))] == [(0, 8), (0, 8)]


class TestOddWidth:
    def test_theirs(self):
        model = TorchBiLSTMEncoder(width=7, depth=1, dropout=0.0).initialize(X=texts([3], width=7))
        assert model.predict(texts([3], width=7))[0].shape == (3, 6)

    def test_ours(self):
        with pytest.raises(ValueError, match="width = 7; expected an even number"):
            ours(width=7)


class TestDropoutOfTheUpdate:
    def differs(self, model):
        set_dropout_rate(model, 0.5)
        X = texts([30])
        return bool(np.abs(model.begin_update(X)[0][0] - model.predict(X)[0]).max() > 1e-3)

    def test_theirs(self):
        assert not self.differs(theirs(depth=2))

    def test_ours(self):
        assert self.differs(ours(depth=2))


class TestAverages:
    def difference(self, model, X):
        optimizer = Adam(0.1, use_averages=True)
        for _ in range(3):
            Y, backprop = model.begin_update(X)
            backprop(Y)
            model.finish_update(optimizer)
        before = model.predict(X)
        with model.use_params(optimizer.averages):
            after = model.predict(X)
        return np.abs(np.concatenate(list(after)) - np.concatenate(list(before))).max()

    def test_theirs(self):
        assert self.difference(theirs(), texts([5])) == 0

    def test_ours(self):
        assert self.difference(ours(), texts([5])) > 0


class TestModeAtPrediction:
    def flips(self, model, monkeypatch):
        (shim,) = [shim for node in model.walk() for shim in node.shims]
        calls = []
        monkeypatch.setattr(shim._model, "train", lambda mode=True: calls.append(mode))
        model.predict(texts([3]))
        return len(calls)

    def test_theirs(self, monkeypatch):
        assert self.flips(theirs(), monkeypatch) == 2

    def test_ours(self, monkeypatch):
        assert self.flips(ours(), monkeypatch) == 0


class TestReadingWeights:
    """With a bare torch.load, what is refused depends on the version of torch; safetensors cannot hold code."""

    @pytest.fixture
    def loads(self, monkeypatch):
        seen, load = [], torch.load

        def spy(*args, **kwargs):
            seen.append(kwargs)
            return load(*args, **kwargs)

        monkeypatch.setattr(torch, "load", spy)
        return seen

    def test_theirs(self, loads):
        shim = PyTorchShim(torch.nn.Linear(2, 2))
        shim.from_bytes(shim.to_bytes())
        assert ["weights_only" in kwargs for kwargs in loads] == [False]

    def test_ours(self, loads):
        shim = ours().shims[0]
        shim.from_bytes(shim.to_bytes())
        assert loads == []


class TestUpdateInPlace:
    """A weight that moves in memory unflattens cuDNN's buffer."""

    def test_theirs(self):
        shim = PyTorchShim(torch.nn.Linear(2, 2))
        before = shim._model.weight.data_ptr()
        Y, backprop = shim.begin_update(ArgsKwargs((torch.ones(1, 2),), {}))
        backprop(ArgsKwargs(args=((Y,),), kwargs={"grad_tensors": (torch.ones(1, 2),)}))
        rebound = []
        shim.finish_update(lambda key, weight, gradient: (rebound.append(key) or weight.copy(), gradient))
        assert len(rebound) == 2
        assert shim._model.weight.data_ptr() != before

    def test_ours(self):
        model = ours()
        weights = list(model.shims[0].module.parameters())
        before = [weight.data_ptr() for weight in weights]
        Y, backprop = model.begin_update(texts([3]))
        backprop(Y)
        model.shims[0].finish_update(lambda key, weight, gradient: (weight - gradient, gradient))
        assert [weight.data_ptr() for weight in weights] == before


class TestCopies:
    """Two layers with one id share the optimizer's moments and averages."""

    def test_theirs(self):
        model = PyTorchWrapper(torch.nn.Linear(2, 2))
        assert model.copy().shims[0].id == model.shims[0].id

    def test_ours(self):
        model = ours()
        assert model.copy().shims[0].id != model.shims[0].id


FORK = """
import os
import sys

if "Torch" in sys.argv[1]:
    # Any Language imports our factories, and with them the cure. Without them:
    register = os.register_at_fork

    def register_others(**calls):
        if not any("spacy_bilstm_tagger" in str(call.__module__) for call in calls.values()):
            register(**calls)

    os.register_at_fork = register_others

import spacy
import torch
from spacy.training import Example

torch.set_num_threads(2)  # with one thread there is no pool that a fork could lose
nlp = spacy.blank("en")
tok2vec = {
    "@architectures": "spacy.Tok2Vec.v2",
    "embed": {"@architectures": "spacy.MultiHashEmbed.v2", "width": 64, "attrs": ["NORM"], "rows": [100],
              "include_static_vectors": False},
    "encode": {"@architectures": sys.argv[1], "width": 64, "depth": 1},
}
if "Torch" in sys.argv[1]:
    tok2vec["encode"]["dropout"] = 0.0
nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": tok2vec}})
doc = nlp.make_doc("so good")
nlp.initialize(lambda: [Example.from_dict(doc, {"tags": ["RB", "JJ"]})])
texts = ["so good " * 50] * 400
list(nlp.pipe(texts[:50]))
print(len(list(nlp.pipe(texts, n_process=2, batch_size=50))))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
class TestTwoProcessesAfterAPredictionInTheParent:
    def run(self, encoder, timeout):
        command = [sys.executable, "-c", FORK, encoder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
            try:
                return process.communicate(timeout=timeout)[0].strip()
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # the parent and the children it waits for
                return "hangs"

    @pytest.mark.slow
    def test_theirs(self):
        assert self.run("spacy.TorchBiLSTMEncoder.v1", timeout=40) == "hangs"

    def test_ours(self):
        assert self.run("spacy-bilstm-tagger.BiLSTMEncoder.v1", timeout=120) == "400"


class TestRulesOfTheTokenizer:
    """spaCy's Tokenizer takes off prefixes and suffixes first, so a rule that is only an infix is cut up by them. It is
    fast because it reads each chunk once."""

    def with_rule(self, nlp):
        nlp.tokenizer.infix_finditer = re.compile(r"\(\^o\^\)").finditer
        return [token.text for token in nlp("hi(^o^)")]

    def test_theirs(self):
        assert self.with_rule(spacy.blank("en")) != ["hi", "(^o^)"]

    def test_ours(self, tweet_nlp):
        assert self.with_rule(tweet_nlp) == ["hi", "(^o^)"]

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


def test_predictions_before_and_after_saving_are_equal():
    model = ours(depth=2)
    loaded = BiLSTMEncoder(width=8, depth=2).from_bytes(model.to_bytes())
    for Y, Z in zip(model.predict(texts([4, 9])), loaded.predict(texts([4, 9]))):
        assert_array_equal(Y, Z)
    assert_allclose(model.predict(texts([4]))[0], loaded.predict(texts([4, 2]))[0], atol=1e-5)
