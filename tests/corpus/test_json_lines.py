import json
from pathlib import Path

import pytest
import spacy

from spacy_bilstm_tagger.corpus import EntityRanges, Notes, read_corpus, to_docbin
from spacy_bilstm_tagger.corpus.json_lines import read_json_lines
from spacy_bilstm_tagger.corpus.labels import label_summary
from spacy_bilstm_tagger.errors import DataError

PATH = Path("corpus.jsonl")
PER = [0, 3, "PER"]


def read(*records, notes=None):
    return read_json_lines(PATH, "\n".join(map(json.dumps, records)), notes=notes)


def convert(*records):
    """The lines about labels, the ents of each Doc as text/label, its missing tokens, and the summary."""
    texts, ranges = read(*records), EntityRanges()
    docs = list(to_docbin(PATH, texts, ranges=ranges).get_docs(spacy.blank("xx").vocab))
    ents = [[f"{ent.text}/{ent.label_}" for ent in doc.ents] for doc in docs]
    missing = [[token.text for token in doc if not token.ent_iob_] for doc in docs]
    return label_summary(texts, ranges.types), ents, missing, ranges.summary()


def refused(message, *records):
    with pytest.raises(DataError) as error:
        read(*records)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("filled", ["spans", "label", "labels", "entities"])
@pytest.mark.parametrize("empty", ["spans", "label", "labels", "entities"])
def test_ranges_under_one_key_are_read_where_another_is_empty(filled, empty):
    (text,) = read({"text": "Mia ran", empty: [], filled: [PER]})
    assert text.entities == [(0, 3, "PER")]


def test_an_empty_list_or_two_mean_no_entity():
    assert [text.entities for text in read({"text": "a", "label": []}, {"text": "b", "label": [], "spans": []})] == [
        [],
        [],
    ]


def test_ranges_under_two_keys_are_refused():
    message = 'corpus.jsonl, line 2: both "spans" and "label" hold a list, expected one; remove the other'
    refused(message, {"text": "ok", "label": []}, {"text": "Mia ran", "label": [PER], "spans": [PER]})


@pytest.mark.parametrize("label", ["POSITIVE", "", 1, {"a": 1}])
def test_the_class_of_a_text_is_refused(label):
    message = f'corpus.jsonl, line 1: "label" is {json.dumps(label)}, the class of a text, expected ranges; if the text'
    refused(message, {"text": "so good", "label": label, "spans": []})
    refused(message, {"text": "so good", "label": label})


def test_ranges_are_read_beside_a_class():
    assert read({"text": "Mia ran", "label": "POSITIVE", "spans": [PER]})[0].entities == [(0, 3, "PER")]


def test_two_labels_on_one_range_are_refused():
    found = {"start": 0, "end": 3, "labels": ["PER", "LOC"]}
    refused("line 1: found 2 labels, PER, LOC, expected one", {"text": "Mia ran", "entities": [found]})


PROPOSED = {"start": 2, "end": 4, "label": "PER"}


@pytest.mark.parametrize("key", ["predictions", "prediction", "suggestions", "ner.suggestion", "proposals", "relations"])
def test_proposals_are_no_gold(key):
    (text,) = read({"text": "a Bo", "spans": [], key: [PROPOSED]})
    assert text.entities == []
    (text,) = read({"text": "a Bo", "spans": [{**PROPOSED, "label": "ORG"}], key: [PROPOSED]})
    assert text.entities == [(2, 4, "ORG")]
    with pytest.raises(DataError, match="expected a JSON object"):
        read({"text": "a Bo", key: [{**PROPOSED, "score": 0.9}]})


def test_ranges_under_an_unknown_key_beside_an_empty_list_are_refused():
    with pytest.raises(DataError, match='"spans" is empty, and "names" holds ranges; remove the one that is not meant'):
        read({"text": "a Bo", "spans": [], "names": [PROPOSED]})


def test_binary_records_are_refused():
    record = {"text": "Mia ran", "spans": [{"start": 0, "end": 3, "label": "PER"}], "answer": "reject"}
    refused("line 1: the record is one of Prodigy's binary ones, which judge one span", {**record, "_is_binary": True})


def test_records_that_were_not_accepted_are_counted_with_or_without_spans():
    notes = Notes()
    others = [{"text": "b", "answer": "ignore"}, {"text": "c", "spans": [], "answer": "reject"}]
    (text,) = read({"text": "Mia ran", "spans": [PER], "answer": "accept"}, *others, notes=notes)
    assert text.text == "Mia ran"
    assert notes.lines == [
        "Left out, as their answer is 'ignore': 1 texts",
        "Left out, as their answer is 'reject': 1 texts",
    ]


