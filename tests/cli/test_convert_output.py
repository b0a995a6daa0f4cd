import gzip
import io
import os
import subprocess
import sys
from threading import Thread

import pytest
import spacy
from spacy.tokens import DocBin

CONLLU_ROW = "1\ta\t_\tX\tY\t_\t_\t_\t_\t_\n"
TWO_TEXTS = "a X\nb Y\n\nc X\n"


def docs_in(path):
    return list(DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab))


def test_a_good_file_takes_the_place_of_an_older_one_and_is_summed_up(spacy_bilstm, write, folder):
    path = write("corpus", "# text = \"hm\n\" ''\nhm -\n\nc X\n")
    code, out, err = spacy_bilstm("convert", path, folder / "out.spacy")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "Format: ritter (token and tag, one space between them), guessed",
        "Columns: token, tag, guessed",
        "2 texts, 3 tokens, raw text known for 1",
        "2 tags: '' 1, X 1; tokens without a tag: 1",
        f"✔ {folder / 'out.spacy'}",
    ]
    assert [path.name for path in folder.iterdir()] == ["out.spacy"]
    first, second = docs_in(folder / "out.spacy")
    assert (first.text, [token.tag_ for token in first]) == ('"hm', ["''", ""])
    assert (first.has_unknown_spaces, second.has_unknown_spaces) == (False, True)


def test_many_labels_are_cut_short(spacy_bilstm, write, folder):
    path = write("corpus", "a X\n" + "".join(2 * f"a{i} T{i}\n" for i in range(120)) + "a X\n")
    _, out, _ = spacy_bilstm("convert", path, folder / "out.spacy")
    (line,) = [line for line in out.splitlines() if " tags: " in line]
    assert line.startswith("121 tags: X 2, T0 2, ")
    assert line.endswith(", T98 2, and 21 more; tokens without a tag: 0")


def test_a_column_that_is_not_used_is_said(spacy_bilstm, write, folder):
    path = write("corpus", "Bob NNP bob\nruns VBZ run\nfar RB far\n")
    code, out, _ = spacy_bilstm("convert", path, folder / "out.spacy")
    assert code == 0
    assert (
        "Columns: token, tag, -, guessed\nColumn 3 is not used: bob 1, run 1, far 1; name it with --columns (token, tag, ent)\n"
    ) in out
    code, out, _ = spacy_bilstm("convert", path, folder / "out.spacy", "--columns", "token,tag,-")
    assert (code, "Column" in out) == (0, False)
    code, _, err = spacy_bilstm("convert", path, folder / "out.spacy", "--columns", "token,tag,ent")
    assert (code, "line 1: found entity tag 'bob', expected O or B-" in err) == (1, True)


def test_repair_bio_begins_entities_and_counts_them(spacy_bilstm, write, folder):
    path = write("corpus", "a O\nb I-per\nc I-per\nd I-loc\n")
    code, out, _ = spacy_bilstm("convert", path, folder / "out.spacy", "--repair-bio")
    assert code == 0
    assert "Entities: per 1, loc 1\nRepaired entity tags: 2\n" in out
    (doc,) = docs_in(folder / "out.spacy")
    assert [(ent.start, ent.end, ent.label_) for ent in doc.ents] == [(1, 3, "per"), (3, 4, "loc")]


def test_texts_of_another_file_are_left_out_however_they_are_cut_or_written(spacy_bilstm, write, folder):
    path, dev = write("corpus", "a X\nb Y\n\nc X\n"), write("dev", "# text = C\nC Y\n\nd X\n")
    code, out, _ = spacy_bilstm("convert", path, folder / "out.spacy", "--exclude", dev, "--exclude", dev)
    assert code == 0
    left = f"Left out, as they are in {dev}, {dev}: 1 texts\n  line 4: 'c' ({dev}, line 2)\n"
    assert f"{left}1 texts, 2 tokens" in out
    assert [doc.text for doc in docs_in(folder / "out.spacy")] == ["a b "]


