import json
from collections import Counter

import pytest
import spacy
from golden.make import GOLDEN

from spacy_bilstm_tagger.corpus.formats import read_corpus
from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.report.pretag import pretag
from spacy_bilstm_tagger.report.probabilities import log_best

TEXTS = [
    "RT @mara: sooo  happy in Lisbon!! 😭",
    "Kim Miller is at #now http://x.org",
    "rt @MARA: sooo happy in lisbon!! 😭",  # the first again
    "  so\tgood ",
    "don't",
    "# hash O",
]


@pytest.fixture(scope="module")
def nlp():
    return spacy.load(GOLDEN / "pipeline")


@pytest.fixture
def raw(tmp_path):
    (tmp_path / "raw.txt").write_text("\n".join(TEXTS) + "\n", encoding="utf8")
    return tmp_path / "raw.txt"


class TestTexts:
    def test_repeated_ones_are_left_out(self, nlp):
        counts = Counter()
        found = list(pretag(nlp, [*TEXTS, " "], known=["DON'T"], counts=counts))
        assert [each.number for each in found] == [1, 2, 4, 6]
        assert counts == {"read": 7, "repeated": 2, "written": 4}

    def test_the_least_sure_come_first(self, nlp):
        ranked = [each.sureness for each in pretag(nlp, TEXTS, rank="uncertain")]
        assert ranked == sorted(ranked)
        assert len(ranked) == 5
        first = [each.number for each in pretag(nlp, TEXTS, rank="uncertain", limit=2)]
        assert first == [each.number for each in pretag(nlp, TEXTS, rank="uncertain")][:2]

    def test_sureness_is_of_all_components(self, nlp):
        (each,) = pretag(nlp, TEXTS[:1])
        doc = nlp.make_doc(TEXTS[0])
        for name, pipe in nlp.pipeline:
            if name == "tok2vec":
                doc = pipe(doc)
        logs = [nlp.get_pipe(name) for name in ("tagger", "ner")]
        total = sum(float(log_best(pipe, pipe.chain_scores([doc]))[0]) for pipe in logs)
        assert each.sureness == pytest.approx(total / len(doc), abs=1e-4)

    def test_pipelines_that_do_not_fit(self):
        blank = spacy.blank("en")
        with pytest.raises(ConfigError, match="no component: set neither tags nor entities"):
            list(pretag(blank, TEXTS))
        blank.add_pipe("entity_ruler")
        with pytest.raises(ConfigError, match="--rank uncertain: none of the pipeline's components"):
            list(pretag(blank, TEXTS, rank="uncertain"))
        assert len(list(pretag(blank, TEXTS))) == 5


@pytest.mark.parametrize("name", ["out.tsv", "out.conll", "out.jsonl", "out.json"])
def test_convert_reads_what_was_written(spacy_bilstm, nlp, raw, tmp_path, name):
    """Texts, tokens and labels are those of the pipeline, with white space and emoji in them."""
    code, out, err = spacy_bilstm("pretag", GOLDEN / "pipeline", raw, tmp_path / name)
    assert (code, err) == (0, "")
    assert "5 texts; left out, as they came before or were excluded: 1" in out
    content = tmp_path / name
    if name == "out.json":  # what Label Studio makes of its predictions, when they are accepted
        tasks = json.loads(content.read_text(encoding="utf8"))
        for task in tasks:
            task["annotations"] = task.pop("predictions")
        content.write_text(json.dumps(tasks), encoding="utf8")
    options = ["--columns", "token,tag,ent"] if name in ("out.tsv", "out.conll") else []
    code, out, err = spacy_bilstm("convert", content, tmp_path / "out.spacy", *options)
    assert (code, err) == (0, ""), err
    from spacy_bilstm_tagger.corpus.docs import read_docbin

    for doc, text in zip(read_docbin(tmp_path / "out.spacy"), [TEXTS[i] for i in (0, 1, 3, 4, 5)], strict=True):
        expected = nlp(text.strip())
        assert doc.text == expected.text.replace("\t", " ") if options else expected.text
        words = [token.text for token in expected if not token.is_space]
        assert [token.text for token in doc if not token.is_space] == words
        ents = [(ent.text, ent.label_) for ent in expected.ents]
        assert [(ent.text, ent.label_) for ent in doc.ents] == ents
        if options:
            tags = [token.tag_ for token in expected if not token.is_space]
            assert [token.tag_ for token in doc if not token.is_space] == tags


def test_prodigy(spacy_bilstm, nlp, raw, tmp_path):
    assert spacy_bilstm("pretag", GOLDEN / "pipeline", raw, tmp_path / "out.jsonl", "--format", "prodigy")[0] == 0
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf8").splitlines()]
    for line in lines:
        for span in line["spans"]:
            tokens = line["tokens"][span["token_start"] : span["token_end"] + 1]
            assert (tokens[0]["start"], tokens[-1]["end"]) == (span["start"], span["end"])
        text = "".join(token["text"] + " " * token["ws"] for token in line["tokens"])
        assert text.strip() == line["text"].strip()
    _, texts = read_corpus(tmp_path / "out.jsonl")
    assert len(texts) == 5


class TestBadInput:
    def test_corrections_are_not_overwritten(self, spacy_bilstm, raw, tmp_path):
        (tmp_path / "out.tsv").write_text("corrected", encoding="utf8")
        code, _, err = spacy_bilstm("pretag", GOLDEN / "pipeline", raw, tmp_path / "out.tsv")
        assert code == 1
        assert "exists, and may hold corrections" in err
        assert (tmp_path / "out.tsv").read_text(encoding="utf8") == "corrected"
        assert spacy_bilstm("pretag", GOLDEN / "pipeline", raw, tmp_path / "out.tsv", "--overwrite")[0] == 0

    def test_nothing_left(self, spacy_bilstm, raw, tmp_path):
        code, _, err = spacy_bilstm("pretag", GOLDEN / "pipeline", raw, tmp_path / "out.tsv", "--exclude", raw)
        assert code == 1
        assert "nothing is left to label, all 6 texts" in err
        assert not (tmp_path / "out.tsv").exists()

    def test_quotes_of_a_spreadsheet(self, spacy_bilstm, raw, tmp_path):
        assert spacy_bilstm("pretag", GOLDEN / "pipeline", raw, tmp_path / "out.tsv")[0] == 0
        saved = (tmp_path / "out.tsv").read_text(encoding="utf8").replace("# text = RT", '"# text = RT')
        (tmp_path / "out.tsv").write_text(saved, encoding="utf8")
        code, _, err = spacy_bilstm("convert", tmp_path / "out.tsv", tmp_path / "x.spacy", "--columns", "token,tag,ent")
        assert code == 1
        assert "line 2: found '\"# text =', as a spreadsheet saves cells in quotes" in err

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["model", "raw", "out.xlsx"], "found .xlsx, expected .tsv"),
            (["nothing", "raw", "out.tsv"], "nothing: is no pipeline"),
            (["model", "no.txt", "out.tsv"], "no.txt"),
            (["model", "raw", "out.tsv", "--exclude", "no.txt"], "no.txt"),
        ],
    )
    def test_is_one_line(self, spacy_bilstm, raw, tmp_path, arguments, message):
        places = {"model": GOLDEN / "pipeline", "raw": raw}
        places.update({name: tmp_path / name for name in ("out.tsv", "out.xlsx")})
        code, _, err = spacy_bilstm("pretag", *(places.get(word, word) for word in arguments))
        assert code == 1
        assert message in err
        assert not (tmp_path / "out.tsv").exists()
