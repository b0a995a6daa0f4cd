import json
import socket
import subprocess
import sys
import threading
import urllib.request

import pytest
import spacy
from golden.make import GOLDEN

pytest.importorskip("fastapi", reason="needs the extra [serve]")
from fastapi.testclient import TestClient

from spacy_bilstm_tagger.annotate.annotation import to_annotation
from spacy_bilstm_tagger.annotate.annotator import Recipe
from spacy_bilstm_tagger.annotate.service import Limits, create_app

PIPELINE = str(GOLDEN / "pipeline")
TEXTS = ["so happy in Lisbon!! 😭", "RT @mara: see you", ""]
LIMITS = Limits(texts=4, chars=100, waiting=8, batch=4)  # so at most 9,600 bytes a request


@pytest.fixture(scope="module")
def nlp():
    return spacy.load(PIPELINE)


@pytest.fixture
def client(nlp):
    with TestClient(create_app(Recipe(PIPELINE), LIMITS, nlp)) as client:
        yield client


def same(found, expected):
    for ent in expected["ents"]:
        ent["score"] = pytest.approx(ent["score"], abs=2e-4)
    assert found == expected


def test_answers_are_those_of_the_pipeline(client, nlp):
    answer = client.post("/annotate", json={"texts": TEXTS})
    assert answer.status_code == 200
    for found, text in zip(answer.json()["results"], TEXTS, strict=True):
        same(found, to_annotation(nlp(text)))


def test_clients_at_the_same_time_each_get_their_own(client, nlp):
    answers = {}

    def ask(number):
        answers[number] = client.post("/annotate", json={"texts": [f"{TEXTS[0]} {number}"]}).json()["results"]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, (found,) in answers.items():
        same(found, to_annotation(nlp(f"{TEXTS[0]} {number}")))


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"texts": ["a"] * 5}, 413, "5 texts, expected at most 4"),
        ({"texts": ["a", "b" * 101]}, 413, "text 1 has 101 characters, expected at most 100"),
        ({"texts": ["a" * 10_000]}, 413, "bytes, expected at most 9,600"),
        ({"texts": []}, 422, "at least 1 item"),
        ({"texts": "so good"}, 422, "valid list"),
        ({"texts": [5]}, 422, "valid string"),
        ({"texts": ["a"], "model": "/etc"}, 422, "Extra inputs are not permitted"),
        ({}, 422, "Field required"),
    ],
)
def test_what_is_refused(client, body, code, message):
    answer = client.post("/annotate", json=body)
    assert answer.status_code == code
    assert message in answer.text


def test_broken_json_and_bodies_without_a_length(client):
    assert client.post("/annotate", content=b"{broken").status_code == 422
    assert client.post("/annotate", content=b'{"texts": [NaN]}').status_code == 422
    assert client.post("/annotate", content=b'{"texts": ["\\ud83d"]}').status_code == 422
    assert client.post("/annotate", content=iter([b"{}"])).status_code == 411
    assert "expected application/json" in client.post("/annotate", content=b'{"texts": ["so"]}').text


@pytest.mark.parametrize(
    ("body", "headers", "code", "messages"),
    [
        (b'{"texts": ["caf\xe9"]}', {}, 422, ["no JSON in UTF-8: 'utf-8' codec can't decode byte 0xe9 in position 15"]),
        (b'{"texts": ' + b"[" * 3000, {}, 422, ["the body is no JSON in UTF-8: "]),
        (b'{"texts": [' + b"9" * 5000 + b"]}", {}, 422, ["the body is no JSON in UTF-8: "]),
        (b'{"texts": ["a"], "texts": ["b"]}', {}, 422, ["the key 'texts' is there twice in an object"]),
        (b"\x1f\x8b\x08", {"content-encoding": "gzip"}, 415, ["found the Content-Encoding gzip, expected none"]),
        (b"[]", {}, 422, ["valid dictionary"]),
    ],
)
def test_what_is_wrong_with_a_body_is_told(client, body, headers, code, messages):
    answer = client.post("/annotate", content=body, headers={"content-type": "Application/JSON", **headers})
    assert answer.status_code == code
    for message in [*messages, *(['expected {"texts": ["so happy in Lisbon!!"]}'] if code == 422 else [])]:
        assert message in answer.text.replace('\\"', '"')
    assert "application/json" not in answer.text


