"""Components bring their tables along, and never meet another one silently."""

import copy

import numpy as np
import pytest
import spacy
from small_pipelines import SMALL_CRF, TWEETS, renew_checksums
from spacy.strings import get_string_id
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_bilstm_tagger.errors import ConfigError, DataError
from spacy_bilstm_tagger.lexicon.brown import brown_table
from spacy_bilstm_tagger.lexicon.claim import tables_read
from spacy_bilstm_tagger.lexicon.gazetteers import gazetteer_table
from spacy_bilstm_tagger.lexicon.table import BROWN, GAZETTEERS, WordTable, get_table
from spacy_bilstm_tagger.lexicon.vectors import set_vectors

EMBED = {
    "@architectures": "spacy-bilstm-tagger.TweetEmbed.v1",
    "attrs": ["NORM"],
    "rows": [50],
    "include_static_vectors": False,
    "brown_prefixes": [2],
    "gazetteers": True,
    "tables": ["toy"],
}
ENCODE = {"@architectures": "spacy-bilstm-tagger.BiLSTMEncoder.v1", "width": 4, "depth": 1}
TOK2VEC = {"@architectures": "spacy.Tok2Vec.v2", "embed": EMBED, "encode": ENCODE}
MODEL = {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1", "tok2vec": TOK2VEC}
TABLES = (BROWN, GAZETTEERS, "vectors_toy")


def give_tables(vocab, number=1.0):
    brown_table({"so": "00", "good": "01"}).to_lookups(vocab.lookups, BROWN)
    gazetteer_table({"place": ["New York"]}).to_lookups(vocab.lookups, GAZETTEERS)
    rows = np.full((1, 3), number, dtype="f")
    table = WordTable.build(np.array([get_string_id("so")], dtype="uint64"), rows=rows)
    table.to_lookups(vocab.lookups, "vectors_toy")


def make_pipeline(*factories, number=1.0):
    nlp = spacy.blank("en")
    give_tables(nlp.vocab, number)
    for factory in factories:
        nlp.add_pipe(factory, config={"model": TOK2VEC if factory == "bilstm_tok2vec" else MODEL})
    examples = [Example.from_dict(nlp.make_doc("so good"), {"tags": ["A", "B"]})]
    nlp.initialize(lambda: examples)
    return nlp


@pytest.fixture
def saved(tmp_path):
    nlp = make_pipeline("bilstm_tok2vec", "bilstm_tagger")
    nlp.to_disk(tmp_path / "saved")
    return nlp


def source(*folders, component="bilstm_tagger"):
    components = {f"p{n}": {"source": str(folder), "component": component} for n, folder in enumerate(folders)}
    return spacy.blank("en", config={"nlp": {"pipeline": list(components)}, "components": components})


def rows(nlp, component):
    model = nlp.get_pipe(component).model
    embed = next(node for node in model.walk() if node.name == "tweet_embed")
    return embed.predict([nlp.make_doc("so good in New York")])[0]


@pytest.mark.parametrize("component", ["bilstm_tok2vec", "bilstm_tagger"])
def test_a_component_sourced_in_a_config_needs_no_extra_lines(saved, tmp_path, component):
    nlp = source(tmp_path / "saved", component=component)
    for name in TABLES:
        assert get_table(nlp.vocab, name).checksum == get_table(saved.vocab, name).checksum
    np.testing.assert_array_equal(rows(nlp, "p0"), rows(saved, component))
    nlp.to_disk(tmp_path / "again")
    np.testing.assert_array_equal(rows(spacy.load(tmp_path / "again"), "p0"), rows(saved, component))


def test_two_components_share_a_table(saved, tmp_path):
    nlp = source(tmp_path / "saved", tmp_path / "saved")
    assert set(nlp.vocab.lookups.tables) >= set(TABLES)
    assert len([name for name in nlp.vocab.lookups.tables if name.startswith("vectors_")]) == 1
    nlp("so good")


def test_a_component_of_a_pipeline_in_memory_brings_them_with_its_first_docs(saved):
    nlp = spacy.blank("en")
    nlp.add_pipe("bilstm_tagger", source=saved)
    assert nlp("so good in New York")[0].tag_ == saved("so good in New York")[0].tag_
    np.testing.assert_array_equal(rows(nlp, "bilstm_tagger"), rows(saved, "bilstm_tagger"))


def test_tables_of_another_content_are_refused(saved, tmp_path):
    make_pipeline("bilstm_tagger", number=2.0).to_disk(tmp_path / "other")
    with pytest.raises(ConfigError, match="trained with a vector table 'toy' of another content than the pipeline has"):
        source(tmp_path / "saved", tmp_path / "other")
    nlp = spacy.blank("en")
    give_tables(nlp.vocab, 2.0)
    nlp.add_pipe("bilstm_tagger", source=saved)
    with pytest.raises(ConfigError, match="a vector table 'toy' of another content"):
        nlp("so good")


@pytest.mark.parametrize(("name", "message"), zip(TABLES, ("no Brown clusters", "gazetteers, but", "'toy'")))
def test_a_table_that_is_nowhere_is_refused_at_once(saved, tmp_path, name, message):
    saved.vocab.lookups.remove_table(name)
    saved.vocab.to_disk(tmp_path / "saved" / "vocab")
    renew_checksums(tmp_path / "saved")
    for load in (spacy.load, source):
        with pytest.raises(ConfigError, match=message):
            load(tmp_path / "saved")


def test_nothing_is_stored_of_tables_that_are_refused(saved, tmp_path):
    path = tmp_path / "saved" / "vocab" / "lookups.bin"
    data = bytearray(path.read_bytes())
    data[data.index(np.ones(3, dtype="f").tobytes())] ^= 1
    path.write_bytes(data)
    pipe = copy.deepcopy(saved.get_pipe("bilstm_tagger"))
    pipe.vocab = Vocab()
    with pytest.raises(ConfigError, match=r"^bilstm_tagger: The model was trained with .* of another content"):
        pipe.from_disk(tmp_path / "saved" / "bilstm_tagger", exclude=["vocab"])
    assert not set(pipe.vocab.lookups.tables) & set(TABLES)


def test_docs_of_another_vocabulary(saved):
    nlp = spacy.blank("en")
    pipe = copy.deepcopy(saved.get_pipe("bilstm_tagger"))
    pipe.vocab = saved.vocab
    docs = [nlp.make_doc("so good"), saved.make_doc("so good")]
    with pytest.raises(ValueError, match="of several vocabularies; expected docs of one pipeline"):
        pipe.predict(docs)
    doc = pipe(docs[0])
    assert [token.tag_ for token in doc] == [token.tag_ for token in saved("so good")]


def test_a_flipped_bit_is_found(saved, tmp_path):
    path = tmp_path / "saved" / "vocab" / "lookups.bin"
    data = bytearray(path.read_bytes())
    data[data.index(np.ones(3, dtype="f").tobytes())] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"nlp: cannot load .*vocab.lookups.bin. It does not agree with the checksum"):
        spacy.load(tmp_path / "saved")
    renew_checksums(tmp_path / "saved")
    with pytest.raises(ConfigError, match=r"another content.*If nothing was exchanged, the pipeline is damaged"):
        spacy.load(tmp_path / "saved")


