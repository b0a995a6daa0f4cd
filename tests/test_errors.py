"""spaCy's commands print our errors as one line."""

import re

import pytest
from spacy.cli._util import show_validation_error
from thinc.api import ConfigValidationError

from spacy_bilstm_tagger.corpus import read_corpus, to_docbin
from spacy_bilstm_tagger.errors import ConfigError

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def test_config_error_is_one_line_of_a_spacy_command(capsys):
    with pytest.raises(SystemExit) as exit, show_validation_error("config.cfg", hint_fill=False):
        raise ConfigError("width = 7; expected 8")
    assert exit.value.code == 1
    captured = capsys.readouterr()
    assert ANSI.sub("", captured.out).strip() == "✘ width = 7; expected 8"
    assert captured.err == ""


def test_config_error_is_spacy_s_kind():
    assert isinstance(ConfigError("x"), ConfigValidationError)
    assert str(ConfigError("x")) == "x"


@pytest.fixture(scope="module")
def room(tmp_path_factory, project):
    folder = tmp_path_factory.mktemp("errors")
    path = project / "assets" / "sample" / "dev.conll"
    to_docbin(path, read_corpus(path)[1]).to_disk(folder / "corpus.spacy")
    (folder / "narrow.txt").write_text("so 1 2 3\ngood 4 5 6\n", encoding="utf8")
    (folder / "cut.txt").write_text("so 1 2 3\ngood 4 5\n", encoding="utf8")
    return folder


LECTURE = "--components.tagger.model.tok2vec"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            ["--paths.vectors", "ROOM/cut.txt"],
            "ROOM/cut.txt, line 2: found 2 numbers, expected 3",
        ),
        (["--paths.vectors", "nosuch"], "nosuch: no such file, and no vectors that gensim can download"),
        (
            ["--initialize.before_init", "null"],
            "TweetEmbed.v1 has include_static_vectors = true, but the pipeline has no",
        ),
        (
            ["--paths.vectors", "ROOM/narrow.txt", f"{LECTURE}.encode.width", "7"],
            "BiLSTMEncoder.v1: width = 7; expected an even number of at least 2",
        ),
    ],
    ids=["cut-vectors", "unknown-vectors", "no-vectors", "odd-width"],
)
def test_spacy_train_ends_with_one_line_and_writes_nothing(run_spacy, room, tmp_path, settings, message):
    corpora = [f"--paths.{part}={room / 'corpus.spacy'}" for part in ("train", "dev")]
    settings = [setting.replace("ROOM", str(room)) for setting in settings]
    output = run_spacy("train", "configs/lecture.cfg", "--output", tmp_path / "out", *corpora, *settings, code=1)
    shown = " ".join(ANSI.sub("", output).split())  # spaCy folds it at the width of the terminal
    assert shown.count("✘") == 1
    assert f"✘ {message.replace('ROOM', str(room))}" in shown
    assert list((tmp_path / "out").glob("*")) == []
