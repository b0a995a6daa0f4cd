import gzip
import shutil

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.strings import get_string_id
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import ConfigValidationError

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.lexicon.brown import brown_table
from spacy_bilstm_tagger.lexicon.distill import Distiller, save_distilled
from spacy_bilstm_tagger.lexicon.files import BROWN_FOLDER, GAZETTEERS_FOLDER, save_folder
from spacy_bilstm_tagger.lexicon.gazetteers import find_names, gazetteer_table
from spacy_bilstm_tagger.lexicon.load import create_load_vectors
from spacy_bilstm_tagger.lexicon.table import BROWN, GAZETTEERS, VECTORS_PREFIX, WordTypes, get_table
from spacy_bilstm_tagger.lexicon.vectors import DISTILLER, save_vectors
from spacy_bilstm_tagger.tokenizer.tweet_tokenizer import create_tweet_tokenizer


def save_table(table, name, output, kind):
    vocab = Vocab()
    table.to_lookups(vocab.lookups, name)
    save_folder(vocab, output, kind=kind)


def _nlp(source, **options) -> Language:
    """A pipeline that gets its vectors when it is initialized."""
    callback = {"@callbacks": "spacy-bilstm-tagger.load_vectors.v1", **options}
    if source is not None:
        callback["source"] = str(source)
    return spacy.blank("en", config={"initialize": {"before_init": callback}})


@pytest.fixture
def initialized(as_dict):
    """The table of such a pipeline."""

    def run(source, **options):
        nlp = _nlp(source, **options)
        nlp.initialize()
        return as_dict(nlp.vocab.vectors)

    return run


@pytest.fixture
def expected(toy, as_dict):
    return {**as_dict(toy), "<unk>": (1, 0, 1.75)}


@pytest.fixture
def message():
    """The one line of a source that is wrong."""

    def run(source, **options):
        with pytest.raises(ConfigError) as error:
            _nlp(source, **options).initialize()
        assert "\n" not in str(error.value)
        return str(error.value)

    return run


def test_vectors_from_a_file(write_text, initialized, expected):
    assert initialized(write_text()) == expected


def test_vectors_from_a_folder(toy, tmp_path, initialized, expected):
    save_vectors(toy.index_to_key, toy.vectors, tmp_path / "table", name="toy")
    assert initialized(tmp_path / "table") == expected


def test_vectors_from_the_folder_of_any_pipeline(toy, tmp_path, initialized, as_dict):
    nlp = spacy.blank("de")
    nlp.vocab.set_vector("tag", np.array([1, 2], dtype="float32"))
    nlp.to_disk(tmp_path / "german")
    assert initialized(tmp_path / "german") == {"tag": (1, 2)}


def test_options(write_text, initialized):
    path = write_text()
    assert initialized(path, max_rows=1) == {"<unk>": (1, 2, 3), "<user>": (1, 2, 3)}
    nlp = _nlp(path, prune_to=2, dtype="float16")
    nlp.initialize()
    assert nlp.vocab.vectors.shape == (2, 3)
    assert nlp.vocab.vectors.data.dtype == "float16"


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_table_is_saved_with_the_pipeline(kind, dtype, toy, tmp_path, write_text, expected, as_dict):
    source = write_text()
    if kind == "folder":
        source = tmp_path / "table"
        save_vectors(toy.index_to_key, toy.vectors, source, name="toy", dtype=dtype)
    nlp = _nlp(source, dtype=dtype)
    nlp.initialize()
    nlp.to_disk(tmp_path / "nlp")
    for other in (spacy.load(tmp_path / "nlp"), _nlp(source).from_bytes(nlp.to_bytes())):
        assert as_dict(other.vocab.vectors) == expected
        assert other.vocab.vectors.data.dtype == dtype
        assert other.vocab.vectors.name == nlp.vocab.vectors.name
        assert other.vocab["the"].vector.tolist() == [3, -2.5, 0.25]


def test_saved_pipeline_does_not_need_the_source(write_text, tmp_path, as_dict, expected):
    path = write_text()
    nlp = _nlp(path)
    nlp.initialize()
    nlp.to_disk(tmp_path / "nlp")
    path.unlink()
    assert as_dict(spacy.load(tmp_path / "nlp").vocab.vectors) == expected


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"a 1 2\nb 3\n", "line 2: found 1 numbers, expected 2"),
        (b"", "found no vectors"),
        (b"a nan 1\n", "line 1: the row of 'a' holds NaN or infinity"),
        (gzip.compress(b"a 1 2\n" * 99, mtime=0)[:-9], "cannot be read as word vectors"),
        (b"\x80\x04cos\nsystem\n.", "refused, because the file could run code"),
    ],
)
def test_file_that_is_wrong(data, found, tmp_path, message):
    (tmp_path / "toy").write_bytes(data)
    assert found in message(tmp_path / "toy")