def test_the_tables_that_layers_read(saved):
    model = saved.get_pipe("bilstm_tagger").model
    assert tables_read(model) == set(TABLES)


def make_spacy_s_tagger():
    nlp = spacy.blank("en")
    give_tables(nlp.vocab)
    nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": TOK2VEC}})
    examples = [Example.from_dict(nlp.make_doc("so good"), {"tags": ["A", "B"]})]
    nlp.initialize(lambda: examples)
    return nlp


@pytest.mark.parametrize("table", TABLES)
def test_a_component_of_spacy_never_reads_a_table_of_another_content(table):
    """It brings no tables along, so the layers compare."""
    saved = make_spacy_s_tagger()
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger", source=saved)
    with pytest.raises(ConfigError, match="the pipeline has no"):
        nlp("so good in New York")
    nlp = spacy.blank("en")
    give_tables(nlp.vocab)
    nlp.add_pipe("tagger", source=saved)
    assert nlp("so good in New York")[0].tag_ == saved("so good in New York")[0].tag_
    others = {
        BROWN: brown_table({"so": "11"}),
        GAZETTEERS: gazetteer_table({"place": ["Oslo"]}),
        "vectors_toy": WordTable.build(np.array([1], dtype="uint64"), rows=np.ones((1, 3), dtype="f")),
    }
    others[table].to_lookups(nlp.vocab.lookups, table)
    with pytest.raises(ConfigError, match="of another content"):
        nlp("so good in New York")


def with_vectors(number):
    """A pipeline whose tagger reads `vocab.vectors`."""
    nlp = spacy.blank("en", config=TWEETS)
    set_vectors(nlp.vocab, ["so", "good"], np.full((2, 3), number, dtype="f"), name="toy")
    embed = {**SMALL_CRF["tok2vec"]["embed"], "include_static_vectors": True}
    model = {**SMALL_CRF, "tok2vec": {**SMALL_CRF["tok2vec"], "embed": embed}}
    nlp.add_pipe("bilstm_tagger", config={"model": model})
    nlp.initialize(lambda: [Example.from_dict(nlp.make_doc("so good"), {"tags": ["A", "B"]})])
    return nlp


@pytest.mark.filterwarnings("ignore:.*W113")
def test_vectors_of_another_content_in_memory():
    saved = with_vectors(1.0)
    for number, is_same in ((1.0, True), (2.0, False)):
        nlp = spacy.blank("en", config=TWEETS)
        set_vectors(nlp.vocab, ["so", "good"], np.full((2, 3), number, dtype="f"), name="toy")
        nlp.add_pipe("bilstm_tagger", source=saved)
        if is_same:
            assert nlp("so good")[0].tag_ == saved("so good")[0].tag_
        else:
            with pytest.raises(ConfigError, match=r"with other vectors than those that the component has worked with"):
                nlp("so good")


def test_vectors_that_were_reset():
    nlp = with_vectors(1.0)
    nlp("so good")
    nlp.vocab.reset_vectors(width=3)
    with pytest.raises(ConfigError, match="no vectors table"):
        nlp("so good")
