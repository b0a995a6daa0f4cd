import pytest
import srsly

SPANS = {
    "token_f": 1.0,
    "spans_rude_char_p": 0.5,
    "spans_rude_char_r": 0.25,
    "spans_rude_char_f": 0.3333,
    "spans_rude_char_f_gold": 0.3333,
    "spans_rude_char_f_nogold": None,
    "spans_rude_p": 0.1,
    "spans_rude_r": 0.2,
    "spans_rude_f": 0.1333,
    "spans_rude_per_type": {"rude": {"p": 0.1, "r": 0.2, "f": 0.1333}},
}
TAGS = {
    "tag_acc": 0.9,
    **dict.fromkeys(("tag_micro_p", "tag_micro_r", "tag_micro_f"), 0.9),
    "tag_per_type": {
        "JJ": {"p": 0.5, "r": 1.0, "f": 0.6667, "gold": 3, "found": 6},
        "NN": {"p": 1.0, "r": 0.9, "f": 0.95, "gold": 1200, "found": 1},
    },
}


def rows_of(output):
    lines = [line.split("  ") for line in output.splitlines()]
    return [[cell.strip() for cell in line if cell.strip()] for line in lines if any(map(str.strip, line))]


def test_spans_of_any_key(spacy_bilstm, tmp_path):
    srsly.write_json(tmp_path / "scores.json", SPANS)
    code, out, _ = spacy_bilstm("scores", tmp_path / "scores.json")
    assert code == 0
    rows = rows_of(out)
    assert ["tokens, F1", "100.00"] in rows
    assert ["rude, characters, precision, mean over texts", "50.00"] in rows
    assert ["rude, exact spans, F1", "13.33"] in rows
    assert ["rude", "10.00", "20.00", "13.33"] in rows
    assert not any("without" in row[0] for row in rows)  # there were none


def test_a_figure_stands_once_and_labels_have_counts(spacy_bilstm, tmp_path):
    srsly.write_json(tmp_path / "scores.json", TAGS)
    rows = rows_of(spacy_bilstm("scores", tmp_path / "scores.json")[1])
    assert sum("90.00" in row and "tags" in row[0] for row in rows) == 1
    assert rows[-2:] == [["NN", "1,200", "100.00", "90.00", "95.00"], ["JJ", "3", "50.00", "100.00", "66.67"]]


def test_several_side_by_side(spacy_bilstm, tmp_path):
    srsly.write_json(tmp_path / "one.json", TAGS)
    srsly.write_json(tmp_path / "other.json", {**TAGS, "tag_acc": 0.8, "tag_per_type": {}, "ents_f": 0.5})
    rows = rows_of(spacy_bilstm("scores", tmp_path / "one.json", tmp_path / "other.json")[1])
    assert ["one", "other"] in rows
    assert ["tags, accuracy", "90.00", "80.00"] in rows
    assert ["entities, F1", "–", "50.00"] in rows
    assert ["NN", "1,200", "95.00", "–"] in rows
    _, out, _ = spacy_bilstm("scores", tmp_path / "one.json", tmp_path / "other.json", "--names", "a, [b]")
    assert ["a", "[b]"] in rows_of(out)
    assert spacy_bilstm("scores", tmp_path / "one.json", "--names", "a,b")[0] == 1


def test_numbers_of_a_report(spacy_bilstm, tmp_path):
    srsly.write_json(tmp_path / "report.json", {"scores": TAGS, "components": []})
    assert ["tags, accuracy", "90.00"] in rows_of(spacy_bilstm("scores", tmp_path / "report.json")[1])


@pytest.mark.parametrize(
    "found",
    [
        {"tag_acc": "abc"},
        {"tag_acc": 0.5, "ents_per_type": ["a"]},
        {"ents_f": 0.1, "ents_per_type": {"A": 0.5}},
        {"tag_acc": None},
    ],
)
def test_values_that_are_no_scores(spacy_bilstm, tmp_path, found):
    srsly.write_json(tmp_path / "a.json", found)
    code, _, err = spacy_bilstm("scores", tmp_path / "a.json")
    assert (code, err.count("\n")) == (1, 1)


def test_bad_input_is_one_line(spacy_bilstm, tmp_path):
    (tmp_path / "a.json").write_text("no json", encoding="utf8")
    srsly.write_json(tmp_path / "b.json", {"text": "so good"})
    srsly.write_json(tmp_path / "c.json", [1])
    for name, message in (
        ("a", "is no JSON"),
        ("b", "found no scores"),
        ("c", "found no scores"),
        ("d", "no such file"),
    ):
        code, _, err = spacy_bilstm("scores", tmp_path / f"{name}.json")
        assert code == 1
        assert message in err
        assert err.count("\n") == 1
