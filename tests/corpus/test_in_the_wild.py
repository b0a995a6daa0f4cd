"""Corpora as they are published: read as their user expects."""

import pytest
from corpus_rows import check_read, conll_2009, conllu, docs_of, write
from spacy.tokens import DocBin
from spacy.vocab import Vocab

from spacy_bilstm_tagger.corpus import EntityTags, read_corpus
from spacy_bilstm_tagger.errors import DataError

# The content; its format; the texts as form/TAG/entity, "" for what is missing; parts of the notes.
READ = {
    "conll-2003-iob1": (
        "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\nGerman JJ I-NP I-MISC\nEU NNP B-NP B-MISC\n\n"
        "Peter NNP I-NP I-PER\nLee NNP I-NP I-PER\n",
        "conll",
        ["EU/NNP/B-ORG rejects/VBZ/O German/JJ/B-MISC EU/NNP/B-MISC", "Peter/NNP/B-PER Lee/NNP/I-PER"],
        ["IOB1"],
    ),
    "conll-2003-german": (
        "Vom vom APPRART I-PC O\nAutomaten Automat NN I-NC O\nin in APPR I-PC O\nBonn Bonn NE I-NC I-LOC\n"
        "und und KON O O\nBerlin Berlin NE I-NC I-LOC\nsie sie PPER I-NC O\n",
        "conll",
        ["Vom/APPRART/O Automaten/NN/O in/APPR/O Bonn/NE/B-LOC und/KON/O Berlin/NE/B-LOC sie/PPER/O"],
        ["IOB1"],
    ),
    "germeval-2014": (
        "#\thttp://de.wikipedia.org/wiki/FC [2009-10-17]\n1\tDer\tO\tO\n2\tFC\tB-ORG\tO\n3\tBerlin\tI-ORG\tB-LOC\n\n"
        "#\thttp://de.wikipedia.org/wiki/Mia [2009-10-17]\n1\tMia\tB-PER\tO\n2\tlacht\tO\tO\n",
        "tsv",
        ["Der//O FC//B-ORG Berlin//I-ORG", "Mia//B-PER lacht//O"],
        ["Comment lines, left out: 2"],
    ),
    "conll-2009": (
        conll_2009("1", "The", "the", "DT", "2", "NMOD")
        + conll_2009("2", "dogs", "dog", "NNS", "3", "SBJ")
        + conll_2009("3", "bark", "bark", "VBP", "0", "ROOT")
        + conll_2009("4", "now", "now", "RB", "3", "TMP")
        + "\n"
        + conll_2009("1", "Then", "then", "RB", "2", "TMP")
        + conll_2009("2", "stop", "stop", "VBP", "0", "ROOT"),
        "tsv",
        ["The/DT/ dogs/NNS/ bark/VBP/ now/RB/", "Then/RB/ stop/VBP/"],
        [],
    ),
    "conll-2009-frames": (
        conll_2009("1", "dogs", "dog", "NNS", "2", "SBJ", ["_", "_", "A0"])
        + conll_2009("2", "chase", "chase", "VBP", "0", "ROOT", ["Y", "chase.01", "_"])
        + conll_2009("3", "mice", "mouse", "NNS", "2", "OBJ", ["_", "_", "A1"])
        + conll_2009("4", "now", "now", "RB", "2", "TMP", ["_", "_", "AM-TMP"])
        + conll_2009("5", ".", ".", ".", "2", "P", ["_", "_", "_"]),
        "tsv",
        ["dogs/NNS/ chase/VBP/ mice/NNS/ now/RB/ ././"],
        [],
    ),
    "conllu-plus": (
        "# global.columns = ID FORM UPOS NER:IOB\n# text = Mia runs\n1\tMia\tPROPN\tB-PER\n2\truns\tVERB\tO\n\n1\tok\tINTJ\tO\n",
        "conllu",
        ["Mia/PROPN/B-PER runs/VERB/O", "ok/INTJ/O"],
        ["from the column NER:IOB"],
    ),
    "conllu-entities-in-misc": (
        conllu("1", "Mia", misc="SpaceAfter=No|name=B-PER") + conllu("2", "runs", misc="name=O"),
        "conllu",
        ["Mia/X/B-PER runs/X/O"],
        ["MISC (name=)"],
    ),
    "conllu-entities-by-another-key": (
        conllu("1", "Mia", misc="ENT=B-PER") + conllu("2", "runs", misc="ENT=O"),
        "conllu",
        ["Mia/X/B-PER runs/X/O"],
        ["MISC (ent=)"],
    ),
    "multiconer": (
        "# id 5239d808-f300\tdomain=train\nhis _ _ O\nsonny _ _ B-PER\n\n# id 69c1ec7d\tdomain=train\nfilm _ _ B-CW\n",
        "conll",
        ["his//O sonny//B-PER", "film//B-CW"],
        ["Comment lines, left out: 2"],
    ),
    "iob-of-spacy": (
        "Mia|NNP|B-PER lives|VBZ|O in|IN|O Rome|NNP|B-LOC\nI|PRP|O see|VBP|O\n",
        "iob",
        ["Mia/NNP/B-PER lives/VBZ/O in/IN/O Rome/NNP/B-LOC", "I/PRP/O see/VBP/O"],
        [],
    ),
    "pandas-index-and-sentence-number": (
        "0\t0\tMia\tNNP\n1\t0\tleft\tVBD\n\n2\t1\tBob\tNNP\n3\t1\tran\tVBD\n",
        "tsv",
        ["Mia/NNP/ left/VBD/", "Bob/NNP/ ran/VBD/"],
        [],
    ),
    "webanno-rows": (
        "1-1\t0-3\tMia\tNNP\t\n1-2\t4-8\tleft\tVBD\t\n\n2-1\t9-12\tBob\tNNP\t\n2-2\t13-16\tran\tVBD\t\n",
        "tsv",
        ["Mia/NNP/ left/VBD/", "Bob/NNP/ ran/VBD/"],
        [],
    ),
    "offsets-that-begin-again": (
        "0:0-3\tMia\tNNP\n0:4-8\tleft\tVBD\n\n1:0-3\tBob\tNNP\n1:4-7\tran\tVBD\n",
        "tsv",
        ["Mia/NNP/ left/VBD/", "Bob/NNP/ ran/VBD/"],
        [],
    ),
    "conll-2012": (
        "#begin document (bc/x); part 000\n"
        "bc/x 0 0 Mia NNP (TOP* - - - Speaker#1 (PERSON) -\nbc/x 0 1 left VBD (NP* - - - Speaker#1 * -\n"
        "bc/x 0 2 summer NN *) summer - 1 Speaker#1 * -\n\n#end document\n",
        "conll",
        ["Mia/NNP/ left/VBD/ summer/NN/"],
        ["Comment lines, left out: 2"],
    ),
    "universal-ner": (
        "# sent_id = 1\n# text = Mia left us\n1\tMia\tB-PER\t-\tann1\n2\tleft\tO\t-\tann1\n3\tus\tO\t-\tann1\n\n"
        "# sent_id = 2\n# text = Bob\n1\tBob\tB-PER\t-\tann2\n",
        "tsv",
        ["Mia//B-PER left//O us//O", "Bob//B-PER"],
        ["Comment lines, left out: 2"],
    ),
    "label-studio-conll": (
        "-DOCSTART- -X- O\nMia -X- _ B-PER\nleft -X- _ O\n\nBob -X- _ B-PER\n",
        "conll",
        ["Mia//B-PER left//O", "Bob//B-PER"],
        [],
    ),
    "small-conll-2009": (
        conll_2009("1", "Go", "go", "VB", "0", "ROOT")
        + conll_2009("2", "on", "on", "RB", "1", "PRT")
        + conll_2009("3", "Cats", "cats", "NNS", "1", "OBJ"),
        "tsv",
        ["Go/VB/ on/RB/ Cats/NNS/"],
        [],
    ),
    "wikiann": (
        "en:Mia\tB-PER\nen:left\tO\n\nen:New\tB-LOC\nen:York\tI-LOC\n",
        "tsv",
        ["Mia//B-PER left//O", "New//B-LOC York//I-LOC"],
        ["Each token begins with its language, as in WikiANN: en: 4; read"],
    ),
    "wikiann-of-two-languages": (
        "de:Der\tO\nde:FC\tB-ORG\n\nen:left\tO\n",
        "tsv",
        ["Der//O FC//B-ORG", "left//O"],
        ["as in WikiANN: de: 2, en: 1; read"],
    ),
    "entity-on-the-line-of-a-multiword-token": (
        conllu("1-2", "don't", misc="ner=S-PER")
        + conllu("1", "do")
        + conllu("2", "n't")
        + conllu("3-4", "au", misc="ner=S-LOC")
        + conllu("3", "à")
        + conllu("4", "le")
        + conllu("5", "ok", misc="ner=O"),
        "conllu",
        ["do/X/B-PER n't/X/I-PER au//B-LOC ok/X/O"],
        ["MISC (ner=)"],
    ),
    "brackets-first": (
        "( (\n( (\nso RB\n) )\n",
        "ritter",
        ["(/(/ (/(/ so/RB/ )/)/"],
        [],
    ),
    "misc-with-semicolons": (
        conllu("1", "Mia", misc="SpaceAfter=No;NER=B-PER") + conllu("2", "ran", misc="NER=O"),
        "conllu",
        ["Mia/X/B-PER ran/X/O"],
        ["MISC (ner=)"],
    ),
    "signs-between-columns": (
        "Mia : NNP\nran : VBD\n\nok : UH\n",
        "conll",
        ["Mia/NNP/ ran/VBD/", "ok/UH/"],
        [],
    ),
    "a-name-and-a-number-in-short-texts": (
        "x/y 0 Mia NNP B-PERSON\nx/y 1 ran VBD O\n",
        "conll",
        ["Mia/NNP/B-PERSON ran/VBD/O"],
        [],
    ),
    "spaces-of-udpipe": (
        conllu("1", "so", misc=r"SpacesAfter=\s\s") + conllu("2", "ok", misc="SpaceAfter=No") + conllu("3", "!"),
        "conllu",
        ["so/X/  // ok/X/ !/X/"],
        [],
    ),
    "a-number-in-the-first-row-of-each-text": (
        "1\tMia\tNNP\n\tleft\tVBD\n\n2\tBob\tNNP\n\tran\tVBD\n",
        "tsv",
        ["Mia/NNP/ left/VBD/", "Bob/NNP/ ran/VBD/"],
        ["The first column, a number at the beginning of each text, was left out"],
    ),
    "names-of-pictures": (
        "IMGID:10\nMia\tB-PER\nleft\tO\n\nIMGID:11\nBob\tB-PER\n",
        "tsv",
        ["Mia//B-PER left//O", "Bob//B-PER"],
        ["Comment lines, left out: 2"],
    ),
    "links-of-entities": (
        "Mia\tB-PER\thttp://x/Mia\nleft\tO\t_\nus\tO\t_\nLisbon\tB-LOC\thttp://x/Lisbon\nin\tO\t_\n",
        "tsv",
        ["Mia//B-PER left//O us//O Lisbon//B-LOC in//O"],
        [],
    ),
    "flags-beside-entities": (
        "Mia\tTRUE\tB-PER\nleft\tFALSE\tO\nus\tFALSE\tO\n",
        "tsv",
        ["Mia//B-PER left//O us//O"],
        [],
    ),
    "entities-in-the-second-column-of-bio": (
        "Mia\tO\tB-PER\nleft\tO\tO\nus\tO\tO\n",
        "tsv",
        ["Mia//B-PER left//O us//O"],
        [],
    ),
    "entity-in-a-part-of-a-token": (
        conllu("1-2", "au")
        + conllu("1", "à", misc="name=O")
        + conllu("2", "Le", misc="name=B-LOC")
        + conllu("3", "Havre", misc="name=I-LOC"),
        "conllu",
        ["au//B-LOC Havre/X/I-LOC"],
        ["MISC (name=)"],
    ),
    "iob-with-a-bar-in-a-token": ("a|b|NNP|B-PER ran|VBZ|O\n", "iob", ["a|b/NNP/B-PER ran/VBZ/O"], []),
    "conllu-plus-without-entities": (
        "# global.columns = ID FORM UPOS NER:IOB\n1\tok\tINTJ\tO\n",
        "conllu",
        ["ok/INTJ/O"],
        ["from the column NER:IOB"],
    ),
    "tweeboparser": (
        "1\tikr\t_\t!\t!\t_\t0\t_\n2\the\t_\tO\tO\t_\t3\t_\n3\tasked\t_\tV\tV\t_\t0\t_\n\n1\tok\t_\t!\t!\t_\t0\t_\n",
        "tsv",
        ["ikr/!/ he/O/ asked/V/", "ok/!/"],
        [],
    ),
    "index-of-pandas": ("0\tMia\tNNP\n1\truns\tVBZ\n\n2\tok\tUH\n", "tsv", ["Mia/NNP/ runs/VBZ/", "ok/UH/"], []),
    "offsets-of-characters": (
        "Mia\t0\t3\tB-PER\nruns\t4\t8\tO\n\nok\t0\t2\tO\n",
        "tsv",
        ["Mia//B-PER runs//O", "ok//O"],
        [],
    ),
    "tweebank-ner": ("Mia\t-\t-\tB-PER\nruns\t-\t-\tO\n\nok\t-\t-\tO\n", "tsv", ["Mia//B-PER runs//O", "ok//O"], []),
    "comments": (
        "# newdoc = 3\n#id 12\nMia\tNNP\nruns\tVBZ\n\n#id 13\n#nowplaying\tNNP\nok\tUH\n",
        "tsv",
        ["Mia/NNP/ runs/VBZ/", "#nowplaying/NNP/ ok/UH/"],
        ["Comment lines, left out: 3"],
    ),
    "comments-and-blanks": (
        "#id 12\nMia NNP B-PER\nruns VB O\n\n#id 13\nBo NNP B-PER\n",
        "conll",
        ["Mia/NNP/B-PER runs/VB/O", "Bo/NNP/B-PER"],
        ["Comment lines, left out: 2"],
    ),
    "hashtags-and-hashes-first": (
        "#id HT\n# NNP\nok NNP\n\n#b HT\nok UH\n",
        "ritter",
        ["#id/HT/ #/NNP/ ok/NNP/", "#b/HT/ ok/UH/"],
        [],
    ),
}


