"""spaCy's contract for trainable components, on pipelines whose tok2vec is ours."""

import copy
import json
import multiprocessing
import subprocess
import sys
import threading

import numpy as np
import pytest
import spacy
import torch
from numpy.testing import assert_allclose, assert_array_equal
from small_pipelines import renew_checksums
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.training.pretrain import pretrain

from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.layers.shim import TorchShim

CONFIG = {"nlp": {"tokenizer": {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1"}}}
EMBED = {
    "@architectures": "spacy-bilstm-tagger.TweetEmbed.v1",
    "attrs": ["NORM", "SHAPE"],
    "rows": [200, 100],
    "char_kernels": [3],
    "include_static_vectors": False,
}
ENCODE = {"@architectures": "spacy-bilstm-tagger.BiLSTMEncoder.v1", "width": 32, "depth": 1}
TOK2VEC = {"@architectures": "spacy.Tok2Vec.v2", "embed": EMBED, "encode": ENCODE}
NER = {
    "@architectures": "spacy.TransitionBasedParser.v2",
    "state_type": "ner",
    "extra_state_tokens": False,
    "hidden_width": 16,
    "maxout_pieces": 2,
    "use_upper": True,
}
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 32}
HEAD = {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1"}
WORDS = ["so", "good", "@mara", "do", "n't", "GO", "there", "!!", "😂", "#now", "http://x.org", "soooo"]


def tweets(n, seed=0):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, size=rng.integers(0, 25))) for _ in range(n)]


def in_threads(work):
    """Call it with the numbers 0 to 7, each in a thread, while threads change as often as they can."""
    switch = sys.getswitchinterval()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switch)


def update(nlp, examples, steps=20, **kwargs):
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(steps):
        nlp.update(examples, sgd=optimizer, **kwargs)
    return optimizer


@pytest.fixture
def trained(tweet_nlp, make_examples):
    tweet_nlp.add_pipe("bilstm_tagger", config={"model": {**HEAD, "tok2vec": TOK2VEC}})
    update(tweet_nlp, make_examples(tweet_nlp))
    return tweet_nlp


@pytest.fixture
def shared(tweet_nlp, make_examples):
    """Our tok2vec below our tagger and spaCy's ner."""
    tweet_nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
    tweet_nlp.add_pipe("bilstm_tagger", config={"model": {**HEAD, "tok2vec": LISTENER}})
    tweet_nlp.add_pipe("ner", config={"model": {**NER, "tok2vec": LISTENER}})
    examples = make_examples(tweet_nlp)
    for eg in examples:
        first = [Span(eg.reference, 0, 1, label="FIRST")] if len(eg.reference) > 4 else []
        eg.reference.set_ents(first, default="outside")
    update(tweet_nlp, examples)
    return tweet_nlp


def annotations(docs):
    return [[(token.tag_, token.ent_iob_, token.ent_type_) for token in doc] for doc in docs]


def tags(docs):
    return [[token.tag_ for token in doc] for doc in docs]


class TestSharing:
    def test_eight_threads_one_pipeline(self, trained):
        texts = tweets(2000)
        expected = tags(trained.pipe(texts))
        found = {}

        def work(number):
            found[number] = tags(trained.get_pipe("bilstm_tagger").pipe(docs[number], batch_size=40))

        # Making Docs is spaCy's part, and its vocabulary is not made for several threads.
        docs = {number: [trained.make_doc(text) for text in texts] for number in range(8)}
        in_threads(work)
        assert sum(result != expected for result in found.values()) == 0
        assert len(found) == 8

    @pytest.mark.slow
    def test_eight_threads_one_pipeline_from_texts(self, shared):
        texts = tweets(500)
        expected = annotations(shared.pipe(texts))
        assert len({each for doc in expected for each in doc}) > 4
        found = {}

        def work(number):
            found[number] = annotations(shared.pipe(texts, batch_size=20 + number))

        in_threads(work)
        assert [found[number] == expected for number in range(8)] == [True] * 8

    @pytest.mark.timeout(180)
    @pytest.mark.parametrize(
        "method",
        [pytest.param(each, marks=[pytest.mark.slow] * (i > 0)) for i, each in enumerate(multiprocessing.get_all_start_methods())],
    )
    def test_two_processes_after_predictions_in_the_parent(self, trained, method, monkeypatch):
        texts = tweets(4000)
        expected = tags(trained.pipe(texts))
        monkeypatch.setattr("spacy.language.mp", multiprocessing.get_context(method))
        threads = torch.get_num_threads()
        torch.set_num_threads(2)  # with one thread there is no pool that a fork could lose
        try:
            assert tags(trained.pipe(texts)) == expected
            assert tags(trained.pipe(texts, n_process=2, batch_size=500)) == expected
        finally:
            torch.set_num_threads(threads)

    def test_a_memory_zone_gives_its_strings_back(self, trained):
        list(trained.pipe(tweets(20)))
        before = len(trained.vocab.strings)
        with trained.memory_zone():
            docs = trained.pipe(f"new{i} word{i} #tag{i} @user{i}" for i in range(200))
            assert all(token.tag_ for doc in docs for token in doc)
            assert len(trained.vocab.strings) > before
        assert len(trained.vocab.strings) == before


