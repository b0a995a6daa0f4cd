"""Rows of corpora, and readers of them, for tests of several files."""

from pathlib import Path

from spacy.tokens import DocBin
from spacy.vocab import Vocab

from spacy_bilstm_tagger.corpus import Columns, EntityTags, Notes, read_corpus, to_docbin
from spacy_bilstm_tagger.corpus.columns import read_columns

PATH = Path("tweets")


def conllu(id, form, *, lemma="_", upos="X", misc="_"):
    return "\t".join([id, form, lemma, upos, "_", "_", "_", "_", "_", misc]) + "\n"


def conll_2009(id, form, lemma, pos, head, relation, frames=("_", "_")):
    return "\t".join([id, form, lemma, lemma, pos, pos, "_", "_", head, head, relation, relation, *frames]) + "\n"


def check_read(tmp_path, content, format, expected, noted):
    """expected: as `read_in_short` writes texts. noted (list of str): a part of each line of the notes, of which none warns."""
    found, texts, notes = read_in_short(tmp_path, content)
    assert (found, texts, notes.warnings) == (format, expected, [])
    assert len(notes.lines) == len(noted)
    assert all(part in line for part, line in zip(noted, notes.lines))


def write(tmp_path, content):
    path = tmp_path / "corpus"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf8"))
    return path


def lines_of(*rows):
    return "".join(row.replace(" ", "\t") + "\n" for row in rows)


def read_rows(content, *, separator=" ", roles=None, columns=None, notes=None):
    columns = columns or Columns(roles or [])
    return read_columns(PATH, content, separator=separator, entities=EntityTags(), columns=columns, notes=notes)


def read_file(tmp_path, content, notes=None):
    path = tmp_path / "corpus.txt"
    path.write_text(content, encoding="utf8")
    return read_corpus(path, notes=notes)[1]


def docs_of(path, texts, **options):
    return list(DocBin().from_bytes(to_docbin(path, texts, **options).to_bytes()).get_docs(Vocab()))


def in_short(token):
    iob = token.ent_iob_ if token.ent_iob_ != "O" or token.doc.has_annotation("ENT_IOB") else ""
    return f"{token.text}/{token.tag_}/{iob}{'-' * bool(token.ent_type_)}{token.ent_type_}"


def read_in_short(tmp_path, content):
    """The format, each text as form/TAG/entity, and the notes."""
    path, notes = write(tmp_path, content), Notes()
    found, texts = read_corpus(path, notes=notes)
    return found, [" ".join(map(in_short, doc)) for doc in docs_of(path, texts)], notes
