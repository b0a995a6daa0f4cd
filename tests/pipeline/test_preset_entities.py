from itertools import chain

import numpy as np
import pytest
import spacy
from small_pipelines import ner_examples, small_pipeline, train
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import fix_random_seed

from spacy_bilstm_tagger.pipeline.entities import EntityScheme, preset_mask

BIO = EntityScheme(["loc", "per"], "bio")
BILUO = EntityScheme(["loc"], "biluo")
VOCAB = spacy.blank("en").vocab
LOC = {"B-loc", "I-loc"}
PER = {"B-per", "I-per"}
ANY = {"O"} | LOC | PER


def doc_of(words, ents=(), *, blocked=(), sent_starts=None, default="missing"):
    """ents: (start, end, label); blocked: token numbers."""
    doc = Doc(VOCAB, words=words.split(" "), sent_starts=sent_starts)
    spans = [Span(doc, *ent[:2], label=ent[2]) for ent in ents]
    doc.set_ents(spans, blocked=[doc[i : i + 1] for i in blocked], default=default)
    return doc


def known(doc, scheme=BIO, *, overwrite=False):
    mask = preset_mask([doc], scheme, overwrite=overwrite)
    return mask if mask is None else [{scheme.tags[i] for i in np.flatnonzero(row)} for row in mask]


class TestMask:
    @pytest.mark.parametrize("default", ["missing", "outside"])
    def test_missing_and_outside_are_free(self, default):
        assert known(doc_of("a b c", default=default)) is None

    def test_entities_stay_and_end(self):
        found = known(doc_of("a b c d", [(1, 3, "loc")]))
        assert found == [ANY, {"B-loc"}, {"I-loc"}, ANY - {"I-loc"}]
        assert known(doc_of("a b c", [(0, 1, "loc"), (1, 3, "loc")])) == [{"B-loc"}, {"B-loc"}, {"I-loc"}]

    def test_in_biluo_the_tags_themselves_part_neighbours(self):
        found = known(doc_of("a b c d", [(0, 2, "loc"), (2, 3, "loc")]), BILUO)
        assert found == [{"B-loc"}, {"L-loc"}, {"U-loc"}, set(BILUO.tags)]

    def test_entities_of_a_foreign_type_are_outside(self):
        assert known(doc_of("a b c", [(0, 2, "tim")])) == [{"O"}, {"O"}, ANY]

    def test_blocked_tokens_are_outside(self):
        assert known(doc_of("a b", blocked=[1])) == [ANY, {"O"}]

    def test_overwrite_frees_entities_but_not_blocked_tokens(self):
        assert known(doc_of("a b", [(0, 2, "loc")]), overwrite=True) == [ANY, ANY]
        assert known(doc_of("a b", [(0, 1, "tim")], blocked=[1]), overwrite=True) == [ANY, {"O"}]

    def test_no_entity_begins_with_white_space(self):
        assert known(doc_of("a \n b")) == [ANY, {"O", "I-loc", "I-per"}, ANY]

    def test_no_entity_goes_on_across_a_sentence_start(self):
        assert known(doc_of("a b c", sent_starts=[True, True, False])) == [ANY, {"O", "B-loc", "B-per"}, ANY]
        assert known(doc_of("a b", sent_starts=[True, False])) is None

    def test_but_an_entity_that_is_set_does(self):
        doc = doc_of("\n b c", [(0, 3, "loc")], sent_starts=[True, True, False])
        assert known(doc) == [{"B-loc"}, {"I-loc"}, {"I-loc"}]

    def test_empty_text(self):
        assert known(Doc(VOCAB)) is None

    def test_each_doc_of_a_batch_has_its_own(self):
        docs = [doc_of("a b", [(1, 2, "loc")]), Doc(VOCAB), doc_of("c d"), doc_of("e f", sent_starts=[True, True])]
        mask = preset_mask(docs, BIO, overwrite=False)
        expected = [known(doc) or [ANY] * len(doc) for doc in docs]
        assert [{BIO.tags[i] for i in np.flatnonzero(row)} for row in mask] == list(chain.from_iterable(expected))


