"""The shared tok2vec: spaCy's, but a damaged folder is one clear error."""

import pickle

import numpy as np
import pytest
import spacy
import srsly
from numpy.testing import assert_array_equal
from small_pipelines import TOK2VEC, change_vectors
from spacy.training import Corpus, Example
from spacy.vectors import Vectors

from spacy_bilstm_tagger.errors import ConfigError, DataError

LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 32}
HEADS = {"bilstm_tagger": "spacy-bilstm-tagger.TokenClassifier.v1", "tagger": "spacy.Tagger.v2"}
TEXT = "so good !!"


def make(factory="bilstm_tok2vec", with_vectors=False):
    """Our tagger and spaCy's, which both listen."""
    nlp = spacy.blank("en")
    if with_vectors:
        nlp.vocab.strings.add("so")
        nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=np.ones((1, 3), dtype="f"), keys=["so"])
    embed = {**TOK2VEC["embed"], "feature_width": 32, "include_static_vectors": with_vectors}
    nlp.add_pipe(factory, name="tok2vec", config={"model": {**TOK2VEC, "embed": embed}})
    for head, architecture in HEADS.items():
        nlp.add_pipe(head, config={"model": {"@architectures": architecture, "tok2vec": LISTENER}})
    example = Example.from_dict(nlp.make_doc("so good there"), {"tags": ["A", "B", "C"]})
    optimizer = nlp.initialize(lambda: [example])
    for _ in range(3):
        nlp.update([example], sgd=optimizer)
    return nlp


def truncate(data):
    return data[: len(data) // 2]


def alter_hashed_rows(data):
    message = srsly.msgpack_loads(data)
    for params in message["params"]:
        if "E" in params:
            params["E"] = params["E"] + 1
    return srsly.msgpack_dumps(message)


@pytest.fixture
def damaged(tmp_path):
    """The folder of a pipeline whose tok2vec was damaged after it was saved."""

    def damage(change, **options):
        make(**options).to_disk(tmp_path / "pipeline")
        path = tmp_path / "pipeline" / "tok2vec" / "model"
        path.write_bytes(change(path.read_bytes()))
        return tmp_path / "pipeline"

    return damage


@pytest.mark.parametrize("change", [truncate, alter_hashed_rows, lambda data: b"", lambda data: data + b"x"])
def test_damaged_file(damaged, change):
    path = damaged(change)
    with pytest.raises(DataError, match=r"tok2vec: cannot load .*tok2vec.model"):
        spacy.load(path)


def test_a_damaged_file_of_spacys_own_component(damaged):
    with pytest.raises(DataError, match=r"nlp: cannot load .*tok2vec.model. It does not agree with the checksum"):
        spacy.load(damaged(alter_hashed_rows, factory="tok2vec"))


def test_damaged_file_leaves_a_live_component_as_it_was(damaged):
    path, nlp = damaged(truncate), make()
    before = nlp(TEXT).tensor
    with pytest.raises(DataError, match="tok2vec: cannot load"):
        nlp.from_disk(path)
    assert_array_equal(nlp(TEXT).tensor, before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data * np.nan, "vectors table holds NaN"),
        (lambda data: data[:, :2], "built for vectors of width 3, but the pipeline's table has width 2"),
    ],
)
def test_vectors_are_checked_when_the_pipeline_is_loaded(tmp_path, change, message):
    nlp = make(with_vectors=True)
    nlp.to_disk(tmp_path)
    change_vectors(tmp_path, change)
    with pytest.raises(ConfigError, match=message):
        spacy.load(tmp_path)


@pytest.mark.parametrize("way", ["disk", "bytes"])
def test_round_trip(tmp_path, way):
    nlp, again = make(), make()
    if way == "disk":
        nlp.to_disk(tmp_path)
        again = spacy.load(tmp_path)
    else:
        again.from_bytes(nlp.to_bytes())
    assert_array_equal(again(TEXT).tensor, nlp(TEXT).tensor)
    assert [token.tag_ for token in again(TEXT)] == [token.tag_ for token in nlp(TEXT)]


def test_spacys_component_reads_the_folder(tmp_path):
    nlp = make("bilstm_tok2vec")
    nlp.get_pipe("tok2vec").to_disk(tmp_path, exclude=["vocab"])
    taker = make("tok2vec")
    taker.get_pipe("tok2vec").from_disk(tmp_path, exclude=["vocab"])
    assert_array_equal(taker(TEXT).tensor, nlp(TEXT).tensor)


@pytest.mark.parametrize("head", HEADS)
def test_listeners_can_be_replaced(head):
    nlp = make()
    before = nlp(TEXT)
    nlp.replace_listeners("tok2vec", head, ["model.tok2vec"])
    assert [t.tag_ for t in nlp(TEXT)] == [t.tag_ for t in before]
    assert nlp.get_pipe("tok2vec").listening_components == [each for each in HEADS if each != head]


def test_it_can_be_pickled_after_training():
    """spaCy's own cannot: its listeners keep the closures of the last batch."""
    nlp = make()
    again = pickle.loads(pickle.dumps(nlp))
    assert_array_equal(again(TEXT).tensor, nlp(TEXT).tensor)
    for pipeline in (nlp, again):  # and both go on learning
        example = Example.from_dict(pipeline.make_doc("so good there"), {"tags": ["A", "B", "C"]})
        before, optimizer = pipeline(TEXT).tensor, pipeline.create_optimizer()
        for _ in range(2):  # spaCy's tok2vec takes its step with the next batch
            pipeline.update([example], sgd=optimizer)
        assert np.abs(pipeline(TEXT).tensor - before).max() > 0
    with pytest.raises((AttributeError, pickle.PicklingError), match=r"pickle|local object"):
        pickle.dumps(make("tok2vec"))


def test_it_goes_on_in_another_pipeline():
    source = make()
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", source=source)
    nlp.add_pipe("bilstm_tagger", source=source)
    assert nlp(TEXT)[1].tag_ == source(TEXT)[1].tag_


def test_add_pipe_gives_a_bilstm_on_spelling_and_words():
    nlp = spacy.blank("en")
    tok2vec = nlp.add_pipe("bilstm_tok2vec")
    nlp.initialize(lambda: [Example.from_dict(nlp.make_doc("so good"), {})])
    assert nlp("so good").tensor.shape == (2, tok2vec.model.get_dim("nO"))


@pytest.mark.filterwarnings("ignore:.*W090")  # spaCy's, about the folder
def test_a_corpus_without_texts_is_one_clear_error(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("bilstm_tok2vec", name="t2v")
    with pytest.raises(ConfigError, match=r"^t2v: the training corpus holds no text; expected a \.spacy file"):
        nlp.initialize(lambda: Corpus(tmp_path)(nlp))


@pytest.mark.parametrize("factory", ["bilstm_tok2vec", "bilstm_tagger", "bilstm_ner", "bilstm_spans", "hmm_tagger"])
def test_a_corpus_that_is_not_there_is_one_clear_error(factory, tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe(factory)
    path = tmp_path / "train.spacy"
    with pytest.raises(ConfigError) as error:
        nlp.initialize(lambda: Corpus(path)(nlp))
    assert str(error.value).startswith(f"{path}: no such file or directory; expected the training corpus, a .spacy file")
