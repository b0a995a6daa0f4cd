"""Files of records: what is read of them, and what is rejected with which reason."""

import gzip
import io
import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_bilstm_tagger.annotate import csv_rows
from spacy_bilstm_tagger.annotate.records import (
    Layout,
    Record,
    Reject,
    check_inputs,
    column_types,
    read_records,
)
from spacy_bilstm_tagger.annotate.sources import find_files
from spacy_bilstm_tagger.errors import DataError

LAYOUT = Layout(id_field="id", keep=("n",))


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf8"))
        return str(path)

    return write


def read(path, layout=LAYOUT):
    """Records as (id, text, kept); rejects as their reasons."""
    found = read_records([path], layout)
    return [(item.id, item.text, item.kept) if isinstance(item, Record) else item.reason for item in found]


JSONL = '{"id": "a", "text": "so good", "n": 1}\n{"id": "b", "text": "so \\ud83d\\ude2d", "n": null}\n'
CSV = 'id,text,n\na,"so, ""good""",1\nb,"two\nlines",\n'


class TestFormats:
    def test_json_lines(self, write):
        assert read(write("a.jsonl", JSONL)) == [("a", "so good", {"n": 1}), ("b", "so 😭", {"n": None})]

    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_csv_with_quotes_and_lines_in_cells(self, write, end):
        path = write("a.csv", CSV.replace("\n", end))
        assert read(path) == [("a", 'so, "good"', {"n": "1"}), ("b", f"two{end}lines", {"n": ""})]

    def test_csv_with_semicolons(self, write):
        assert read(write("a.csv", "id;text;n\na;so, good;1\n")) == [("a", "so, good", {"n": "1"})]

    def test_tsv_has_no_quotes(self, write):
        assert read(write("a.tsv", 'id\ttext\tn\na\t"so" good\t1\n')) == [("a", '"so" good', {"n": "1"})]

    def test_text(self, write):
        assert read(write("a.txt", "so good\n\nso bad"), Layout()) == [
            (0, "so good", {}),
            "no text: it is blank",
            (2, "so bad", {}),
        ]

    def test_parquet_keeps_types(self, tmp_path):
        path = str(tmp_path / "a.parquet")
        pq.write_table(pa.table({"text": ["so good", None, " "], "id": [7, 8, 9], "n": [0.5, None, 1.0], "more": [1, 2, 3]}), path)
        assert read(path) == [(7, "so good", {"n": 0.5}), "'text' is null, expected a string", "no text: it is blank"]
        assert column_types([path], LAYOUT) == {"id": pa.int64(), "n": pa.float64()}

    @pytest.mark.parametrize("packing", ["gz", "zst", "bz2"])
    @pytest.mark.parametrize(("name", "content"), [("a.jsonl", JSONL), ("a.csv", CSV)])
    def test_packed(self, tmp_path, write, packing, name, content):
        codec = {"gz": "gzip", "zst": "zstd", "bz2": "bz2"}[packing]
        path = tmp_path / f"{name}.{packing}"
        with pa.CompressedOutputStream(pa.OSFile(str(path), "wb"), codec) as packed:
            packed.write(content.encode("utf8"))
        assert read(str(path)) == read(write(name, content))

    def test_gzip_of_several_members(self, write):
        assert len(read(write("a.jsonl.gz", gzip.compress(JSONL.encode()) + gzip.compress(JSONL.encode())))) == 4

    def test_the_standard_input(self, monkeypatch):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"so good\n")))
        assert read("-", Layout()) == [(0, "so good", {})]

    def test_without_an_id_field_rows_are_counted_over_all_files(self, write):
        paths = [write("a.txt", "x\n\ny\n"), write("b.txt", "z\n")]
        assert [item.id for item in read_records(paths, Layout()) if isinstance(item, Record)] == [0, 2, 3]

    def test_another_encoding(self, write):
        path = write("a.csv", "text\ncaf\xe9\n".encode("cp1252"))
        assert read(path, Layout()) == ["not utf-8: byte 0xe9 cannot be there; give --encoding, such as cp1252"]
        assert read(path, Layout(encoding="cp1252")) == [(0, "café", {})]

    def test_quotes_that_are_doubled_in_tsv_are_those_of_a_program(self, write):
        path = write("a.tsv", 'text\tid\n"q ""x"""\t3\n"q" ""\t4\n')
        rejected, kept = read(path, Layout(id_field="id"))
        assert "a cell in quotes, as pandas writes it" in rejected
        assert kept[1] == '"q" ""'

    @pytest.mark.parametrize(
        ("content", "kept"),
        [
            ('id\ttext\n1\t"so good\n\nin Lisbon"\n2\tok\n', ["ok"]),
            ('text\tid\n"so good\nin Lisbon"\t1\nok\t2\n', ["ok"]),
            ('id\ttext\n1\t"so good\n2\tall good"\n', ['"so good', 'all good"']),  # quotes of two tweets
            ('text\n"so good\nin Lisbon"\n', ['"so good', 'in Lisbon"']),  # perhaps
            ('id\ttext\n1\t"so good\n', ['"so good']),
        ],
    )
    def test_a_cell_in_quotes_over_several_lines_of_tsv_is_one_reject(self, write, content, kept):
        found = list(read_records([write("a.tsv", content)], Layout()))
        assert [item.text for item in found if isinstance(item, Record)] == kept
        rejects = [item for item in found if not isinstance(item, Record)]
        for reject in rejects:
            assert "a cell in quotes, as pandas writes it" in reject.reason
            assert "so good" in reject.content
            assert 'in Lisbon"' in reject.content
        assert len(rejects) == (kept == ["ok"])

    def test_the_whole_of_a_tweet_that_was_cut(self, write):
        path = write("a.jsonl", '{"text": "so go…", "body": "x", "extended_tweet": {"full_text": "so good"}}\n')
        assert read(path, Layout()) == [(0, "so good", {})]
        assert read(path, Layout(text_field="body")) == [(0, "x", {})]

    def test_control_characters_of_latin_1_are_another_encoding(self, write):
        path = write("a.csv", "text\nit’s\nok\n".encode("cp1252"))
        reason = "0x92 is a control character in latin-1, which no text has; give --encoding cp1252"
        assert read(path, Layout(encoding="latin-1")) == [reason, (1, "ok", {})]
        assert read(path, Layout(encoding="cp1252")) == [(0, "it’s", {}), (1, "ok", {})]

    @pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
    @pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.jsonl"])
    def test_utf8_is_not_read_as_another_encoding(self, write, name, encoding):
        line = {"a.jsonl": '{"text": "café"}', "a.csv": "café", "a.txt": "café"}[name]
        path = write(name, f"text\n{line}\n" if name != "a.jsonl" else f"{line}\n")
        with pytest.raises(DataError, match=r"the file is UTF-8, and .* would make 'Ã©' of 'é'; leave --encoding out"):
            read(path, Layout(encoding=encoding))


