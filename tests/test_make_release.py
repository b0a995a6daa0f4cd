"""scripts/make_release.py: what en_tweet_sm is put together from."""

import importlib.metadata
import warnings
from unittest.mock import Mock

import pytest
import spacy
import srsly
from catalogue import REGISTRY
from spacy.tokens import Doc
from spacy.util import registry

from spacy_bilstm_tagger.pipeline.upstream import reset_links

RULES = ("tweet_sentencizer", "attribute_ruler", "lemmatizer")
TABLES = ("lemma_rules", "lemma_exc", "lemma_index")
TERMS = {"LICENSE": "Permission is hereby granted", "en_license.txt": "WordNet Release 3.0", "METADATA": "Name: x"}


@pytest.fixture(scope="module")
def parts(en_tweet_sm, tmp_path_factory):
    """The networks of en_tweet_sm alone, and the tables that its lemmatizer was made with, under the name that spaCy asks for."""
    folder = tmp_path_factory.mktemp("parts")
    nlp = spacy.load("en_tweet_sm")
    lookups = nlp.get_pipe("lemmatizer").lookups
    paths = {}
    for name in TABLES:
        table = lookups.get_table(name)
        paths[name] = folder / f"{name}.json"
        srsly.write_json(paths[name], {pos: table[pos] for pos in ("adj", "adv", "noun", "punct", "verb") if pos in table})
    for name, text in TERMS.items():
        (folder / name).write_text(text, encoding="utf8")
    nlp.to_disk(folder / "whole")
    for name in (*RULES, "ner"):
        nlp.remove_pipe(name)
    for shim in (shim for node in nlp.get_pipe("tok2vec").model.walk() for shim in node.shims if hasattr(shim, "module")):
        for weight in shim.module.parameters():
            weight.data.mul_(1 + 1e-5)  # no numbers of float16, as those that were trained are none
    for name in ("tagger", "pos"):
        reset_links(nlp.get_pipe(name).model)
    nlp.to_disk(folder / "tags")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(REGISTRY, (*registry.lookups.namespace, "en"), paths)
        real, tables = importlib.metadata.distribution, Mock(files=[folder / each for each in TERMS])
        patch.setattr(importlib.metadata, "distribution", lambda name: tables if name == "spacy-lookups-data" else real(name))
        yield folder


@pytest.mark.slow
def test_the_same_networks_make_the_same_pipeline(parts, run_script, tmp_path):
    arguments = [
        parts / "tags",
        tmp_path / "made",
        "--name",
        "tweet_sm",
        "--version",
        "9.9.9",
        "--entities",
        parts / "whole",
    ]
    result = run_script("make_release.py", *arguments)
    assert result.exit_code == 0, result.output
    made, original = spacy.load(tmp_path / "made"), spacy.load("en_tweet_sm")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made("so good")
    assert made.pipe_names == original.pipe_names
    assert (made.meta["version"], made.meta["license"]) == ("9.9.9", original.meta["license"])
    assert (tmp_path / "made" / "LICENSE").read_text().startswith("CC BY-SA 4.0: https://creativecommons.org/")
    inside = (tmp_path / "made" / "LICENSES_SOURCES").read_text()
    assert "Permission is hereby granted" in inside  # of the tables of lemmas, as their licences ask
    assert "WordNet Release 3.0" in inside
    assert "Name: x" not in inside
    assert all(source["url"] in inside for source in made.meta["sources"])
    texts = ["RT @mara: sooo happy in Lisbon!! 😭", "#NowPlaying: she unfollowed me http://T.co/AbC", "we are hoping"]
    for text in texts:
        assert made(text).to_json() == original(text).to_json()
    assert made.batch_size == 1000
    assert made.resume_training().learn_rate == 0.001
    doc = Doc(made.vocab, words=["her", "her"], tags=["PRP", "PRP$"], pos=["PRON"] * 2)
    for name in ("attribute_ruler", "lemmatizer"):
        doc = made.get_pipe(name)(doc)
    assert [token.lemma_ for token in doc] == ["she", "her"]
    assert [token.lemma_ for token in made(texts[1])] == ["#nowplaying", ":", "she", "unfollow", "I", "http://T.co/AbC"]


@pytest.mark.slow
def test_parts_of_speech_of_another_pipeline(parts, run_script, tmp_path):
    """As en_tweet_lg takes them, whose pipeline of parts of speech has a tagger of attr = "pos"."""
    nlp = spacy.load(parts / "tags")
    nlp.rename_pipe("tagger", "other")
    nlp.rename_pipe("pos", "tagger")
    nlp.remove_pipe("other")
    nlp.to_disk(tmp_path / "pos")
    nlp = spacy.load(parts / "tags")
    nlp.remove_pipe("pos")
    nlp.to_disk(tmp_path / "tags")
    options = ["--name", "tweet_lg", "--pos", tmp_path / "pos", "--entities", parts / "whole"]
    result = run_script("make_release.py", tmp_path / "tags", tmp_path / "made", *options)
    assert result.exit_code == 0, result.output
    made, original = spacy.load(tmp_path / "made"), spacy.load("en_tweet_sm")
    assert made.pipe_names == original.pipe_names
    for doc, expected in zip(made.pipe(["sooo happy in Lisbon!!"]), original.pipe(["sooo happy in Lisbon!!"])):
        assert [(t.tag_, t.pos_, t.ent_type_) for t in doc] == [(t.tag_, t.pos_, t.ent_type_) for t in expected]
    assert "Tweebank" in srsly.json_dumps(made.meta["sources"])
