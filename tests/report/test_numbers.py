"""The numbers of a report: those of spaCy's scorer and of nervaluate, and those that nobody else gives."""

import math
import random

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Corpus, Example

from spacy_bilstm_tagger.errors import ConfigError, DataError
from spacy_bilstm_tagger.report import measures
from spacy_bilstm_tagger.report.cases import Case, Target
from spacy_bilstm_tagger.report.data import read_examples
from spacy_bilstm_tagger.report.findings import find, find_targets, predict
from spacy_bilstm_tagger.report.training_log import read_log


@pytest.fixture(scope="module")
def report(golden, sample, report_of):
    return report_of(golden, sample)


def part_of(report, name):
    return next(part for part in report.numbers["components"] if part["name"] == name)


class TestScores:
    def test_are_those_of_spacy_evaluate(self, golden, sample, report):
        nlp = spacy.load(golden)
        scores = nlp.evaluate(list(Corpus(sample)(nlp)))
        tagger, ner = part_of(report, "tagger"), part_of(report, "ner")
        assert tagger["score"]["value"] == pytest.approx(scores["tag_acc"])
        assert [ner["pooled"][key] for key in "prf"] == pytest.approx([scores[f"ents_{key}"] for key in "prf"])
        assert ner["score"]["value"] == pytest.approx(scores["ents_f"])
        for name, theirs in (("tagger", scores["tag_per_type"]), ("ner", scores["ents_per_type"])):
            rows = {row["label"]: row for row in part_of(report, name)["per_label"]}
            for label, values in theirs.items():
                assert [rows[label][key] or 0 for key in "prf"] == pytest.approx([values[key] for key in "prf"])
        ours = {key: value for key, value in report.numbers["scores"].items() if key in scores}
        assert ours["tag_acc"] == scores["tag_acc"]
        assert ours["token_f"] == scores["token_f"]

    def test_spans(self, toxic, report_of):
        nlp, path = toxic
        part = report_of(nlp, path).numbers["components"][0]
        scores = nlp.evaluate(list(Corpus(path)(nlp)))
        assert part["score"]["name"] == "spans_toxic_char_f"
        assert part["score"]["value"] == pytest.approx(scores["spans_toxic_char_f"])
        assert [part["pooled"][key] for key in "prf"] == pytest.approx([scores[f"spans_toxic_{key}"] for key in "prf"])

    def test_threshold_of_spans(self, toxic, report_of):
        nlp, path = toxic
        part = report_of(nlp, path).numbers["components"][0]
        pipe = nlp.get_pipe("bilstm_spans")
        before = pipe.threshold
        try:
            for row in part["thresholds"]:
                if row["threshold"] in (0.2, 0.5, 0.8):
                    pipe.threshold = row["threshold"]
                    score = nlp.evaluate(list(Corpus(path)(nlp)))["spans_toxic_char_f"]
                    assert row["f"] == pytest.approx(score)
        finally:
            pipe.threshold = before

    def test_threshold_of_entities(self, golden, sample, report):
        nlp = spacy.load(golden)
        rows = {row["threshold"]: row for row in part_of(report, "ner")["thresholds"]}
        for threshold in (0.1, 0.3, 0.6):
            nlp.get_pipe("ner").threshold = threshold
            scores = nlp.evaluate(list(Corpus(sample)(nlp)))
            found = [rows[threshold][key] for key in "prf"]
            assert found == pytest.approx([scores[f"ents_{key}"] for key in "prf"])

    def test_interval_holds_the_score(self, report):
        for part in report.numbers["components"]:
            score = part["score"]
            assert 0 <= score["low"] <= score["value"] <= score["high"] <= 1
            assert score["low"] < score["high"]

    def test_nervaluate(self, golden, sample, report):
        evaluator = pytest.importorskip("nervaluate", reason="needs Python 3.11").Evaluator
        nlp = spacy.load(golden)
        gold, found = [], []
        for example in Corpus(sample)(nlp):
            doc = nlp(example.predicted)
            for ents, target in ((example.reference.ents, gold), (doc.ents, found)):
                target.append([{"label": e.label_, "start": e.start_char, "end": e.end_char - 1} for e in ents])
        labels = sorted({span["label"] for spans in gold + found for span in spans})
        expected = evaluator(gold, found, tags=labels, loader="dict").evaluate()["overall"]
        for name, row in part_of(report, "ner")["nervaluate"].items():
            assert row["f1"] == pytest.approx(expected[name].f1), name
            for key in ("correct", "missed", "spurious"):
                assert row[key] == getattr(expected[name], key)


