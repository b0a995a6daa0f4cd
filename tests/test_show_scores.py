"""What scripts/show_scores.py prints of the spans."""

import importlib.util

import srsly

SCORES = {
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


def test_spans_of_any_key_are_shown(project, tmp_path, capsys):
    spec = importlib.util.spec_from_file_location("show_scores", project / "scripts" / "show_scores.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    srsly.write_json(tmp_path / "scores.json", SCORES)
    script.main(tmp_path / "scores.json")
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in capsys.readouterr().out.splitlines()]
    assert [row for row in rows if row] == [
        ["tokenization F1", "100.00", ""],
        ["rude: character precision", "", "50.00"],
        ["rude: character recall", "", "25.00"],
        ["rude: character F1", "", "33.33"],
        ["rude: character F1, texts with gold spans", "", "33.33"],
        ["rude: exact span precision", "10.00", ""],
        ["rude: exact span recall", "20.00", ""],
        ["rude: exact span F1", "13.33", ""],
        ["rude", "10.00", "20.00", "13.33"],
    ]
