import json

import numpy as np
import pytest
import spacy
from spacy.training import Example
from thinc.api import fix_random_seed

from spacy_bilstm_tagger.lexicon.brown import brown_table
from spacy_bilstm_tagger.lexicon.table import BROWN
from spacy_bilstm_tagger.lexicon.vectors import set_vectors

TOK2VEC = {
    "@architectures": "spacy.Tok2Vec.v2",
    "embed": {
        "@architectures": "spacy-bilstm-tagger.TweetEmbed.v1",
        "attrs": ["NORM"],
        "rows": [50],
        "include_static_vectors": False,
        "brown_prefixes": [2],
    },
    "encode": {"@architectures": "spacy-bilstm-tagger.BiLSTMEncoder.v1", "width": 8, "depth": 1},
}
MODEL = {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1", "tok2vec": TOK2VEC}


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    """Two pipelines that began from different numbers, and two others that went on from the first."""
    folder, paths = tmp_path_factory.mktemp("members"), []
    nlp = spacy.blank("en")
    brown_table({"so": "01", "good": "1"}).to_lookups(nlp.vocab.lookups, BROWN)
    nlp.add_pipe("bilstm_tagger", config={"model": MODEL})
    examples = [Example.from_dict(nlp.make_doc("so good there"), {"tags": ["A", "B", "C"]})]
    for seed, name in enumerate(["one", "two", "tuned1", "tuned2"]):
        fix_random_seed(seed)
        if name.startswith("tuned"):
            nlp = spacy.load(folder / "one")
            optimizer = nlp.resume_training()
        else:
            optimizer = nlp.initialize(lambda: examples)
        nlp.update(examples, sgd=optimizer, drop=0.2)
        nlp.to_disk(folder / name)
        paths.append(folder / name)
    return paths


def test_emissions(spacy_bilstm, members, tmp_path):
    code, stdout, stderr = spacy_bilstm("ensemble", *members[:2], "-o", tmp_path / "out")
    assert (code, stderr) == (0, "")
    assert stdout == f"2 pipelines; components: bilstm_tagger\n✔ {tmp_path / 'out'}\n"
    model = spacy.load(tmp_path / "out").config["components"]["bilstm_tagger"]["model"]
    assert model["@architectures"] == "spacy-bilstm-tagger.Ensemble.v1"
    assert list(model["*"]) == ["0", "1"]


def test_weights(spacy_bilstm, members, tmp_path):
    code, stdout, stderr = spacy_bilstm("ensemble", *members[2:], "--output", tmp_path / "out", "--average", "weights")
    assert (code, stderr) == (0, "")
    assert stdout.startswith("Mean cosine of the weights of two members: 1.00\n2 pipelines")
    single = spacy.load(members[2])
    assert spacy.load(tmp_path / "out").config["components"] == single.config["components"]


def test_weights_of_different_origin_are_refused(spacy_bilstm, members, tmp_path):
    code, _, stderr = spacy_bilstm("ensemble", *members[:2], "-o", tmp_path / "out", "--average", "weights")
    assert code == 1
    assert "do not come from one trained network (the mean cosine of their weights is" in stderr
    assert not (tmp_path / "out").exists()


def test_replaces_its_own_output_only(spacy_bilstm, members, tmp_path):
    out = tmp_path / "out"
    assert spacy_bilstm("ensemble", *members[:2], "-o", out)[0] == 0
    assert spacy_bilstm("ensemble", *members, "-o", out)[0] == 0
    assert json.loads((out / "meta.json").read_text("utf8"))["ensemble"]["members"] == [
        "one",
        "two",
        "tuned1",
        "tuned2",
    ]
    for place in (members[3], tmp_path):
        code, _, stderr = spacy_bilstm("ensemble", *members[:2], "-o", place)
        assert code == 1
        assert stderr == f"✘ {place}: exists and is not a folder made by this command; give another name or remove it\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["one"], "found 1 pipeline to average, expected at least two: spacy-bilstm ensemble A B -o OUT"),
        (["one", "one"], "ROOM/one: given twice; expected pipelines that one recipe trained with different seeds"),
        (["one", "nowhere"], "ROOM/nowhere: cannot be loaded as a pipeline (no such folder)"),
        (["one", "out"], "ROOM/out: is one of the pipelines to average; give another name for the output"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(spacy_bilstm, members, names, message):
    room = members[0].parent
    before = sorted(room.rglob("*"))
    code, stdout, stderr = spacy_bilstm("ensemble", *(room / name for name in names), "-o", room / "out")
    assert (code, stdout) == (1, "")
    assert stderr.startswith(f"✘ {message.replace('ROOM', str(room))}")
    assert stderr.count("\n") == 1
    assert sorted(room.rglob("*")) == before


def test_fine_tuned_vectors_do_not_make_strangers_alike(spacy_bilstm, tmp_path):
    """They are copies of one table, and larger than all other weights."""
    embed = {**TOK2VEC["embed"], "brown_prefixes": [], "include_static_vectors": True, "finetune_vectors": True}
    model = {**MODEL, "tok2vec": {**TOK2VEC, "embed": embed}}
    for seed in (0, 1):
        fix_random_seed(seed)
        nlp = spacy.blank("en")
        rows = np.random.default_rng(0).normal(size=(2000, 20)).astype("f")
        set_vectors(nlp.vocab, ["so", "good", *map(str, range(1998))], rows, name="toy")
        nlp.add_pipe("bilstm_tagger", config={"model": model})
        nlp.initialize(lambda nlp=nlp: [Example.from_dict(nlp.make_doc("so good there"), {"tags": ["A", "B", "C"]})])
        nlp.to_disk(tmp_path / str(seed))
    arguments = [tmp_path / "0", tmp_path / "1", "-o", tmp_path / "out", "--average", "weights"]
    code, _, stderr = spacy_bilstm("ensemble", *arguments)
    assert code == 1
    assert "do not come from one trained network" in stderr