# Each line is one bad record of JSON lines, with a part of the reason.
BAD = {
    b"": "blank line",
    b"   ": "blank line",
    b'{"text": "so", "text": "good"}': "the key 'text' is there twice in an object",
    b"so good": "broken JSON",
    b'{"id": "a", "text": "so good"': "broken JSON",
    b'{"id": "a", "text": "so good"} x': "broken JSON: Extra data",
    b'{"id": "a", "text": NaN}': "broken JSON: NaN is no JSON",
    b"[" * 100_000: "broken JSON",
    b'"so good"': "a JSON string, expected an object",
    b"[1]": "a JSON array, expected an object",
    b"null": "a JSON null, expected an object",
    b"5": "a JSON number, expected an object",
    b"true": "a JSON boolean, expected an object",
    b'{"id": "a"}': "no 'text', found 'id'",
    b"{}": "no 'text', found nothing",
    b'{"id": "a", "text": null}': "'text' is null",
    b'{"id": "a", "text": 5}': "'text' is number",
    b'{"id": "a", "text": ["so"]}': "'text' is array",
    b'{"id": "a", "text": {"x": 1}}': "'text' is object",
    b'{"id": "a", "text": true}': "'text' is boolean",
    b'{"id": "a", "text": ""}': "'text' is empty|no text",
    b'{"id": "a", "text": " \\t"}': "no text: it is blank",
    b'{"id": "a", "text": "\\ud83d"}': "half of a surrogate pair",
    b'{"id": "a", "text": "so \\u0000"}': "a NUL character, which is no text",
    b'{"id": "a", "text": "caf\xe9"}': "not utf-8: byte 0xe9",
    b'{"text": "so good"}': "no id: 'id' is null",
    b'{"id": 1.5, "text": "so good"}': "no id: 'id' is number",
    b'{"id": true, "text": "so good"}': "no id: 'id' is boolean",
    b'{"id": "", "text": "so good"}': "no id: 'id' is empty",
    b'{"id": "a", "text": "' + b"x" * 101 + b'"}': "101 characters, expected at most 100",
}


