"""Rows of corpora, for tests of several files."""


def conllu(id, form, *, lemma="_", upos="X", misc="_"):
    return "\t".join([id, form, lemma, upos, "_", "_", "_", "_", "_", misc]) + "\n"


def conll_2009(id, form, lemma, pos, head, relation):
    return "\t".join([id, form, lemma, lemma, pos, pos, "_", "_", head, head, relation, relation, "_", "_"]) + "\n"


def write(tmp_path, content):
    path = tmp_path / "corpus"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf8"))
    return path