@pytest.mark.parametrize(
    ("text", "ranges", "ents", "missing", "summary"),
    [
        ("Mia ran", [[0, 4, "PER"]], ["Mia/PER"], [], ""),
        ("Mia ran", [PER, [3, 4, "X"]], ["Mia/PER"], [], "1 are white space (line 1: ' ')"),
        ("in Lisbon", [[3, 8, "LOC"]], [], ["Lisbon"], "1 cut a token (line 1: 'Lisbo' in 'Lisbon')"),
        (
            "Mia ran",
            [PER, PER],
            ["Mia/PER"],
            [],
            "1 overlap a longer one, or an equal one before (line 1: 'Mia' with 'Mia')",
        ),
        (
            "Mia ran",
            [PER, [0, 3, "A"]],
            ["Mia/PER"],
            [],
            "1 overlap a longer one, or an equal one before (line 1: 'Mia'",
        ),
        (
            "Mia Lee ran",
            [PER, [0, 7, "PER"]],
            ["Mia Lee/PER"],
            [],
            "1 overlap a longer one, or an equal one before (line 1",
        ),
        (
            "a b c d",
            [[0, 3, "X"], [2, 7, "Y"]],
            ["b c d/Y"],
            ["a"],
            "1 overlap a longer one, or an equal one before (line 1",
        ),
        (
            "a b c",
            [[0, 3, "X"], [2, 5, "Y"]],
            ["a b/X"],
            ["c"],
            "1 overlap a longer one, or an equal one before (line 1",
        ),
        ("Mia Lee", [PER, [0, 6, "ORG"]], ["Mia/PER"], ["Lee"], "1 cut a token (line 1: 'Mia Le' in 'Mia Lee')"),
        ("Mia Lee", [[0, 7, "-"], [4, 7, "PER"]], ["Lee/PER"], ["Mia"], ""),
    ],
)
def test_the_longest_range_is_the_entity_and_the_others_are_counted(text, ranges, ents, missing, summary):
    (counted,), *found, summed_up = convert({"text": text, "label": ranges})
    assert found == [[ents], [missing]]
    end = "; their tokens count as missing, except those in other entities"
    assert summed_up == "" if not summary else summed_up.startswith(f"Entities that are left out: {summary}")
    assert summed_up.endswith(end if summary else "")
    assert counted == f"Entities: {', '.join(ent.partition('/')[2] + ' 1' for ent in ents) or 'none'}"


def test_all_kinds_are_one_line_that_shows_five_of_each():
    ranges = [[0, 2, "X"]] * 6 + [[2, 3, "Y"]]
    assert convert({"text": "abc\nd", "label": [*ranges, [3, 4, "Z"]]})[-1] == (
        "Entities that are left out: 7 cut a token (line 1: 'ab' in 'abc'; line 1: 'ab' in 'abc'; line 1: 'ab' in 'abc'; "
        "line 1: 'ab' in 'abc'; line 1: 'ab' in 'abc', and 2 more), 1 are white space (line 1: '\\n'); their tokens count as "
        "missing, except those in other entities"
    )


@pytest.mark.parametrize("before", [" ", "\t", "\n  ", "\ufeff", "\u00a0"])
def test_white_space_before_the_first_object_does_not_make_it_columns(tmp_path, before):
    path = tmp_path / "corpus"
    path.write_text(before + '{"text": "Mia ran", "label": [[0, 3, "PER"]]}\n', encoding="utf8")
    format, (text,) = read_corpus(path)
    assert (format, text.entities) == ("jsonl", [(0, 3, "PER")])


@pytest.mark.parametrize("record", [{"text": "a"}, {"text": "a", "label": None}, {"text": "a", "tags": []}, ["a", {}], 3])
def test_a_record_without_ranges_is_refused_and_an_empty_list_is_the_way_out(record):
    refused('[0, 4, "PER"], empty if there are none', record)


