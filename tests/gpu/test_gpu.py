import subprocess
import sys

import numpy as np
import pytest
import spacy
import torch
from numpy.testing import assert_allclose
from spacy.training import Example
from thinc.api import Adam, CupyOps, use_ops

from spacy_bilstm_tagger.corpus import read_corpus, to_docbin
from spacy_bilstm_tagger.models import BiLSTMEncoder

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(900)]

CONFIG = {"nlp": {"tokenizer": {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1"}}}
TEXTS = ["RT @mara_lune: so good !!", "", "do n't go there", "the new record is out"] * 50


@pytest.fixture(autouse=True)
def _gpu():
    if not torch.cuda.is_available():
        pytest.skip("torch finds no CUDA device")
    if not CupyOps.xp:
        pytest.skip("cupy is not installed, or finds no CUDA device")
    spacy.require_gpu()
    yield
    spacy.require_cpu()


def texts(lengths, width=8):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, width)).astype("f") for n in lengths]


def encoder(ops, **settings):
    with use_ops(ops):
        model = BiLSTMEncoder(width=16, depth=2, **settings)
        return model.initialize(X=[model.ops.asarray2f(X) for X in texts([3])])


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn_tanh", "rnn_relu"])
def test_forward_and_backward_are_those_of_the_cpu(cell):
    on_cpu, on_gpu = encoder("numpy", cell=cell), encoder("cupy", cell=cell)
    on_gpu.shims[0].from_bytes(on_cpu.shims[0].to_bytes())
    Xs, dYs = texts([5, 0, 9]), texts([5, 0, 9], width=16)
    with use_ops("numpy"):
        Ys, backprop = on_cpu.begin_update(Xs)
        dXs = backprop(dYs)
    as_gpu = on_gpu.ops.asarray2f
    Ys_gpu, backprop = on_gpu.begin_update([as_gpu(X) for X in Xs])
    dXs_gpu = backprop([as_gpu(dY) for dY in dYs])
    for found, expected in [*zip(Ys_gpu, Ys), *zip(dXs_gpu, dXs)]:
        assert_allclose(found.get(), expected, atol=1e-4)
    gradients = [weight.grad for weight in on_gpu.shims[0].module.parameters()]
    for found, weight in zip(gradients, on_cpu.shims[0].module.parameters()):
        assert_allclose(found.cpu(), weight.grad, atol=1e-4)


def test_mixed_precision_is_close_and_learns():
    exact, mixed = encoder("cupy"), encoder("cupy", mixed_precision=True)
    mixed.shims[0].from_bytes(exact.shims[0].to_bytes())
    Xs = [exact.ops.asarray2f(X) for X in texts([5, 9])]
    for Y, Z in zip(exact.predict(Xs), mixed.predict(Xs)):
        assert_allclose(Y.get(), Z.get(), atol=0.05)
        assert Z.dtype == "float32"
    optimizer = Adam(0.01)
    losses = []
    for _ in range(30):
        Ys, backprop = mixed.begin_update(Xs)
        losses.append(sum(float((Y**2).sum()) for Y in Ys))
        backprop(Ys)
        mixed.finish_update(optimizer)
    assert losses[-1] < 0.5 * losses[0]


@pytest.fixture
def trained():
    nlp = spacy.blank("en", config=CONFIG)
    nlp.add_pipe("bilstm_tagger")
    doc = nlp.make_doc("so good !!")
    examples = [Example.from_dict(doc, {"tags": ["RB", "JJ", "."]})]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(30):
        nlp.update(examples, sgd=optimizer)
    return nlp


def tags(nlp):
    return [[token.tag_ for token in doc] for doc in nlp.pipe(TEXTS, batch_size=20)]


def test_pipe_tags(trained):
    assert tags(trained)[0] == [token.tag_ for token in trained(TEXTS[0])]
    assert [token.tag_ for token in trained("so good !!")] == ["RB", "JJ", "."]


def test_gpu_to_disk_to_cpu_and_back(trained, tmp_path):
    expected = tags(trained)
    trained.to_disk(tmp_path / "gpu")
    spacy.require_cpu()
    on_cpu = spacy.load(tmp_path / "gpu")
    assert tags(on_cpu) == expected
    on_cpu.to_disk(tmp_path / "cpu")
    spacy.require_gpu()
    assert tags(spacy.load(tmp_path / "cpu")) == expected


def test_memory_is_returned_between_batches(trained):
    tags(trained)
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    for _ in range(5):
        tags(trained)
    torch.cuda.synchronize()
    assert torch.cuda.memory_allocated() <= before + 2**20


def test_spacy_train_runs_the_sample_recipe(project, tmp_path):
    for part in ("train", "dev"):
        path = project / "assets" / "sample" / f"{part}.conll"
        to_docbin(path, read_corpus(path)[1]).to_disk(tmp_path / f"{part}.spacy")
    spacy_bilstm = [sys.executable, "-m", "spacy_bilstm_tagger", "vectors", "train"]
    corpus = str(project / "assets" / "sample" / "train.conll")
    subprocess.run([*spacy_bilstm, corpus, str(tmp_path / "vectors"), "--dim", "50"], check=True)
    command = [sys.executable, "-m", "spacy", "train", "configs/sample.cfg", "--output", str(tmp_path), "--gpu-id", "0"]
    for name in ("train.spacy", "dev.spacy", "vectors"):
        command += [f"--paths.{name.split('.')[0]}", str(tmp_path / name)]
    subprocess.run(command, cwd=project, check=True)
    spacy.require_cpu()
    assert spacy.load(tmp_path / "model-best").meta["performance"]["tag_acc"] > 0.85