def test_texts_of_a_converted_file_are_left_out_too(spacy_bilstm, write, folder):
    """As where train and dev are cut from one file."""
    path = write("corpus", "a X\n\nb X\n\nA X\n\nc X\n")
    spacy_bilstm("convert", path, folder / "dev.spacy", "--skip", "2")
    code, out, _ = spacy_bilstm("convert", path, folder / "out.spacy", "--first", "2", "--exclude", folder / "dev.spacy")
    assert code == 0
    assert f"1 texts\n  line 1: 'a' ({folder / 'dev.spacy'}, text 1)\n1 texts, 1 tokens" in out
    assert [doc.text for doc in docs_in(folder / "out.spacy")] == ["b "]


def test_texts_of_a_folder_of_converted_files_are_left_out(spacy_bilstm, write, folder):
    """One word for all dev parts, as where several corpora are learned from together."""
    for name, text in (("one", "b X\n"), ("two", "c X\n")):
        spacy_bilstm("convert", write(name, text), folder / "dev" / "deep" / f"{name}.spacy")
    path = write("corpus", "a X\n\nb X\n\nc X\n")
    code, out, _ = spacy_bilstm("convert", path, folder / "out.spacy", "--exclude", folder / "dev")
    assert code == 0
    assert f"as they are in {folder / 'dev'}: 2 texts\n  line 3: 'b' ({folder / 'dev/deep/one.spacy'}, text 1)" in out
    assert [doc.text for doc in docs_in(folder / "out.spacy")] == ["a "]


@pytest.mark.parametrize("name", ["dev.txt", "dev"])
def test_texts_of_raw_lines_are_left_out(spacy_bilstm, write, folder, name):
    path, dev = write("corpus", "a X\n\nBob X\nwent X\nhome X\n"), write(name, "Bob went home\nwe all sing\n")
    code, out, _ = spacy_bilstm("convert", path, folder / "out.spacy", "--exclude", dev)
    assert (code, f"1 texts\n  line 3: 'Bob went home' ({dev}, line 1)" in out) == (0, True)


def test_a_line_of_a_post_is_no_text(spacy_bilstm, write, folder):
    path, dev = write("posts", "spans,text\n[],b\n[],c d\n"), write("dev", 'spans,text\n[],"a\nb"\n')
    code, out, _ = spacy_bilstm("convert", path, folder / "out.spacy", "--exclude", dev)
    assert (code, f"Left out, as they are in {dev}: 0 texts" in out) == (0, True)


def test_an_empty_file_to_exclude_is_an_error(spacy_bilstm, write, folder):
    code, _, err = spacy_bilstm("convert", write("corpus", "a X\n"), folder / "out.spacy", "--exclude", write("dev.txt", "\n"))
    assert (code, err.count("\n"), "dev.txt" in err) == (1, 1, True)


def test_texts_of_lines_of_any_length_are_left_out(spacy_bilstm, write, folder):
    path, dev = write("corpus", "a X\n\nso X\n"), write("dev.txt", "so\nwe all sing, and more\nit is\n")
    code, out, _ = spacy_bilstm("convert", path, folder / "out.spacy", "--exclude", dev)
    assert (code, f"({dev}, line 1)" in out) == (0, True)


def test_texts_of_a_file_in_another_encoding_are_left_out(spacy_bilstm, write, folder):
    gmb = "Sentence #,Word,POS,Tag\nSentence: 1,caf\u00e9,NN,O\n".encode("cp1252")
    path, dev = write("corpus", "a X\n\ncaf\u00e9 X\n"), write("dev.csv", gmb)
    code, out, _ = spacy_bilstm("convert", path, folder / "out.spacy", "--exclude", dev)
    assert (code, f"({dev}, line 2)" in out) == (0, True)


def test_tags_that_are_entity_tags_are_warned_of(spacy_bilstm, write, folder):
    path = write("corpus", "Mia\tB-PER\nran\tO\n")
    code, out, _ = spacy_bilstm("convert", path, folder / "out.spacy", "--columns", "token,tag")
    assert (code, "⚠ Tags such as 'B-PER' look like entity tags; to read them so, give" in out) == (0, True)


