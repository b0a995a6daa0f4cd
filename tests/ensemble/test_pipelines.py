"""Pipelines of one recipe become one: as ordinary as they are, and exactly their mean."""

import copy
import importlib
import multiprocessing
import pickle
import shutil
import threading
from functools import partial

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose, assert_array_equal
from seeds import (
    EXAMPLES,
    TEXTS,
    annotations,
    both_examples,
    emissions,
    save_changed,
    scores,
    shared_pipeline,
    tag_examples,
    train_seeds,
)
from small_pipelines import SMALL_CRF, TOK2VEC, TWEETS, ner_examples, small_pipeline, train
from spacy.cli import package

from spacy_bilstm_tagger.ensemble.average import average_emissions
from spacy_bilstm_tagger.errors import DataError


class TestEmissions:
    def test_are_the_mean_of_the_members(self, kind, members, joined):
        parts = [emissions(spacy.load(path), kind[0]) for path in members]
        assert_allclose(emissions(joined, kind[0]), np.mean(parts, axis=0), atol=1e-5)
        assert np.abs(parts[0] - parts[1]).min() > 1e-6

    def test_scores_between_labels_too(self, kind, members, joined):
        mean = scores(joined, kind[0])
        parts = [scores(spacy.load(path), kind[0]) for path in members]
        assert mean.is_chain == parts[0].is_chain
        for found, *each in zip(mean.chain, *(part.chain for part in parts)):
            assert_allclose(found, np.mean([part.numpy() for part in each], axis=0), atol=1e-6)

    def test_labels_are_those_of_the_mean(self, kind, members, joined):
        """A member with the mean's scores gives the same labels."""
        single = spacy.load(members[0])
        pipe, model = single.get_pipe(kind[0]), joined.get_pipe(kind[0]).model
        pipe.model._func = lambda _, docs, is_train: (model.predict(docs), None)
        assert annotations(single.pipe(TEXTS)) == annotations(joined.pipe(TEXTS))

    def test_order_of_many_members(self, tmp_path):
        """Eleven, so that the last of their names would sort before the third."""
        many = {"@architectures": "spacy-bilstm-tagger.Ensemble.v1", "*": {str(i): SMALL_CRF for i in range(11)}}
        nlp = small_pipeline("bilstm_tagger", model=many)
        nlp.initialize(lambda: tag_examples(nlp))
        nlp.to_disk(tmp_path)
        layers, others = (each.get_pipe("bilstm_tagger").model.layers for each in (nlp, spacy.load(tmp_path)))
        assert [layer.to_bytes() for layer in layers] == [layer.to_bytes() for layer in others]
        assert len({layer.to_bytes() for layer in layers}) == 11

    def test_members_may_differ_in_their_networks(self, tmp_path):
        wide = {**SMALL_CRF, "tok2vec": {**TOK2VEC, "encode": {**TOK2VEC["encode"], "width": 16}}}
        paths = []
        for seed, model in enumerate((SMALL_CRF, wide)):
            make = partial(small_pipeline, "bilstm_tagger", model=model)
            paths += train_seeds(make, tag_examples, tmp_path, (seed,))
        average_emissions(paths).to_disk(tmp_path / "out")
        parts = [emissions(spacy.load(path), "bilstm_tagger") for path in paths]
        for found, *rows in zip(emissions(spacy.load(tmp_path / "out"), "bilstm_tagger"), *parts):
            assert_allclose(found, np.mean(rows, axis=0), atol=1e-5)

    def test_an_ensemble_can_be_a_member(self, tagger_members, tmp_path):
        first, second, third = tagger_members
        average_emissions([first, second]).to_disk(tmp_path / "pair")
        average_emissions([tmp_path / "pair", third]).to_disk(tmp_path / "out")
        one, two, three = (emissions(spacy.load(path), "bilstm_tagger")[0] for path in tagger_members)
        found = emissions(spacy.load(tmp_path / "out"), "bilstm_tagger")[0]
        assert_allclose(found, (one + two) / 4 + three / 2, atol=1e-5)


