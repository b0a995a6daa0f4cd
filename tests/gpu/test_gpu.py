import copy
import pickle

import numpy as np
import pytest
import spacy
import torch
from numpy.testing import assert_allclose
from spacy.training import Example
from thinc.api import Adam, CupyOps, use_ops

from spacy_bilstm_tagger.corpus import read_corpus, to_docbin
from spacy_bilstm_tagger.crf.inference import ChainScores, marginals, viterbi
from spacy_bilstm_tagger.crf.loss import negative_log_likelihood
from spacy_bilstm_tagger.layers.characters import CharCNN
from spacy_bilstm_tagger.lexicon.table import WordTypes
from spacy_bilstm_tagger.models import BiLSTMEncoder
from spacy_bilstm_tagger.pipeline import LINEAR_CHAIN_CRF, TOKEN_CLASSIFIER

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


@pytest.fixture
def _full_precision():
    """TF32 rounds the inputs of products to 10 bits; a comparison with the CPU has to do without."""
    settings = torch.backends.cudnn, torch.backends.cuda.matmul
    before = [each.allow_tf32 for each in settings]
    for each in settings:
        each.allow_tf32 = False
    yield
    for each, value in zip(settings, before):
        each.allow_tf32 = value


def texts(lengths, width=8):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, width)).astype("f") for n in lengths]


def encoder(ops, **settings):
    with use_ops(ops):
        model = BiLSTMEncoder(width=16, depth=2, **settings)
        return model.initialize(X=[model.ops.asarray2f(X) for X in texts([3])])


@pytest.mark.usefixtures("_full_precision")
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


@pytest.mark.usefixtures("_full_precision")
def test_character_cnn_is_that_of_the_cpu():
    nlp = spacy.blank("en", config=CONFIG)
    types = WordTypes.of([nlp.make_doc(text) for text in TEXTS[:4]])
    models = []
    for ops in ("numpy", "cupy"):
        with use_ops(ops):
            models.append(CharCNN(width=8, kernels=[2, 3], filters=6).initialize())
    models[1].shims[0].from_bytes(models[0].shims[0].to_bytes())
    dY = np.random.default_rng(0).normal(size=(len(types), 12)).astype("f")
    rows = []
    for model in models:
        Y, backprop = model.begin_update(types)
        rows.append(model.ops.to_numpy(Y))
        backprop(model.ops.asarray2f(dY))
        assert_allclose(model.ops.to_numpy(model.predict(types)), rows[-1], atol=1e-5)
    assert_allclose(rows[1], rows[0], atol=1e-4)
    for found, weight in zip(models[1].shims[0].module.parameters(), models[0].shims[0].module.parameters()):
        assert_allclose(found.grad.cpu(), weight.grad, atol=1e-4)


@pytest.mark.usefixtures("_full_precision")
def test_crf_is_that_of_the_cpu():
    torch.manual_seed(0)
    lengths, n_labels = [5, 0, 9, 1], 7
    emissions, gold = torch.randn(15, n_labels), torch.rand(15, n_labels) < 0.4
    gold[torch.arange(15), torch.randint(n_labels, (15,))] = True
    parts = torch.randn(n_labels, n_labels), torch.randn(n_labels), torch.randn(n_labels)
    results = []
    for device in ("cpu", "cuda"):
        scores = ChainScores(emissions.to(device), lengths, *(part.to(device) for part in parts))
        losses, gradient = negative_log_likelihood(scores, gold.to(device))
        found = [losses, gradient.emissions, gradient.transitions, gradient.start, gradient.end]
        found += [viterbi(scores), marginals(scores)]
        results.append([each.cpu().double() for each in found])
    for found, expected in zip(results[1], results[0]):
        assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn_tanh"])
@pytest.mark.parametrize(
    "duplicate",
    [
        lambda model: model,
        lambda model: model.copy(),
        copy.deepcopy,
        lambda model: pickle.loads(pickle.dumps(model)),
        lambda model: model.from_bytes(model.to_bytes()),
    ],
)
def test_weights_lie_in_one_piece_of_memory(cell, duplicate):
    """As cuDNN wants them; else it copies them at every call. An update leaves them there."""
    model = duplicate(encoder("cupy", cell=cell))
    Xs = [model.ops.asarray2f(X) for X in texts([5, 9])]
    Ys, backprop = model.begin_update(Xs)
    backprop(Ys)
    model.finish_update(Adam(0.01))
    for layer in model.shims[0].module.layers:
        assert len({weight.untyped_storage().data_ptr() for weight in layer._flat_weights}) == 1


