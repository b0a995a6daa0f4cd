import json

import numpy as np
import pytest
import spacy
from gensim.models import KeyedVectors
from spacy.util import OOV_RANK
from spacy.vocab import Vocab

from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.lexicon.files import VECTORS_FOLDER, check_output
from spacy_bilstm_tagger.lexicon.vectors import load_vectors, save_vectors, set_vectors


@pytest.fixture
def table(as_dict):
    """The rows of a vocabulary that got these vectors."""

    def make(rows, **options):
        vectors = KeyedVectors(len(next(iter(rows.values()))))
        vectors.add_vectors(list(rows), np.array(list(rows.values()), dtype="float32"))
        vocab = Vocab()
        set_vectors(vocab, vectors.index_to_key, vectors.vectors, name="toy", **options)
        return as_dict(vocab.vectors)

    return make


def test_unk_row_is_the_mean_where_there_is_none(toy, as_dict):
    vocab = Vocab()
    set_vectors(vocab, toy.index_to_key, toy.vectors, name="toy")
    assert as_dict(vocab.vectors) == {**as_dict(toy), "<unk>": (1, 0, 1.75)}
    assert vocab.vectors.find(key="<unk>") == 0
    assert vocab.vectors.name == "toy"


def test_unk_row_of_the_file_is_kept(table):
    rows = {"a": (1, 2), "b": (3, 4), "<unk>": (7, 7)}
    assert table(rows) == rows


def test_empty_key_is_dropped_and_not_in_the_mean(table):
    assert table({"a": (1, 2), "": (100, 100), "b": (3, 4)}) == {"<unk>": (2, 3), "a": (1, 2), "b": (3, 4)}


def test_keys_are_case_sensitive_and_keep_their_unicode(table):
    keys = ["The", "the", "<user>", "\x85", "a\u00a0b", "e\u0301", "é", "👍🏽", " "]
    rows = {key: (float(i), 0.0) for i, key in enumerate(keys)}
    found = table(rows)
    assert found.pop("<unk>") == (4, 0)
    assert found == rows


def test_prune_to_keeps_the_first_rows_and_maps_the_others_to_the_most_similar(table):
    rows = {"<unk>": (1, 1), "x": (1, 0), "y": (0, 1), "like x": (9, 1), "like y": (1, 9)}
    assert table(rows, prune_to=3) == {
        "<unk>": (1, 1), "x": (1, 0), "y": (0, 1), "like x": (1, 0), "like y": (0, 1)
    }  # fmt: skip


def test_prune_to_counts_the_unk_row(toy):
    vocab = Vocab()
    set_vectors(vocab, toy.index_to_key, toy.vectors, name="toy", prune_to=2)
    assert vocab.vectors.shape == (2, 3)
    assert vocab.vectors.n_keys == 4


def test_prune_to_keeps_the_unk_row_that_a_file_ends_with(table):
    rows = {"x": (1, 0), "y": (0, 1), "like y": (1, 9), "<unk>": (5, 6)}
    assert table(rows, prune_to=3) == {**rows, "like y": (0, 1)}


@pytest.mark.parametrize("prune_to", [4, 5, None])
def test_nothing_is_pruned_from_a_table_that_small(prune_to, toy, as_dict):
    vocab = Vocab()
    set_vectors(vocab, toy.index_to_key, toy.vectors, name="toy", prune_to=prune_to)
    assert as_dict(vocab.vectors) == {**as_dict(toy), "<unk>": (1, 0, 1.75)}


@pytest.mark.parametrize("prune_to", [None, 2])
def test_float16(prune_to, toy):
    vocab = Vocab()
    set_vectors(vocab, toy.index_to_key, toy.vectors, name="toy", dtype="float16", prune_to=prune_to)
    assert vocab.vectors.data.dtype == "float16"
    assert vocab["<user>"].vector.tolist() == [1, 2, 3]


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_number_that_is_not_finite(number, table):
    with pytest.raises(DataError, match="toy: the row of 'b' holds NaN or infinity"):
        table({"a": (1, 2), "b": (1, number), "c": (number, 1)})


