"""How many files of the package a reader passes who follows one tweet from its text to its tags and entities."""

import sys
from pathlib import Path

from tiny import train_tiny_pipeline

import spacy_bilstm_tagger

PACKAGE = Path(spacy_bilstm_tagger.__file__).parent
MOST = 20


def files_entered(nlp, text: str) -> set[str]:
    """The files of the package whose functions are called."""
    files = set()

    def note(frame, event, _):
        if event == "call":
            files.add(frame.f_code.co_filename)

    sys.setprofile(note)
    try:
        doc = nlp(text)
        assert [token.tag_ for token in doc]
        assert doc.ents is not None
    finally:
        sys.setprofile(None)
    paths = [Path(file) for file in files]
    return {str(path.relative_to(PACKAGE)) for path in paths if path.is_relative_to(PACKAGE)}


def test_one_tweet_passes_few_files(tmp_path):
    nlp = train_tiny_pipeline(tmp_path)
    nlp("so good, we will be in New York !!")
    files = files_entered(nlp, "RT @mara_lune: OMG the Velvet Otters are playing in Lisbon tonight!! 😭")
    assert len(files) <= MOST, f"{len(files)} files:\n" + "\n".join(sorted(files))
