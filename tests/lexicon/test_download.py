import gzip
import hashlib
import http.server
import json
import socket
import threading
from functools import partial

import gensim.downloader
import pytest

from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.lexicon.sources import GENSIM_NAMES, read_vectors

NAME = "glove-twitter-25"
TEXT = b"3 2\n<user> 1 2\nthe 3 4\n:) -1 0.5\n"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    requests = []

    def log_message(self, *args):
        self.requests.append(self.path)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Where gensim keeps what it downloads."""
    folder = tmp_path / "gensim-data"
    for name in ("BASE_DIR", "base_dir"):
        monkeypatch.setattr(gensim.downloader, name, str(folder))
    return folder


def _redirect(monkeypatch, address):
    url = f"http://127.0.0.1:{address}"
    monkeypatch.setattr(gensim.downloader, "DOWNLOAD_BASE_URL", url)
    monkeypatch.setattr(gensim.downloader, "DATA_LIST_URL", f"{url}/list.json")
    monkeypatch.setattr(gensim.downloader._load_info, "__defaults__", (f"{url}/list.json", "utf-8"))


@pytest.fixture
def mark(tmp_path):
    """A file that must not appear."""
    path = tmp_path / "the-code-ran"
    yield path
    assert not path.exists()


@pytest.fixture
def server(tmp_path, cache, mark, monkeypatch):
    """A gensim-data of one data set. The Python file that comes with it would leave a mark."""
    root = tmp_path / "served"
    (root / NAME).mkdir(parents=True)
    data = gzip.compress(TEXT)
    (root / NAME / f"{NAME}.gz").write_bytes(data)
    (root / NAME / "__init__.py").write_text(f"open({str(mark)!r}, 'w')\ndef load_data():\n    pass\n")
    entry = {"file_name": f"{NAME}.gz", "parts": 1, "checksum": hashlib.md5(data).hexdigest()}
    (root / "list.json").write_text(json.dumps({"corpora": {}, "models": {NAME: entry}}))
    _Quiet.requests = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(root))) as running:
        _redirect(monkeypatch, running.server_port)
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield root
        running.shutdown()
        thread.join()


@pytest.fixture
def no_network(cache, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        _redirect(monkeypatch, unused.getsockname()[1])  # bound, but nobody listens
        yield


def _message(name):
    with pytest.raises(DataError) as error:
        read_vectors(name)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_vectors_are_downloaded_once_and_their_python_file_is_not_run(server, cache, as_dict):
    for _ in range(2):
        vectors = read_vectors(NAME)
        assert as_dict(vectors) == {"<user>": (1, 2), "the": (3, 4), ":)": (-1, 0.5)}
    assert _Quiet.requests.count(f"/{NAME}/{NAME}.gz") == 1
    assert (cache / NAME / "__init__.py").is_file()


def test_max_rows_of_a_download(server, as_dict):
    assert as_dict(read_vectors(NAME, max_rows=1)) == {"<user>": (1, 2)}


def test_downloaded_vectors_need_no_network(server, cache, monkeypatch, as_dict):
    expected = as_dict(read_vectors(NAME))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        _redirect(monkeypatch, unused.getsockname()[1])
        assert as_dict(read_vectors(NAME)) == expected


@pytest.mark.parametrize("name", ["glove-twitter-26", "word2vec-google-news-300", "../no-such-file", "", "no/such.txt"])
def test_unknown_name_asks_no_server(name, server):
    message = _message(name)
    assert message.startswith(f"{name}: no such file, and no vectors that gensim can download")
    assert all(known in message for known in GENSIM_NAMES)
    assert _Quiet.requests == []


def test_folder_is_no_source(tmp_path):
    assert "no such file" in _message(str(tmp_path))


@pytest.mark.usefixtures("no_network")
def test_no_network(cache):
    message = _message(NAME)
    assert message.startswith(f"{NAME}: cannot be downloaded (")
    assert message.endswith("Download the file on another machine and give its path instead")
    assert not (cache / NAME).exists()


def test_name_that_the_server_does_not_have(server):
    assert _message("glove-twitter-50").startswith("glove-twitter-50: cannot be downloaded (Incorrect model")


def test_data_that_arrives_damaged(server, cache):
    (server / NAME / f"{NAME}.gz").write_bytes(b"half of it")
    assert f"{NAME}: cannot be downloaded (Checksum comparison failed" in _message(NAME)
    assert not (cache / NAME).exists()


def test_server_without_the_file(server):
    (server / NAME / f"{NAME}.gz").unlink()
    assert f"{NAME}: cannot be downloaded (File not found)" in _message(NAME)


def test_list_that_is_no_json(server):
    (server / "list.json").write_text("<html>")
    assert f"{NAME}: cannot be downloaded (" in _message(NAME)
