"""spaCy's contract for trainable components, on pipelines whose tok2vec is ours."""

import copy
import multiprocessing
import pickle
import threading

import numpy as np
import pytest
import spacy
import torch
from numpy.testing import assert_array_equal
from spacy.tokens import Span
from spacy.training import Example
from spacy.training.pretrain import pretrain

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
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 32}
HEAD = {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1"}
WORDS = ["so", "good", "@mara", "do", "n't", "GO", "there", "!!", "😂", "#now", "http://x.org", "soooo"]


def tweets(n, seed=0):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, size=rng.integers(0, 25))) for _ in range(n)]


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
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(result != expected for result in found.values()) == 0
        assert len(found) == 8

    @pytest.mark.timeout(180)
    @pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
    def test_two_processes_after_predictions_in_the_parent(self, trained, method, monkeypatch):
        texts = tweets(4000)
        expected = tags(trained.pipe(texts))
        monkeypatch.setattr("spacy.language.mp", multiprocessing.get_context(method))
        assert tags(trained.pipe(texts, n_process=2, batch_size=500)) == expected


class TestCopies:
    @pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda nlp: pickle.loads(pickle.dumps(nlp))])
    def test_are_independent(self, trained, make_examples, duplicate):
        texts = tweets(20)
        before = tags(trained.pipe(texts))
        twin = duplicate(trained)
        assert tags(twin.pipe(texts)) == before
        swapped = [Example.from_dict(eg.x, {"tags": ["NN"] * len(eg.x)}) for eg in make_examples(twin)]
        optimizer = twin.resume_training()
        for _ in range(10):
            twin.update(swapped, sgd=optimizer)
        assert tags(trained.pipe(texts)) == before

    def test_excluded_component_is_not_saved(self, trained, tmp_path):
        trained.to_disk(tmp_path, exclude=["bilstm_tagger"])
        assert not (tmp_path / "bilstm_tagger").exists()
        assert spacy.load(tmp_path, exclude=["bilstm_tagger"]).pipe_names == []

    def test_truncated_model_file_is_a_clear_error(self, trained, tmp_path):
        trained.to_disk(tmp_path)
        path = tmp_path / "bilstm_tagger" / "model"
        data = path.read_bytes()
        start = data.index(b'{"__metadata__"') if b'{"__metadata__"' in data else data.index(b'"spacy_bilstm_tagger"')
        path.write_bytes(data[: start + 10] + b"\xff" * 20 + data[start + 30 :])
        with pytest.raises(ValueError, match="torch weights cannot be read"):
            spacy.load(tmp_path)


class TestTraining:
    def test_frozen_component_keeps_its_weights(self, trained, make_examples):
        other = spacy.blank("en", config=CONFIG)
        other.add_pipe("bilstm_tagger", source=trained)
        other.add_pipe("bilstm_tagger", name="second", config={"model": {**HEAD, "tok2vec": TOK2VEC}})
        examples = make_examples(other)
        other.get_pipe("second").initialize(lambda: examples, nlp=other)
        before = other.get_pipe("bilstm_tagger").model.to_bytes()
        optimizer = other.create_optimizer()
        for _ in range(3):
            other.update(examples, sgd=optimizer, exclude=["bilstm_tagger"])
        assert other.get_pipe("bilstm_tagger").model.to_bytes() == before

    def test_annotating_component_sets_tags_before_the_next_is_updated(self, trained, make_examples, monkeypatch):
        examples = make_examples(trained)
        trained.add_pipe("bilstm_tagger", name="second").initialize(lambda: examples, nlp=trained)
        seen = []

        def see(batch, **kwargs):
            seen.extend(token.tag_ for eg in batch for token in eg.predicted)

        monkeypatch.setattr(trained.get_pipe("second"), "update", see, raising=False)
        trained.update(examples, sgd=trained.create_optimizer(), annotates=["bilstm_tagger"])
        assert len(seen) == sum(len(eg.predicted) for eg in examples)
        assert all(seen)

    def test_more_labels_after_training_are_refused_as_by_spacy_s_tagger(self, trained):
        with pytest.raises(ValueError, match="E922"):
            trained.get_pipe("bilstm_tagger").add_label("NEW")

    def test_resumed_training_goes_on_from_the_weights(self, trained, make_examples):
        before = trained.get_pipe("bilstm_tagger").model.to_bytes()
        optimizer = trained.resume_training()
        assert trained.get_pipe("bilstm_tagger").model.to_bytes() == before
        trained.update(make_examples(trained), sgd=optimizer)
        assert trained.get_pipe("bilstm_tagger").model.to_bytes() != before

    def test_averages_are_what_is_saved(self, tweet_nlp, make_examples, tmp_path):
        tweet_nlp.add_pipe("bilstm_tagger", config={"model": {**HEAD, "tok2vec": TOK2VEC}})
        examples = make_examples(tweet_nlp)
        optimizer = tweet_nlp.initialize(lambda: examples)
        optimizer.averages = {}
        for _ in range(5):
            tweet_nlp.update(examples, sgd=optimizer)
        docs = [eg.reference.copy() for eg in examples]
        own = tweet_nlp.get_pipe("bilstm_tagger").model.predict(docs)
        with tweet_nlp.use_params(optimizer.averages):
            averaged = tweet_nlp.get_pipe("bilstm_tagger").model.predict(docs)
            tweet_nlp.to_disk(tmp_path)
        saved = spacy.load(tmp_path).get_pipe("bilstm_tagger").model.predict(docs)
        for one, two, three in zip(own, averaged, saved):
            assert np.abs(one - two).max() > 1e-4
            assert_array_equal(two, three)


class TestOtherComponents:
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


def test_long_text_in_windows(trained):
    n_tokens = 200_000
    doc = spacy.tokens.Doc(trained.vocab, words=(WORDS * (n_tokens // len(WORDS) + 1))[:n_tokens])
    before = torch.get_num_threads()
    assert len(tags([trained.get_pipe("bilstm_tagger")(doc)])[0]) == n_tokens
    assert torch.get_num_threads() == before
