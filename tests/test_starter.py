"""configs/starter.cfg: tags or entities, and a tok2vec that is sourced for other tags."""

import numpy as np
import pytest
import spacy
from numpy.testing import assert_array_equal
from spacy.tokens import Doc, DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.lexicon.sources import read_vectors
from spacy_bilstm_tagger.lexicon.vectors import set_vectors

WORDS = ["so", "good", "i", "like", "it", "the", "new", "record", "is", "out", "go", "there"]
WIDTH = 200


@pytest.fixture
def room(make_examples, tweet_nlp, tmp_path):
    """Four tagged tweets, once with other tags, and two tables of vectors."""
    docs = [eg.reference for eg in make_examples(tweet_nlp)]
    DocBin(docs=docs).to_disk(tmp_path / "tags.spacy")
    for doc in docs:
        for token in doc:
            token.tag_ = f"other-{token.tag_[0]}"
    DocBin(docs=docs).to_disk(tmp_path / "other.spacy")
    for name, dim in (("narrow", 4), ("wide", 6)):
        rows = np.random.default_rng(0).normal(size=(len(WORDS), dim)).round(3)
        lines = (f"{word} {' '.join(map(str, row))}\n" for word, row in zip(WORDS, rows))
        (tmp_path / f"{name}.txt").write_text("".join(lines), encoding="utf8")
    return tmp_path


@pytest.fixture
def starter(project, room):
    def load(corpus: str, distilled: str, **more):
        path = str(room / f"{corpus}.spacy")
        paths = {"paths.train": path, "paths.dev": path, "paths.distilled": str(room / distilled)}
        steps = {"training.max_steps": 2, "training.eval_frequency": 1}
        overrides = {**paths, **steps, **{key.replace("__", "."): value for key, value in more.items()}}
        return load_config(project / "configs" / "starter.cfg", overrides=overrides)

    return load


@pytest.fixture
def first(starter, room):
    """The folder of a tagger trained on the narrow vectors."""
    nlp = init_nlp(starter("tags", "narrow.txt"))
    nlp.to_disk(room / "first")
    return room / "first"


def sourced(config, first, *, components=("tok2vec",)):
    for name in components:
        config["components"][name] = {"source": str(first)}
    config["components"].pop("ner")
    if "tagger" not in components:
        config["components"]["tagger"]["model"]["tok2vec"]["width"] = WIDTH
    return config


@pytest.mark.parametrize("pipeline", [["tok2vec", "tagger"], ["tok2vec", "ner"], ["tok2vec", "tagger", "ner"]])
def test_what_is_not_in_the_pipeline_is_left_out(starter, pipeline):
    config = starter("tags", "narrow.txt", nlp__pipeline=pipeline)
    config["initialize"]["components"] = {"ner": {"labels": ["person"]}} if "ner" in pipeline else {}
    nlp = init_nlp(config)
    assert nlp.pipe_names == pipeline
    assert set(nlp.config["components"]) == set(pipeline)
    wanted = [score for name, score in (("tagger", "tag_acc"), ("ner", "ents_f")) if name in pipeline]
    weights = nlp.config["training"]["score_weights"]
    assert {key: weight for key, weight in weights.items() if weight} == {key: 1 / len(wanted) for key in wanted}


def test_a_sourced_tok2vec_takes_a_tagger_of_other_labels(starter, first, room):
    nlp = init_nlp(sourced(starter("other", "first"), first))
    train(nlp, room)
    tags = {token.tag_ for token in spacy.load(room / "model-last")("so good")}
    assert tags
    assert all(tag.startswith("other-") for tag in tags)


def test_a_sourced_tagger_of_other_labels_says_what_to_do(starter, first):
    config = sourced(starter("other", "first"), first, components=("tok2vec", "tagger"))
    found = r"^tagger: sourced with \d+ labels, .* has others: 'other-.' \([\d,]+\), 'other-.* source the tok2vec alone"
    with pytest.raises(ConfigError, match=found):
        init_nlp(config)
    config["training"]["frozen_components"] = ["tagger"]
    init_nlp(config)