def test_zeros_alone(toy):
    with pytest.raises(DataError, match="toy: all rows are zeros"):
        set_vectors(Vocab(), toy.index_to_key, 0 * toy.vectors, name="toy")


@pytest.mark.parametrize(("number", "dtype"), [(1e39, "float32"), (1e5, "float16")])
def test_number_that_is_too_large_for_the_table(number, dtype):
    vectors = KeyedVectors(2, dtype=np.float64)
    vectors.add_vectors(["a", "b"], np.array([[1, 2], [1, number]]))
    with pytest.raises(DataError, match=f"toy: the row of 'b' holds NaN or infinity in {dtype}"):
        set_vectors(Vocab(), vectors.index_to_key, vectors.vectors, name="toy", dtype=dtype)


def test_mean_of_large_numbers_is_finite():
    vectors = KeyedVectors(1)
    vectors.add_vectors(["a", "b"], np.full((2, 1), 3e38, dtype="float32"))
    vocab = Vocab()
    set_vectors(vocab, vectors.index_to_key, vectors.vectors, name="toy")
    assert vocab["<unk>"].vector.tolist() == pytest.approx([3e38])


@pytest.mark.parametrize("keys", [[], [""]])
def test_no_rows(keys):
    vectors = KeyedVectors(2)
    vectors.add_vectors(keys, np.ones((len(keys), 2), dtype="float32"))
    with pytest.raises(DataError, match="toy: found no vectors"):
        set_vectors(Vocab(), vectors.index_to_key, vectors.vectors, name="toy")


def test_ranks_are_the_rows(toy):
    vocab = Vocab()
    before = [vocab["the"], vocab["unheard"]]
    set_vectors(vocab, toy.index_to_key, toy.vectors, name="toy")
    assert [lexeme.rank for lexeme in before] == [2, OOV_RANK]


def test_saved_table_is_a_pipeline_that_can_be_loaded_back(toy, tmp_path, as_dict):
    saved = save_vectors(toy.index_to_key, toy.vectors, tmp_path / "out", name="toy")
    nlp = spacy.blank("en")
    load_vectors(nlp.vocab, tmp_path / "out")
    for name, vectors in (("out", nlp.vocab.vectors), ("toy", spacy.load(tmp_path / "out").vocab.vectors)):
        assert as_dict(vectors) == as_dict(saved)
        assert vectors.name == name
    assert nlp.vocab["the"].rank == 2


def test_saved_table_takes_the_place_of_another(toy, tmp_path):
    for dtype in ("float32", "float16"):
        save_vectors(toy.index_to_key, toy.vectors, tmp_path / "out", name="toy", dtype=dtype)
        assert spacy.load(tmp_path / "out").vocab.vectors.data.dtype == dtype
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_only_a_folder_of_vectors_can_be_written_over(toy, tmp_path):
    path = tmp_path / "out"
    check_output(path, kind=VECTORS_FOLDER)
    save_vectors(toy.index_to_key, toy.vectors, path, name="toy")
    check_output(path, kind=VECTORS_FOLDER)
    trained = spacy.blank("en", config={"nlp": {"pipeline": []}}, meta={"name": "vectors"})
    trained.add_pipe("sentencizer")
    trained.to_disk(path)
    with pytest.raises(DataError, match="exists and is not a folder made by this command"):
        check_output(path, kind=VECTORS_FOLDER)


@pytest.mark.parametrize("meta", ["", "[]", "{}", json.dumps({"name": "mine", "pipeline": []})])
def test_folder_of_something_else_is_kept(meta, tmp_path):
    (tmp_path / "meta.json").write_text(meta)
    with pytest.raises(DataError, match="exists and is not a folder made by this command"):
        check_output(tmp_path, kind=VECTORS_FOLDER)
