import pickle
import shutil

import numpy as np
import pytest
import spacy
import srsly
import torch
from numpy.testing import assert_allclose, assert_array_equal
from spacy.training import Example
from thinc.api import Adam, set_dropout_rate

from spacy_bilstm_tagger.errors import ConfigError, DataError
from spacy_bilstm_tagger.models import TransformerEmbed

PIPE = """
[components]

[nlp]
lang = "en"
pipeline = ["ner"]

[nlp.tokenizer]
@tokenizers = "spacy-bilstm-tagger.TweetTokenizer.v1"

[components.ner]
factory = "bilstm_ner"

[components.ner.model]
@architectures = "spacy-bilstm-tagger.LinearChainCRF.v1"

[components.ner.model.tok2vec]
@architectures = "spacy.Tok2Vec.v2"

[components.ner.model.tok2vec.embed]
@layers = "concatenate.v1"

[components.ner.model.tok2vec.embed.*.transformer]
@architectures = "spacy-bilstm-tagger.TransformerEmbed.v1"
name = ""
learn_rate_factor = 0.5

[components.ner.model.tok2vec.embed.*.tweet]
@architectures = "spacy-bilstm-tagger.TweetEmbed.v1"
attrs = ["SHAPE"]
rows = [20]
feature_width = 3
include_static_vectors = false

[components.ner.model.tok2vec.encode]
@architectures = "spacy-bilstm-tagger.BiLSTMEncoder.v1"
width = 6
depth = 1
"""


@pytest.fixture
def docs(tweet_nlp):
    return [tweet_nlp(text) for text in ("so good @x", "", "it is 😭 good !!", "so")]


@pytest.fixture
def make_model(transformer_folder, docs):
    def make(**settings):
        return TransformerEmbed(name=str(transformer_folder), **settings).initialize(X=docs)

    return make


@pytest.fixture
def make_nlp(transformer_folder):
    def make(name=transformer_folder, **settings):
        overrides = {"name": str(name), **settings}
        config = spacy.util.load_config_from_str(PIPE)
        config["components"]["ner"]["model"]["tok2vec"]["embed"]["*"]["transformer"].update(overrides)
        return spacy.util.load_model_from_config(config, auto_fill=True)

    return make


def ner_examples(nlp):
    texts = [("so good @x", [(8, 10, "person")]), ("it is good", []), ("", []), ("x is so good !", [(0, 1, "person")])]
    return [Example.from_dict(nlp.make_doc(text), {"entities": ents}) for text, ents in texts]


def weights(model) -> dict[str, np.ndarray]:
    return {name: weight.detach().numpy().copy() for name, weight in model.shims[0].module.named_parameters()}


def update(model, docs, optimizer, drop=0.1):
    set_dropout_rate(model, drop)
    Ys, backprop = model.begin_update(docs)
    backprop([np.ones_like(Y) for Y in Ys])
    model.finish_update(optimizer)
    return Ys


