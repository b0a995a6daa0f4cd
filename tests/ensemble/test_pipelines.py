"""Pipelines of one recipe become one: as ordinary as they are, and exactly their mean."""

import copy
import importlib
import multiprocessing
import pickle
import shutil
import threading
import warnings
from functools import cache, partial

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose, assert_array_equal
from small_pipelines import SMALL_CRF, TOK2VEC, TWEETS, ner_examples, small_pipeline, span_examples, train
from spacy.cli import package
from spacy.training import Example
from thinc.api import fix_random_seed

from spacy_bilstm_tagger.ensemble.average import average_emissions, average_weights
from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.layers.shim import TorchShim
from spacy_bilstm_tagger.lexicon.brown import brown_table
from spacy_bilstm_tagger.lexicon.table import BROWN

SMALL_SOFTMAX = {**SMALL_CRF, "@architectures": "spacy-bilstm-tagger.TokenClassifier.v1"}
TAGS = [("so good !!", ["RB", "JJ", "."]), ("Kim likes it #now", ["NNP", "VBZ", "PRP", "HT"])]
TEXTS = ["Mara likes New York so", "", "real garbage , Kim !!", "what a nice day #now", "  "]


def tag_examples(nlp):
    return [Example.from_dict(nlp.make_doc(text), {"tags": tags}) for text, tags in TAGS]


def both_examples(nlp):
    found = [Example.from_dict(nlp.make_doc(text), {"tags": tags, "entities": []}) for text, tags in TAGS]
    return [*found, *ner_examples(nlp)]


EXAMPLES = {"bilstm_tagger": tag_examples, "bilstm_ner": ner_examples, "bilstm_spans": span_examples}
KINDS = [
    ("bilstm_tagger", SMALL_SOFTMAX),
    ("bilstm_tagger", SMALL_CRF),
    ("bilstm_ner", SMALL_CRF),
    ("bilstm_spans", SMALL_SOFTMAX),
    ("bilstm_spans", SMALL_CRF),
]


def train_seeds(make, examples, folder, seeds=(1, 2, 3), steps=8):
    """Folders of pipelines, one a seed."""
    paths = []
    for seed in seeds:
        fix_random_seed(seed)
        nlp = make()
        train(nlp, examples(nlp), steps=steps)
        nlp.meta["performance"] = {"tag_acc": 0.5}
        folder.mkdir(exist_ok=True)
        paths.append(folder / f"seed{seed}")
        nlp.to_disk(paths[-1])
    return paths


@pytest.fixture(params=KINDS, ids=[f"{factory}-{model['@architectures'][20:-3]}" for factory, model in KINDS])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def members_of(tmp_path_factory):
    """Folders of three pipelines of a kind, which are not to be changed."""

    @cache
    def make(factory, architecture):
        model = {**SMALL_CRF, "@architectures": architecture}
        make_one = partial(small_pipeline, factory, model=model)
        return train_seeds(make_one, EXAMPLES[factory], tmp_path_factory.mktemp(factory))

    return make


@pytest.fixture
def members(kind, members_of):
    factory, model = kind
    return members_of(factory, model["@architectures"])


@pytest.fixture
def tagger_members(members_of):
    return members_of("bilstm_tagger", SMALL_CRF["@architectures"])


@pytest.fixture
def joined(members, tmp_path):
    average_emissions(members).to_disk(tmp_path / "out")
    return spacy.load(tmp_path / "out")


def emissions(nlp, name):
    """Of the tokens of all texts."""
    return scores(nlp, name).emissions.numpy()


def scores(nlp, name):
    return nlp.get_pipe(name).model.predict([nlp.make_doc(text) for text in TEXTS])


def annotations(docs):
    return [
        (
            [(token.tag_, token.ent_iob_, token.ent_type_) for token in doc],
            {key: [(span.start, span.end, span.label_) for span in group] for key, group in doc.spans.items()},
        )
        for doc in docs
    ]


def save_changed(path, change, folder):
    """A folder with this pipeline after a change."""
    nlp = spacy.load(path)
    change(nlp)
    nlp.to_disk(folder)
    return folder


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
        paths = train_seeds(
            partial(small_pipeline, "bilstm_ner", scheme="biluo"), ner_examples, tmp_path / "members", steps=4
        )

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


