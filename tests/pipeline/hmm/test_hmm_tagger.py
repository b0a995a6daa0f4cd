import copy
import itertools
import pickle
import sys

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose, assert_array_equal
from spacy.cli.train import train
from spacy.tokens import Doc
from spacy.training import Example

from spacy_bilstm_tagger.corpus import read_corpus, to_docbin
from spacy_bilstm_tagger.errors import ConfigError, DataError

CONFIG = {"nlp": {"tokenizer": {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1"}}}
TEXTS = ["RT @mara_lune: so good !!", "do n't go there", "", "   ", "the new record", "I like @nobody \n 😭 x8"]


@pytest.fixture
def trained(tweet_nlp, make_examples):
    tweet_nlp.add_pipe("hmm_tagger")
    tweet_nlp.initialize(lambda: make_examples(tweet_nlp))
    return tweet_nlp


@pytest.fixture
def toy(tweet_nlp):
    """Two texts whose probabilities can be worked out by hand."""
    config = {"suffix_length": 1, "rare": 1, "suffix_smoothing": 1.0}
    tweet_nlp.add_pipe("hmm_tagger", config=config)
    texts = [("the dog barks", ["D", "N", "V"]), ("the cat", ["D", "N"])]
    examples = [Example.from_dict(tweet_nlp.make_doc(text), {"tags": tags}) for text, tags in texts]
    tweet_nlp.initialize(lambda: examples)
    return tweet_nlp.get_pipe("hmm_tagger")


def tags(nlp, texts=TEXTS):
    return [[token.tag_ for token in doc] for doc in nlp.pipe(texts)]


def test_needs_no_argument_on_a_blank_pipeline():
    nlp = spacy.blank("en")
    tagger = nlp.add_pipe("hmm_tagger")
    assert tagger.labels == ()
    doc = Doc(nlp.vocab, words=["so", "good"])
    nlp.initialize(lambda: [Example.from_dict(doc, {"tags": ["RB", "JJ"]})])
    assert [token.tag_ for token in nlp("so good")] == ["RB", "JJ"]


def test_knows_its_examples(trained, make_examples):
    assert trained.evaluate(make_examples(trained))["tag_acc"] == 1.0


def test_factory_declares_what_it_sets(trained):
    meta = trained.get_pipe_meta("hmm_tagger")
    assert meta.assigns == ["token.tag"]
    assert meta.default_score_weights["tag_acc"] == 1.0


class TestTables:
    def test_transitions_by_hand(self, toy):
        table = toy.transition_table()
        assert list(table.index) == ["<start>", "D", "N", "V"]
        assert list(table.columns) == ["D", "N", "V", "<end>"]
        # Seven transitions: <start>>D 2, D>N 2, N>V 1, N><end> 1, V><end> 1. Without itself, each of the last two is
        # predicted better by its unigram: 2 of 7 votes, and one for each side beforehand.
        weight = (2 + 1) / (7 + 2)
        unigram = np.array([2.5, 2.5, 1.5, 2.5]) / 9
        bigram = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0.5, 0.5], [0, 0, 0, 1]]
        assert_allclose(table.to_numpy(), weight * unigram + (1 - weight) * np.array(bigram))
        assert_allclose(table.sum(axis=1), 1)

    def test_emissions_by_hand(self, toy):
        prior = np.array([2.5, 2.5, 1.5]) / 6.5
        # dog, barks and cat are rare: two N and one V for their class.
        lower = 2 / 5 * prior + 3 / 5 * np.array([0, 2 / 3, 1 / 3])
        ending = 0.5 * lower + [0, 0.5, 0]  # -g: dog
        dog = 0.25 * ending + [0, 0.75, 0]  # as NORM, as spelled
        the = 1 / 9 * lower + [8 / 9, 0, 0]  # -e: no rare word; seen twice under NORM and as spelled
        table = toy.emission_table(["dog", "log", "the", "lamp", "!!"])
        assert list(table.index) == ["dog", "log", "the", "lamp", "!!"]
        assert list(table.columns) == ["D", "N", "V"]
        assert_allclose(table.to_numpy(), [dog, ending, the, lower, prior])

    def test_no_words(self, toy):
        assert toy.emission_table([]).shape == (0, 3)

    def test_best_path_is_that_of_brute_force(self, toy):
        transitions, words = toy.transition_table(), ["the", "log", "barks", "the"]
        emissions = toy.emission_table(words)
        prior = dict(zip("DNV", np.array([2.5, 2.5, 1.5]) / 6.5))

        def probability(path):
            steps = zip(["<start>", *path], [*path, "<end>"])
            product = np.prod([transitions.loc[step] for step in steps])
            return product * np.prod([emissions.iloc[i][tag] / prior[tag] for i, tag in enumerate(path)])

        best = max(itertools.product("DNV", repeat=4), key=probability)
        doc = toy(Doc(toy.vocab, words=words))
        assert tuple(token.tag_ for token in doc) == best == ("D", "N", "V", "D")

    def test_without_pandas(self, toy, monkeypatch):
        monkeypatch.setitem(sys.modules, "pandas", None)
        with pytest.raises(ImportError, match=r"pip install 'spacy-bilstm-tagger\[report\]'"):
            toy.transition_table()


class TestLabels:
    def test_are_those_of_all_examples_sorted(self, trained):
        assert list(trained.get_pipe("hmm_tagger").label_data) == sorted(
            {"RT", "USR", ":", "RB", "JJ", ".", "PRP", "VBP", "URL", "HT", "VB", "DT", "NN", "VBZ", "RP"}
        )

    def test_can_be_given_or_added_before(self, tweet_nlp, make_examples):
        tagger = tweet_nlp.add_pipe("hmm_tagger")
        assert (tagger.add_label("FW"), tagger.add_label("FW")) == (1, 0)
        examples = make_examples(tweet_nlp)
        given = sorted({tag for eg in examples for tag in eg.get_aligned("TAG", as_string=True)})
        tagger.initialize(lambda: examples, nlp=tweet_nlp, labels=given)
        assert tagger.labels == ("FW", *given)
        assert_allclose(tagger.transition_table().sum(axis=1), 1)
        assert tweet_nlp.evaluate(examples)["tag_acc"] == 1.0

    def test_cannot_be_added_after(self, trained):
        assert trained.get_pipe("hmm_tagger").add_label("RB") == 0
        with pytest.raises(ValueError, match="'FW' is not among the labels that were counted"):
            trained.get_pipe("hmm_tagger").add_label("FW")

    def test_gold_tag_that_is_none_of_those_given(self, tweet_nlp, make_examples):
        tagger = tweet_nlp.add_pipe("hmm_tagger")
        with pytest.raises(ValueError, match="the gold label 'RT' is not among the component's 1 labels"):
            tagger.initialize(lambda: make_examples(tweet_nlp), labels=["NN"])

    def test_gold_tag_of_an_update_that_was_not_counted(self, trained):
        with pytest.raises(ValueError, match="the gold label 'FW' is not among the component's"):
            trained.update([Example.from_dict(trained.make_doc("so"), {"tags": ["FW"]})])

    def test_none_is_an_error(self, tweet_nlp):
        tweet_nlp.add_pipe("hmm_tagger")
        with pytest.raises(ConfigError, match="hmm_tagger: found no tags"):
            tweet_nlp.initialize(lambda: [Example.from_dict(tweet_nlp.make_doc("so"), {})])


class TestTraining:
    def test_missing_and_unaligned_tags_teach_nothing(self, tweet_nlp):
        tagger = tweet_nlp.add_pipe("hmm_tagger")
        doc = Doc(tweet_nlp.vocab, words=["it's", "so", "good", "now"])
        spaces = [False, True, True, True, False]
        reference = Doc(tweet_nlp.vocab, words=["it", "'s", "so", "good", "now"], spaces=spaces)
        for token, tag in zip(reference, ["PRP", "VBZ", "", "JJ", "RB"]):
            token.tag_ = tag
        tweet_nlp.initialize(lambda: [Example(doc, reference)])
        assert tagger.labels == ("JJ", "RB")
        # One transition, from good to now, and one to the end; the text begins with what is missing.
        table = tagger.transition_table()
        unigram = np.array([0.5, 1.5, 1.5]) / 3.5
        weight = (0 + 1) / (2 + 2)
        assert_allclose(table.loc["<start>"], unigram)
        assert_allclose(table.loc["JJ"], weight * unigram + [0, 1 - weight, 0])
        assert_allclose(table.loc["RB"], weight * unigram + [0, 0, 1 - weight])
        words = tagger.emission_table(["so", "ok", "it's", "he's"]).to_numpy()
        assert_array_equal(words[[0, 2]], words[[1, 3]])

    def test_tags_that_stand_for_several_teach_nothing(self, tweet_nlp):
        tagger = tweet_nlp.add_pipe("hmm_tagger")
        golds = (["A", "B", "A|B"], ["A", "B", ""], ["A", "B", "-"])
        tables = []
        for gold in golds:
            example = Example.from_dict(tweet_nlp.make_doc("so good there"), {"tags": gold})
            tweet_nlp.initialize(lambda example=example: [example])
            tables.append(tagger.emission_table(["so", "good", "there"]).to_numpy())
        assert tagger.labels == ("A", "B")
        assert_array_equal(tables[0], tables[1])
        assert_array_equal(tables[0], tables[2])

    def test_update_changes_nothing(self, trained, make_examples):
        before = trained.to_bytes()
        optimizer = trained.create_optimizer()
        assert trained.update(make_examples(trained), sgd=optimizer, drop=0.5) == {"hmm_tagger": 0.0}
        assert trained.to_bytes() == before

    def test_beside_a_network_with_averages(self, trained, make_examples, tmp_path):
        expected = tags(trained)
        trained.add_pipe("bilstm_tagger", name="network")
        examples = make_examples(trained)
        trained.get_pipe("network").initialize(lambda: examples, nlp=trained)
        optimizer = trained.create_optimizer()
        optimizer.averages = {}
        for _ in range(2):
            losses = trained.update(examples, sgd=optimizer, annotates=["hmm_tagger"])
        assert losses["network"] > 0
        with trained.use_params(optimizer.averages):
            trained.to_disk(tmp_path)
        assert tags(spacy.load(tmp_path, exclude=["network"])) == expected

    def test_initialized_again_it_counts_anew(self, trained, make_examples):
        before = trained.get_pipe("hmm_tagger").to_bytes()
        trained.initialize(lambda: make_examples(trained) * 2)
        twice = trained.get_pipe("hmm_tagger").to_bytes()
        trained.initialize(lambda: make_examples(trained))
        assert twice != before == trained.get_pipe("hmm_tagger").to_bytes()

    def test_spacy_train(self, project, tmp_path):
        for part in ("train", "dev"):
            path = project / "assets" / "sample" / f"{part}.conll"
            to_docbin(path, read_corpus(path)[1]).to_disk(tmp_path / f"{part}.spacy")
        overrides = {f"paths.{part}": str(tmp_path / f"{part}.spacy") for part in ("train", "dev")}
        train(project / "configs" / "hmm.cfg", tmp_path / "out", overrides=overrides)
        nlp = spacy.load(tmp_path / "out" / "model-best")
        assert nlp.meta["performance"]["tag_acc"] > 0.7
        assert_allclose(nlp.get_pipe("tagger").transition_table().sum(axis=1), 1)


class TestAnnotation:
    def test_same_alone_and_in_any_batch(self, trained):
        expected = [[token.tag_ for token in trained(text)] for text in TEXTS]
        assert tags(trained) == expected
        assert [[token.tag_ for token in doc] for doc in trained.pipe(TEXTS, batch_size=2)] == expected
        assert [len(found) for found in expected] == [6, 4, 0, 1, 3, 6]
        assert all(itertools.chain(*expected))

    def test_empty_and_blank_texts(self, trained):
        assert [len(doc) for doc in trained.pipe(["", "  ", "\n"])] == [0, 1, 1]
        assert list(trained.pipe([])) == []
        tagger = trained.get_pipe("hmm_tagger")
        assert tagger.predict([]) == []
        (tagged,) = tagger.predict([trained.make_doc("")])
        assert tagged.labels.shape == (0,)

    def test_words_never_seen_as_they_are_spelled(self, tweet_nlp, make_examples):
        tweet_nlp.add_pipe("hmm_tagger", config={"suffix_smoothing": 0.1, "word_smoothing": 0.1})
        tweet_nlp.initialize(lambda: make_examples(tweet_nlp))
        assert tags(tweet_nlp, ["@somebody http://x.org #tomorrow"]) == [["USR", "URL", "HT"]]  # by class
        assert tags(tweet_nlp, ["SOOOO GOOD"]) == [["RB", "JJ"]]  # by NORM
        assert tags(tweet_nlp, ["the few award"]) == [["DT", "JJ", "NN"]]  # by ending: new, record

    @pytest.mark.parametrize(("overwrite", "expected"), [(False, "XX"), (True, "RB")])
    def test_tags_already_set(self, tweet_nlp, make_examples, overwrite, expected):
        tagger = tweet_nlp.add_pipe("hmm_tagger", config={"overwrite": overwrite})
        tweet_nlp.initialize(lambda: make_examples(tweet_nlp))
        doc = tweet_nlp.make_doc("so good")
        doc[0].tag_ = "XX"
        assert [token.tag_ for token in tagger(doc)] == [expected, "JJ"]

    @pytest.mark.timeout(120)
    def test_two_processes_after_predictions_in_the_parent(self, trained):
        texts = TEXTS * 200
        expected = tags(trained, texts)
        found = [[token.tag_ for token in doc] for doc in trained.pipe(texts, n_process=2, batch_size=100)]
        assert found == expected

    def test_memory_zone(self, trained):
        with trained.memory_zone():
            found = tags(trained)
        assert found == tags(trained)

    def test_word_types_kept_are_limited(self, trained, monkeypatch):
        monkeypatch.setattr("spacy_bilstm_tagger.pipeline.hmm.model.CACHE_SIZE", 3)
        expected = tags(trained)
        assert tags(trained) == expected
        assert len(trained.get_pipe("hmm_tagger").model.attrs["hmm"]._emissions) <= 3

    def test_before_training(self, tweet_nlp):
        tagger = tweet_nlp.add_pipe("hmm_tagger")
        for use in (lambda: tweet_nlp("so"), lambda: list(tweet_nlp.pipe(["so"])), tagger.transition_table):
            with pytest.raises(ValueError, match=r"hmm_tagger: nothing is counted yet. Call nlp.initialize\(\)"):
                use()

    def test_error_handler(self, tweet_nlp):
        failed = []
        tagger = tweet_nlp.add_pipe("hmm_tagger")
        tagger.set_error_handler(lambda name, pipe, docs, error: failed.append((name, len(docs))))
        assert list(tagger.pipe([tweet_nlp.make_doc("so")] * 3, batch_size=2)) == []
        tagger(tweet_nlp.make_doc("so"))
        assert failed == [("hmm_tagger", 2), ("hmm_tagger", 1), ("hmm_tagger", 1)]


class TestKeeping:
    def test_to_disk(self, trained, tmp_path):
        trained.to_disk(tmp_path)
        assert tags(spacy.load(tmp_path)) == tags(trained)

    def test_to_bytes(self, trained):
        other = spacy.blank("en", config=CONFIG)
        other.add_pipe("hmm_tagger")
        assert tags(other.from_bytes(trained.to_bytes())) == tags(trained)

    def test_settings_are_kept(self, toy, tweet_nlp):
        other = spacy.blank("en", config=CONFIG).add_pipe("hmm_tagger")
        other.from_bytes(toy.to_bytes(exclude=["vocab"]), exclude=["vocab"])
        assert other.cfg == toy.cfg
        assert_array_equal(other.emission_table(["log"]), toy.emission_table(["log"]))
        assert [token.tag_ for token in other(Doc(other.vocab, words=["the", "log"]))] == ["D", "N"]

    def test_before_training(self, tweet_nlp, tmp_path):
        tweet_nlp.add_pipe("hmm_tagger").add_label("NN")
        tweet_nlp.to_disk(tmp_path)
        assert spacy.load(tmp_path).get_pipe("hmm_tagger").labels == ("NN",)

    @pytest.mark.parametrize("exclude", ["cfg", "vocab", "model"])
    def test_exclude(self, trained, tmp_path, exclude):
        trained.get_pipe("hmm_tagger").to_disk(tmp_path, exclude=[exclude])
        assert {path.name for path in tmp_path.iterdir()} == {"cfg", "vocab", "model", "sha256sums"} - {exclude}

    @pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda nlp: pickle.loads(pickle.dumps(nlp))])
    def test_copies_are_independent(self, trained, duplicate):
        before = tags(trained)
        twin = duplicate(trained)
        assert tags(twin) == before
        twin.get_pipe("hmm_tagger").initialize(lambda: [Example.from_dict(twin.make_doc("so good"), {"tags": ["NN", "NN"]})])
        assert tags(twin) != before
        assert tags(trained) == before

    def test_sourced_by_another_pipeline(self, trained):
        other = spacy.blank("en", config=CONFIG)
        other.add_pipe("hmm_tagger", source=trained)
        assert tags(other, [*TEXTS, "words that the first has never met"])[:-1] == tags(trained)