def test_source_that_is_not_there(tmp_path, message):
    assert message(tmp_path / "none.txt").startswith(f"{tmp_path / 'none.txt'}: no such file")


def test_folder_without_a_pipeline(tmp_path, message):
    assert "no such file" in message(tmp_path)


def test_folder_that_is_damaged(toy, tmp_path, message):
    folder = tmp_path / "table"
    save_vectors(toy.index_to_key, toy.vectors, folder, name="toy")
    (folder / "vocab" / "vectors").write_bytes(b"\x93NUMPY")
    assert message(folder).startswith(f"{folder}: cannot be read as a spaCy vectors table (")


def test_folder_of_a_pipeline_without_vectors(tmp_path, message):
    spacy.blank("en").to_disk(tmp_path / "plain")
    assert message(tmp_path / "plain").startswith(f"{tmp_path / 'plain'}: the pipeline in this folder has no vectors")


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"max_rows": 0}, "max_rows = 0; expected a whole number of at least 1"),
        ({"prune_to": -1}, "prune_to = -1; expected a whole number of at least 1"),
        ({"dim": 0}, "dim = 0; expected a whole number of at least 1"),
    ],
)
def test_options_that_are_wrong(options, found):
    with pytest.raises(ConfigError) as error:
        create_load_vectors("toy.txt", **options)
    assert str(error.value) == f"load_vectors.v1: {found}"


def test_a_type_that_no_table_has():
    with pytest.raises(ConfigValidationError, match=r"dtype\s.*float64"):
        _nlp("toy.txt", dtype="float64").initialize()


class TestBrown:
    @pytest.fixture(params=["file", "folder"])
    def brown(self, request, tmp_path):
        """Gives so the path 00, as a file and as a folder."""
        if request.param == "file":
            (tmp_path / "paths").write_text("00\tso\t7\n")
            return str(tmp_path / "paths")
        save_table(brown_table({"so": "00"}), BROWN, tmp_path / "folder", BROWN_FOLDER)
        return str(tmp_path / "folder")

    @pytest.mark.parametrize("with_vectors", [False, True])
    def test_clusters_are_saved_with_the_pipeline(self, brown, with_vectors, write_text, expected, as_dict, tmp_path):
        nlp = _nlp(write_text() if with_vectors else None, brown=brown)
        nlp.initialize()
        nlp.to_disk(tmp_path / "nlp")
        for other in (nlp, spacy.load(tmp_path / "nlp")):
            table = get_table(other.vocab, BROWN)
            assert table.arrays["paths"].tolist() == [0b100]
            assert table.hashes.tolist() == [get_string_id("so")]
            assert as_dict(other.vocab.vectors) == (expected if with_vectors else {})

    @pytest.mark.parametrize(
        ("data", "found"),
        [
            (None, "no such file. Expected Brown clusters"),
            (b"", "found no Brown clusters"),
            (b"00\tso\n", "line 1: found '00\\tso', expected a bit path, a word and a count"),
        ],
    )
    def test_file_that_is_wrong(self, data, found, tmp_path, message):
        path = tmp_path / "paths"
        if data is not None:
            path.write_bytes(data)
        error = message(None, brown=str(path))
        assert error.startswith(f"{path}")
        assert found in error

    def test_folder_without_clusters(self, tmp_path, message):
        spacy.blank("en").to_disk(tmp_path / "plain")
        assert "has no Brown clusters" in message(None, brown=str(tmp_path / "plain"))

    def test_neither_vectors_nor_clusters(self):
        with pytest.raises(ConfigError, match="are all null"):
            _nlp(None).initialize()