SHARED = """
[nlp]
lang = "en"
pipeline = ["tok2vec", "tagger", "ner"]
[nlp.tokenizer]
@tokenizers = "spacy-bilstm-tagger.TweetTokenizer.v1"
[components]
[components.tok2vec]
factory = "tok2vec"
[components.tok2vec.model]
@architectures = "spacy.Tok2Vec.v2"
[components.tok2vec.model.embed]
@architectures = "spacy-bilstm-tagger.TweetEmbed.v1"
attrs = ["NORM", "SHAPE"]
rows = [200, 100]
include_static_vectors = false
[components.tok2vec.model.encode]
@architectures = "spacy-bilstm-tagger.BiLSTMEncoder.v1"
width = 32
depth = 1
[components.tagger]
factory = "bilstm_tagger"
[components.tagger.model]
@architectures = "spacy-bilstm-tagger.TokenClassifier.v1"
[components.tagger.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = ${components.tok2vec.model.encode.width}
[components.ner]
factory = "bilstm_ner"
[components.ner.model]
@architectures = "spacy-bilstm-tagger.LinearChainCRF.v1"
[components.ner.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = ${components.tok2vec.model.encode.width}
[training]
frozen_components = ["tok2vec"]
"""


def shared_pipeline():
    """A tagger and a recognizer that listen to one tok2vec, as variables of the config say."""
    config = spacy.util.load_config_from_str(SHARED, interpolate=False)
    return spacy.util.load_model_from_config(config, auto_fill=True)


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
            nlp.add_pipe(
                "tagger", name="other", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": listener}}
            )
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


class TestWeights:
    def test_are_the_mean(self, kind, members, tmp_path):
        nlp, likeness = average_weights(members)
        nlp.to_disk(tmp_path / "out")
        models = [spacy.load(path).get_pipe(kind[0]).model for path in members]
        nodes = zip(spacy.load(tmp_path / "out").get_pipe(kind[0]).model.walk(), *(model.walk() for model in models))
        count = 0
        for node, *others in nodes:
            for name in node.param_names:
                mean = np.mean([other.get_param(name) for other in others], axis=0)
                assert_allclose(node.get_param(name), mean, atol=1e-6)
            for shim, *shims in zip(torch_shims(node), *map(torch_shims, others)):
                for weight, *weights in zip(*(each.module.parameters() for each in (shim, *shims))):
                    mean = np.mean([each.detach().numpy() for each in weights], axis=0)
                    assert_allclose(weight.detach().numpy(), mean, atol=1e-6)
                    count += 1
        assert count
        assert -0.1 < likeness < 0.5  # their random numbers were different

    def test_of_one_origin_stay_useful(self, tagger_members, tmp_path):
        """Two that go on from one network."""
        start, paths = tagger_members[0], []
        for seed in (1, 2):
            fix_random_seed(seed)
            nlp = spacy.load(start)
            optimizer = nlp.resume_training()
            for _ in range(20):
                nlp.update(tag_examples(nlp), sgd=optimizer, drop=0.3)
            paths.append(tmp_path / f"tuned{seed}")
            nlp.to_disk(paths[-1])
        nlp, likeness = average_weights(paths)
        assert 0.9 < likeness < 1
        assert nlp.meta["ensemble"] == {"average": "weights", "members": ["tuned1", "tuned2"]}
        single = spacy.load(paths[0])
        assert nlp.config["components"] == single.config["components"]
        loss, rows = 0.0, emissions(nlp, "bilstm_tagger")
        for found, one, two in zip(rows, *(emissions(spacy.load(path), "bilstm_tagger") for path in paths)):
            loss = max(loss, np.abs(found - (one + two) / 2).max(initial=0))
        assert loss < 0.05

    def test_of_a_shared_tok2vec(self, tmp_path):
        paths = train_seeds(shared_pipeline, both_examples, tmp_path / "members", steps=1)
        average_weights(paths)[0].to_disk(tmp_path / "out")
        nlp = spacy.load(tmp_path / "out")
        assert nlp.pipe_names == ["tok2vec", "tagger", "ner"]
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of a component that listens to another tok2vec than that of its training
            nlp("so good !!")
        found, *parts = (
            next(node for node in each.get_pipe("tok2vec").model.walk() if node.name == "hashembed").get_param("E")
            for each in (nlp, *map(spacy.load, paths))
        )
        assert_allclose(found, np.mean(parts, axis=0), atol=1e-6)

    def test_of_a_component_that_began_anew_on_the_same_tok2vec(self, tmp_path):
        """As the recognizer of finetune.cfg does."""
        (start,) = train_seeds(shared_pipeline, both_examples, tmp_path / "start", seeds=(1,), steps=2)
        paths = []
        for seed in (1, 2):
            fix_random_seed(seed)
            nlp = shared_pipeline()
            nlp.initialize(lambda nlp=nlp: both_examples(nlp))
            nlp.get_pipe("tok2vec").model.from_bytes(spacy.load(start).get_pipe("tok2vec").model.to_bytes())
            paths.append(tmp_path / f"anew{seed}")
            nlp.to_disk(paths[-1])
        assert average_weights(paths)[1] < 0.5

    def test_of_different_networks(self, tagger_members, tmp_path):
        wide = {**SMALL_CRF, "tok2vec": {**TOK2VEC, "encode": {**TOK2VEC["encode"], "width": 16}}}
        other = train_seeds(partial(small_pipeline, "bilstm_tagger", model=wide), tag_examples, tmp_path, (7,), steps=1)
        with pytest.raises(DataError, match=r"the models of 'bilstm_tagger' differ .*--average emissions takes such"):
            average_weights([tagger_members[0], *other])