class TestBesideSpacysOwn:
    """The same tests for spaCy's `ner` and for ours, on presets that the training data contradicts."""

    WORDS = ["Mara", "Lune", "met", "Kim", "in", "New", "York", "with", "\n", "Ana"]

    @pytest.fixture(scope="class", params=["ner", "bio", "biluo"])
    def recognizer(self, request):
        fix_random_seed(0)
        nlp = spacy.blank("en")
        if request.param == "ner":
            nlp.add_pipe("ner")
        else:
            nlp.add_pipe("bilstm_ner", config={"scheme": request.param})
        doc = Doc(nlp.vocab, words=self.WORDS)
        reference = doc.copy()
        gold = [(0, 2, "person"), (3, 4, "person"), (5, 7, "place"), (9, 10, "person")]
        reference.set_ents([Span(reference, *ent[:2], label=ent[2]) for ent in gold])
        example = Example(doc, reference)
        optimizer = nlp.initialize(lambda: [example])
        optimizer.learn_rate = 0.01
        for _ in range(40):
            nlp.update([example], sgd=optimizer)
        assert [(ent.start, ent.end, ent.label_) for ent in nlp(Doc(nlp.vocab, words=self.WORDS)).ents] == gold
        return nlp

    @pytest.fixture
    def run(self, recognizer):
        def annotate(ents=(), *, blocked=(), sent_starts=None, default="missing"):
            doc = Doc(recognizer.vocab, words=self.WORDS, sent_starts=sent_starts)
            spans = [Span(doc, *ent[:2], label=ent[2]) for ent in ents]
            doc.set_ents(spans, blocked=[doc[i : i + 1] for i in blocked], default=default)
            return recognizer(doc)

        return annotate

    @pytest.mark.parametrize(
        "ents",
        [
            [(0, 2, "person")],
            [(0, 1, "place")],
            [(1, 4, "place")],
            [(9, 10, "place")],
            [(0, 10, "person")],
            [(0, 1, "person"), (1, 2, "person"), (2, 3, "place"), (3, 6, "place")],
            [(7, 9, "place")],
            [(8, 9, "place")],
            [(0, 1, "FOREIGN")],
            [(4, 6, "FOREIGN"), (6, 7, "place")],
            [(0, 5, "FOREIGN"), (5, 10, "FOREIGN2")],
        ],
    )
    @pytest.mark.parametrize("default", ["missing", "outside"])
    def test_entities_stay_and_others_come_beside_them(self, run, ents, default):
        doc = run(ents, default=default)
        found = [(ent.start, ent.end, ent.label_) for ent in doc.ents]
        assert set(ents) <= set(found)
        assert all(token.ent_iob_ for token in doc)
        if ents[-1][1] <= 3:
            assert (5, 7, "place") in found

    def test_identifiers_stay(self, recognizer):
        doc = Doc(recognizer.vocab, words=self.WORDS)
        doc.ents = [Span(doc, 2, 3, label="person", kb_id="Q1", span_id="x")]
        kept = next(ent for ent in recognizer(doc).ents if ent.start == 2)
        assert (kept.kb_id_, kept.ent_id_) == ("Q1", "x")

    def test_blocked_tokens_stay_blocked(self, run):
        doc = run(blocked=[1, 3])
        assert all(ent.start > 3 or ent.end <= 1 for ent in doc.ents)
        assert [doc[i].ent_iob_ for i in (1, 3)] == ["B", "B"]
        assert [doc[i].ent_type_ for i in (1, 3)] == ["", ""]

    def test_the_rest_becomes_outside(self, run):
        assert [token.ent_iob_ for token in run()] == ["B", "I", "O", "B", "O", "B", "I", "O", "O", "B"]

    def test_sentence_starts(self, run):
        starts = [i in (0, 1, 6) for i in range(10)]
        doc = run(sent_starts=starts)
        assert all(not any(starts[ent.start + 1 : ent.end]) for ent in doc.ents)


class TestComponent:
    @pytest.fixture(scope="class")
    def saved(self):
        fix_random_seed(0)
        nlp = small_pipeline("bilstm_ner")
        train(nlp, ner_examples(nlp))
        return nlp.to_bytes()

    @pytest.fixture
    def recognizer(self, saved):
        nlp = small_pipeline("bilstm_ner").from_bytes(saved)
        nlp.get_pipe("bilstm_ner").cfg["top_k"] = 5
        return nlp

    def run(self, nlp, ents):
        doc = nlp.make_doc("Mara Lune met Kim in New York")
        doc.ents = [Span(doc, *ent[:2], label=ent[2]) for ent in ents]
        return nlp(doc)

    def test_what_was_set_constrains_the_path(self, recognizer):
        (free,) = recognizer.get_pipe("bilstm_ner").predict([recognizer.make_doc("Mara Lune met Kim in New York")])
        assert (0, 2, 0) in dict(free.entities)
        doc = self.run(recognizer, [(1, 3, "place")])
        assert all(ent.start != 0 or ent.end == 1 for ent in doc.ents)
        new = doc.spans["ents"]
        assert [(span.start, span.end) for span in new][-2:] == [(3, 4), (5, 7)]
        assert len(new.attrs["scores"]) == len(new) == len(doc.ents) - 1

    @pytest.mark.parametrize("threshold", [None, 0.5, 1.0])
    def test_what_was_set_is_no_alternative(self, recognizer, threshold):
        recognizer.get_pipe("bilstm_ner").threshold = threshold
        ents = [(1, 3, "place"), (4, 6, "person"), (6, 7, "FOREIGN")]
        doc = self.run(recognizer, ents)
        assert set(ents) <= {(ent.start, ent.end, ent.label_) for ent in doc.ents}
        taken = {1, 2, 4, 5, 6}
        for span in [*doc.spans["ents"], *doc.spans["ents_alternatives"]]:
            assert taken.isdisjoint(range(span.start, span.end))

    def test_scores_of_what_another_recognizer_has_found_stay(self, recognizer):
        doc = recognizer("Mara Lune met Kim in New York")
        scores = [ent._.score for ent in doc.ents]
        assert None not in scores
        again = recognizer.get_pipe("bilstm_ner")(doc)
        assert [ent._.score for ent in again.ents] == scores

    def test_overwrite(self, recognizer):
        recognizer.get_pipe("bilstm_ner").cfg["overwrite"] = True
        doc = self.run(recognizer, [(1, 3, "place"), (4, 5, "FOREIGN")])
        assert [(ent.start, ent.end, ent.label_) for ent in doc.ents] == [
            (0, 2, "person"),
            (3, 4, "person"),
            (5, 7, "place"),
        ]
        assert len(doc.spans["ents"].attrs["scores"]) == 3

    def test_overlapping_entities_are_spacy_s_own_error(self, recognizer):
        with pytest.raises(ValueError, match="E1010"):
            self.run(recognizer, [(0, 2, "person"), (1, 3, "place")])
