"""Components on a shared tok2vec: rows that are missing or of other tokens, and another tok2vec than they were trained with."""

import copy
import pickle
import shutil
import warnings

import numpy as np
import pytest
import spacy
from shared_pipelines import LISTENER, TEXTS, TOKENIZER, learn_on, make_pipeline, output
from small_pipelines import TOK2VEC
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Adam, fix_random_seed

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.pipeline.upstream import Link, listeners, weights_checksum


@pytest.fixture(scope="module")
def pipeline():
    """Not to be changed."""
    return make_pipeline()


MESSAGE = r"bilstm_tagger: listens to a tok2vec \('\*'\), and found no rows in the doc; expected that component before"
ANOTHER = "bilstm_tagger: listens to another tok2vec than the one that it was trained with"


def test_without_their_tok2vec(pipeline, tmp_path):
    pipeline.to_disk(tmp_path)
    for options in ({"exclude": ["tok2vec"]}, {"disable": ["tok2vec"]}):
        nlp = spacy.load(tmp_path, **options)
        with pytest.raises(ConfigError, match=MESSAGE):
            nlp(TEXTS[0])
        assert len(nlp("")) == 0


def test_before_their_tok2vec(pipeline):
    nlp = copy.deepcopy(pipeline)
    tok2vec = nlp._components.pop(0)
    nlp._components.append(tok2vec)
    with pytest.raises(ConfigError, match=MESSAGE):
        nlp(TEXTS[0])


