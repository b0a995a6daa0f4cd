"""scripts/code_vectors.py: word vectors as codes of a byte each."""

import numpy as np
import pytest
import spacy
from spacy.strings import get_string_id

from spacy_bilstm_tagger.lexicon.table import WordTable
from spacy_bilstm_tagger.lexicon.vectors import load_further_table, set_vectors


@pytest.fixture
def code(run_script, tmp_path):
    """Writes so many rows (and that of unknown words), codes them, and gives the rows, the hashes of the words and the report."""

    def run(n_rows=3000, width=16):
        rng = np.random.default_rng(0)
        rows = (rng.normal(size=(n_rows, width)) * np.linspace(3, 0.5, width)).astype("f")
        nlp = spacy.blank("en", meta={"name": "vectors"})
        words = [f"word{n}" for n in range(n_rows)]
        set_vectors(nlp.vocab, words, rows, name="toy")
        nlp.to_disk(tmp_path / "whole")
        result = run_script("code_vectors.py", tmp_path / "whole", tmp_path / "coded", "--name", "toy")
        hashes = np.array([get_string_id(word) for word in words], dtype="uint64")
        return rows, hashes, result

    return run


@pytest.mark.parametrize("width", [16, 27])
def test_rows_are_nearly_the_same(code, tmp_path, width):
    rows, hashes, result = code(width=width)
    assert result.exit_code == 0, result.output
    table = load_further_table(str(tmp_path / "coded"), "toy")
    found = table.rows(table.find(hashes))
    lost = np.square(found - rows).sum() / np.square(rows).sum()
    assert lost < 0.05
    assert f"3,001 rows, {table.arrays['codes'].shape[1]} bytes each; {lost:.1%} of their squares are lost" in result.output
    assert table.width == width
    assert table.arrays["codes"].dtype == np.uint8


def test_the_same_rows_have_the_same_codes(code, tmp_path):
    code()
    before = load_further_table(str(tmp_path / "coded"), "toy").checksum
    code()
    assert load_further_table(str(tmp_path / "coded"), "toy").checksum == before


def test_a_few_rows_are_refused(code, tmp_path):
    _, _, result = code(n_rows=100)
    assert result.exit_code == 1
    assert "found 101 rows, expected at least 256; a table that small needs no codes" in result.output
    assert not (tmp_path / "coded").exists()


def test_what_else_belongs_to_the_table_stays(run_script, tmp_path):
    rng = np.random.default_rng(0)
    nlp = spacy.blank("en", meta={"name": "vectors"})
    hashes = np.sort(rng.integers(1, 2**60, 500).astype("uint64"))
    WordTable(hashes, {"rows": rng.normal(size=(500, 8)).astype("f2")}, {"distiller": "x"}).to_lookups(
        nlp.vocab.lookups, "vectors_distilled"
    )
    nlp.to_disk(tmp_path / "whole")
    assert run_script("code_vectors.py", tmp_path / "whole", tmp_path / "coded").exit_code == 0
    assert load_further_table(str(tmp_path / "coded"), "distilled").info["distiller"] == "x"