class TestConfusion:
    def test_of_tags(self, report):
        part = part_of(report, "tagger")
        matrix = part["confusion"]
        total = sum(map(sum, matrix["counts"]))
        diagonal = sum(
            row[matrix["found"].index(label)] for label, row in zip(matrix["gold"], matrix["counts"]) if label in matrix["found"]
        )
        assert total == sum(row["support"] for row in part["per_label"])
        assert diagonal == part["outcomes"]["right"]

    def test_of_entities_pairs_what_overlaps(self):
        nlp = spacy.blank("en")
        words = ["Mara", "Lune", "met", "Kim", "in", "New", "York"]
        gold = Doc(nlp.vocab, words=words, ents=["B-per", "I-per", "O", "B-per", "O", "B-loc", "I-loc"])
        found = Doc(nlp.vocab, words=words, ents=["B-per", "O", "B-per", "B-loc", "O", "B-loc", "I-loc"])
        target = Target("ner", "entities", "ents")
        cases = find(_Stub(), target, [Example(found, gold)]).cases
        assert [(case.gold, case.found, case.outcome) for case in cases] == [
            ("per", "per", "boundary"),
            ("per", "loc", "label"),
            ("loc", "loc", "right"),
            ("", "per", "spurious"),
        ]
        assert (cases[0].start, cases[0].end, cases[0].found_end) == (0, 9, 4)


class _Stub:
    """A pipeline whose component is somebody else's."""

    def get_pipe(self, name):
        return object()


class TestProbabilities:
    def test_gold_of_tags(self, golden, sample, report):
        """P(gold) is the marginal of the component, and that of the text a product of no more than them."""
        nlp = spacy.load(golden)
        nlp.get_pipe("tagger").cfg["tag_scores"] = True
        examples = list(predict(nlp, read_examples(nlp, sample)))
        findings = find(nlp, Target("tagger", "tokens", "tag"), examples)
        for case in findings.cases[:50]:
            token = next(t for t in examples[case.text].predicted if t.idx == case.start)
            scores = token._.tag_scores
            assert case.gold_probability == pytest.approx(scores.get(case.gold, 0.0), abs=1e-4)
            assert case.probability == pytest.approx(scores[case.found], abs=1e-4)

    def test_gold_of_entities(self, golden, sample):
        nlp = spacy.load(golden)
        examples = list(predict(nlp, read_examples(nlp, sample)))
        findings = find(nlp, Target("ner", "entities", "ents"), examples)
        right = [case for case in findings.cases if case.outcome == "right"]
        assert right
        for case in right:
            assert case.gold_probability == pytest.approx(case.probability, abs=1e-4)
        for gold, best in zip(findings.gold_log, findings.best_log):
            assert math.isnan(gold) or gold <= best + 1e-6 <= 1e-5  # nan: a label that the pipeline does not have

    def test_calibration(self, report):
        found = part_of(report, "tagger")["calibration"]
        assert sum(row["count"] for row in found["bins"]) == sum(part_of(report, "tagger")["found"].values())
        assert 0 <= found["error"] <= 1

    def test_calibration_of_known_numbers(self):
        cases = [Case(0, 0, 1, "A", "A", 0, 1, "right", 0.95, 0.95, "a", "word")] * 3
        cases += [Case(0, 0, 1, "B", "A", 0, 1, "label", 0.85, 0.1, "a", "word")] * 1
        findings = _findings(cases)
        assert measures.calibration(findings)["error"] == pytest.approx(3 / 4 * 0.05 + 1 / 4 * 0.85)