class TestRejects:
    @pytest.mark.parametrize("line", BAD, ids=range(len(BAD)))
    def test_each_kind_has_its_reason_and_costs_no_other(self, write, line):
        good = b'{"id": "a", "text": "so good", "n": 1}\n'
        path = write("a.jsonl", good + line + b"\n" + good)
        first, second, third = read_records([path], Layout(id_field="id", keep=("n",), max_chars=100))
        assert first.text == third.text == "so good"
        assert isinstance(second, Reject)
        assert any(reason in second.reason for reason in BAD[line].split("|"))
        assert (second.source, second.line) == (path, 2)
        json.dumps(second.content).encode("utf8")

    @given(st.lists(st.sampled_from(sorted(BAD)) | st.binary(max_size=40).filter(lambda line: b"\n" not in line)))
    def test_none_is_lost(self, tmp_path_factory, lines):
        path = tmp_path_factory.mktemp("bad") / "a.jsonl"
        # The first line may be that of a packed file, which is refused as a whole.
        path.write_bytes(b"".join(line + b"\n" for line in [b'{"text": "so good"}', *lines]))
        found = list(read_records([str(path)], LAYOUT))
        assert [item.line for item in found] == list(range(1, len(lines) + 2))

    def test_ten_thousand_of_all_kinds(self, write):
        good = b'{"id": "a", "text": "so good"}'
        kinds = [line for line in BAD if len(line) < 1000]
        lines = [kinds[i % len(kinds)] if i % 3 else good for i in range(15_000)]
        found = list(read_records([write("a.jsonl", b"\n".join(lines) + b"\n")], Layout(id_field="id", max_chars=100)))
        assert len(found) == 15_000
        assert sum(isinstance(item, Record) for item in found) == 5000
        assert all(item.reason for item in found if isinstance(item, Reject))

    def test_csv(self, write):
        lines = ["text,id,n", "so good,a,1", "too,few", "a,b,c,d", "", 'a "quote" inside,b,1', '"closed" wrong,c,1']
        lines += ["so bad,d,1", '"never closed,e,1', "fine,f,1"]
        path = write("a.csv", "\n".join(lines) + "\n")
        assert read(path) == [
            ("a", "so good", {"n": "1"}),
            "2 cells, expected 3: text, id, n",
            "4 cells, expected 3: text, id, n",
            "blank line",
            ("b", 'a "quote" inside', {"n": "1"}),
            "broken CSV: ',' expected after '\"'",
            ("d", "so bad", {"n": "1"}),
            "broken CSV: unexpected end of data",
            ("f", "fine", {"n": "1"}),
        ]

    def test_a_quote_that_is_never_closed_does_not_swallow_a_large_file(self, write, monkeypatch):
        monkeypatch.setattr(csv_rows, "_QUOTED", 1 << 20)
        rows = [f"{i},{'x' * 100}" for i in range(30_000)]
        found = read(write("a.csv", "\n".join(["id,text", 'bad,"never', *rows]) + "\n"), Layout(id_field="id"))
        assert len(found) == 30_001
        assert found[0] == "broken CSV: a quote that is not closed"

    def test_a_line_without_end(self, write):
        found = read(write("a.txt", b"so good\n" + b"x" * (1 << 24) + b"yyy\nso bad\n"), Layout())
        assert found == [(0, "so good", {}), "a line longer than 16 MiB", (2, "so bad", {})]

    def test_long_texts_can_be_cut(self, write):
        assert read(write("a.txt", "abcdef\n"), Layout(max_chars=3, cut=True)) == [(0, "abc", {})]