def test_as_many_characters_as_may_be_fit_however_they_are_written(client):
    for text in ("世" * 100, "😭" * 100):
        for ascii_only in (True, False):
            body = json.dumps({"texts": [text] * LIMITS.texts}, ensure_ascii=ascii_only).encode()
            answer = client.post("/annotate", content=body, headers={"content-type": "application/json"})
            assert answer.status_code == 200
            assert answer.json()["results"][0]["text"] == text


def test_when_too_much_waits_the_rest_is_told_to_come_later(client):
    client.app.state.batcher.n_waiting = 8
    answer = client.post("/annotate", json={"texts": ["so good"]})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    client.app.state.batcher.n_waiting = 0
    assert client.post("/annotate", json={"texts": ["so good"]}).status_code == 200
    assert "spacy_bilstm_refused_total 1\n" in client.get("/metrics").text


def test_a_text_that_fails_costs_no_other(client, nlp, monkeypatch):
    make_doc = nlp.make_doc
    monkeypatch.setattr(nlp, "make_doc", lambda text: 1 / 0 if text == "bad" else make_doc(text))
    good, bad = client.post("/annotate", json={"texts": ["so good", "bad"]}).json()["results"]
    assert [token["text"] for token in good["tokens"]] == ["so", "good"]
    assert bad == {"text": "bad", "error": "the pipeline failed: ZeroDivisionError: division by zero"}


def test_what_is_refused_is_counted(client):
    for body in (b"{broken", b'{"texts": []}', b'{"texts": ["' + b"a" * 101 + b'"]}'):
        client.post("/annotate", content=body, headers={"content-type": "application/json"})
    assert "spacy_bilstm_refused_total 3\n" in client.get("/metrics").text


def test_health_and_metrics(client):
    assert client.get("/health").json() == {
        "status": "ok",
        "model": PIPELINE,
        "components": ["tok2vec", "tagger", "ner"],
    }
    client.post("/annotate", json={"texts": TEXTS})
    metrics = dict(line.split() for line in client.get("/metrics").text.splitlines())
    assert metrics["spacy_bilstm_requests_total"] == "1"
    assert metrics["spacy_bilstm_texts_total"] == "3"
    assert metrics["spacy_bilstm_waiting_texts"] == "0"


def test_without_the_extra_the_way_out_is_named(spacy_bilstm, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "uvicorn", None)
    code, _, error = spacy_bilstm("serve", PIPELINE)
    assert code == 1
    assert "pip install 'spacy-bilstm-tagger[serve]'" in error


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("host", ["127.0.0.1", pytest.param("::1", marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6"))])
def test_it_tells_when_it_answers(host):
    command = [sys.executable, "-m", "spacy_bilstm_tagger", "serve", PIPELINE, "--port", "0", "--host", host]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, encoding="utf8") as process:
        try:
            line = next(line for line in process.stderr if "✔" in line)
            address = line.split(" answers on ")[1].split(";")[0]
            request = urllib.request.Request(f"{address}/annotate", b'{"texts": ["so good"]}')
            request.add_header("content-type", "application/json")
            with urllib.request.urlopen(request, timeout=30) as answer:
                assert json.load(answer)["results"][0]["text"] == "so good"
        finally:
            process.terminate()


def test_a_taken_port_is_told_before_anything_is_loaded(spacy_bilstm):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, _, error = spacy_bilstm("serve", "no-pipeline", "--port", port)
    assert code == 1
    assert f"127.0.0.1:{port}: cannot be used" in error


def test_a_body_of_unknown_length_is_refused(client):
    headers = {"content-length": "22", "transfer-encoding": "chunked"}
    answer = client.post("/annotate", content=b'{"texts": ["so good"]}', headers=headers)
    assert answer.status_code == 411
