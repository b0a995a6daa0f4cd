import shutil

import pytest
import spacy
import srsly
from golden.make import GOLDEN
from spacy.tokens import Doc, DocBin

from spacy_bilstm_tagger.report import report
from spacy_bilstm_tagger.report.report import SIZE_ON_PAGE


@pytest.fixture
def model(tmp_path):
    shutil.copytree(GOLDEN / "pipeline", tmp_path / "x" / "model-best")
    return tmp_path / "x" / "model-best"


@pytest.fixture
def dev(tmp_path):
    words, tags = ["so", "happy", "in", "Lisbon"], ["RB", "JJ", "IN", "NNP"]
    docs = [Doc(spacy.blank("en").vocab, words=words, tags=tags, ents=["O", "O", "O", "B-location"])] * 3
    DocBin(docs=docs).to_disk(tmp_path / "dev.spacy")
    return tmp_path / "dev.spacy"


def test_a_page_is_html(spacy_bilstm, tmp_path):
    code, _, error = spacy_bilstm("report", "en_tweet_sm", tmp_path / "x.conll", "-o", tmp_path / "r.pdf")
    assert code == 1
    assert "r.pdf: the page is HTML; expected a name that ends so, such as r.html" in error


def test_page_and_numbers(spacy_bilstm, model, dev, tmp_path):
    page, numbers = tmp_path / "new" / "r.html", tmp_path / "new" / "r.json"  # the folder does not exist
    code, out, err = spacy_bilstm("report", model, dev, "-o", page, "--json", numbers)
    assert (code, err) == (0, "")
    assert "tagger: tag_acc" in out
    found = srsly.read_json(numbers)
    assert f"tags, accuracy {100 * found['scores']['tag_acc']:.2f}" in " ".join(out.split())
    assert [part["name"] for part in found["components"]] == ["tagger", "ner"]
    assert found["data"][0]["texts"] == 3
    assert len(found["data"][0]["sha256"]) == 64
    assert found["model"]["components"][1]["parameters"] > 1000
    assert all(0 <= share <= 1 for share in found["coverage"].values())
    html = page.read_text(encoding="utf8")
    assert "Lisbon" in html
    assert f"{100 * found['components'][0]['score']['value']:.1f}" in html
    assert "http" not in html.replace("http://www.w3.org", "")


def test_learning_curve_beside_the_pipeline(spacy_bilstm, model, dev, tmp_path):
    lines = [{"epoch": 0, "step": step, "score": step / 100, "scores": {}, "losses": {}} for step in (10, 20)]
    srsly.write_jsonl(model.parent / "log.jsonl", lines)
    assert spacy_bilstm("report", model, dev, "-o", tmp_path / "r.html")[0] == 0
    assert "Learning curve" in (tmp_path / "r.html").read_text(encoding="utf8")


def test_texts_cannot_end_the_script(spacy_bilstm, model, tmp_path):
    (tmp_path / "tweets.txt").write_text("</script><script>alert(1)</script> <b>so</b> & good\n", encoding="utf8")
    code, _, err = spacy_bilstm("report", model, tmp_path / "tweets.txt", "-o", tmp_path / "r.html")
    assert code == 0
    assert "predictions only" in err
    html = (tmp_path / "r.html").read_text(encoding="utf8")
    assert "alert(1)</script>" not in html
    assert "predictions only" in html


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["report", "no/model", "dev"], "no/model: is no pipeline; expected a folder"),
        (["report", "model", "no/dev.spacy"], "no/dev.spacy: no such file; expected annotated texts"),
        (["report", "model", "dev", "-o", "folder"], "is no name of a file; expected one"),
        (["report", "model", "dev", "--component", "parser"], "no component 'parser'"),
        (["report", "model", "dev", "--against", "nothing"], "nothing: is no pipeline"),
        (["report", "model", "dev", "--log", "dev"], "expected the file of JsonlLogger.v1"),
        (["report", "model", "dev", "--log", "no.jsonl"], "no.jsonl: no such file"),
        (["report", "model", "dev", "--train", "no.spacy"], "no.spacy: no such file"),
    ],
)
def test_bad_input_is_one_line(spacy_bilstm, model, dev, tmp_path, change, message):
    places = {"model": model, "dev": dev, "folder": tmp_path}
    code, _, err = spacy_bilstm(*(places.get(word, word) for word in change))
    assert code == 1
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("option", ["-o", "--json"])
def test_only_pages_and_numbers_of_reports_are_replaced(spacy_bilstm, model, dev, tmp_path, option):
    out = tmp_path / "mine"
    for _ in range(2):
        assert spacy_bilstm("report", model, dev, "-o", tmp_path / "page.html", option, out)[0] == 0
    out.write_text("id,body\n1,so good\n")
    code, _, error = spacy_bilstm("report", model, dev, "-o", tmp_path / "page.html", option, out)
    assert code == 1
    assert "mine: exists, and was not made by this command; give another name, or remove it" in error
    assert out.read_text() == "id,body\n1,so good\n"


