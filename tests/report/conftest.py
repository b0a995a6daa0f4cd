import shutil
from typing import Callable

import pytest
import spacy
from golden.make import GOLDEN
from small_pipelines import SPANS, small_pipeline, span_examples, train
from spacy.language import Language
from spacy.tokens import DocBin

from spacy_bilstm_tagger.report.data import read_examples
from spacy_bilstm_tagger.report.report import Material, Report, make_report


@pytest.fixture(scope="session")
def golden(tmp_path_factory):
    """A pipeline with tagger and ner, trained on the sample corpus."""
    folder = tmp_path_factory.mktemp("golden") / "pipeline"
    shutil.copytree(GOLDEN / "pipeline", folder)
    return folder


@pytest.fixture(scope="session")
def sample(project, tmp_path_factory):
    """The dev part of the sample corpus."""
    from spacy_bilstm_tagger.corpus.docs import to_docbin
    from spacy_bilstm_tagger.corpus.formats import read_corpus

    source = project / "assets" / "sample" / "dev.conll"
    path = tmp_path_factory.mktemp("sample") / "dev.spacy"
    to_docbin(source, read_corpus(source)[1]).to_disk(path)
    return path


@pytest.fixture(scope="session")
def toxic(tmp_path_factory) -> tuple[Language, object]:
    """A pipeline that finds spans of two labels, and the texts that it has learned from."""
    nlp = small_pipeline("bilstm_spans")
    examples = span_examples(nlp)
    train(nlp, examples, steps=30)
    path = tmp_path_factory.mktemp("toxic") / "dev.spacy"
    DocBin(docs=[example.reference for example in examples * 3]).to_disk(path)
    assert len(SPANS) == len(examples)
    return nlp, path


@pytest.fixture(scope="session")
def report_of() -> Callable[..., Report]:
    def make(nlp, *paths, **options) -> Report:
        nlp = nlp if isinstance(nlp, Language) else spacy.load(nlp)
        of_file = [(path, read_examples(nlp, path)) for path in paths]
        examples = [example for _, each in of_file for example in each]
        sources = [(path.name, len(each)) for path, each in of_file]
        train = options.pop("train", [])
        return make_report(nlp, Material(examples, sources, train=train), **options)

    return make
