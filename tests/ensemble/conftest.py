from functools import cache, partial

import pytest
import spacy
from seeds import EXAMPLES, KINDS, train_seeds
from small_pipelines import SMALL_CRF, small_pipeline

from spacy_bilstm_tagger.ensemble.average import average_emissions


@pytest.fixture(params=KINDS, ids=[f"{factory}-{model['@architectures'][20:-3]}" for factory, model in KINDS])
def kind(request):
    return request.param


@pytest.fixture(scope="session")
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