def test_further_tables_from_a_file_a_folder_and_a_pipeline(toy, expected, write_text, tmp_path):
    save_vectors(toy.index_to_key, toy.vectors, tmp_path / "table", name="toy", dtype="float16")
    nlp = _nlp(None, tables={"a": str(write_text()), "b": str(tmp_path / "table")})
    nlp.initialize()
    nlp.to_disk(tmp_path / "pipeline")
    again = _nlp(None, tables={"b": str(tmp_path / "pipeline")})
    again.initialize()
    for vocab, name, dtype in ((nlp.vocab, "a", "f4"), (nlp.vocab, "b", "f2"), (again.vocab, "b", "f2")):
        table = get_table(vocab, VECTORS_PREFIX + name)
        assert table.arrays["rows"].dtype == dtype
        for key in toy.index_to_key:
            row = table.find(np.array([get_string_id(key)], dtype="uint64"))
            assert table.arrays["rows"][row[0]].tolist() == list(expected[key])
    assert not nlp.vocab.vectors.size


def test_files_of_further_tables_are_read_as_the_source_is(tmp_path):
    (tmp_path / "toy.txt").write_text("so 1 2\n 7 7\ngood 3 4\nso 5 6\nlast 8 8\n", encoding="utf8")
    nlp = _nlp(None, tables={"toy": str(tmp_path / "toy.txt")}, max_rows=4, dtype="float16")
    with pytest.warns(UserWarning, match=r"no word.*\n?") as told:
        nlp.initialize()
    assert any("1 rows are of words that were there before" in str(each.message) for each in told)
    table = get_table(nlp.vocab, VECTORS_PREFIX + "toy")
    assert table.arrays["rows"].dtype == "f2"
    assert sorted(table.arrays["rows"].tolist()) == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("text", "options", "found"),
    [("so 0 0\ngood 0 0\n", {}, "all rows are zeros"), ("so 1 2\n", {"dim": 3}, "expected 3"), (" 1 2\n", {}, "")],
)
def test_files_of_further_tables_that_say_nothing(message, tmp_path, text, options, found):
    (tmp_path / "toy.txt").write_text(text, encoding="utf8")
    assert found in message(None, tables={"toy": str(tmp_path / "toy.txt")}, **options)


def test_a_further_table_of_an_installed_pipeline(toy, tmp_path, monkeypatch):
    save_vectors(toy.index_to_key, toy.vectors, tmp_path / "table", name="toy")
    monkeypatch.setattr("spacy_bilstm_tagger.lexicon.vectors.find_pipeline", lambda name: tmp_path / name.partition("_")[2])
    nlp = _nlp(None, tables={"toy": "en_table"})
    nlp.initialize()
    assert get_table(nlp.vocab, VECTORS_PREFIX + "toy").arrays["rows"].shape[1] == 3


def distiller_of(vocab, name):
    return get_table(vocab, VECTORS_PREFIX + name).info.get(DISTILLER)


def test_what_further_tables_were_distilled_with_comes_along(toy, tmp_path):
    for name, number in (("a", 1.0), ("b", 2.0)):
        mean, rows = np.full(2, number, dtype="f"), np.full((1, 3), number, dtype="f")
        distiller = Distiller(tmp_path / name, 1, mean=mean, projection=np.ones((2, 3), dtype="f"), probe=mean)
        save_distilled(distiller, ["so"], rows, tmp_path / f"{name}_out", dtype="float16")
    nlp = _nlp(None, tables={name: str(tmp_path / f"{name}_out") for name in "ab"})
    nlp.initialize()
    nlp.to_disk(tmp_path / "pipeline")
    again = _nlp(None, tables={"b": str(tmp_path / "pipeline")})
    again.initialize()
    assert distiller_of(nlp.vocab, "a")["mean"].tolist() == [1, 1]
    for vocab in (nlp.vocab, again.vocab):
        assert distiller_of(vocab, "b")["mean"].tolist() == [2, 2]
    save_vectors(toy.index_to_key, toy.vectors, tmp_path / "plain", name="toy")
    again.config["initialize"]["before_init"]["tables"] = {"b": str(tmp_path / "plain")}
    again.initialize()
    assert distiller_of(again.vocab, "b") is None


def test_a_further_table_that_is_nowhere_is_one_line(message):
    found = message(None, tables={"a": "nowhere.txt"})
    assert found.startswith("nowhere.txt: no such file or folder, for the vector table 'a'. 'spacy-bilstm vectors distill")