@pytest.mark.parametrize("field", ["text", "label"])
def test_half_a_surrogate_is_refused(field):
    text, label = ("a\ud83d" if field == "text" else "a"), ("P\ud83d" if field == "label" else "P")
    found = "the text has half of a surrogate pair" if field == "text" else "found "
    refused(f"corpus.jsonl, line 1: {found}", {"text": text, "label": [[0, 1, label]]})


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('{"text": "so good", "text": "other", "spans": []}', "text"),
        ('{"text": "so good", "spans": [{"start": 0, "end": 2, "label": "X", "label": "Y"}]}', "label"),
    ],
)
def test_a_key_that_is_there_twice_is_refused(line, key):
    with pytest.raises(DataError, match=f"line 1: the key '{key}' is there twice in an object, expected it once"):
        read_json_lines(Path("a.jsonl"), line)


@pytest.mark.parametrize("line", ['{"text": "x" "label": []}', '{"text": "x", "label": [],}'])
def test_broken_json_behind_the_first_line_is_called_so(line):
    with pytest.raises(DataError, match=r"^a.jsonl, line 2: found .* which is no JSON \(Expecting .* column 1[0-9]|2[0-9]"):
        read_json_lines(Path("a.jsonl"), '{"text": "Mia", "label": []}\n' + line)


@pytest.mark.parametrize("found", [[0, 1.0, "a"], ["0", "1", "a"], [0, 1, ""]])
def test_a_range_of_other_values_is_refused(found):
    refused("as a range, expected two whole numbers and a label: ", {"text": "so", "label": [found]})


def test_a_nul_character_is_refused():
    refused("line 1: the text has a NUL character, which is no text; remove it", {"text": "a\0b", "label": []})


FULL = {
    "id": 1,
    "annotations": [{"result": [{"value": {"start": 0, "end": 3, "labels": ["PER"]}}]}],
    "data": {"text": "Mia"},
}
PAIR = ["Mia ran", {"entities": [PER]}]
OBJECTS = "{text: .[0], entities: (.[1].entities // [])}' FILE"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            f"{json.dumps(PAIR)}\n{json.dumps(PAIR)}\n",
            f"spaCy's pairs of a text and its annotation, expected JSON lines, an object a line: make them with \"jq -c '{OBJECTS}",
        ),
        (json.dumps(PAIR), f"\"jq -c '{OBJECTS}"),
        (json.dumps([PAIR, PAIR], indent=1), f"\"jq -c '.[] | {OBJECTS}"),
        (json.dumps([{"id": 0, "paragraphs": []}]), 'found a JSON list of objects without a "text"'),
        ('[{"text": "a", "label": []},', "damaged, or not of objects with a text"),
        ('["a", "b"]', "damaged, or not of objects with a text"),
        (json.dumps([{"data": {"a": "x", "b": "y"}, "annotations": []}]), 'found "data" with a, b, expected one text'),
    ],
)
@pytest.mark.parametrize("format", [None, "jsonl"])
def test_other_json_is_refused_with_what_makes_json_lines_of_it(tmp_path, content, message, format):
    path = tmp_path / "corpus"
    path.write_text(content, encoding="utf8")
    with pytest.raises(DataError) as error:
        read_corpus(path, format=format)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(str(path))


