import json

import pytest
from jobs import PIPELINE, TEXTS

from spacy_bilstm_tagger.annotate.annotator import Recipe
from spacy_bilstm_tagger.annotate.outputs import Form
from spacy_bilstm_tagger.annotate.records import Layout
from spacy_bilstm_tagger.annotate.run import Job


@pytest.fixture
def tweets(tmp_path):
    """60 records, of which three cannot be read."""
    path = tmp_path / "tweets.jsonl"
    lines = [json.dumps({"id": f"t{i}", "text": f"{TEXTS[i % 4]} {i}", "lang": "en"}) for i in range(60)]
    lines[7], lines[30], lines[31] = "broken", '{"id": "x"}', ""
    path.write_text("\n".join(lines) + "\n", encoding="utf8")
    return path


@pytest.fixture
def job(tweets, tmp_path):
    def make(output="out", format="jsonl", **settings):
        form = Form(format=format, keep=("lang",), has_ids=True, **settings.pop("form", {}))
        return Job(
            sources=[str(tweets)],
            layout=settings.pop("layout", Layout(id_field="id", keep=("lang",))),
            recipe=settings.pop("recipe", Recipe(PIPELINE, form, batch_size=8)),
            output=tmp_path / output,
            shard_size=settings.pop("shard_size", 16),
            **settings,
        )

    return make
