import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose, assert_array_equal
from small_pipelines import SMALL_CRF
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import ConfigValidationError

from spacy_bilstm_tagger.crf.inference import marginals
from spacy_bilstm_tagger.errors import ConfigError

CONFIG = {"nlp": {"tokenizer": {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1"}}}
TEXTS = ["RT @mara_lune: so good !!", "do n't go there", "", "   ", "the new record"]


def train(nlp, examples, steps=30, **kwargs):
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(steps):
        losses = nlp.update(examples, sgd=optimizer, **kwargs)
    return losses


@pytest.fixture
def trained(tweet_nlp, make_examples):
    tweet_nlp.add_pipe("bilstm_tagger")
    train(tweet_nlp, make_examples(tweet_nlp))
    return tweet_nlp


@pytest.mark.parametrize("drop", [-0.5, 1, 1.5, "0.1", float("nan")])
def test_a_dropout_that_is_no_share_is_refused(trained, make_examples, drop):
    with pytest.raises(ConfigError, match=r"bilstm_tagger: drop = .* expected a number from 0 up to, but not including, 1"):
        trained.update(make_examples(trained), drop=drop)


def tags(nlp, texts=TEXTS):
    return [[token.tag_ for token in doc] for doc in nlp.pipe(texts)]


def test_needs_no_argument_on_a_blank_pipeline(make_examples):
    nlp = spacy.blank("en")
    nlp.add_pipe("bilstm_tagger")
    docs = [Doc(nlp.vocab, words=["so", "good"]), Doc(nlp.vocab, words=["do", "n't"])]
    examples = [Example.from_dict(doc, {"tags": gold}) for doc, gold in zip(docs, [["RB", "JJ"], ["VB", "RB"]])]
    train(nlp, examples)
    assert [token.tag_ for token in nlp("so good")] == ["RB", "JJ"]


def test_learns_its_examples(trained, make_examples):
    assert trained.evaluate(make_examples(trained))["tag_acc"] == 1.0


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_loss_goes_down(tweet_nlp, make_examples, reduction):
    tweet_nlp.add_pipe("bilstm_tagger", config={"reduction": reduction})
    examples = make_examples(tweet_nlp)
    first = train(tweet_nlp, examples, steps=1)["bilstm_tagger"]
    assert train(tweet_nlp, examples, steps=30)["bilstm_tagger"] < 0.5 * first


def test_labels_are_those_of_all_examples_sorted(trained):
    assert list(trained.get_pipe("bilstm_tagger").labels) == sorted(
        {"RT", "USR", ":", "RB", "JJ", ".", "PRP", "VBP", "URL", "HT", "VB", "DT", "NN", "VBZ", "RP"}
    )


def test_labels_can_be_given(tweet_nlp, make_examples):
    tagger = tweet_nlp.add_pipe("bilstm_tagger")
    examples = make_examples(tweet_nlp)
    labels = [*sorted({tag for eg in examples for tag in eg.get_aligned("TAG", as_string=True)}), "NONE"]
    tagger.initialize(lambda: examples, nlp=tweet_nlp, labels=labels)
    assert list(tagger.label_data) == labels
    assert tagger.model.get_dim("nO") == len(labels)


def test_tag_that_is_no_label_is_a_clear_error(trained):
    doc = trained.make_doc("so good")
    with pytest.raises(ValueError, match="the gold label 'XX' is not among the component's 15 labels"):
        trained.update([Example.from_dict(doc, {"tags": ["XX", "JJ"]})])


def test_unknown_labels_are_counted(trained):
    doc = Doc(trained.vocab, words=["so", "good", "!", "-"], tags=["XX", "JJ|NN", "XX", "-"])
    assert trained.get_pipe("bilstm_tagger").unknown_labels([doc, doc]) == {"XX": 4}


def test_no_labels_is_an_error(tweet_nlp):
    tweet_nlp.add_pipe("bilstm_tagger")
    with pytest.raises(ConfigError, match=r"bilstm_tagger: found no tags; .* leave it out of \[nlp\] pipeline"):
        tweet_nlp.initialize(lambda: [Example.from_dict(tweet_nlp.make_doc("so"), {})])


def test_tags_that_are_missing_or_not_aligned_teach_nothing(trained):
    tagger = trained.get_pipe("bilstm_tagger")
    doc = Doc(trained.vocab, words=["it's", "so", "good"])
    reference = Doc(trained.vocab, words=["it", "'s", "so", "good"], spaces=[False, True, True, False])
    for token, tag in zip(reference, ["PRP", "VBZ", "", "JJ"]):
        token.tag_ = tag
    scores = tagger.model.predict([doc])
    loss, gradient = tagger.get_loss([Example(doc, reference)], scores)
    assert [bool(row.any()) for row in gradient.emissions] == [False, False, True]
    assert loss > 0


class TestTagsThatStandForSeveral:
    def examples(self, nlp, *tags):
        return [Example.from_dict(nlp.make_doc("so good there"), {"tags": each.split()}) for each in tags]

    def test_are_no_labels(self, tweet_nlp):
        tagger = tweet_nlp.add_pipe("bilstm_tagger")
        tweet_nlp.initialize(lambda: self.examples(tweet_nlp, "A B C", "A|B B|C|A C|D", "A - C"))
        assert tagger.labels == ("A", "B", "C", "C|D")  # there is no D

    @pytest.mark.parametrize("model", [None, SMALL_CRF], ids=["softmax", "crf"])
    def test_teach_that_it_is_one_of_them(self, tweet_nlp, model):
        tagger = tweet_nlp.add_pipe("bilstm_tagger", config={} if model is None else {"model": model})
        train(tweet_nlp, self.examples(tweet_nlp, "A B C", "A|B B A|C"), steps=3)
        doc = tweet_nlp.make_doc("so good there")
        emissions = tagger.model.predict([doc])
        (loss, gradient), *both = (
            tagger.get_loss(self.examples(tweet_nlp, tags), emissions) for tags in ("A B|C C", "A B C", "A C C")
        )
        assert np.exp(-loss) == pytest.approx(sum(np.exp(-each) for each, _ in both), rel=1e-4)
        weights = [np.exp(loss - each) for each, _ in both]
        assert_allclose(gradient.emissions, sum(w * each.emissions for w, (_, each) in zip(weights, both)), atol=1e-5)

    def test_of_an_unknown_part_is_a_clear_error(self, trained):
        with pytest.raises(ValueError, match=r"'JJ\|XX'"):
            trained.update(self.examples(trained, "RB JJ|XX RB"))


class TestAnnotation:
    def test_empty_and_blank_texts(self, trained):
        assert [len(doc) for doc in trained.pipe(["", "  ", "\n"])] == [0, 1, 1]
        assert list(trained.pipe([])) == []
        assert trained.get_pipe("bilstm_tagger").predict([]) == []

    @pytest.mark.parametrize(("overwrite", "expected"), [(False, "XX"), (True, "RB")])
    def test_tags_already_set(self, trained, overwrite, expected):
        tagger = trained.get_pipe("bilstm_tagger")
        tagger.cfg["overwrite"] = overwrite
        doc = trained.make_doc("so good")
        doc[0].tag_ = "XX"
        assert tagger(doc)[0].tag_ == expected


class TestKeeping:
    def test_emissions_are_equal_to_the_last_bit(self, trained, tmp_path):
        trained.to_disk(tmp_path)
        loaded = spacy.load(tmp_path)
        docs = [trained.make_doc(text) for text in TEXTS]
        before = trained.get_pipe("bilstm_tagger").model.predict(docs)
        after = loaded.get_pipe("bilstm_tagger").model.predict([loaded.make_doc(text) for text in TEXTS])
        assert_array_equal(before.emissions, after.emissions)


class TestCRF:
    @pytest.fixture
    def crf(self, tweet_nlp, make_examples):
        tweet_nlp.add_pipe("bilstm_tagger", config={"model": SMALL_CRF})
        train(tweet_nlp, make_examples(tweet_nlp), steps=60)
        return tweet_nlp

    def test_learns_its_examples(self, crf, make_examples):
        assert crf.evaluate(make_examples(crf))["tag_acc"] == 1.0
        assert crf.get_pipe("bilstm_tagger").model.get_ref("crf").get_param("transitions").any()

    def test_takes_the_best_sequence_of_the_chain(self, crf):
        tagger = crf.get_pipe("bilstm_tagger")
        chain = tagger.model.get_ref("crf")
        jj, rb = (tagger.labels.index(tag) for tag in ("JJ", "RB"))
        chain.get_param("transitions")[:] = -1000.0
        chain.get_param("transitions")[jj, rb] = chain.get_param("transitions")[rb, jj] = 0.0
        assert [token.tag_ for token in crf("so good so good")] in (["RB", "JJ"] * 2, ["JJ", "RB"] * 2)

    def test_missing_tags_are_summed_over(self, crf):
        tagger = crf.get_pipe("bilstm_tagger")
        doc = crf.make_doc("so good there")
        scores = tagger.model.predict([doc])
        loss, gradient = tagger.get_loss([Example.from_dict(doc, {"tags": ["", "JJ", ""]})], scores)
        p = marginals(scores)
        assert loss == pytest.approx(-float(p[1, tagger.labels.index("JJ")].log()), abs=1e-4)
        assert_allclose(gradient.emissions.sum(axis=1), 0, atol=1e-5)
        loss, gradient = tagger.get_loss([Example.from_dict(doc, {})], scores)
        assert loss == pytest.approx(0, abs=1e-5)
        assert_allclose(gradient.emissions, 0, atol=1e-6)

    def test_mean_divides_loss_and_gradient_by_the_tagged_tokens(self, crf, make_examples):
        tagger = crf.get_pipe("bilstm_tagger")
        examples = [*make_examples(crf), Example.from_dict(crf.make_doc("not tagged"), {})]
        n_tags = sum(bool(token.tag_) for eg in examples for token in eg.reference)
        assert n_tags == sum(map(len, examples)) - 2
        found = {}
        for reduction in ("sum", "mean"):
            tagger.cfg["reduction"] = reduction
            loss = tagger.update(examples)["bilstm_tagger"]
            chain = tagger.model.get_ref("crf")
            found[reduction] = [np.array(loss), *(chain.get_grad(name).copy() for name in chain.param_names)]
            for name in chain.param_names:
                chain.set_grad(name, np.zeros_like(chain.get_grad(name)))
        for total, mean in zip(found["sum"], found["mean"]):
            assert total.any()
            assert_allclose(mean, total / n_tags, rtol=1e-4, atol=1e-8)


class TestSharedTok2Vec:
    @pytest.fixture
    def shared(self, tweet_nlp, make_examples):
        tweet_nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
        listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 32}
        head = {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1", "tok2vec": listener}
        tweet_nlp.add_pipe("bilstm_tagger", config={"model": head})
        parser = {
            "@architectures": "spacy.TransitionBasedParser.v2",
            "state_type": "ner",
            "extra_state_tokens": False,
            "hidden_width": 16,
            "maxout_pieces": 2,
            "use_upper": True,
            "tok2vec": listener,
        }
        tweet_nlp.add_pipe("ner", config={"model": parser})
        examples = make_examples(tweet_nlp)
        for example in examples:
            retweet = [Span(example.reference, 0, 1, label="X")] if example.reference[0].text == "RT" else []
            example.reference.set_ents(retweet, default="outside")
        train(tweet_nlp, examples, steps=40)
        return tweet_nlp

    def test_serves_tagger_and_ner(self, shared, make_examples):
        assert shared.evaluate(make_examples(shared))["tag_acc"] == 1.0
        assert [ent.text for ent in shared("RT @mara_lune: so good !!").ents] == ["RT"]

    def test_listeners_can_be_replaced(self, shared):
        expected = tags(shared)
        shared.replace_listeners("tok2vec", "bilstm_tagger", ["model.tok2vec"])
        with shared.select_pipes(enable=["bilstm_tagger"]):
            assert tags(shared) == expected


TOK2VEC = {
    "@architectures": "spacy.Tok2Vec.v2",
    "embed": {
        "@architectures": "spacy-bilstm-tagger.TweetEmbed.v1",
        "attrs": ["NORM", "SHAPE"],
        "rows": [200, 100],
        "include_static_vectors": False,
    },
    "encode": {"@architectures": "spacy-bilstm-tagger.BiLSTMEncoder.v1", "width": 32, "depth": 1},
}


def test_settings_out_of_range_are_refused(tweet_nlp):
    with pytest.raises(ConfigValidationError, match=r"reduction.*'max' is not .*sum.*mean"):
        tweet_nlp.add_pipe("bilstm_tagger", config={"reduction": "max"})


def test_spacy_s_own_tagger_takes_the_tok2vec(tweet_nlp, make_examples):
    model = {"@architectures": "spacy.Tagger.v2", "tok2vec": TOK2VEC}
    tweet_nlp.add_pipe("tagger", config={"model": model})
    examples = make_examples(tweet_nlp)
    train(tweet_nlp, examples, steps=60)
    assert tweet_nlp.evaluate(examples)["tag_acc"] == 1.0


@pytest.mark.parametrize("labels", ["NN", {"NN": 1}, [1], [["NN"]]])
def test_labels_that_are_no_list_of_names_are_refused(tweet_nlp, make_examples, labels):
    tagger = tweet_nlp.add_pipe("bilstm_tagger")
    with pytest.raises(ConfigError, match="as labels, expected a list of names"):
        tagger.initialize(lambda: make_examples(tweet_nlp), nlp=tweet_nlp, labels=labels)