@pytest.mark.parametrize(
    ("content", "warning"),
    [
        ("Mia\tB-PER\nBob\tB-per\nran\tO\n", "Entity types that are different labels, but look alike: 'PER', 'per'"),
        ("Mia\tNNP\nBob\tNNP\u200b\n", "Tags that are different labels, but look alike: 'NNP', 'NNP\\u200b'"),
        ("Mia\tB-PER#1\nBob\tO\n", "Entity types such as 'PER#1' look like several labels"),
    ],
)
def test_labels_that_are_probably_not_meant_are_warned_of(spacy_bilstm, write, folder, content, warning):
    code, out, _ = spacy_bilstm("convert", write("corpus", content), folder / "out.spacy")
    assert (code, f"⚠ {warning}" in out) == (0, True)


@pytest.mark.parametrize("label", ["B-person", "a|-", "a|O", "o", "_"])
def test_a_map_to_what_is_no_type_is_refused(spacy_bilstm, write, folder, label):
    path, types = write("corpus", "Mia\tB-PER\nran\tO\n"), write("map.tsv", f"PER\t{label}\n")
    code, _, err = spacy_bilstm("convert", path, folder / "out.spacy", "--map-ents", types)
    assert (code, err.count("\n")) == (1, 1)


@pytest.mark.parametrize("types", ["PER,O", "PER,B-ORG"])
def test_annotated_types_are_types(spacy_bilstm, write, folder, types):
    path = write("corpus", "Mia\tB-PER\nran\tO\n")
    code, _, err = spacy_bilstm("convert", path, folder / "out.spacy", "--annotated", types)
    assert (code, "expected entity types alone, such as person" in err) == (1, True)


def test_a_folder_without_corpora_is_no_file_to_exclude(spacy_bilstm, write, folder):
    (folder / "empty").mkdir()
    code, _, err = spacy_bilstm("convert", write("corpus", "a X\n"), folder / "out.spacy", "--exclude", folder / "empty")
    assert (code, err.count("\n")) == (1, 1)
    assert str(folder / "empty") in err


def test_twenty_texts_that_are_left_out_are_listed(spacy_bilstm, write, folder):
    path, dev = (write(name, "\n\n".join(f"{'w' * n} X" for n in range(1, last))) for name, last in (("a", 25), ("b", 24)))
    code, out, _ = spacy_bilstm("convert", path, folder / "out.spacy", "--exclude", dev)
    assert (code, out.count("(")) == (0, 21)  # the first is that of the format
    assert f"  line 39: '{'w' * 20}' ({dev}, line 39)\n  and 3 more\n1 texts" in out


def test_posts_that_are_left_out_have_their_lines(spacy_bilstm, write, folder):
    path, dev = write("corpus", 'spans,text\n[],"a\nb"\n[0],c d\n'), write("dev", "spans,text\n[],C  d\n")
    code, out, _ = spacy_bilstm("convert", path, folder / "out.spacy", "--exclude", dev)
    assert (code, f"  line 4: 'c d' ({dev}, line 2)" in out) == (0, True)


class TestToxicSpans:
    CONTENT = 'spans,text\n"[0, 1, 3]",so bad\n"[5]","a b\n\n c"\n"[2, 3]","a  b"\n[],fine\n'

    def test_it_is_summed_up(self, spacy_bilstm, write, folder):
        path = write("corpus", self.CONTENT)
        code, out, err = spacy_bilstm("convert", path, folder / "out.spacy")
        assert (code, err) == (0, "")
        assert out.splitlines() == [
            "Format: toxic_spans (CSV with the columns spans (a list of character offsets) and text), guessed",
            "4 texts, 10 tokens, raw text known for 4",
            "Spans (toxic): 3; widened to whole tokens: 1; of white space alone, left out: 1; texts without spans: 1",
            f"✔ {folder / 'out.spacy'}",
        ]
        docs = docs_in(folder / "out.spacy")
        assert [doc.text for doc in docs] == ["so bad", "a b\n\n c", "a  b", "fine"]
        assert [[span.text for span in doc.spans["toxic"]] for doc in docs] == [["so", "bad"], [], ["b"], []]

    def test_the_key_is_the_label(self, spacy_bilstm, write, folder):
        path = write("corpus", self.CONTENT)
        code, out, _ = spacy_bilstm("convert", path, folder / "out.spacy", "--spans-key", "rude", "--first", 1)
        (doc,) = docs_in(folder / "out.spacy")
        assert (code, list(doc.spans)) == (0, ["rude"])
        assert [(span.text, span.label_) for span in doc.spans["rude"]] == [("so", "rude"), ("bad", "rude")]
        assert "Spans (rude): 2; widened to whole tokens: 1; texts without spans: 0\n" in out


