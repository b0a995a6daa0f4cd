"""A damaged component is one clear error that names it and the file, and a live one stays as it was."""

import copy
import json
import os
import pickle

import numpy as np
import pytest
import spacy
import srsly
from numpy.testing import assert_array_equal
from small_pipelines import TWEETS, change_vectors, ner_examples, renew_checksums, small_pipeline
from spacy.tokens import Span
from spacy.training import Example
from spacy.vectors import Vectors

from spacy_bilstm_tagger.errors import ConfigError, DataError
from spacy_bilstm_tagger.lexicon.files import write_checksums
from spacy_bilstm_tagger.lexicon.table import VECTORS_PREFIX, WordTable

TOK2VEC = {
    "@architectures": "spacy.Tok2Vec.v2",
    "embed": {
        "@architectures": "spacy-bilstm-tagger.TweetEmbed.v1",
        "attrs": ["NORM"],
        "rows": [50],
        "char_kernels": [2],
        "include_static_vectors": False,
    },
    "encode": {"@architectures": "spacy-bilstm-tagger.BiLSTMEncoder.v1", "width": 8, "depth": 1},
}
HEADS = {"bilstm_tagger": "TokenClassifier.v1", "bilstm_ner": "LinearChainCRF.v1", "bilstm_spans": "LinearChainCRF.v1"}


def make(factory):
    nlp = spacy.blank("en")
    model = {"@architectures": f"spacy-bilstm-tagger.{HEADS[factory]}", "tok2vec": TOK2VEC}
    nlp.add_pipe(factory, config={"model": model})
    example = Example.from_dict(nlp.make_doc("so good there"), {"tags": ["A", "B", "C"]})
    span = Span(example.reference, 0, 2, label="X")
    example.reference.set_ents([span])
    example.reference.spans["toxic"] = [span]
    optimizer = nlp.initialize(lambda: [example])
    for _ in range(3):
        nlp.update([example], sgd=optimizer)
    return nlp


def emissions(pipe, doc):
    return pipe.model.predict([doc]).emissions.numpy().copy()


class Payload:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def changed(part):
    """A damage that takes a part of each layer out of the file."""

    def damage(data, tmp_path):
        message = srsly.msgpack_loads(data)
        message[part] = [type(each)() for each in message[part]]
        return srsly.msgpack_dumps(message)

    return damage


def set_vector_table(vocab, name, hashes, rows):
    WordTable.build(hashes, rows=rows).to_lookups(vocab.lookups, VECTORS_PREFIX + name)


def flip(data, tmp_path):
    """A bit in the numbers of the last torch weights."""
    at = data.rindex(b"spacy_bilstm_tagger") + 1500
    return data[:at] + bytes([data[at] ^ 0x20]) + data[at + 1 :]