class TestOrdinary:
    def test_saved_and_loaded(self, members, joined, tmp_path):
        made = average_emissions(members)
        assert annotations(made.pipe(TEXTS)) == annotations(joined.pipe(TEXTS))
        joined.to_disk(tmp_path / "again")
        again = spacy.load(tmp_path / "again")
        assert again.config == joined.config
        (name,) = joined.pipe_names
        for found, expected in zip(emissions(again, name), emissions(made, name)):
            assert_array_equal(found, expected)

    @pytest.mark.parametrize(
        "duplicate",
        [
            copy.deepcopy,
            lambda nlp: pickle.loads(pickle.dumps(nlp)),
            lambda nlp: spacy.util.load_model_from_config(nlp.config, auto_fill=True).from_bytes(nlp.to_bytes()),
        ],
        ids=["deepcopy", "pickle", "bytes"],
    )
    def test_copies(self, joined, duplicate):
        (name,) = joined.pipe_names
        for found, expected in zip(emissions(duplicate(joined), name), emissions(joined, name)):
            assert_array_equal(found, expected)

    @pytest.mark.timeout(180)
    def test_two_processes(self, joined, monkeypatch):
        monkeypatch.setattr("spacy.language.mp", multiprocessing.get_context("fork"))
        expected = annotations(joined.pipe(TEXTS * 20))
        assert annotations(joined.pipe(TEXTS * 20, n_process=2, batch_size=10)) == expected

    def test_eight_threads(self, joined):
        expected, found = annotations(joined.pipe(TEXTS * 20)), {}

        def work(number):
            found[number] = annotations(joined.pipe(TEXTS * 20, batch_size=7 + number))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [found[number] == expected for number in range(8)] == [True] * 8

    def test_batches_change_nothing(self, joined):
        assert annotations(joined.pipe(TEXTS, batch_size=1)) == annotations(joined.pipe(TEXTS))

    def test_meta(self, members, joined):
        """The scores of a member are not those of the ensemble."""
        assert joined.meta["performance"] == {}
        assert joined.meta["ensemble"] == {"average": "emissions", "members": [path.name for path in members]}
        assert joined.meta["labels"] == spacy.load(members[0]).meta["labels"]

    def test_damaged_member_is_a_clear_error(self, joined, tmp_path):
        (name,) = joined.pipe_names
        joined.to_disk(tmp_path)
        path = tmp_path / name / "model"
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(DataError, match=f"{name}: cannot load .*{name}.model"):
            spacy.load(tmp_path)

    def test_package(self, tagger_members, tmp_path, monkeypatch):
        nlp = average_emissions(tagger_members)
        nlp.to_disk(tmp_path / "out")
        package(tmp_path / "out", tmp_path, name="small", version="0.0.1", create_sdist=False, create_meta=False)
        room = tmp_path / "en_small-0.0.1"
        shutil.copy(room / "meta.json", room / "en_small")  # as its setup.py does
        monkeypatch.syspath_prepend(room)
        packaged = importlib.import_module("en_small").load()
        assert annotations(packaged.pipe(TEXTS)) == annotations(nlp.pipe(TEXTS))


class TestTraining:
    def test_goes_on_from_the_mean(self, kind, joined):
        factory, examples = kind[0], EXAMPLES[kind[0]](joined)
        before = joined.get_pipe(factory).model.to_bytes()
        optimizer = joined.resume_training()
        optimizer.learn_rate = 0.01
        assert joined.get_pipe(factory).model.to_bytes() == before
        losses = [joined.update(examples, sgd=optimizer, drop=0.1)[factory] for _ in range(10)]
        assert losses[-1] < 0.7 * losses[0]
        joined.update(examples, sgd=optimizer)
        assert joined.rehearse(examples, sgd=optimizer)[factory] > 0
        assert all(np.isfinite(value) for value in joined.evaluate(examples).values() if isinstance(value, float))

    def test_gradient_of_the_loss(self, kind, joined):
        """By steps of one length down and up the gradient of a member's output layer, which float32 can tell apart."""
        pipe, examples = joined.get_pipe(kind[0]), EXAMPLES[kind[0]](joined)
        (first, *_) = pipe.model.layers
        output = first.get_ref("output_layer")
        pipe.update(examples, sgd=None)
        slope, before = output.get_grad("b").copy(), output.get_param("b").copy()
        length = np.linalg.norm(slope)

        def loss_after(step):
            output.set_param("b", before + step * slope / length)
            return pipe.update(examples, sgd=None)[kind[0]]

        step = 0.05
        assert (loss_after(step) - loss_after(-step)) / (2 * step) == pytest.approx(length, rel=0.005)

    def test_begins_anew(self, kind, joined):
        """nlp.initialize trains all members together."""
        examples = EXAMPLES[kind[0]](joined)
        first, last = (train(joined, examples, steps=steps)[kind[0]] for steps in (1, 12))
        assert last < first / 2


