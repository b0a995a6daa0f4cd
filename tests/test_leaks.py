"""The check of leaks finds those that are planted."""

import pytest
from leaks import find_leaks, letters, read_commands

CORPORA = {
    "corpus/a/train.spacy": letters(["so good", "it is out"]),
    "corpus/a/dev.spacy": letters(["go there"]),
    "corpus/b/train.spacy": letters(["Go  THERE", "so good"]),
    "corpus/raw.jsonl": letters(["gothere"]),
}


SECTIONS = "[corpora]\n[corpora.train]\npath = ${paths.train}\n[corpora.dev]\npath = ${paths.dev}\n"


@pytest.fixture
def leaks(tmp_path):
    """Of commands; a.cfg trains on a and scores on its dev, mixed.cfg on all that is in the folder of a."""
    for name, train in (("a", "corpus/a/train.spacy"), ("mixed", "corpus/a")):
        text = f'[paths]\ntrain = "{train}"\ndev = "corpus/a/dev.spacy"\nvectors = null\n{SECTIONS}'
        (tmp_path / f"{name}.cfg").write_text(text, encoding="utf8")

    def find(*lines):
        reading = read_commands(lines, CORPORA, tmp_path)
        return sorted(reading.unknown) + find_leaks(reading, CORPORA)

    return find


A = "corpus/a/dev.spacy and"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["python -m spacy train a.cfg --output out --paths.vectors x"], []),
        (["python -m spacy train mixed.cfg"], [f"{A} corpus/a/dev.spacy: 'go there'"]),
        (["python -m spacy train a.cfg --paths.train corpus/b"], [f"{A} corpus/b/train.spacy: 'go there'"]),
        (["python -m spacy train a.cfg --paths.train=corpus/b"], [f"{A} corpus/b/train.spacy: 'go there'"]),
        (["python -m spacy train a.cfg --corpora.train.path corpus/b"], [f"{A} corpus/b/train.spacy: 'go there'"]),
        (["python -m spacy train a.cfg --corpora.dev.path corpus/b/train.spacy"], ["'so good'"]),
        (["python -m spacy train a.cfg --paths.train corpus/b --paths.dev corpus/a/train.spacy"], ["'so good'"]),
        (["python -m spacy train a.cfg --paths.train corpus/c"], ["corpus/c"]),
        (["python -m spacy train a.cfg --paths.dev corpus/c"], ["corpus/c"]),
        (["spacy pretrain a.cfg out --paths.raw_text raw.jsonl"], ["raw.jsonl"]),
        (["spacy evaluate model corpus/a/train.spacy", "script.py corpus/b/train.spacy out"], ["'so good'"]),
        (["spacy evaluate model corpus/a/dev.spacy -o out", "spacy train a.cfg"], []),
        (["spacy_bilstm_tagger report model corpus/a/dev.spacy -o out.html", "spacy train a.cfg"], []),
        (["spacy-bilstm convert x corpus/b/train.spacy --exclude y", "spacy train a.cfg"], []),
        (["spacy init fill-config mixed.cfg f.cfg", "spacy train f.cfg"], [f"{A} corpus/a/dev.spacy: 'go there'"]),
        (["results part corpus/b/train.spacy p.spacy --percent 9", "spacy train a.cfg --paths.train p.spacy"], ["go"]),
        (["spacy pretrain a.cfg out --paths.raw_text corpus/raw.jsonl"], [f"{A} corpus/raw.jsonl: 'go there'"]),
    ],
)
def test_leaks(leaks, lines, expected):
    found = leaks(*lines)
    assert len(found) == len(expected)
    for line, part in zip(found, expected):
        assert part in line