class TestInputs:
    def test_folders_patterns_and_files(self, tmp_path, write):
        for name in ["in/b.jsonl", "in/a.csv.gz", "in/deep/c.txt", "in/readme.md", "in/_SUCCESS", "in/.hidden.txt"]:
            write(name, "x")
        folder = tmp_path / "in"
        expected = [str(folder / name) for name in ("a.csv.gz", "b.jsonl", "deep/c.txt")]
        assert find_files([str(folder)]) == expected
        assert find_files([str(folder / "*.jsonl"), "-"]) == [expected[1], "-"]

    @pytest.mark.parametrize("given", ["missing.jsonl", "*.nothing", "empty"])
    def test_what_is_not_there_is_told(self, tmp_path, given):
        (tmp_path / "empty").mkdir()
        with pytest.raises(DataError, match=r"found no file, expected one or a folder of \.jsonl"):
            find_files([str(tmp_path / given)])

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("a.csv", "id,body\na,b\n", "has no column 'text'; found 'id', 'body'. Name one by --text-field"),
            ("a.csv", "id,text\na,b\n", "has no column 'n'; found 'id', 'text'. Name one by --keep"),
            ("a.csv", "id,text,text,n\n", "has 2 columns named 'text', expected one"),
            ("a.csv", "id,text\ra,b\r", "its lines end in CR alone; save it with LF or CR LF"),
            ("a.csv", "id,text,n\n".encode("utf-16"), "is UTF-16, expected UTF-8"),
            ("a.xlsx", "", "is a spreadsheet; save it as CSV, and name the column of the texts with --text-field"),
            ("a.xyz", "", "the ending '.xyz' tells no format; expected .jsonl"),
            ("a.json", "[]", "(of a JSON array: jq -c '.[] | (strings | {text: .}) // .' FILE > FILE.jsonl)"),
            ("a.jsonl", '[{"text": "so", "n": 1}]\n', "is a JSON array; write its objects one a line, such as by jq"),
            ("a.jsonl", '[\n{"text": "so", "n": 1},\n{"text": "ok", "n": 1}\n]\n', "is a JSON array"),
            ("a.parquet", "no parquet", "cannot be read as a Parquet file"),
            ("a.jsonl.gz", b"\x1f\x8bbroken", "cannot be read as a file of text"),
            ("a.jsonl.gz", gzip.compress(JSONL.encode() * 1000)[:-20], "cannot be read as a file of text"),
        ],
    )  # fmt: skip
    def test_a_wrong_file_is_told_in_one_line(self, write, name, content, message):
        path = write(name, content)

        def read_all():
            check_inputs([path], LAYOUT)
            list(read_records([path], LAYOUT))

        with pytest.raises(DataError) as error:
            read_all()
        assert message in str(error.value)
        assert "\n" not in str(error.value)

    def test_parquet_without_strings(self, tmp_path):
        pq.write_table(pa.table({"text": [1]}), tmp_path / "a.parquet")
        with pytest.raises(DataError, match="the column 'text' holds int64, expected strings"):
            check_inputs([str(tmp_path / "a.parquet")], Layout())

    def test_parquet_files_of_different_types(self, tmp_path):
        paths = [str(tmp_path / name) for name in ("a.parquet", "b.parquet")]
        for path, value in zip(paths, (1, "x")):
            pq.write_table(pa.table({"text": ["so"], "n": [value]}), path)
        with pytest.raises(DataError, match="the column 'n' holds string, and int64 in"):
            column_types(paths, Layout(keep=("n",)))

    def test_an_unknown_encoding(self, write):
        with pytest.raises(DataError, match="--encoding utf9: Python knows no such encoding"):
            check_inputs([write("a.txt", "x")], Layout(encoding="utf9"))
