"""The Python of docs/running.md, on a small pipeline in the place of the one that the main job trains."""

import re

import spacy
from spacy.training import Example

EMBED = {
    "@architectures": "spacy-bilstm-tagger.TweetEmbed.v1",
    "attrs": ["NORM", "SHAPE"],
    "rows": [200, 100],
    "include_static_vectors": False,
}
TOK2VEC = {
    "@architectures": "spacy.Tok2Vec.v2",
    "embed": EMBED,
    "encode": {"@architectures": "spacy-bilstm-tagger.BiLSTMEncoder.v1", "width": 32, "depth": 1},
}
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 32}
GOLD = {"tags": ["A", "B", "A"], "entities": [(0, 4, "person")]}


def test_running(project, tweet_nlp, tmp_path, monkeypatch):
    tweet_nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
    for name, head in (("tagger", "TokenClassifier"), ("ner", "LinearChainCRF")):
        model = {"@architectures": f"spacy-bilstm-tagger.{head}.v1", "tok2vec": LISTENER}
        tweet_nlp.add_pipe(f"bilstm_{name}", name=name, config={"model": model})
    tweet_nlp.initialize(lambda: [Example.from_dict(tweet_nlp.make_doc("mara is here"), GOLD)])
    (tmp_path / "training" / "sample").mkdir(parents=True)
    tweet_nlp.to_disk(tmp_path / "training" / "sample" / "model-best")
    monkeypatch.chdir(tmp_path)
    page = (project / "docs" / "running.md").read_text(encoding="utf8")
    room: dict = {}
    exec("".join(re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)), room)
    assert room["tags"] == [[token.tag_ for token in doc] for doc in room["docs"]]
    assert [
        node.shims[0].module.windows.size
        for node in room["whole"].get_pipe("tok2vec").model.walk()
        if node.name == "bilstm"
    ] == [0]
    assert "ticket" in room["nlp"].get_pipe("ner").labels
    assert spacy.load("training/sample/model-best").get_pipe("ner").labels == ("person",)