def _findings(cases):
    from spacy_bilstm_tagger.report.findings import Findings

    return Findings(Target("x", "tokens", "tag"), ["A", "B"], True, cases=cases)


class TestErrorsInTheGold:
    def test_planted_ones_come_first(self, golden, sample):
        """5% of the tags are others than the annotators'; the pipeline itself has 61% right."""
        nlp = spacy.load(golden)
        lot = random.Random(1)
        planted, examples = set(), []
        labels = nlp.get_pipe("tagger").labels
        for number, example in enumerate(predict(nlp, read_examples(nlp, sample))):
            gold = example.reference.copy()
            for token in gold:
                if lot.random() < 0.05:
                    token.tag_ = lot.choice([label for label in labels if label != token.tag_])
                    planted.add((number, token.idx))
            examples.append(Example(example.predicted, gold))
        findings = find(nlp, Target("tagger", "tokens", "tag"), examples)
        suspects = measures.suspects(findings, len(planted))
        hits = sum((each.text, examples[each.text].x[each.token].idx) in planted for each in suspects)
        assert hits / len(suspects) >= 6 * 0.05
        assert [each.ratio for each in suspects] == sorted(each.ratio for each in suspects)

    def test_a_text_of_entities_is_listed_once(self, report):
        texts = [suspect["text"] for suspect in part_of(report, "ner")["suspects"]]
        assert len(texts) == len(set(texts))


class TestAgainst:
    def test_the_same_pipeline_is_no_better(self, golden, sample, report_of):
        numbers = report_of(golden, sample, against=spacy.load(golden)).numbers
        for part in numbers["components"]:
            assert part["against"]["difference"] == 0
            assert part["against"]["p_value"] == 1
            assert part["against"]["better"] == part["against"]["worse"] == []

    def test_gold_tokens_are_those_of_both(self, golden, tmp_path, report_of):
        """Of a text whose raw form is unknown: joined by blanks, a tokenizer would cut it otherwise."""
        words, tags = ["don't", "wait:)", "so", "long"], ["VB", "NN", "RB", "RB"]
        DocBin(docs=[Doc(spacy.blank("en").vocab, words=words, tags=tags)] * 2).to_disk(tmp_path / "dev.spacy")
        assert Doc(spacy.blank("en").vocab, words=words).has_unknown_spaces
        part = part_of_numbers(report_of(golden, tmp_path / "dev.spacy", against=spacy.load(golden)).numbers, "tagger")
        assert part["against"]["difference"] == 0
        scores = spacy.load(golden).evaluate(list(Corpus(tmp_path / "dev.spacy")(spacy.load(golden))))
        assert part["against"]["score"]["value"] == pytest.approx(scores["tag_acc"])

    def test_a_worse_one(self, golden, sample, report_of):
        other = spacy.load(golden)
        other.get_pipe("ner").threshold = 1.0  # finds nothing
        numbers = report_of(golden, sample, against=other).numbers
        found = part_of_numbers(numbers, "ner")["against"]
        assert found["difference"] > 0
        assert found["p_value"] < 0.05
        assert found["score"]["value"] == 0
        assert found["better"]
        assert part_of_numbers(numbers, "tagger")["against"]["difference"] == 0

    def test_of_another_kind(self, golden, sample, toxic, report_of):
        with pytest.raises(DataError, match="sets nothing that has gold here"):
            report_of(golden, sample, against=toxic[0])


def part_of_numbers(numbers, name):
    return next(part for part in numbers["components"] if part["name"] == name)