@pytest.mark.parametrize(("layer", "read"), [(None, 1), (1, 1), (2, 2)])
def test_a_row_is_the_mean_of_the_word_pieces(transformer_folder, make_model, tweet_nlp, layer, read):
    from transformers import AutoModel, AutoTokenizer

    doc = tweet_nlp("so goodo @x")
    transformer = AutoModel.from_pretrained(transformer_folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(transformer_folder)
    inputs = tokenizer("so goodo @x", return_tensors="pt")
    assert inputs.tokens() == ["[CLS]", "so", "good", "##o", "@", "x", "[SEP]"]
    with torch.no_grad():
        rows = transformer(**inputs, output_hidden_states=True).hidden_states[read][0].numpy()
    expected = [rows[1], rows[2:4].mean(axis=0), rows[4:6].mean(axis=0)]
    model = make_model(layer=layer)
    assert_allclose(model.predict([doc])[0], expected, atol=1e-6)
    assert f"encoder.layer.{read}.output.dense.bias" not in weights(model)  # nothing above is kept


@pytest.mark.parametrize("factor", [0.0, 0.1])
def test_rows_are_the_same_alone_in_a_batch_and_in_training_without_dropout(make_model, docs, factor):
    model = make_model(learn_rate_factor=factor)
    together = model.predict([*docs, docs[0]])
    assert [Y.shape for Y in together] == [(3, 8), (0, 8), (5, 8), (1, 8), (3, 8)]
    for doc, Y in zip([*docs, docs[0]], together):
        assert_allclose(Y, model.predict([doc])[0], atol=1e-6)
    set_dropout_rate(model, 0.0)
    for Y, same in zip(model.begin_update(docs)[0], together):
        assert_allclose(Y, same, atol=1e-6)
    assert [Y.shape for Y in model.predict([docs[1]])] == [(0, 8)]
    assert [Y.shape for Y in model.begin_update([docs[1]])[0]] == [(0, 8)]


def test_long_texts_are_read_in_windows(make_model, tweet_nlp):
    doc = tweet_nlp("so good " * 50)
    Y = make_model(window=20, stride=10).predict([doc])[0]
    assert Y.shape == (100, 8)
    assert np.abs(Y).sum(axis=1).min() > 0
    # The transformer takes 30 word pieces at once, two of which are its own marks.
    cut = make_model().predict([doc])[0]
    assert np.abs(cut[:28]).sum(axis=1).min() > 0


class TestFrozen:
    def test_nothing_learns(self, make_model, docs):
        model = make_model()
        before = weights(model)
        update(model, docs, Adam(0.1))
        for name, after in weights(model).items():
            assert_array_equal(after, before[name])

    @pytest.mark.parametrize(("kept_tokens", "computed"), [(200_000, 0), (4, 1), (0, 3)])
    def test_texts_of_training_are_computed_once(self, make_model, docs, monkeypatch, kept_tokens, computed):
        model = make_model(kept_tokens=kept_tokens)
        first = update(model, docs, Adam(0.1))
        calls = []
        predict = type(model.shims[0]).predict

        def count(shim, inputs):
            calls.append(len(inputs.args[0]))
            return predict(shim, inputs)

        monkeypatch.setattr(type(model.shims[0]), "predict", count)
        for Y, again in zip(first, update(model, docs, Adam(0.1))):
            assert_array_equal(Y, again)
        assert sum(calls) == computed

    def test_prediction_keeps_nothing(self, make_model, docs):
        model = make_model()
        model.predict(docs)
        assert not model.shims[0].kept_rows

    def test_other_weights_are_not_taken_for_the_kept_ones(self, make_model, docs):
        model, other = make_model(), make_model()
        with torch.no_grad():
            for weight in other.shims[0]._hfmodel.transformer.parameters():
                weight.mul_(0.9)
        first = update(model, docs, Adam(0.1))[0]
        model.from_bytes(other.to_bytes())
        again = update(model, docs, Adam(0.1))[0]
        assert_array_equal(again, other.predict(docs)[0])
        assert np.abs(again - first).max() > 0


class TestFineTuned:
    def test_learns_at_its_share_of_the_rate(self, make_model, docs):
        model = make_model(learn_rate_factor=0.1)
        before = weights(model)
        update(model, docs, Adam(0.01))
        steps = {name: np.abs(after - before[name]).max() for name, after in weights(model).items()}
        assert steps.pop("embeddings.word_embeddings.weight") == 0
        # The first step of Adam is as long as the rate in every weight.
        assert max(steps.values()) == pytest.approx(0.001, rel=0.01)

    def test_gradient_is_that_of_autograd(self, make_model, docs):
        model = make_model(learn_rate_factor=1.0)
        set_dropout_rate(model, 0.0)
        Ys, backprop = model.begin_update(docs)
        rng = np.random.default_rng(0)
        dYs = [rng.normal(size=Y.shape).astype("f") for Y in Ys]
        backprop(dYs)
        weight = dict(model.shims[0].module.named_parameters())["encoder.layer.0.output.dense.bias"]
        gradient = weight.grad.numpy().copy()
        step = 1e-2

        def loss(sign):
            with torch.no_grad():
                weight[0] += sign * step
            value = sum(float((Y * dY).sum()) for Y, dY in zip(model.predict(docs), dYs))
            with torch.no_grad():
                weight[0] -= sign * step
            return value

        assert gradient[0] == pytest.approx((loss(1) - loss(-1)) / (2 * step), rel=0.01, abs=1e-3)

    def test_dropout_acts_in_training_only(self, make_model, docs):
        model = make_model(learn_rate_factor=0.1)
        set_dropout_rate(model, 0.5)
        plain, dropped = model.predict(docs), model.begin_update(docs)[0]
        assert np.abs(plain[0] - dropped[0]).max() > 0.01
        assert not any(module.training for module in model.shims[0].module.modules())
        assert_array_equal(plain[0], model.predict(docs)[0])

    def test_averages_are_lent(self, make_model, docs):
        model = make_model(learn_rate_factor=0.1)
        optimizer = Adam(0.1, use_averages=True)
        for _ in range(3):
            update(model, docs, optimizer)
        own = model.predict(docs)[0]
        with model.use_params(optimizer.averages):
            assert np.abs(model.predict(docs)[0] - own).max() > 0
        assert_array_equal(model.predict(docs)[0], own)


class TestInAPipeline:
    def test_learns_and_is_saved_whole(self, make_nlp, transformer_folder, tmp_path):
        folder = shutil.copytree(transformer_folder, tmp_path / "transformer")
        nlp = make_nlp(folder)
        examples = ner_examples(nlp)
        optimizer = nlp.initialize(lambda: examples)
        losses = []
        for _ in range(30):
            losses.append(nlp.update(examples, sgd=optimizer, drop=0.1)["ner"])
        assert losses[-1] < 0.7 * losses[0]
        shutil.rmtree(folder)
        nlp.to_disk(tmp_path / "saved")
        loaded = spacy.load(tmp_path / "saved")
        text = "so good @x is it x"
        assert_allclose(scores(loaded, text), scores(nlp, text), atol=1e-6)
        assert_allclose(scores(make_nlp("").from_bytes(nlp.to_bytes()), text), scores(nlp, text), atol=1e-6)

    def test_a_loaded_pipeline_goes_on_learning_and_rehearses(self, make_nlp):
        nlp = make_nlp()
        examples = ner_examples(nlp)
        nlp.initialize(lambda: examples)
        loaded = make_nlp().from_bytes(nlp.to_bytes())
        optimizer = loaded.resume_training()
        assert loaded.update(examples, sgd=optimizer)["ner"] > 0
        assert loaded.rehearse(examples, sgd=optimizer)["ner"] > 0


def scores(nlp, text):
    return nlp.get_pipe("ner").model.predict([nlp.make_doc(text)]).emissions


class TestDamagedBytes:
    @pytest.fixture
    def shim(self, make_model):
        return next(node.shims[0] for node in make_model().walk() if node.shims)

    def changed(self, shim, **parts):
        message = srsly.msgpack_loads(shim.to_bytes())
        message.update(parts)
        return srsly.msgpack_dumps(message)

    def test_weights_are_read_without_pickle(self, shim, monkeypatch):
        assert b"PK" not in srsly.msgpack_loads(shim.to_bytes())["state"][:100]  # torch.save makes a zip file
        for state in (b"", pickle.dumps([1]), srsly.msgpack_loads(shim.to_bytes())["state"][:-10]):
            with pytest.raises(DataError, match="torch weights"):
                shim.from_bytes(self.changed(shim, state=state))

    def test_a_file_of_the_tokenizer_stays_in_its_folder(self, shim, tmp_path):
        outside = tmp_path / "outside"
        files = srsly.msgpack_loads(shim.to_bytes())["tokenizer"]
        with pytest.raises(DataError, match=f"a file '{outside}'; expected names without a folder"):
            shim.from_bytes(self.changed(shim, tokenizer={**files, str(outside): b"x"}))
        assert not outside.exists()


class TestErrors:
    @pytest.fixture(autouse=True)
    def _needs_the_extra(self, transformer_folder):
        pass

    def check(self, name, match):
        with pytest.raises(ConfigError, match=match) as raised:
            TransformerEmbed(name=str(name)).initialize(X=[])
        assert "\n" not in str(raised.value)

    def test_no_name(self):
        self.check("", "name is empty")

    @pytest.mark.parametrize("name", ["../missing", "/no/such/folder", "~/models/bert"])
    def test_no_folder(self, name):
        self.check(name, f"{name}: no such folder")

    @pytest.mark.parametrize(
        ("left_out", "what"),
        [
            (["tokenizer.json", "vocab.txt"], r"found no tokenizer \(tokenizer.json, vocab.txt"),
            (["model.safetensors"], "found no weights"),
            (["config.json"], "found no configuration"),
        ],
    )
    def test_folder_lacks_a_part(self, transformer_folder, tmp_path, left_out, what):
        folder = shutil.copytree(transformer_folder, tmp_path / "transformer")
        for name in left_out:
            (folder / name).unlink()
        self.check(folder, what)

    def test_empty_vocabulary(self, transformer_folder, tmp_path):
        folder = shutil.copytree(transformer_folder, tmp_path / "transformer")
        (folder / "tokenizer.json").unlink()
        (folder / "vocab.txt").write_text("", encoding="utf8")
        self.check(folder, "cannot be read as a pretrained transformer")

    @pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
    def test_damaged_file(self, transformer_folder, tmp_path, name):
        folder = shutil.copytree(transformer_folder, tmp_path / "transformer")
        (folder / name).write_bytes(b"\x00damaged")
        self.check(folder, "cannot be read as a pretrained transformer")

    def test_a_name_that_is_neither_here_nor_on_the_hub(self, tmp_path, monkeypatch):
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        monkeypatch.chdir(tmp_path)
        found = r"^some/model: no folder of this name is here, and as a name on the hub it cannot be read"
        with pytest.raises(ConfigError, match=found):
            TransformerEmbed(name="some/model").initialize(X=[])

    def test_no_such_layer(self, transformer_folder):
        with pytest.raises(ConfigError, match=r"layer = 3, but .* has 2 layers"):
            TransformerEmbed(name=str(transformer_folder), layer=3).initialize(X=[])

    @pytest.mark.parametrize(
        "settings", [{"learn_rate_factor": -1}, {"layer": 0}, {"stride": 0}, {"window": 5}, {"kept_tokens": -1}]
    )
    def test_setting_out_of_range(self, settings):
        with pytest.raises(ConfigError, match=next(iter(settings))):
            TransformerEmbed(name="", **settings)


def test_without_spacy_transformers(monkeypatch):
    monkeypatch.setattr("spacy_bilstm_tagger.models.transformer_embed.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"spacy-bilstm-tagger\[transformers\]"):
        TransformerEmbed(name="")