def test_a_sourced_ner_of_other_labels_can_be_given_them(starter, room):
    def write(name, label):
        docs = [Doc(spacy.blank("en").vocab, words=["so", "good"], ents=["O", f"B-{label}"])]
        DocBin(docs=docs).to_disk(room / f"{name}.spacy")

    write("person", "person")
    write("both", "other")
    init_nlp(starter("person", "narrow.txt", nlp__pipeline=["tok2vec", "ner"])).to_disk(room / "first")
    config = starter("both", "first", nlp__pipeline=["tok2vec", "ner"])
    config["components"] = {name: {"source": str(room / "first")} for name in ("tok2vec", "ner")}
    with pytest.raises(ConfigError, match=r"^ner: sourced with 1 labels, .* or give them to the sourced one with add_label"):
        init_nlp(config)


def test_a_sourced_tagger_has_to_have_something_to_learn(starter, first, room):
    def write(**annotation):
        doc = Doc(spacy.blank("en").vocab, words=["so", "good"], **annotation)
        DocBin(docs=[doc] * 3).to_disk(room / "few.spacy")

    config = sourced(starter("few", "first"), first, components=("tok2vec", "tagger"))
    write()
    found = r"^tagger: sourced, and none of the 3 training texts is annotated for it; expected gold labels such as '"
    with pytest.raises(ConfigError, match=found):
        init_nlp(config)
    write(tags=["|".join(spacy.load(first).get_pipe("tagger").labels[:2])] * 2)
    init_nlp(config)  # either of two tags is something


def test_a_training_corpus_that_is_not_there_is_one_line_where_all_is_sourced(starter, first, room):
    config = sourced(starter("none", "first"), first, components=("tok2vec", "tagger"))
    with pytest.raises(ConfigError, match=rf"^{room / 'none.spacy'}: no such file or directory; expected the training corpus"):
        init_nlp(config)


def test_a_sourced_tok2vec_and_a_table_of_another_width(starter, first):
    with pytest.raises(ConfigError, match=r"^tok2vec: sourced, and cannot read .*a vector table .distilled. of another content"):
        init_nlp(sourced(starter("other", "wide.txt"), first))


def test_a_sourced_tok2vec_and_a_listener_of_another_width(starter, first):
    config = sourced(starter("other", "first"), first)
    config["components"]["tagger"]["model"]["tok2vec"]["width"] = 8
    with pytest.raises(ConfigError, match=r"^tagger: listens to 'tok2vec' with width 8, whose rows are 200 wide"):
        init_nlp(config)


def test_a_sourced_tok2vec_reads_its_own_table_where_another_is_given(starter, first, room):
    config = sourced(starter("other", "first"), first)
    config["initialize"]["before_init"]["tables"] = {"minilm": str(room / "narrow.txt")}
    with pytest.warns(UserWarning, match=r"tables\.minilm gives the pipeline vectors that none of its components reads"):
        nlp = init_nlp(config)
    doc = nlp.make_doc("so good")
    expected = spacy.load(first).get_pipe("tok2vec").predict([doc])[0]
    assert_array_equal(nlp.get_pipe("tok2vec").predict([doc])[0], expected)


