"""Settings of the site. Build it with: python -m sphinx -W --keep-going -b html docs site"""

import importlib.util
import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import reference_pages
from pygments.lexers import TextLexer

project = "spacy-bilstm-tagger"
author = "spacy-bilstm-tagger contributors"
copyright = author
version = release = version_of(project)

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "sphinx_copybutton"]
exclude_patterns = ["reference_pages.py"]

html_theme = "furo"
html_title = f"{project} {version}"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_favicon = "_static/favicon.svg"

myst_heading_anchors = 4
myst_links_external_new_tab = False

autodoc_default_options = {"members": True, "undoc-members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
# Engines that need not be there to describe how they are called.
autodoc_mock_imports = [name for name in ("ray", "pyspark", "fastapi") if importlib.util.find_spec(name) is None]

copybutton_exclude = ".linenos, .gp, .go"


def setup(app) -> None:
    reference_pages.write(Path(app.srcdir) / "reference")
    app.connect("autodoc-process-docstring", reference_pages.to_rst)
    app.connect("source-read", _follow_links)
    app.add_lexer("tsv", TextLexer)


def _follow_links(app, name: str, source: list[str]) -> None:
    path = Path(app.srcdir) / f"{name}.md"
    if "reference" not in path.parts:
        source[0] = reference_pages.follow_links(source[0], path, path.parent)
