"""Save the golden pipeline and its annotations anew: python tests/golden/make.py

Do this only when pipelines of earlier versions need no longer load, and say so in the notes of the new version.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tiny import annotate, train_tiny_pipeline

GOLDEN = Path(__file__).resolve().parent
TEXTS = [
    "RT @mara_lune: OMG the Velvet Otters are playing in Lisbon tonight!! 😭 soooo happy http://bit.ly/x7Qa2",
    "do n't go there, New York is #1",
    "",
]


def make_golden(folder: Path) -> None:
    """Write `pipeline/`, and to `annotations.json` the annotations of TEXTS by it."""
    with TemporaryDirectory() as files:
        nlp = train_tiny_pipeline(Path(files))
    nlp.config["paths"] = dict.fromkeys(nlp.config["paths"])  # the files are gone
    nlp.to_disk(folder / "pipeline")
    found = json.dumps(annotate(folder / "pipeline", TEXTS), indent=1, ensure_ascii=False)
    (folder / "annotations.json").write_text(f"{found}\n", encoding="utf8")


if __name__ == "__main__":
    make_golden(GOLDEN)