class TestGazetteers:
    @pytest.mark.parametrize("kind", ["file", "lists", "pipeline"])
    def test_lists_are_saved_with_the_pipeline(self, kind, tmp_path):
        source = tmp_path / "lists"
        source.mkdir()
        (source / "place.txt").write_text("New York\n")
        if kind == "pipeline":
            save_table(gazetteer_table({"place": ["New York"]}), GAZETTEERS, tmp_path / "out", GAZETTEERS_FOLDER)
        path = {"file": source / "place.txt", "lists": source, "pipeline": tmp_path / "out"}[kind]
        nlp = _nlp(None, gazetteers=str(path))
        nlp.initialize()
        nlp.to_disk(tmp_path / "nlp")
        for other in (nlp, spacy.load(tmp_path / "nlp")):
            types = WordTypes.of([other("new york")])
            assert find_names(get_table(other.vocab, GAZETTEERS), types)[0].tolist() == [[True], [False]]

    def test_list_that_is_wrong(self, tmp_path, message):
        (tmp_path / "place").write_bytes(b"Oslo\tNorway\n")
        assert "place, line 1: found 'Oslo\\tNorway'" in message(None, gazetteers=str(tmp_path))


def test_a_further_table_from_a_damaged_pipeline_is_one_line(toy, message, tmp_path):
    save_vectors(toy.index_to_key, toy.vectors, tmp_path / "table", name="toy")
    (tmp_path / "table" / "vocab" / "lookups.bin").write_bytes(b"\x81")
    assert "the lookups of a spaCy pipeline" in message(None, tables={"a": str(tmp_path / "table")})


def test_docs_of_gold_tokens_have_the_norms_of_the_pipeline(write_text):
    """spaCy loads the pipeline of a sourced component with the vocabulary of the new one, before these callbacks."""
    nlp = _nlp(write_text())
    nlp.tokenizer = create_tweet_tokenizer(norms="lower")(nlp)
    create_tweet_tokenizer(norms="glove")(nlp)
    nlp.initialize()
    assert Doc(nlp.vocab, words=["@Mara"])[0].norm_ == "@mara"


class TestUnread:
    """What no layer reads is said; what one reads is not."""

    @pytest.fixture
    def warned(self, toy, tmp_path, write_text, recwarn):
        (tmp_path / "lists").mkdir()
        (tmp_path / "lists" / "team").write_text("the mets\n", encoding="utf-8")
        (tmp_path / "paths").write_text("0110\tso\t9\n", encoding="utf-8")
        save_vectors(toy.index_to_key, toy.vectors, tmp_path / "toy", name="toy")

        def run(factory, **embed):
            nlp = _nlp(
                write_text(),
                brown=str(tmp_path / "paths"),
                gazetteers=str(tmp_path / "lists"),
                tables={"toy": str(tmp_path / "toy")},
            )
            if factory:
                embed = {"@architectures": "spacy-bilstm-tagger.TweetEmbed.v1", **embed}
                nlp.add_pipe(factory, config={"model": {"@architectures": "spacy.Tok2Vec.v2", "embed": embed}})
            nlp.initialize(lambda: [Example.from_dict(nlp.make_doc("so good"), {})])
            return [str(each.message) for each in recwarn.list if "load_vectors.v1" in str(each.message)]

        return run

    def test_each_has_its_switch(self, warned):
        source, brown, lists, table = warned("bilstm_tok2vec")
        assert source.startswith("load_vectors.v1: source gives the pipeline vectors that none of its components reads;")
        assert "with include_static_vectors = true. Or set source to null" in source
        assert "brown_prefixes = [4, 8, 12, 16]. Or set brown to null" in brown
        assert "gazetteers = true. Or set gazetteers to null" in lists
        assert 'with "toy" among its tables. Or set tables.toy to null' in table

    def test_what_is_read(self, warned):
        read = {"include_static_vectors": True, "brown_prefixes": [4], "gazetteers": True, "tables": ["toy"]}
        assert warned("bilstm_tok2vec", **read) == []

    def test_a_pipeline_without_networks_may_be_there_for_its_vectors(self, warned):
        assert warned(None) == []


def test_an_installed_pipeline_by_its_name(tmp_path, monkeypatch):
    package = tmp_path / "en_toy"
    save_vectors(["so", "good"], np.ones((2, 3), dtype="f"), tmp_path / "made", name="toy")
    shutil.copytree(tmp_path / "made", package / "en_toy-0.1")
    (package / "__init__.py").write_text("", encoding="utf8")
    (package / "meta.json").write_text('{"lang": "en", "name": "toy", "version": "0.1"}', encoding="utf8")
    (tmp_path / "en_toy-0.1.dist-info").mkdir()
    (tmp_path / "en_toy-0.1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: en_toy\nVersion: 0.1\n")
    monkeypatch.syspath_prepend(tmp_path)
    nlp = _nlp("en_toy")
    nlp.initialize()
    assert nlp.vocab.has_vector("good")