class TestDamaged:
    def test_file(self, trained, tmp_path):
        trained.to_disk(tmp_path)
        path = tmp_path / "hmm_tagger" / "model"
        data = path.read_bytes()
        for wrong in (b"", data[:-1], b"\x80\x04K\x01.", b"{}", bytes(len(data))):
            path.write_bytes(wrong)
            with pytest.raises(DataError, match=r"hmm_tagger: cannot load .*model. It does not agree with the checksum"):
                spacy.load(tmp_path)

    def test_settings(self, trained, tmp_path):
        trained.to_disk(tmp_path)
        (tmp_path / "hmm_tagger" / "cfg").write_text("{", encoding="utf8")
        with pytest.raises(DataError, match=r"hmm_tagger: cannot load .*cfg. It does not agree with the checksum"):
            spacy.load(tmp_path)

    def test_bytes(self, trained, tweet_nlp):
        data = trained.get_pipe("hmm_tagger").to_bytes()
        with pytest.raises(DataError, match=r"other: cannot load the given bytes. It does not agree with their checksum"):
            tweet_nlp.add_pipe("hmm_tagger", name="other").from_bytes(data[:100] + b"x" + data[101:])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"suffix_length": -1}, "suffix_length = -1; expected a whole number of at least 0"),
        ({"rare": -1}, "rare = -1; expected a whole number of at least 0"),
        ({"suffix_smoothing": 0.0}, "suffix_smoothing = 0.0; expected a number above 0"),
        ({"word_smoothing": -1.0}, "word_smoothing = -1.0; expected a number above 0"),
        ({"transition_smoothing": 0.0}, "transition_smoothing = 0.0; expected a number above 0"),
        ({"transition_smoothing": 1.0}, "transition_smoothing = 1.0; expected a number from 0 up to"),
    ],
)
def test_settings_out_of_range_are_refused(tweet_nlp, config, message):
    with pytest.raises(ConfigError, match=message):
        tweet_nlp.add_pipe("hmm_tagger", config=config)