@pytest.mark.parametrize(("content", "format", "expected", "noted"), READ.values(), ids=READ)
def test_read(tmp_path, content, format, expected, noted):
    check_read(tmp_path, content, format, expected, noted)


def test_both_blanks_of_a_text_are_kept(tmp_path):
    path = write(tmp_path, "# text = hi  New  York\n" + conllu("1", "hi") + conllu("2", "New") + conllu("3", "York"))
    (text,) = read_corpus(path)[1]
    text.ents = ["O", "B-LOC", "I-LOC"]
    (doc,) = docs_of(path, [text])
    assert doc.text == "hi  New  York"
    assert [(token.text, token.tag_, token.ent_iob_) for token in doc] == [
        ("hi", "X", "O"),
        (" ", "", "O"),
        ("New", "X", "B"),
        (" ", "", "I"),
        ("York", "X", "I"),
    ]


def test_few_entities_of_iob1(tmp_path):
    (tmp_path / "a.tsv").write_text("Mara\tI-PER\nTom\tB-PER\nleft\tO\n\nHe\tO\n", encoding="utf8")
    _, (first, _) = read_corpus(tmp_path / "a.tsv")
    assert first.ents == ["B-PER", "B-PER", "O"]


def test_one_entity_that_i_begins_is_a_mistake_and_not_iob1(tmp_path):
    path = write(tmp_path, "so O\nMia I-PER\n")
    with pytest.raises(DataError, match="I-PER cannot follow O"):
        read_corpus(path)
    assert read_corpus(path, entities=EntityTags(repair=True))[1][0].ents == ["O", "B-PER"]


def test_a_type_that_is_renamed_to_o_is_no_entity(spacy_bilstm, tmp_path):
    (tmp_path / "map.tsv").write_text("PER\tO\nLOC\tLOC\n")
    columns = write(tmp_path, "Mia\tB-PER\nLee\tI-PER\nin\tO\nRome\tB-LOC\n")
    lines = tmp_path / "lines.jsonl"
    lines.write_text('{"text": "Mia Lee in Rome", "label": [[0, 7, "PER"], [11, 15, "LOC"]]}\n')
    for path in (columns, lines):
        code, _, _ = spacy_bilstm("convert", path, tmp_path / "out.spacy", "--map-ents", tmp_path / "map.tsv")
        assert code == 0
        (doc,) = DocBin().from_disk(tmp_path / "out.spacy").get_docs(Vocab())
        assert [token.ent_iob_ for token in doc] == ["O", "O", "O", "B"]