@pytest.mark.parametrize("tuned", [False, True])
def test_a_sourced_tok2vec_and_other_vectors(starter, room, tuned):
    with_vectors = {
        "paths__vectors": str(room / "narrow.txt"),
        "components__tok2vec__model__embed__include_static_vectors": True,
        "components__tok2vec__model__embed__finetune_vectors": tuned,
    }
    nlp = init_nlp(starter("tags", "narrow.txt", **with_vectors))
    nlp.to_disk(room / "first")
    same = sourced(starter("other", "first", paths__vectors=str(room / "first")), room / "first")
    assert init_nlp(same).pipe_names == ["tok2vec", "tagger"]
    text = (room / "narrow.txt").read_text(encoding="utf8")
    (room / "other.txt").write_text(text.replace("so ", "sooo "), encoding="utf8")
    other = sourced(starter("other", "first", paths__vectors=str(room / "other.txt")), room / "first")
    message = r"^tok2vec: sourced from a pipeline with other vectors than 'other.txt'"
    with pytest.raises(ConfigError, match=message):
        init_nlp(other)
    # Those of [initialize] vectors take the place of both.
    other["initialize"]["vectors"] = str(room / "first")
    assert init_nlp(other).pipe_names == ["tok2vec", "tagger"]
    blank = spacy.blank("en")
    table = read_vectors(str(room / "other.txt"))
    set_vectors(blank.vocab, table.index_to_key, table.vectors, name="other.txt")
    blank.to_disk(room / "table")
    same["initialize"]["vectors"] = str(room / "table")
    with pytest.raises(ConfigError, match=r"^tok2vec: sourced from a pipeline with other vectors"):
        init_nlp(same)


@pytest.fixture
def tables(room):
    """Clusters, lists and vectors of two pipelines: the same words, other paths, names and rows."""
    for name, paths, towns, rows in (("one", ("00", "11"), "Rome", "1 2"), ("two", ("11", "00"), "Oslo", "2 1")):
        (room / f"{name}.tsv").write_text(f"{paths[0]}\tso\t2\n{paths[1]}\tgood\t1\n", encoding="utf8")
        (room / name).mkdir()
        (room / name / "town").write_text(f"{towns}\n", encoding="utf8")
        (room / f"{name}.txt").write_text(f"so {rows}\ngood 0 1\n", encoding="utf8")

    def overrides(name, **others):
        files = {"brown": f"{name}.tsv", "gazetteers": name, "distilled": f"{name}.txt", **others}
        embed = {"brown_prefixes": [2], "gazetteers": True}
        return {
            **{f"paths__{key}": str(room / file) for key, file in files.items()},
            **{f"components__tok2vec__model__embed__{key}": value for key, value in embed.items()},
        }

    return overrides


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"brown": "two.tsv"}, "Brown clusters"),
        ({"gazetteers": "two"}, "gazetteers"),
        ({"distilled": "two.txt"}, "a vector table 'distilled'"),
    ],
)
def test_a_sourced_tok2vec_and_tables_of_another_content(starter, room, tables, change, message):
    init_nlp(starter("tags", "one.txt", **tables("one"))).to_disk(room / "first")
    assert init_nlp(sourced(starter("other", "one.txt", **tables("one")), room / "first"))
    other = sourced(starter("other", "one.txt", **tables("one", **change)), room / "first")
    with pytest.raises(ConfigError, match=f"^tok2vec: sourced, and cannot read.*{message} of another content"):
        init_nlp(other)


def test_finetune_goes_on_from_en_tweet_sm(project, room, en_tweet_sm):
    path = str(room / "tags.spacy")
    overrides = {"paths.train": path, "paths.dev": path, "training.max_steps": 2, "training.eval_frequency": 1}
    config = load_config(project / "configs" / "finetune.cfg", overrides=overrides)
    ready, nlp = spacy.load("en_tweet_sm"), init_nlp(config)
    width = config["components"]["ner"]["model"]["tok2vec"]["width"]
    assert width == config["components"]["tagger"]["model"]["tok2vec"]["width"] == ready.get_pipe("tok2vec").model.get_dim("nO")
    doc = ready.get_pipe("tok2vec").predict([ready.make_doc("so good !")])[0]
    assert_array_equal(nlp.get_pipe("tok2vec").predict([nlp.make_doc("so good !")])[0], doc)
    (room / "out").mkdir()
    train(nlp, room / "out")
    assert set(spacy.load(room / "out" / "model-last").get_pipe("tagger").labels) == set(nlp.get_pipe("tagger").labels)
    assert "tok2vec" in nlp.pipe_names
