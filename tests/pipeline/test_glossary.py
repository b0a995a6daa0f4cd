import spacy
from spacy import displacy
from spacy.glossary import GLOSSARY as SPACY_GLOSSARY
from spacy.tokens import Doc, Span, SpanGroup

from spacy_bilstm_tagger.pipeline.base import span_group
from spacy_bilstm_tagger.pipeline.glossary import COLORS, GLOSSARY


def test_labels_are_explained():
    spacy.blank("en").add_pipe("bilstm_tagger")
    assert spacy.explain("USR") == "user, as in @mara"
    assert spacy.explain("NN") == "noun, singular or mass"  # spaCy's own stays
    assert all(spacy.explain(label) for label in GLOSSARY)


def test_all_labels_of_the_corpora_are_explained(project):
    for name in ("ritter-to-upos.tsv", "ewt-to-ritter.tsv"):
        lines = (project / "assets" / "tag_maps" / name).read_text().splitlines()
        column = 0 if name.startswith("ritter") else 1
        tags = {line.split("\t")[column] for line in lines} - {"-"}
        assert not {tag for tag in tags if tag not in SPACY_GLOSSARY}


def test_displacy_has_colours():
    doc = Doc(spacy.blank("en").vocab, words=["Lisbon"], ents=["B-location"])
    assert COLORS["LOCATION"] in displacy.render(doc, style="ent", jupyter=False)


def test_scores_of_entities_and_spans():
    doc = Doc(spacy.blank("en").vocab, words=["in", "Lisbon", "now"], ents=["O", "B-location", "O"])
    assert doc.ents[0]._.score is None
    doc.spans["plain"] = SpanGroup(doc, spans=[Span(doc, 1, 2, label="location")])
    assert doc.ents[0]._.score is None
    doc.spans["ents"] = span_group(doc, "ents", [Span(doc, 1, 2, label="location")], [0.75], are_ents=True)
    assert doc.ents[0]._.score == doc.spans["ents"][0]._.score == 0.75
    assert doc[0:1]._.score is None


def test_scores_follow_their_entities_where_tokens_were_merged():
    words, ents = ["so", "good", "in", "Rome", "Lisbon"], ["O", "O", "O", "B-location", "B-location"]
    doc = Doc(spacy.blank("en").vocab, words=words, ents=ents)
    doc.spans["ents"] = span_group(doc, "ents", list(doc.ents), [0.75, 0.25], are_ents=True)
    for each in (doc, Doc(doc.vocab).from_bytes(doc.to_bytes())):  # which spaCy's own group comes with
        with each.retokenize() as retokenizer:
            retokenizer.merge(each[:3])
        assert [(ent.text, ent._.score) for ent in each.ents] == [("Rome", 0.75), ("Lisbon", 0.25)]