def test_mixed_precision_moves_to_the_gpu():
    """Made and saved on the CPU, then loaded and trained on the GPU, with gradients added up over two batches."""
    on_cpu = encoder("numpy", mixed_precision=True)
    spacy.require_gpu()
    model = BiLSTMEncoder(width=16, depth=2, mixed_precision=True).from_bytes(on_cpu.to_bytes())
    exact = BiLSTMEncoder(width=16, depth=2).from_bytes(on_cpu.to_bytes())
    Xs = [model.ops.asarray2f(X) for X in texts([5, 9])]
    gradients = []
    for each in (model, exact):
        seen = {}

        def see(key, weight, gradient, seen=seen):
            seen[key[1]] = gradient.get()
            return weight, gradient

        for _ in range(2):
            Ys, backprop = each.begin_update(Xs)
            backprop(Ys)
        each.finish_update(see)
        gradients.append(seen)
    for name, gradient in gradients[1].items():
        assert_allclose(gradients[0][name], gradient, atol=0.05 * max(1.0, np.abs(gradient).max()), err_msg=name)


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


def memory_after(work):
    work()
    torch.cuda.synchronize()
    return torch.cuda.memory_allocated() + CupyOps.xp.get_default_memory_pool().used_bytes()


def test_memory_is_returned_between_batches(trained):
    before = memory_after(lambda: tags(trained))
    assert memory_after(lambda: [tags(trained) for _ in range(5)]) <= before + 2**20


def test_memory_is_returned_between_updates(trained):
    examples = [Example.from_dict(trained.make_doc("so good !!"), {"tags": ["RB", "JJ", "."]}) for _ in range(50)]
    optimizer = trained.create_optimizer()

    def work():
        for _ in range(5):
            trained.update(examples, sgd=optimizer, drop=0.1)

    before = memory_after(work)
    assert memory_after(lambda: [work() for _ in range(5)]) <= before + 2**20


@pytest.mark.parametrize("head", [TOKEN_CLASSIFIER, LINEAR_CHAIN_CRF], ids=["softmax", "crf"])
def test_tags_that_are_one_of_several_or_missing(head):
    nlp = spacy.blank("en", config=CONFIG)
    nlp.add_pipe("bilstm_tagger", config={"model": head})
    tweet = nlp.make_doc("so good !!")
    examples = [Example.from_dict(tweet, {"tags": tags}) for tags in (["RB|UH", "JJ", "-"], ["RB", "JJ", "."], ["UH"] * 3)]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    losses = [nlp.update(examples[:2], sgd=optimizer)["bilstm_tagger"] for _ in range(30)]
    assert losses[-1] < 0.2 * losses[0]
    assert [token.tag_ for token in nlp("so good !!")] == ["RB", "JJ", "."]


def test_entities_through_pipe():
    nlp = spacy.blank("en", config=CONFIG)
    nlp.add_pipe("bilstm_ner", config={"top_k": 1})
    example = Example.from_dict(nlp.make_doc("mara sings so good !!"), {"entities": [(0, 4, "PERSON")]})
    optimizer = nlp.initialize(lambda: [example])
    optimizer.learn_rate = 0.01
    for _ in range(40):
        nlp.update([example], sgd=optimizer)
    texts = ["mara sings so good !!", "", *TEXTS[:6]]
    together = list(nlp.pipe(texts, batch_size=3))
    assert [(ent.text, ent.label_) for ent in together[0].ents] == [("mara", "PERSON")]
    assert together[0].spans["ents"].attrs["scores"][0] > 0.5
    for text, doc in zip(texts, together):
        assert [ent.text for ent in nlp(text).ents] == [ent.text for ent in doc.ents]


def test_spacy_train_runs_the_sample_recipe(project, spacy_bilstm, run_spacy, tmp_path):
    for part in ("train", "dev"):
        path = project / "assets" / "sample" / f"{part}.conll"
        to_docbin(path, read_corpus(path)[1]).to_disk(tmp_path / f"{part}.spacy")
    corpus = project / "assets" / "sample" / "train.conll"
    assert spacy_bilstm("vectors", "train", corpus, tmp_path / "vectors", "--dim", "50")[0] == 0
    files = [f"--paths.{name.split('.')[0]}={tmp_path / name}" for name in ("train.spacy", "dev.spacy", "vectors")]
    run_spacy("train", "configs/sample.cfg", "--output", tmp_path, "--gpu-id", "0", *files)
    spacy.require_cpu()
    assert spacy.load(tmp_path / "model-best").meta["performance"]["tag_acc"] > 0.85