class TestDamage:
    def test_truncated_model_file_is_a_clear_error(self, trained, tmp_path):
        trained.to_disk(tmp_path)
        path = tmp_path / "bilstm_tagger" / "model"
        data = path.read_bytes()
        start = data.index(b'{"__metadata__"') if b'{"__metadata__"' in data else data.index(b'"spacy_bilstm_tagger"')
        path.write_bytes(data[: start + 10] + b"\xff" * 20 + data[start + 30 :])
        with pytest.raises(DataError, match=r"bilstm_tagger: cannot load .*model. It does not agree with the checksum"):
            spacy.load(tmp_path)
        renew_checksums(tmp_path)
        with pytest.raises(ValueError, match="torch weights cannot be read"):
            spacy.load(tmp_path)


class TestTraining:
    def test_more_labels_after_training_are_refused_as_by_spacy_s_tagger(self, trained):
        with pytest.raises(ValueError, match="E922"):
            trained.get_pipe("bilstm_tagger").add_label("NEW")

    def test_resumed_training_goes_on_from_the_weights(self, trained, make_examples):
        before = trained.get_pipe("bilstm_tagger").model.to_bytes()
        optimizer = trained.resume_training()
        assert trained.get_pipe("bilstm_tagger").model.to_bytes() == before
        trained.update(make_examples(trained), sgd=optimizer)
        assert trained.get_pipe("bilstm_tagger").model.to_bytes() != before


class TestSharedTok2Vec:
    def test_replaced_listeners_have_weights_of_their_own(self, shared, make_examples):
        texts = tweets(20)
        before = annotations(shared.pipe(texts))
        shared.replace_listeners("tok2vec", "bilstm_tagger", ["model.tok2vec"])
        assert annotations(shared.pipe(texts)) == before
        models = [shared.get_pipe(name).model for name in ("tok2vec", "bilstm_tagger")]
        shims = [torch_shims(model) for model in models]
        assert len(shims[0]) == len(shims[1]) == 2
        assert not {shim.id for shim in shims[0]} & {shim.id for shim in shims[1]}
        kept = models[0].to_bytes(), shared.get_pipe("ner").model.to_bytes()
        optimizer = shared.create_optimizer()
        for _ in range(3):
            shared.get_pipe("bilstm_tagger").update(make_examples(shared), sgd=optimizer)
        assert (models[0].to_bytes(), shared.get_pipe("ner").model.to_bytes()) == kept
        for one, other in zip(shims[0], shims[1]):
            assert one.to_bytes() != other.to_bytes()

    def test_spacy_s_ner_takes_more_labels(self, tweet_nlp):
        tweet_nlp.add_pipe("ner", config={"model": {**NER, "tok2vec": TOK2VEC}})

        def example(text, label):
            return Example.from_dict(tweet_nlp.make_doc(text), {"entities": [(0, text.index(" "), label)]})

        optimizer = update(tweet_nlp, [example("mara sings so good", "PERSON")])
        tweet_nlp.get_pipe("ner").add_label("PLACE")
        both = [example("mara sings so good", "PERSON"), example("berlin there !!", "PLACE")]
        for _ in range(40):
            tweet_nlp.update(both, sgd=optimizer)
        found = [[(ent.text, ent.label_) for ent in tweet_nlp(eg.text).ents] for eg in both]
        assert found == [[("mara", "PERSON")], [("berlin", "PLACE")]]