class TestLabelStudio:
    @pytest.mark.parametrize("content", [json.dumps([FULL]), json.dumps([FULL], indent=2), json.dumps(FULL)])
    def test_its_own_json(self, tmp_path, content):
        (tmp_path / "export.json").write_text(content, encoding="utf8")
        format, (text,) = read_corpus(tmp_path / "export.json")
        assert format == "jsonl"
        assert (text.text, text.entities) == ("Mia", [(0, 3, "PER")])

    def test_json_min(self, tmp_path):
        items = [
            {"text": "Mia ran", "label": [{"start": 0, "end": 3, "text": "Mia", "labels": ["PER"]}]},
            {"text": "so", "label": []},
        ]
        (tmp_path / "export.json").write_text(json.dumps(items, indent=1), encoding="utf8")
        _, texts = read_corpus(tmp_path / "export.json")
        assert [(text.text, text.entities) for text in texts] == [("Mia ran", [(0, 3, "PER")]), ("so", [])]

    def test_tasks_that_nobody_has_annotated_are_counted(self, tmp_path):
        skipped = {"data": {"text": "so"}, "annotations": [{"was_cancelled": True, "result": []}]}
        (tmp_path / "export.json").write_text(json.dumps([FULL, skipped, {**skipped, "annotations": []}]), encoding="utf8")
        notes = Notes()
        assert len(read_corpus(tmp_path / "export.json", notes=notes)[1]) == 1
        assert "Left out, as their answer is 'not annotated': 2 texts" in notes.lines

    def test_ranges_of_another_field_are_refused(self, tmp_path):
        result = {"value": {"start": 4, "end": 7, "labels": ["LOC"]}, "type": "labels", "to_name": "title"}
        task = {"data": {"text": "Mia met Bo", "title": "The Rome trip"}, "annotations": [{"result": [result]}]}
        (tmp_path / "tasks.json").write_text(json.dumps([task]))
        with pytest.raises(DataError, match="object 1: found ranges of title, expected those of the text that is read"):
            read_corpus(tmp_path / "tasks.json")
        task["annotations"][0]["result"][0]["to_name"] = "text"
        (tmp_path / "tasks.json").write_text(json.dumps([task]))
        assert read_corpus(tmp_path / "tasks.json")[1][0].entities == [(4, 7, "LOC")]

    def test_ranges_of_several_controls_are_told(self):
        results = [
            {"from_name": name, "type": "labels", "value": {"start": at, "end": at + 3, "labels": [label]}}
            for name, at, label in (("ner", 0, "PER"), ("topic", 4, "VERB"))
        ]
        notes = Notes()
        read({"data": {"text": "Mia ran"}, "annotations": [{"result": results[:1]}]}, notes=notes)
        assert notes.warnings == []
        (text,) = read({"data": {"text": "Mia ran"}, "annotations": [{"result": results}]}, notes=notes)
        assert text.entities == [(0, 3, "PER"), (4, 7, "VERB")]
        assert notes.warnings == [
            "The ranges of several controls are read as one annotation: ner 1, topic 1; if only one is meant, keep the results "
            "whose from_name is that, such as 'ner'"
        ]

    def test_the_last_annotation_counts(self, tmp_path):
        old = {"result": [{"type": "labels", "value": {"start": 0, "end": 2, "text": "Mi", "labels": ["ORG"]}}]}
        task = {**FULL, "annotations": [old, *FULL["annotations"]]}
        (tmp_path / "export.json").write_text(json.dumps([task]), encoding="utf8")
        assert read_corpus(tmp_path / "export.json")[1][0].entities == [(0, 3, "PER")]

    def test_an_emoji_counts_as_two_in_its_browser(self, tmp_path):
        item = {"text": "😂 Mia ran", "label": [{"start": 3, "end": 6, "text": "Mia", "labels": ["PER"]}]}
        (tmp_path / "export.json").write_text(json.dumps([item]), encoding="utf8")
        assert read_corpus(tmp_path / "export.json")[1][0].entities == [(2, 5, "PER")]


def test_converting_twice_gives_the_same():
    texts = read({"text": "Mia Lee", "label": [[0, 7, "ORG"], [4, 7, "PER"], [0, 2, "X"]]})
    first, second = (to_docbin(PATH, texts, ranges=EntityRanges()).to_bytes() for _ in range(2))
    assert first == second


@pytest.mark.parametrize("label", ["B-PER", "I-PER", "O"])
def test_labels_that_are_tags_of_bio_are_warned_of(label):
    notes = Notes()
    read({"text": "Mia ran", "spans": [{"start": 0, "end": 3, "label": label}]}, notes=notes)
    assert f"Labels such as {label!r} look like BIO tags" in notes.warnings[0]


def test_offsets_of_utf16_are_named(spacy_bilstm, tmp_path):
    path = tmp_path / "utf16.jsonl"
    path.write_text('{"text": "😭 Velvet Otters now", "label": [[3, 9, "x"], [10, 16, "x"]]}\n', encoding="utf8")
    code, out, _ = spacy_bilstm("convert", path, tmp_path / "out.spacy")
    assert code == 0
    assert "2 cut a token" in out
    assert "offsets count characters, do these count UTF-16 units, as JavaScript does?" in out


def test_ranges_under_another_name_are_shown():
    notes = Notes()
    (text,) = read({"text": "Mia ran", "output": [{"start": 0, "end": 3, "label": "PER"}]}, notes=notes)
    assert text.entities == [(0, 3, "PER")]
    assert [each[:44] for each in notes.warnings] == ["The ranges of 1 texts are those of 'output';"]


def test_tokens_with_labels_are_no_entities():
    tokens = [{"start": 0, "end": 3, "label": "NNP"}, {"start": 4, "end": 7, "label": "VBD"}]
    refused("with the keys text, tokens", {"text": "Mia ran", "tokens": tokens})