@pytest.mark.parametrize(("first", "texts"), [("1", ["a b "]), ("2", ["a b ", "c "])])
def test_first_keeps_that_many_texts(spacy_bilstm, write, folder, first, texts):
    code, _, _ = spacy_bilstm("convert", write("corpus", TWO_TEXTS), folder / "out.spacy", "--first", first)
    assert (code, [doc.text for doc in docs_in(folder / "out.spacy")]) == (0, texts)


def test_a_map_needs_only_the_tags_of_the_first_texts(spacy_bilstm, write, folder):
    path, mapping = write("corpus", "a X\nb Y\n\nc Z\n"), write("map.tsv", "X\tx\nY\t-\n")
    code, _, _ = spacy_bilstm("convert", path, folder / "out.spacy", "--map-tags", mapping, "--first", 1)
    (doc,) = docs_in(folder / "out.spacy")
    assert (code, [token.tag_ for token in doc]) == (0, ["x", ""])


def test_missing_folders_of_the_output_are_made(spacy_bilstm, write, tmp_path):
    path = write("ud.conllu", CONLLU_ROW)
    code, out, _ = spacy_bilstm("convert", path, tmp_path / "new" / "er" / "x.spacy", "--tags", "xpos")
    assert (code, out.splitlines()[0]) == (0, "Format: conllu (CoNLL-U), guessed")
    assert docs_in(tmp_path / "new" / "er" / "x.spacy")[0][0].tag_ == "Y"


@pytest.mark.parametrize("packed", [False, True])
def test_the_standard_input_is_read(spacy_bilstm, folder, monkeypatch, packed):
    data = TWO_TEXTS.encode("utf8")
    stdin = io.TextIOWrapper(io.BytesIO(gzip.compress(data) if packed else data))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert spacy_bilstm("convert", "-", folder / "out.spacy")[0] == 0
    assert len(docs_in(folder / "out.spacy")) == 2


@pytest.fixture
def pipe(tmp_path):
    """A named pipe that somebody writes two texts into."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes here")
    path = tmp_path / "pipe"
    os.mkfifo(path)
    Thread(target=lambda: path.write_text(TWO_TEXTS, encoding="utf8"), daemon=True).start()
    return path


def test_a_pipe_is_read(spacy_bilstm, pipe, folder):
    assert spacy_bilstm("convert", pipe, folder / "out.spacy")[0] == 0
    assert len(docs_in(folder / "out.spacy")) == 2


def test_vectors_are_read_twice(spacy_bilstm, pipe, tmp_path):
    code, _, err = spacy_bilstm("vectors", "load", pipe, tmp_path / "out")
    assert code == 1
    assert err == f"✘ {pipe}: is a pipe, which can be read only once; expected a file: write it to one first\n"


@pytest.mark.parametrize(("content", "code"), [pytest.param(TWO_TEXTS, 0, marks=pytest.mark.slow), ("a X\nb\n", 1)])
def test_as_a_process(write, tmp_path, content, code):
    path, output = write("corpus", content), tmp_path / "out.spacy"
    command = [sys.executable, "-m", "spacy_bilstm_tagger", "convert", str(path), str(output)]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert (result.returncode, len(result.stderr.splitlines()), output.exists()) == (code, code, code == 0)
