"""One network with the mean of the weights of its members."""

import warnings
from functools import partial

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose
from seeds import both_examples, emissions, shared_pipeline, tag_examples, train_seeds
from small_pipelines import SMALL_CRF, TOK2VEC, small_pipeline
from thinc.api import fix_random_seed

from spacy_bilstm_tagger.ensemble.average import average_weights
from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.layers.shim import TorchShim


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


def torch_shims(node):
    return [shim for shim in node.shims if isinstance(shim, TorchShim)]