class TestAverages:
    """What `spacy train` writes, with and without averages; the training itself is the same."""

    @pytest.fixture
    def corpus(self, tweet_nlp, make_examples, tmp_path):
        path = tmp_path / "tweets.spacy"
        DocBin(docs=[eg.reference for eg in make_examples(tweet_nlp)]).to_disk(path)
        return path

    def run(self, project, corpus, output, monkeypatch, **training):
        """The weights on disk, those in memory after training, and the averages, by layer and name."""
        config = spacy.util.load_config(project / "configs" / "sample.cfg")
        config["nlp"]["pipeline"] = ["first", "second"]
        parts = {"factory": "bilstm_tagger", "model": {**HEAD, "tok2vec": TOK2VEC}}
        first = training.pop("first", parts)
        config["components"] = {"first": first, "second": copy.deepcopy(parts)}
        config["initialize"]["before_init"] = None
        config["paths"].update(train=str(corpus), dev=str(corpus))
        for part in ("train", "dev"):
            config["corpora"][part] = {"@readers": "spacy.Corpus.v1", "path": str(corpus)}
        averages = training.pop("use_averages")
        config["training"].update(max_steps=6, eval_frequency=1, patience=0, **training)
        config["training"]["score_weights"] = {"tag_acc": 0.0}  # so that the last is the best
        config["training"]["optimizer"]["use_averages"] = averages
        optimizers = []
        finish_update = TorchShim.finish_update

        def see(shim, optimizer):
            optimizers.append(optimizer)
            finish_update(shim, optimizer)

        monkeypatch.setattr(TorchShim, "finish_update", see)
        nlp = init_nlp(config, use_gpu=-1)
        initial = torch_weights(nlp)
        output.mkdir(exist_ok=True)
        train(nlp, output)
        return initial, torch_weights(spacy.load(output / "model-best")), torch_weights(nlp), nlp, optimizers[-1]

    def test_are_what_spacy_train_saves_as_best(self, project, corpus, tmp_path, monkeypatch):
        _, plain, own, *_ = self.run(project, corpus, tmp_path / "plain", monkeypatch, use_averages=False)
        for key, weight in plain.items():
            assert_array_equal(weight, own[key], err_msg=str(key))
        _, saved, after, nlp, optimizer = self.run(project, corpus, tmp_path / "averaged", monkeypatch, use_averages=True)
        ids = {(name, i): shim.id for name, pipe in nlp.pipeline for i, shim in enumerate(torch_shims(pipe.model))}
        for key, weight in saved.items():
            assert_array_equal(after[key], own[key], err_msg=str(key))
            assert_array_equal(weight, optimizer.averages[ids[key[:2]], key[2]], err_msg=str(key))
            assert np.abs(weight - plain[key]).max() > 0, key

    def test_leave_a_frozen_component_alone(self, trained, project, corpus, tmp_path, monkeypatch):
        trained.to_disk(tmp_path / "trained")
        first = {"source": str(tmp_path / "trained"), "component": "bilstm_tagger"}
        settings = {"use_averages": True, "frozen_components": ["first"], "first": first}
        initial, saved, after, *_ = self.run(project, corpus, tmp_path, monkeypatch, **settings)
        for key, weight in saved.items():
            if key[0] == "first":
                assert_array_equal(weight, initial[key], err_msg=str(key))
            else:
                assert np.abs(weight - after[key]).max() > 0, key


def torch_shims(model):
    return [shim for node in model.walk() for shim in node.shims if isinstance(shim, TorchShim)]


def torch_weights(nlp):
    return {
        (name, i, key): weight.detach().numpy().copy()
        for name, pipe in nlp.pipeline
        for i, shim in enumerate(torch_shims(pipe.model))
        for key, weight in shim.module.named_parameters()
    }


class TestOtherComponents:
    @pytest.mark.parametrize("factory", ["ner", "tok2vec", "bilstm_tok2vec"])
    def test_the_texts_that_weights_are_made_on_may_be_empty(self, tweet_nlp, factory):
        tok2vec = {**TOK2VEC, "embed": EMBED}
        tweet_nlp.add_pipe(factory, config={"model": {**NER, "tok2vec": tok2vec} if factory == "ner" else tok2vec})
        empty = [Example.from_dict(tweet_nlp.make_doc(""), {}) for _ in range(200)]
        gold = Example.from_dict(tweet_nlp.make_doc("mara sings"), {"entities": [(0, 4, "PERSON")]})
        optimizer = tweet_nlp.initialize(lambda: [*empty, gold])
        tweet_nlp.update([*empty[:2], gold], sgd=optimizer)
        assert len(tweet_nlp("so good !!")) == 3

    def test_textcat(self, tweet_nlp):
        model = {
            "@architectures": "spacy.TextCatReduce.v1",
            "exclusive_classes": True,
            "use_reduce_first": False,
            "use_reduce_last": False,
            "use_reduce_max": True,
            "use_reduce_mean": True,
            "tok2vec": TOK2VEC,
        }
        tweet_nlp.add_pipe("textcat", config={"model": model})
        cats = [("so good !!", {"GOOD": 1.0, "BAD": 0.0}), ("do n't GO", {"GOOD": 0.0, "BAD": 1.0})]
        examples = [Example.from_dict(tweet_nlp.make_doc(text), {"cats": gold}) for text, gold in cats]
        update(tweet_nlp, examples, steps=30)
        assert tweet_nlp("so good !!").cats["GOOD"] > 0.5 > tweet_nlp("do n't GO").cats["GOOD"]

    def test_spancat(self, tweet_nlp):
        model = {
            "@architectures": "spacy.SpanCategorizer.v1",
            "scorer": {"@layers": "spacy.LinearLogistic.v1"},
            "reducer": {"@layers": "spacy.mean_max_reducer.v1", "hidden_size": 16},
            "tok2vec": TOK2VEC,
        }
        tweet_nlp.add_pipe("spancat", config={"model": model})
        example = Example.from_dict(tweet_nlp.make_doc("so good there !!"), {})
        example.reference.spans["sc"] = [Span(example.reference, 0, 2, label="PRAISE")]
        update(tweet_nlp, [example], steps=60)
        doc = tweet_nlp("so good there !!")
        assert [span.text for span in doc.spans["sc"]] == ["so good"]