DAMAGES = {
    "empty": lambda data, _: b"",
    "truncated early": lambda data, _: data[:100],
    "truncated in the middle": lambda data, _: data[: len(data) // 2],
    "truncated by a byte": lambda data, _: data[:-1],
    "longer": lambda data, _: data + b"xx",
    "garbage": lambda data, _: np.random.default_rng(0).bytes(500),
    "pickle": lambda data, tmp_path: pickle.dumps(Payload(tmp_path / "executed")),
    "another file": lambda data, _: srsly.msgpack_dumps({"a": 1}),
    "a list": lambda data, _: srsly.msgpack_dumps([1, 2]),
    "flipped bit": flip,
    "no shims": changed("shims"),
    "no params": changed("params"),
}


@pytest.fixture(params=HEADS, scope="module")
def nlp(request):
    """Not to be changed."""
    return make(request.param)


@pytest.fixture
def live(nlp):
    """Another component, with other weights."""
    (name,) = nlp.pipe_names
    pipe = copy.deepcopy(nlp.get_pipe(name))
    output = pipe.model.get_ref("output_layer")
    output.set_param("b", output.get_param("b") + 1)
    pipe.cfg["mark"] = 1
    return pipe


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_damaged_model(nlp, live, tmp_path, damage):
    live.to_disk(tmp_path / "pipe", exclude=["vocab"])
    path = tmp_path / "pipe" / "model"
    path.write_bytes(damage(path.read_bytes(), tmp_path))
    doc = nlp.make_doc("so good !!")
    before, cfg = emissions(live, doc), dict(live.cfg)
    message = {"cfg": json.dumps({"mark": 2}), "model": path.read_bytes()}
    with pytest.raises(DataError, match=f"{live.name}: cannot load .*pipe.model"):
        live.from_disk(tmp_path / "pipe", exclude=["vocab"])
    with pytest.raises(DataError, match=f"{live.name}: cannot load the given bytes"):
        live.from_bytes(srsly.msgpack_dumps(message), exclude=["vocab"])
    assert_array_equal(emissions(live, doc), before)
    assert live.cfg == cfg
    assert not (tmp_path / "executed").exists()


@pytest.fixture
def altered(nlp, live, tmp_path):
    """A component's folder, in which a number of one of thinc's own layers was altered after it was saved."""

    def alter(layer, param):
        live.to_disk(tmp_path / "pipe", exclude=["vocab"])
        path = tmp_path / "pipe" / "model"
        message = srsly.msgpack_loads(path.read_bytes())
        (number, *_) = (i for i, node in enumerate(live.model.walk()) if node.name == layer)
        message["params"][number][param] = message["params"][number][param] + 1
        path.write_bytes(srsly.msgpack_dumps(message))
        return tmp_path / "pipe"

    return alter


@pytest.mark.parametrize(("layer", "param"), [("hashembed", "E"), ("linear", "W"), ("linear", "b")])
def test_altered_numbers(nlp, live, altered, layer, param):
    path, doc = altered(layer, param), nlp.make_doc("so good !!")
    before = emissions(live, doc)
    with pytest.raises(DataError, match=f"{live.name}: cannot load .*pipe.model.* does not agree with the checksum"):
        live.from_disk(path, exclude=["vocab"])
    assert_array_equal(emissions(live, doc), before)


def test_altered_numbers_do_not_reach_a_fresh_component(nlp, altered):
    path = altered("linear", "W")
    (name,) = nlp.pipe_names
    other = spacy.blank("en")
    fresh = other.add_pipe(name, config={"model": nlp.get_pipe_config(name)["model"]})
    with pytest.raises(DataError, match="does not agree with the checksum"):
        fresh.from_disk(path, exclude=["vocab"])
    assert not fresh.model.has_dim("nO")
    assert not fresh.model.get_ref("output_layer").has_param("W")


@pytest.mark.parametrize("keep", [0, 10, 40, -1])
def test_cut_bytes(nlp, live, keep):
    doc = nlp.make_doc("so good !!")
    before = emissions(live, doc)
    with pytest.raises(DataError, match=f"{live.name}: cannot load the given bytes. It does not agree with their checksum"):
        live.from_bytes(nlp.get_pipe(live.name).to_bytes(exclude=["vocab"])[:keep], exclude=["vocab"])
    assert_array_equal(emissions(live, doc), before)


@pytest.mark.parametrize("part", ["model", "cfg"])
def test_any_flipped_bit_of_a_file(nlp, live, tmp_path, part):
    nlp.get_pipe(live.name).to_disk(tmp_path, exclude=["vocab"])
    path = tmp_path / part
    data = path.read_bytes()
    for at in np.random.default_rng(0).integers(0, len(data), 20).tolist():
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
        with pytest.raises(DataError, match="does not agree with the checksum"):
            live.from_disk(tmp_path, exclude=["vocab"])


def test_altered_checksum(live, tmp_path):
    live.to_disk(tmp_path, exclude=["vocab"])
    (tmp_path / "sha256sums").write_text("", encoding="ascii")
    with pytest.raises(DataError, match=r"sha256sums. It does not agree with the form of such files"):
        live.from_disk(tmp_path, exclude=["vocab"])


def test_labels_in_another_order(live, tmp_path):
    live.to_disk(tmp_path, exclude=["vocab"])
    cfg = json.loads((tmp_path / "cfg").read_text(encoding="utf8"))
    (tmp_path / "cfg").write_text(json.dumps({**cfg, "labels": cfg["labels"][::-1]}, indent=2), encoding="utf8")
    before = live.labels
    with pytest.raises(DataError, match=rf"{live.name}: cannot load .*cfg. It does not agree with the checksum"):
        live.from_disk(tmp_path, exclude=["vocab"])
    assert live.labels == before


def test_other_files_in_the_folder_do_not_matter(live, tmp_path):
    live.to_disk(tmp_path, exclude=["vocab"])
    (tmp_path / ".DS_Store").write_bytes(b"x")
    live.from_disk(tmp_path, exclude=["vocab"])
    live.to_disk(tmp_path, exclude=["vocab"])
    (tmp_path / ".DS_Store").write_bytes(b"y")
    live.from_disk(tmp_path, exclude=["vocab"])


def test_folder_without_checksums(live, tmp_path):
    live.to_disk(tmp_path, exclude=["vocab"])
    (tmp_path / "sha256sums").unlink()
    with pytest.raises(DataError, match=rf"{live.name}: cannot load .*Its file sha256sums is missing"):
        live.from_disk(tmp_path, exclude=["vocab"])


@pytest.mark.parametrize("labels", [[], ["A", "B", "C", "D"]])
def test_labels_of_another_model(live, tmp_path, labels):
    live.to_disk(tmp_path, exclude=["vocab"])
    cfg = json.loads((tmp_path / "cfg").read_text(encoding="utf8"))
    (tmp_path / "cfg").write_text(json.dumps({**cfg, "labels": labels}), encoding="utf8")
    write_checksums(tmp_path)
    before = live.labels
    with pytest.raises(DataError, match=rf"scores a token, expected \d+ for the {len(labels)} labels in cfg"):
        live.from_disk(tmp_path, exclude=["vocab"])
    assert live.labels == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model.tok2vec.embed.rows": [60]}, "dimension 'nV' for model 'hashembed' from 60 to 50"),
        ({"model.tok2vec.encode.width": 10}, "dimension 'nO' .* from 10 to 8"),
        ({"model.tok2vec.encode.depth": 2}, "depth is 1, expected 2"),
        ({"model.tok2vec.encode.cell": "gru"}, "cell is lstm, expected gru"),
        (
            {"model.tok2vec.embed.attrs": ["LOWER"]},
            r"TweetEmbed.v1: attrs = \['LOWER'\], but .* trained with \['NORM'\]",
        ),
    ],
)
def test_config_of_another_model(nlp, tmp_path, change, message):
    nlp.to_disk(tmp_path)
    (name,) = nlp.pipe_names
    with pytest.raises((DataError, ConfigError), match=message) as caught:
        spacy.load(tmp_path, config={f"components.{name}.{key}": value for key, value in change.items()})
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data * np.nan, r"vectors table holds NaN or infinity \(row 0, key 'so'\)"),
        (lambda data: data[:, :2], r"(for vectors of width 3, but|of 1 rows of width 3, but).* width 2"),
    ],
)
@pytest.mark.parametrize("tuned", [False, True])
def test_vectors_of_another_pipeline_or_damaged(tmp_path, tuned, change, message):
    nlp = spacy.blank("en")
    nlp.vocab.strings.add("so")
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=np.ones((1, 3), dtype="f"), keys=["so"])
    embed = {**TOK2VEC["embed"], "include_static_vectors": True, "finetune_vectors": tuned}
    model = {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1", "tok2vec": {**TOK2VEC, "embed": embed}}
    nlp.add_pipe("bilstm_tagger", config={"model": model})
    nlp.initialize(lambda: [Example.from_dict(nlp.make_doc("so good"), {"tags": ["A", "B"]})])
    nlp.to_disk(tmp_path)
    assert spacy.load(tmp_path)("so good")[0].tag_
    change_vectors(tmp_path, change)
    with pytest.raises(ConfigError, match=message):
        spacy.load(tmp_path)


@pytest.mark.parametrize("data", [np.full((2, 3), np.nan, dtype="f"), np.ones((2, 4), dtype="f")], ids=["not-a-number", "wider"])
def test_further_tables_of_another_pipeline_or_damaged(tmp_path, data):
    nlp = spacy.blank("en")
    hashes = np.array([nlp.vocab.strings.add(word) for word in ("so", "good")], dtype="uint64")
    set_vector_table(nlp.vocab, "extra", hashes, np.ones((2, 3), dtype="f"))
    embed = {**TOK2VEC["embed"], "tables": ["extra"]}
    model = {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1", "tok2vec": {**TOK2VEC, "embed": embed}}
    nlp.add_pipe("bilstm_tagger", config={"model": model})
    nlp.initialize(lambda: [Example.from_dict(nlp.make_doc("so good"), {"tags": ["A", "B"]})])
    nlp.to_disk(tmp_path)
    assert spacy.load(tmp_path)("so good")[0].tag_
    set_vector_table(nlp.vocab, "extra", hashes, data)
    nlp.vocab.to_disk(tmp_path / "vocab")
    renew_checksums(tmp_path)
    with pytest.raises(ConfigError, match="trained with a vector table 'extra' of another content"):
        spacy.load(tmp_path)


def test_damaged_pipeline(nlp, tmp_path):
    (name,) = nlp.pipe_names
    nlp.to_disk(tmp_path)
    path = tmp_path / name / "model"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=f"{name}: cannot load .*{name}.model"):
        spacy.load(tmp_path)


@pytest.mark.parametrize("content", ["", '{"labels": ["A"', "[1]"])
def test_damaged_settings(live, tmp_path, content):
    live.to_disk(tmp_path, exclude=["vocab"])
    (tmp_path / "cfg").write_text(content, encoding="utf8")
    cfg = dict(live.cfg)
    with pytest.raises(DataError, match=f"{live.name}: cannot load .*cfg"):
        live.from_disk(tmp_path, exclude=["vocab"])
    assert live.cfg == cfg


def test_missing_model_names_the_file(live, tmp_path):
    live.to_disk(tmp_path, exclude=["vocab"])
    (tmp_path / "model").unlink()
    with pytest.raises(DataError, match="model"):
        live.from_disk(tmp_path, exclude=["vocab"])


def test_excluded_model_is_neither_saved_nor_loaded(nlp, live, tmp_path):
    pipe, doc = nlp.get_pipe(live.name), nlp.make_doc("so good !!")
    pipe.to_disk(tmp_path, exclude=["vocab", "model"])
    assert not (tmp_path / "model").exists()
    before = emissions(live, doc)
    live.from_disk(tmp_path, exclude=["vocab", "model"])
    live.from_bytes(pipe.to_bytes(exclude=["vocab", "model"]), exclude=["vocab"])
    live.from_bytes(pipe.to_bytes(exclude=["vocab"]), exclude=["vocab", "model"])
    assert_array_equal(emissions(live, doc), before)


@pytest.mark.parametrize("from_disk", [True, False])
def test_whole_component_takes_the_place_of_a_live_one(nlp, live, tmp_path, from_disk):
    pipe, doc = nlp.get_pipe(live.name), nlp.make_doc("so good !!")
    pipe.to_disk(tmp_path, exclude=["vocab"])
    data = pipe.to_bytes(exclude=["vocab"])
    assert np.abs(emissions(live, doc) - emissions(pipe, doc)).min() > 0.5
    load = (live.from_disk, str(tmp_path)) if from_disk else (live.from_bytes, data)
    assert load[0](load[1], exclude=["vocab"]) is live
    assert_array_equal(emissions(live, doc), emissions(pipe, doc))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_refused(nlp, live, value):
    output = live.model.get_ref("output_layer")
    output.set_param("b", output.get_param("b") + value)
    with pytest.raises(ValueError, match=f"{live.name}: the model gives scores that are NaN or infinite"):
        live(nlp.make_doc("so good"))


@pytest.mark.parametrize("factory", ["bilstm_tagger", "bilstm_ner"])
def test_rehearsal_needs_a_tok2vec_of_its_own(factory):
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 8}
    head = {"@architectures": f"spacy-bilstm-tagger.{HEADS[factory]}", "tok2vec": listener}
    nlp.add_pipe(factory, config={"model": head})
    doc = nlp.make_doc("so good there")
    example = Example.from_dict(doc, {"tags": ["A", "B", "C"], "entities": [(0, 2, "X")]})
    nlp.initialize(lambda: [example])
    optimizer = nlp.resume_training()
    with pytest.raises(ValueError, match=r"rehearse needs a tok2vec .*replace_listeners\('tok2vec', '" + factory):
        nlp.rehearse([example], sgd=optimizer)
    nlp.replace_listeners("tok2vec", factory, ["model.tok2vec"])
    optimizer = nlp.resume_training()
    nlp.update([example], sgd=optimizer)
    assert nlp.rehearse([example], sgd=optimizer)[factory] > 0


def test_over_another_pipeline(nlp, tmp_path):
    """A component of spaCy writes no checksums; there may be those of one of ours that had its name."""
    (name,) = nlp.pipe_names
    nlp.to_disk(tmp_path)
    other = spacy.blank("en", config=TWEETS)
    other.add_pipe("entity_ruler", name=name).add_patterns([{"label": "X", "pattern": "so good"}])
    other.to_disk(tmp_path)
    assert [ent.text for ent in spacy.load(tmp_path)("so good !!").ents] == ["so good"]


def test_a_live_one_with_other_labels_stays():
    nlp, live = (small_pipeline("bilstm_ner") for _ in range(2))
    nlp.initialize(lambda: ner_examples(nlp))
    live.initialize(lambda: ner_examples(live)[3:])
    labels = live.get_pipe("bilstm_ner").labels
    with pytest.raises(DataError, match=r"does not fit the labels or settings of the component .* Load it into a new pipeline"):
        live.from_bytes(nlp.to_bytes())
    assert live.get_pipe("bilstm_ner").labels == labels != nlp.get_pipe("bilstm_ner").labels