class TestGroups:
    def test_seen_and_unseen(self, golden, sample, report_of):
        train = [Doc(spacy.blank("en").vocab, words=["the", "so"], ents=["O", "O"])]
        numbers = report_of(golden, sample, train=train).numbers
        words = part_of_numbers(numbers, "tagger")["groups"]["word"]
        assert [row["name"] for row in words] == ["seen in training", "not seen"]
        assert sum(row["gold"] for row in words) == sum(row["support"] for row in part_of_numbers(numbers, "tagger")["per_label"])
        assert [row["name"] for row in part_of_numbers(numbers, "ner")["groups"]["surface"]] == ["not seen"]

    def test_files(self, golden, sample, tmp_path, report_of):
        docs = list(DocBin().from_disk(sample).get_docs(spacy.blank("en").vocab))
        DocBin(docs=docs[:5]).to_disk(tmp_path / "a.spacy")
        DocBin(docs=docs[5:9]).to_disk(tmp_path / "b.spacy")
        report = report_of(golden, tmp_path / "a.spacy", tmp_path / "b.spacy")
        rows = part_of(report, "tagger")["groups"]["file"]
        assert {row["name"] for row in rows} == {"a.spacy", "b.spacy"}
        assert report.texts["tagger"][7]["source"] == 1


class TestOtherTexts:
    def test_without_gold(self, golden, tmp_path, report_of):
        (tmp_path / "tweets.txt").write_text("so happy in Lisbon\nKim is here\n", encoding="utf8")
        numbers = report_of(golden, tmp_path / "tweets.txt").numbers
        assert numbers["has_gold"] is False
        assert numbers["scores"] == {}
        assert part_of_numbers(numbers, "tagger")["found"]

    def test_json_lines_with_nothing_but_texts(self, golden, tmp_path, report_of):
        (tmp_path / "tweets.jsonl").write_text('{"text": "so happy in Lisbon"}\n', encoding="utf8")
        assert report_of(golden, tmp_path / "tweets.jsonl").numbers["texts"] == 1

    def test_labels_that_the_model_does_not_know(self, golden, tmp_path, report_of):
        docs = [Doc(spacy.blank("en").vocab, words=["so", "happy"], tags=["XX", "JJ"])]
        DocBin(docs=docs).to_disk(tmp_path / "dev.spacy")
        part = report_of(golden, tmp_path / "dev.spacy").numbers["components"][0]
        assert part["unknown_labels"] == ["XX"]
        assert next(row for row in part["per_label"] if row["label"] == "XX")["r"] == 0

    def test_missing_and_alternative_labels(self, golden, tmp_path, report_of):
        words = ["Mara", "is", "in", "Lisbon"]
        doc = Doc(spacy.blank("en").vocab, words=words, ents=["B-person|group", "O", "O", ""])
        DocBin(docs=[doc]).to_disk(tmp_path / "dev.spacy")
        part = report_of(golden, tmp_path / "dev.spacy").numbers["components"][0]
        assert sum(part["outcomes"].values()) == 1 + part["outcomes"].get("spurious", 0)

    def test_other_tokens(self, golden, tmp_path, report_of):
        doc = Doc(spacy.blank("en").vocab, words=["so", "hap", "py", "!"], spaces=[True, False, False, False])
        for token, tag in zip(doc, ["RB", "JJ", "JJ", "."]):
            token.tag_ = tag
        DocBin(docs=[doc]).to_disk(tmp_path / "dev.spacy")
        part = report_of(golden, tmp_path / "dev.spacy").numbers["components"][0]
        assert part["outcomes"].get("missed") == 2

    @pytest.mark.parametrize("cut", [["so", "hap", "py", "!"], ["so happy", "!"]])
    def test_labels_on_other_tokens_are_counted_as_the_scorer_does(self, golden, tmp_path, report_of, cut):
        spaces = [i + 1 < len(cut) and not (word == "hap" or cut[i + 1] == "!") for i, word in enumerate(cut)]
        doc = Doc(spacy.blank("en").vocab, words=cut, spaces=spaces, tags=["JJ"] * (len(cut) - 1) + ["."])
        DocBin(docs=[doc]).to_disk(tmp_path / "dev.spacy")
        report = report_of(golden, tmp_path / "dev.spacy")
        theirs = report.numbers["scores"]["tag_per_type"]
        for row in report.numbers["components"][0]["per_label"]:
            assert (row["support"], row["found"]) == (theirs[row["label"]]["gold"], theirs[row["label"]]["found"])

    def test_spacy_s_own_components(self, sample, report_of):
        nlp = spacy.blank("en")
        nlp.add_pipe("ner").add_label("person")
        nlp.initialize()
        part = report_of(nlp, sample).numbers["components"][0]
        assert part["has_gold"]
        assert part["calibration"] is None
        assert part["suspects"] == []

    def test_a_text_without_tokens(self, golden, tmp_path, report_of):
        vocab = spacy.blank("en").vocab
        docs = [Doc(vocab), Doc(vocab, words=["so", "good"], tags=["RB", "JJ"])]
        DocBin(docs=docs).to_disk(tmp_path / "dev.spacy")
        assert report_of(golden, tmp_path / "dev.spacy").numbers["texts"] == 1  # spaCy's Corpus leaves it out