def _more_labels(nlp):
    nlp.get_pipe("bilstm_tagger").cfg["labels"][0] = "NEW"


def _labels_turned(nlp):
    nlp.get_pipe("bilstm_tagger").cfg["labels"].reverse()


def _overwrite(nlp):
    nlp.get_pipe("bilstm_tagger").cfg["overwrite"] = True


def _vectors(nlp):
    nlp.vocab.set_vector("so", np.ones(3, dtype="f"))


def _clusters(nlp):
    brown_table({"so": "01"}).to_lookups(nlp.vocab.lookups, BROWN)


def _special_case(nlp):
    nlp.tokenizer.add_special_case("!!", [{"ORTH": "!"}, {"ORTH": "!"}])


def _one_more(nlp):
    nlp.add_pipe("sentencizer")


def _off(nlp):
    nlp.disable_pipe("bilstm_tagger")


class TestErrors:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (_more_labels, r"the labels of 'bilstm_tagger' differ \(7 of them, .* alone; 7 of them, NEW alone\)"),
            (_labels_turned, r"the labels of 'bilstm_tagger' differ \(in their order\)"),
            (_overwrite, r"the settings of 'bilstm_tagger' differ \(overwrite = False; overwrite = True\)"),
            (_vectors, r"the vectors differ \(0 keys, 0 rows; 1 keys, \d+ rows\)"),
            (_clusters, r"the lookup tables differ \('brown_paths' is in one of them only\)"),
            (_special_case, r"the tokenizers differ"),
            (_one_more, r"the components differ \(bilstm_tagger \(bilstm_tagger\); bilstm_tagger .*, sentencizer"),
            (_off, r"the components differ \(bilstm_tagger \(bilstm_tagger\); .*, disabled\)\)"),
        ],
        ids=lambda value: getattr(value, "__name__", ""),
    )
    @pytest.mark.parametrize("average", [average_emissions, average_weights])
    def test_members_that_differ(self, tagger_members, tmp_path, change, message, average):
        other = save_changed(tagger_members[1], change, tmp_path / "other")
        with pytest.raises(DataError, match=f"seed1 and .*other: {message}.*Average pipelines that one recipe"):
            average([tagger_members[0], other])

    def test_other_rows_under_the_same_keys(self, tagger_members, tmp_path):
        paths = []
        for number, path in enumerate(tagger_members):

            def change(nlp, number=number):
                nlp.vocab.set_vector("so", np.full(3, number, dtype="f"))

            paths.append(save_changed(path, change, tmp_path / path.name))
        with pytest.raises(DataError, match=r"the vectors differ \(1 keys"):
            average_emissions(paths)

    @pytest.mark.parametrize("average", [average_emissions, average_weights])
    def test_other_entries_of_a_table(self, tagger_members, tmp_path, average):
        def give_tables(nlp, path="01"):
            brown_table({"so": path, "good": "1"}).to_lookups(nlp.vocab.lookups, BROWN)
            nlp.vocab.lookups.add_table("lemma", {"is": ["be"]})

        one, two = tagger_members[:2]
        paths = [save_changed(path, give_tables, tmp_path / path.name) for path in (one, two)]
        assert average(paths) is not None
        other = save_changed(two, partial(give_tables, path="11"), tmp_path / "more")
        with pytest.raises(DataError, match=r"the lookup tables differ \('brown_paths' has other entries\)"):
            average([paths[0], other])

    def test_heads_that_differ(self, tagger_members, tmp_path):
        make = partial(small_pipeline, "bilstm_tagger", model=SMALL_SOFTMAX)
        other = train_seeds(make, tag_examples, tmp_path / "softmax", (7,), steps=1)
        with pytest.raises(DataError, match="the heads of 'bilstm_tagger' differ"):
            average_emissions([tagger_members[0], *other])

    @pytest.mark.parametrize("count", [0, 1])
    def test_fewer_than_two(self, tagger_members, count):
        with pytest.raises(DataError, match=f"found {count} pipeline to average, expected at least two"):
            average_emissions(tagger_members[:count])

    def test_folders_that_are_no_pipelines(self, tagger_members, tmp_path):
        with pytest.raises(DataError, match=r"nowhere: cannot be loaded as a pipeline \(no such folder\)"):
            average_emissions([tagger_members[0], tmp_path / "nowhere"])
        (tmp_path / "empty").mkdir()
        with pytest.raises(DataError, match=r"empty: cannot be loaded as a pipeline \(.*meta.json.*\); expected"):
            average_emissions([tagger_members[0], tmp_path / "empty"])


def torch_shims(node):
    return [shim for shim in node.shims if isinstance(shim, TorchShim)]