def test_files_of_one_name_are_told_apart(spacy_bilstm, model, dev, tmp_path):
    other = tmp_path / "other" / "dev.spacy"
    other.parent.mkdir()
    shutil.copy(dev, other)
    assert spacy_bilstm("report", model, dev, other, "-o", tmp_path / "r.html", "--json", tmp_path / "r.json")[0] == 0
    numbers = srsly.read_json(tmp_path / "r.json")
    assert numbers["sources"] == [str(dev), str(other)]
    rows = numbers["components"][0]["groups"]["file"]
    assert [(row["name"], row["gold"]) for row in rows] == [(str(dev), 12), (str(other), 12)]
    texts = [doc.text for doc in DocBin().from_disk(dev).get_docs(spacy.blank("en").vocab)]
    last = numbers["listed"][str(2 * len(texts) - 1)]
    assert last == {"file": str(other), "number": len(texts), "text": texts[-1]}


def test_a_single_text(spacy_bilstm, model, tmp_path):
    words, tags = ["so", "happy"], ["RB", "JJ"]
    DocBin(docs=[Doc(spacy.blank("en").vocab, words=words, tags=tags)]).to_disk(tmp_path / "one.spacy")
    code, out, err = spacy_bilstm("report", model, tmp_path / "one.spacy", "-o", tmp_path / "r.html", "--against", model)
    assert (code, err) == (0, "")
    assert " to " not in out


@pytest.mark.parametrize("content", [b"", b"garbage", None])
def test_a_damaged_file_is_called_so(spacy_bilstm, model, dev, tmp_path, content):
    path = tmp_path / "bad.spacy"
    path.write_bytes(dev.read_bytes()[:100] if content is None else content)
    code, _, err = spacy_bilstm("report", model, path, "-o", tmp_path / "r.html")
    assert code == 1
    assert f"{path}: cannot be read as a .spacy file" in err


@pytest.mark.parametrize(
    "line", ['{"step": "a", "score": 1}', '{"step": 1, "score": "b"}', '{"step": 1, "score": 1, "scores": [1]}', "[]"]
)
def test_an_odd_log_is_told_before_the_work(spacy_bilstm, model, dev, tmp_path, line):
    (tmp_path / "log.jsonl").write_text(line + "\n", encoding="utf8")
    code, _, err = spacy_bilstm("report", model, dev, "-o", tmp_path / "r.html", "--log", tmp_path / "log.jsonl")
    assert code == 1
    assert "expected lines with step and score" in err


def test_against_without_gold(spacy_bilstm, model, tmp_path):
    (tmp_path / "tweets.txt").write_text("so good\n", encoding="utf8")
    code, _, err = spacy_bilstm("report", model, tmp_path / "tweets.txt", "--against", model, "-o", tmp_path / "r.html")
    assert code == 1
    assert "--against: the texts have no gold" in err


def test_many_texts_keep_the_page_small(spacy_bilstm, model, tmp_path, monkeypatch):
    words = [f"word{i}" for i in range(400)]
    doc = Doc(spacy.blank("en").vocab, words=words, tags=["NN"] * 400, ents=["O"] * 400)
    DocBin(docs=[doc] * 10).to_disk(tmp_path / "dev.spacy")
    sizes = []
    for most in (SIZE_ON_PAGE, 100_000):  # more than the texts take, and less
        monkeypatch.setattr(report, "SIZE_ON_PAGE", most)
        assert spacy_bilstm("report", model, tmp_path / "dev.spacy", "-o", tmp_path / "r.html")[0] == 0
        sizes.append((tmp_path / "r.html").stat().st_size)
    assert sizes[1] < sizes[0] - 100_000
    assert SIZE_ON_PAGE + sizes[1] < 5_000_000  # the rest of the page does not grow


@pytest.mark.parametrize("option", ["-o", "--json"])
def test_a_file_of_somebody_else_is_kept(spacy_bilstm, model, dev, tmp_path, option):
    mine = tmp_path / "mine.json"
    mine.write_text('{"created": "2020-01-01", "text": "my only copy"}\n', encoding="utf8")
    page = [] if option == "-o" else ["-o", tmp_path / "r.html"]
    code, _, error = spacy_bilstm("report", model, dev, *page, option, mine)
    assert code == 1
    assert "mine.json: exists, and was not made by this command; give another name, or remove it" in error
    assert "my only copy" in mine.read_text(encoding="utf8")


def test_page_and_numbers_are_two_files(spacy_bilstm, model, dev, tmp_path):
    code, _, error = spacy_bilstm("report", model, dev, "-o", tmp_path / "r.html", "--json", tmp_path / "r.html")
    assert code == 1
    assert "r.html: is the name of the page; give the numbers another one, such as report.json" in error


def test_page_and_numbers_are_made_anew(spacy_bilstm, model, dev, tmp_path):
    outputs = "-o", tmp_path / "r.html", "--json", tmp_path / "r.json"
    assert [spacy_bilstm("report", model, dev, *outputs)[0] for _ in range(2)] == [0, 0]
    code, _, error = spacy_bilstm("report", model, dev, "-o", tmp_path / "r.json")
    assert code == 1
    assert "r.json: exists, and was not made by this command" in error


def test_the_other_pipeline_is_in_the_shell_too(spacy_bilstm, model, dev, tmp_path):
    code, out, _ = spacy_bilstm("report", model, dev, "-o", tmp_path / "r.html", "--against", model)
    assert code == 0
    assert out.count(f"  {model}: ") == out.count("; this one is +0.0 points, p 1.000") == 2
