import json
import subprocess
import sys

NAMES = {
    "tokenizers": ["spacy-bilstm-tagger.TweetTokenizer.v1"],
    "architectures": [
        "spacy-bilstm-tagger.TweetEmbed.v1",
        "spacy-bilstm-tagger.TransformerEmbed.v1",
        "spacy-bilstm-tagger.BiLSTMEncoder.v1",
        "spacy-bilstm-tagger.TokenClassifier.v1",
        "spacy-bilstm-tagger.LinearChainCRF.v1",
        "spacy-bilstm-tagger.Ensemble.v1",
    ],
    "callbacks": ["spacy-bilstm-tagger.load_vectors.v1"],
    "scorers": [
        "spacy-bilstm-tagger.tagger_scorer.v1",
        "spacy-bilstm-tagger.ner_scorer.v1",
        "spacy-bilstm-tagger.spans_scorer.v1",
    ],
}
SCRIPT = """
import json, sys
from importlib.metadata import distribution
import spacy
# spaCy loads the factories of all packages, and others may be heavy.
for entry_point in distribution("spacy-bilstm-tagger").entry_points:
    if entry_point.group.startswith("spacy"):
        entry_point.load()
heavy = {"gensim", "ray", "transformers", "matplotlib", "pandas"} & set(sys.modules)
assert not heavy, heavy
for registry, names in json.loads(sys.argv[1]).items():
    for name in names:
        assert callable(spacy.registry.get(registry, name)), name
nlp = spacy.blank("en")
for factory in ("bilstm_tagger", "bilstm_ner", "bilstm_spans", "hmm_tagger"):
    assert nlp.add_pipe(factory).labels == (), factory
nlp.add_pipe("bilstm_tok2vec")
"""


def test_every_public_name_is_found_by_a_process_that_imported_only_spacy():
    result = subprocess.run([sys.executable, "-c", SCRIPT, json.dumps(NAMES)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