class TestPretraining:
    def test_pretrained_weights_are_taken_over(self, project, tmp_path, make_examples):
        raw = tmp_path / "raw.jsonl"
        raw.write_text("".join(f'{{"text": "{text}"}}\n' for text in tweets(60) if text), encoding="utf8")
        config = spacy.util.load_config(project / "configs" / "sample.cfg")
        config["nlp"]["pipeline"] = ["tok2vec", "tagger"]
        del config["components"]["ner"]
        embed = config["components"]["tok2vec"]["model"]["embed"]
        embed["include_static_vectors"] = False
        config["initialize"]["before_init"] = None
        for part in ("train", "dev"):
            config["paths"][part] = str(tmp_path / "train.spacy")
        config["paths"]["raw_text"] = str(raw)
        filled = spacy.util.load_model_from_config(config, auto_fill=True).config
        defaults = spacy.util.load_config(spacy.language.DEFAULT_CONFIG_PRETRAIN_PATH)
        filled = defaults.merge(filled)
        filled["pretraining"].update(max_epochs=2, component="tok2vec", layer="")
        filled["pretraining"]["objective"]["n_characters"] = 2
        (tmp_path / "weights").mkdir()
        pretrain(filled.interpolate(), tmp_path / "weights", silent=True)

        weights = tmp_path / "weights" / "model-last.bin"
        filled["initialize"]["init_tok2vec"] = str(weights)
        nlp = spacy.util.load_model_from_config(filled, auto_fill=True)
        nlp.initialize(lambda: make_examples(nlp))
        docs = [nlp.make_doc(text) for text in tweets(3)]
        found = nlp.get_pipe("tok2vec").model.predict(docs)
        expected = nlp.get_pipe("tok2vec").model.from_bytes(weights.read_bytes()).predict(docs)
        for rows, others in zip(found, expected):
            assert_array_equal(rows, others)


class TestLongTexts:
    def test_slices_windows_and_blocks_change_nothing(self, trained, monkeypatch):
        model = trained.get_pipe("bilstm_tagger").model
        docs = [trained.make_doc(text) for text in [*tweets(30), ""]]
        expected = model.predict(docs)
        for module, name in (
            ("layers.tweet_embed", "TYPES_AT_ONCE"),
            ("layers.bilstm", "BLOCK_ROWS"),
            ("layers.characters", "WORDS_AT_ONCE"),
        ):
            monkeypatch.setattr(f"spacy_bilstm_tagger.{module}.{name}", 7)
        assert_allclose(model.predict(docs).emissions, expected.emissions, atol=1e-5)

    def test_of_few_words(self, trained):
        n_tokens = 200_000
        doc = Doc(trained.vocab, words=(WORDS * (n_tokens // len(WORDS) + 1))[:n_tokens])
        before = torch.get_num_threads()
        assert len(tags([trained.get_pipe("bilstm_tagger")(doc)])[0]) == n_tokens
        assert torch.get_num_threads() == before

    @pytest.mark.slow
    def test_take_bounded_memory(self, project):
        """Of 200,000 distinct words, with the character CNN; in a process of its own, whose largest memory counts."""
        command = [
            sys.executable,
            str(project / "benchmarks" / "long_text.py"),
            "--case",
            "all words distinct, characters",
        ]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        grown, _ = json.loads(done.stdout)
        assert grown < 1.2e9
