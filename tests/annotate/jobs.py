"""What tests of jobs share: a pipeline, texts, and what a job has written."""

from golden.make import GOLDEN

PIPELINE = str(GOLDEN / "pipeline")
TEXTS = ["so happy in Lisbon!! 😭", "RT @mara: see you\nin New York", "@kim lol #now http://t.co/a", "it's  ok\t:)"]


def contents(folder):
    """What all files hold, but the manifest."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != "manifest.json"}