def test_a_trained_one_behind_another_tok2vec_is_warned_of(pipeline, tmp_path):
    one, other = copy.deepcopy(pipeline), make_pipeline(seed=1)
    nlp = spacy.blank("en", vocab=one.vocab, config=TOKENIZER)
    nlp.add_pipe("tok2vec", source=one)
    nlp.add_pipe("bilstm_ner", source=one)
    nlp.add_pipe("bilstm_tagger", source=other)
    nlp.to_disk(tmp_path)
    for each in (nlp, spacy.load(tmp_path)):
        with pytest.warns(UserWarning, match=ANOTHER):
            each(TEXTS[0])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            each(TEXTS[1])  # once is enough
            each.select_pipes(disable=["bilstm_tagger"])
            each(TEXTS[0])
    learn_on(nlp).to_disk(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert output(spacy.load(tmp_path)) == output(nlp)


@pytest.mark.parametrize("as_bytes", [True, False])
def test_a_tok2vec_that_is_exchanged_is_warned_of(pipeline, tmp_path, as_bytes):
    tok2vec = learn_on(copy.deepcopy(pipeline)).get_pipe("tok2vec")
    tok2vec.to_disk(tmp_path / "other")
    pipeline.to_disk(tmp_path / "pipeline")
    nlp = spacy.load(tmp_path / "pipeline")
    nlp(TEXTS[0])
    if as_bytes:
        nlp.get_pipe("tok2vec").from_bytes(tok2vec.to_bytes())
    else:
        nlp.get_pipe("tok2vec").from_disk(tmp_path / "other", exclude=["vocab"])
    with pytest.warns(UserWarning, match=ANOTHER):
        nlp(TEXTS[0])


def test_a_name_that_no_tok2vec_has(pipeline, tmp_path):
    pipeline.to_disk(tmp_path)
    nlp = spacy.load(tmp_path, config={"components.bilstm_tagger.model.tok2vec.upstream": "other"})
    with pytest.warns(UserWarning, match="bilstm_tagger: listens to 'other', which is no tok2vec of the pipeline"):
        nlp(TEXTS[0])


def test_a_tok2vec_that_is_exchanged_in_memory_is_warned_of_then_and_after_loading(pipeline, tmp_path):
    nlp = copy.deepcopy(pipeline)
    nlp.get_pipe("tok2vec").from_bytes(learn_on(copy.deepcopy(pipeline)).get_pipe("tok2vec").to_bytes())
    nlp.to_disk(tmp_path)
    for each in (nlp, spacy.load(tmp_path)):
        with pytest.warns(UserWarning, match=ANOTHER):
            each(TEXTS[0])
    with pytest.warns(UserWarning, match=ANOTHER):
        learn_on(spacy.load(tmp_path))


@pytest.mark.parametrize("is_loaded", [True, False])
def test_a_tok2vec_that_learns_on_alone_is_warned_of_also_after_a_first_text(pipeline, tmp_path, is_loaded):
    nlp = copy.deepcopy(pipeline)
    if is_loaded:
        pipeline.to_disk(tmp_path)
        nlp = spacy.load(tmp_path)
    nlp(TEXTS[0])
    learn_on(nlp, exclude=["bilstm_tagger"])
    with pytest.warns(UserWarning, match=ANOTHER if is_loaded else "bilstm_tagger: its tok2vec has learned since"):
        nlp(TEXTS[0])
    learn_on(nlp)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nlp(TEXTS[0])


def test_a_tok2vec_between_is_warned_of(pipeline):
    nlp = spacy.blank("en", vocab=make_pipeline().vocab, config=TOKENIZER)
    for name in ("one", "two"):
        nlp.add_pipe("bilstm_tok2vec", name=name, config={"model": TOK2VEC})
    for name, factory in (("two", "bilstm_spans"), ("one", "bilstm_tagger")):
        listener = {**LISTENER, "upstream": name}
        model = {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1", "tok2vec": listener}
        if name == "one":
            with pytest.warns(UserWarning, match="bilstm_tagger: listens to 'one', but 'two' stands between them"):
                nlp.add_pipe(factory, config={"model": model})
        else:
            nlp.add_pipe(factory, config={"model": model})
    nlp.remove_pipe("bilstm_tagger")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nlp.add_pipe("bilstm_tagger", before="two", config={"model": model})


@pytest.mark.parametrize("part", ["tok2vec", "bilstm_tagger"])
def test_a_folder_from_another_pipeline_is_warned_of(pipeline, tmp_path, part):
    """Pipelines of sourced components beside spaCy's tokenizer have no checksums of the whole."""
    for name, source in (("one", copy.deepcopy(pipeline)), ("other", learn_on(copy.deepcopy(pipeline)))):
        nlp = spacy.blank("en", vocab=source.vocab)
        for pipe in source.pipe_names:
            nlp.add_pipe(pipe, source=source)
        nlp.to_disk(tmp_path / name)
    shutil.rmtree(tmp_path / "one" / part)
    (tmp_path / "other" / part).rename(tmp_path / "one" / part)
    with pytest.warns(UserWarning, match=ANOTHER):
        spacy.load(tmp_path / "one")(TEXTS[0])


def test_spacy_s_tok2vec_in_the_place_of_ours_is_warned_of(pipeline, tmp_path):
    pipeline.to_disk(tmp_path)
    theirs = spacy.blank("en")
    theirs.add_pipe("tok2vec", config={"model": {"width": 32}})
    theirs.initialize()
    nlp = spacy.blank("en", vocab=theirs.vocab, config=TOKENIZER)
    nlp.add_pipe("tok2vec", source=theirs)
    nlp.add_pipe("bilstm_tagger", source=spacy.load(tmp_path))
    nlp.to_disk(tmp_path / "mixed")
    with pytest.warns(UserWarning, match=ANOTHER):
        spacy.load(tmp_path / "mixed")(TEXTS[0])


def test_components_on_spacy_s_tok2vec_know_it_too(tmp_path):
    for seed, name in enumerate(("one", "other")):
        fix_random_seed(seed)
        nlp = spacy.blank("en", config=TOKENIZER)
        nlp.add_pipe("tok2vec", config={"model": {"width": 32}})
        model = {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1", "tok2vec": LISTENER}
        nlp.add_pipe("bilstm_tagger", config={"model": model})
        examples = [Example.from_dict(nlp.make_doc(TEXTS[0]), {"tags": ["RB", "JJ", "IN", "NNP", "NNP"]})]
        optimizer = nlp.initialize(lambda examples=examples: examples)
        for _ in range(3):
            nlp.update(examples, sgd=optimizer)
        nlp.to_disk(tmp_path / name)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            again = spacy.load(tmp_path / name)
            assert output(again) == output(nlp)
            again.update(examples, sgd=again.resume_training())
            again(TEXTS[0])
    nlp = spacy.load(tmp_path / "one")
    nlp.remove_pipe("bilstm_tagger")
    nlp.add_pipe("bilstm_tagger", source=spacy.load(tmp_path / "other"))
    nlp.to_disk(tmp_path / "mixed")
    with pytest.warns(UserWarning, match=ANOTHER):
        spacy.load(tmp_path / "mixed")(TEXTS[0])


def test_copies_and_new_ones_are_not_warned_of(pipeline, tmp_path):
    pipeline.to_disk(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for nlp in (copy.deepcopy(pipeline), pickle.loads(pickle.dumps(pipeline)), spacy.load(tmp_path)):
            nlp(TEXTS[0])
            nlp.remove_pipe("bilstm_ner")
            nlp.add_pipe("bilstm_ner", config={"model": pipeline.get_pipe_config("bilstm_ner")["model"]})
            again = copy.deepcopy(spacy.load(tmp_path))
            again(TEXTS[0])
            again.to_disk(tmp_path / "again")
            spacy.load(tmp_path / "again")(TEXTS[0])
        learn_on(spacy.load(tmp_path))(TEXTS[0])


def test_averages_that_are_saved_are_those_that_are_compared(pipeline, tmp_path):
    nlp = copy.deepcopy(pipeline)
    optimizer = Adam(0.01, use_averages=True)
    for _ in range(3):
        nlp.update([Example.from_dict(nlp.make_doc(TEXTS[0]), {"tags": ["RB"] * 5})], sgd=optimizer)
    tok2vec = nlp.get_pipe("tok2vec").model
    last = weights_checksum(tok2vec)
    with nlp.use_params(optimizer.averages):
        nlp.to_disk(tmp_path)
        assert weights_checksum(tok2vec) != last
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nlp(TEXTS[0])
        spacy.load(tmp_path)(TEXTS[0])


def test_a_frozen_component_behind_a_tok2vec_that_learned_on_is_warned_of(pipeline, tmp_path):
    pipeline.to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    learn_on(nlp, exclude=["bilstm_tagger"])
    nlp.to_disk(tmp_path / "next")
    with pytest.warns(UserWarning, match=ANOTHER) as warned:
        spacy.load(tmp_path / "next")(TEXTS[0])
    assert len(warned) == 1


def test_the_copy_of_a_component_takes_no_tok2vec_along(pipeline):
    tagger = pipeline.get_pipe("bilstm_tagger")
    twin = copy.deepcopy(tagger.model)
    (node,), (same,) = listeners(twin), listeners(tagger.model)
    assert node is not same
    assert Link.of(node).tok2vec is Link.of(same).tok2vec is pipeline.get_pipe("tok2vec")
    whole = copy.deepcopy(pipeline)
    (node,) = listeners(whole.get_pipe("bilstm_tagger").model)
    assert Link.of(node).tok2vec is whole.get_pipe("tok2vec")


def test_rows_of_another_width(pipeline):
    doc = pipeline.make_doc(TEXTS[0])
    doc.tensor = np.zeros((len(doc), 5), dtype="f")
    with pytest.raises(ConfigError, match="found rows of width 5, expected 32"):
        pipeline.get_pipe("bilstm_ner")(doc)


def test_rows_that_were_taken_away(pipeline):
    doc = pipeline.make_doc(TEXTS[0])
    doc.tensor = None
    with pytest.raises(ConfigError, match=r"found no rows in the doc; expected .*; in training, among annotating_components"):
        pipeline.get_pipe("bilstm_ner")(doc)


def test_rows_of_tokens_before_they_were_split(pipeline):
    """spaCy leaves a row too many, and zeros for the parts."""
    nlp = copy.deepcopy(pipeline)
    nlp.add_pipe("token_splitter", after="tok2vec", config={"min_length": 4, "split_length": 2})
    with pytest.raises(ConfigError, match=r"rows for \d+ tokens in the doc; expected the component that splits tokens"):
        nlp(TEXTS[0])


def test_a_batch_that_the_tok2vec_has_not_read_is_not_learned_from(pipeline):
    nlp = make_pipeline()
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in (pipeline(text) for text in TEXTS[:3])]
    optimizer = nlp.resume_training()
    nlp.update(examples, sgd=optimizer)
    for batch in (examples, examples[:1]):
        with nlp.select_pipes(disable=["tok2vec"]), pytest.raises(ConfigError, match="texts that no tok2vec has read"):
            nlp.update(batch, sgd=optimizer)


def test_a_tok2vec_can_be_frozen_where_it_has_learned(pipeline):
    nlp = make_pipeline()
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in (pipeline(text) for text in TEXTS[:3])]
    optimizer = nlp.resume_training()
    nlp.update(examples, sgd=optimizer)
    before, tagger = (
        weights_checksum(nlp.get_pipe("tok2vec").model),
        weights_checksum(nlp.get_pipe("bilstm_tagger").model),
    )
    for batch in (examples, examples[:1], examples[1:]):
        nlp.update(batch, sgd=optimizer, exclude=["tok2vec"], annotates=["tok2vec"])
    assert weights_checksum(nlp.get_pipe("tok2vec").model) == before
    assert weights_checksum(nlp.get_pipe("bilstm_tagger").model) != tagger
    nlp.update(examples, sgd=optimizer)  # it learns on
    assert weights_checksum(nlp.get_pipe("tok2vec").model) != before


@pytest.mark.parametrize("is_frozen", [True, False])
def test_texts_that_no_tok2vec_has_read_are_not_learned_from(is_frozen, pipeline, tmp_path):
    pipeline.to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    if not is_frozen:
        nlp._components.append(nlp._components.pop(0))  # behind its listeners
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in (pipeline(text) for text in TEXTS[:3])]
    optimizer = nlp.resume_training()
    with pytest.raises(ConfigError, match="would learn from texts that no tok2vec has read; expected one before"):
        nlp.update(examples, sgd=optimizer, exclude=["tok2vec"] if is_frozen else [])


def test_another_width_than_that_of_the_tok2vec_is_told_before_the_training():
    nlp = spacy.blank("en")
    nlp.add_pipe("bilstm_tok2vec", name="tok2vec")
    width = nlp.get_pipe("tok2vec").model.get_dim("nO")
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": width + 2, "upstream": "tok2vec"}
    model = {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1", "tok2vec": listener}
    with pytest.raises(ConfigError, match=f"listens to 'tok2vec' with width {width + 2}, whose rows are {width} wide"):
        nlp.add_pipe("bilstm_tagger", config={"model": model})


def test_a_component_of_spacy_that_expects_other_rows_is_told():
    other = spacy.blank("en")
    other.add_pipe("tok2vec")
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "tok2vec"}
    model = {"@architectures": "spacy.Tagger.v2", "tok2vec": listener, "nO": None, "normalize": False}
    other.add_pipe("tagger", config={"model": model})
    gold = Doc(other.vocab, ["so", "good"], tags=["RB", "JJ"])
    other.initialize(lambda: [Example(Doc(other.vocab, ["so", "good"]), gold)])
    nlp = make_pipeline()
    with pytest.raises(
        ConfigError,
        match=r"tagger: listens to 'tok2vec' with width 96.* call other.replace_listeners\('tok2vec', 'tagger'",
    ):
        nlp.add_pipe("tagger", source=other)