class TestBadInput:
    def test_no_component(self, sample, report_of):
        nlp = spacy.blank("en")
        nlp.add_pipe("sentencizer")
        with pytest.raises(ConfigError, match="sentencizer: set neither tags nor entities nor spans"):
            report_of(nlp, sample)

    def test_unknown_component(self, golden, sample, report_of):
        with pytest.raises(ConfigError, match="no component 'parser'; expected one of tok2vec, tagger, ner"):
            report_of(golden, sample, component="parser")

    def test_empty_file(self, golden, tmp_path, report_of):
        DocBin().to_disk(tmp_path / "dev.spacy")
        with pytest.raises(DataError, match="holds no text"):
            report_of(golden, tmp_path / "dev.spacy")

    @pytest.mark.parametrize("content", [b"", b"no docbin"])
    def test_damaged_file(self, golden, tmp_path, report_of, content):
        (tmp_path / "dev.spacy").write_bytes(content)
        with pytest.raises(DataError, match=r"dev\.spacy"):
            report_of(golden, tmp_path / "dev.spacy")

    def test_log_of_something_else(self, tmp_path):
        (tmp_path / "log.jsonl").write_text('{"text": "so good"}\n', encoding="utf8")
        with pytest.raises(DataError, match="expected lines with step and score"):
            read_log(tmp_path / "log.jsonl")


def test_one_text_has_no_interval(golden, tmp_path, report_of):
    doc = Doc(spacy.blank("en").vocab, words=["so", "good"], tags=["RB", "JJ"])
    DocBin(docs=[doc]).to_disk(tmp_path / "dev.spacy")
    score = report_of(golden, tmp_path / "dev.spacy").numbers["components"][0]["score"]
    assert (score["low"], score["high"]) == (None, None)


@pytest.mark.parametrize("is_right", [True, False])
def test_texts_that_are_all_right_or_all_wrong_have_no_interval(golden, tmp_path, report_of, is_right):
    nlp = spacy.load(golden)
    docs = [nlp(text) for text in ("so good", "the new record", "go there")]
    for doc in docs:
        for token in doc:
            token.tag_ = token.tag_ if is_right else "XX"
    DocBin(docs=docs).to_disk(tmp_path / "dev.spacy")
    score = report_of(golden, tmp_path / "dev.spacy").numbers["components"][0]["score"]
    assert (score["value"], score["low"], score["high"]) == (float(is_right), None, None)


def test_targets_of_a_pipeline_of_both(golden):
    assert find_targets(spacy.load(golden)) == [
        Target("tagger", "tokens", "tag"),
        Target("ner", "entities", "ents"),
    ]


def test_nothing_is_found_where_nothing_is():
    doc = Doc(spacy.blank("en").vocab, words=["so", "good"], ents=["O", "O"])
    findings = find(_Stub(), Target("x", "entities", "ents"), [Example(doc.copy(), doc)])
    assert measures.main_score(findings)["value"] == 0.0
    assert math.isnan(findings.gold_log[0])
    assert Span(doc, 0, 1).text == "so"
