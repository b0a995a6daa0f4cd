"""What a figure was measured with."""

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("spacy-bilstm-tagger", "spacy", "thinc", "torch", "numpy", "spacy-transformers", "transformers")


def versions() -> dict[str, str]:
    """Of Python and of the packages that are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