class TestSettings:
    def test_of_the_members_are_kept(self, tmp_path):
        paths = train_seeds(partial(small_pipeline, "bilstm_ner", scheme="biluo"), ner_examples, tmp_path / "members", steps=4)

        def change(nlp):
            nlp.get_pipe("bilstm_ner").threshold = 0.4

        paths = [save_changed(path, change, tmp_path / path.name) for path in paths]
        average_emissions(paths).to_disk(tmp_path / "out")
        ner = spacy.load(tmp_path / "out").get_pipe("bilstm_ner")
        assert (ner.cfg["scheme"], ner.threshold, ner.labels) == ("biluo", 0.4, ("person", "place"))

    def test_can_be_changed(self, tagger_members, tmp_path):
        average_emissions(tagger_members).to_disk(tmp_path / "out")
        nlp = spacy.load(tmp_path / "out", config={"components": {"bilstm_tagger": {"tag_scores": True}}})
        scores = nlp("so good !!")[0]._.tag_scores
        assert set(scores) == set(nlp.get_pipe("bilstm_tagger").labels)
        assert sum(scores.values()) == pytest.approx(1, abs=1e-5)

    def test_disabled_components_stay_so(self, tagger_members, tmp_path):
        def change(nlp):
            nlp.disable_pipe("bilstm_tagger")

        paths = [save_changed(path, change, tmp_path / path.name) for path in tagger_members]
        average_emissions(paths).to_disk(tmp_path / "out")
        assert spacy.load(tmp_path / "out").disabled == ["bilstm_tagger"]


class TestSharedTok2Vec:
    @pytest.fixture(scope="class")
    def shared(self, tmp_path_factory):
        return train_seeds(shared_pipeline, both_examples, tmp_path_factory.mktemp("shared"), steps=3)

    def test_becomes_the_components_own(self, shared, tmp_path):
        average_emissions(shared).to_disk(tmp_path / "out")
        nlp = spacy.load(tmp_path / "out")
        assert nlp.pipe_names == ["tagger", "ner"]
        assert nlp.config["training"]["frozen_components"] == []
        for name in nlp.pipe_names:
            parts = []
            for path in shared:
                member = spacy.load(path)
                docs = list(member.get_pipe("tok2vec").pipe(member.make_doc(text) for text in TEXTS))
                parts.append(member.get_pipe(name).model.predict(docs).emissions.numpy())
            assert_allclose(emissions(nlp, name), np.mean(parts, axis=0), atol=1e-5)

    def test_to_which_something_else_listens(self, shared, tmp_path):
        def make():
            nlp = shared_pipeline()
            listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 32}
            nlp.add_pipe("tagger", name="other", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": listener}})
            return nlp

        paths = train_seeds(make, both_examples, tmp_path, steps=1)
        with pytest.raises(DataError, match=r"seed1 and .*seed2: 'tok2vec' differs, and components of tok2vec cannot"):
            average_emissions(paths)


class TestOtherComponents:
    def test_that_are_the_same_are_kept(self, tagger_members, tmp_path):
        def change(nlp):
            ruler = nlp.add_pipe("entity_ruler", first=True)
            ruler.add_patterns([{"label": "HT", "pattern": "#now"}])

        paths = [save_changed(path, change, tmp_path / path.name) for path in tagger_members]
        average_emissions(paths).to_disk(tmp_path / "out")
        nlp = spacy.load(tmp_path / "out")
        assert nlp.pipe_names == ["entity_ruler", "bilstm_tagger"]
        assert [ent.text for ent in nlp("so good #now").ents] == ["#now"]

    def test_hmm_tagger_has_nothing_to_average(self, tmp_path):
        paths = []
        for name in ("one", "two"):
            nlp = spacy.blank("en", config=TWEETS)
            nlp.add_pipe("hmm_tagger")
            examples = tag_examples(nlp)
            nlp.initialize(lambda examples=examples: examples)
            nlp.to_disk(tmp_path / name)
            paths.append(tmp_path / name)
        message = r"one: found hmm_tagger \(hmm_tagger\) components; expected one of bilstm_tagger, bilstm_ner, bilstm"
        with pytest.raises(DataError, match=message):
            average_emissions(paths)
