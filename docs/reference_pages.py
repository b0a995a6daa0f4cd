"""The pages of docs/reference/: commands, settings, labels and modules from the code, and files of the repository's root.

Pages link to files of the repository by relative paths, as they stand there. `follow_links` leads these to the site's pages."""

import inspect
import os
import re
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Iterable, Iterator, NamedTuple

import srsly
from spacy import glossary as spacy_glossary
from spacy.language import Language
from typer.cli import get_docs_for_click
from typer.main import get_command

import spacy_bilstm_tagger
from spacy_bilstm_tagger.cli import app
from spacy_bilstm_tagger.pipeline.glossary import GLOSSARY

CONTRIBUTING, CHANGELOG = "CONTRIBUTING.md", "CHANGELOG.md"
OURS = "spacy-bilstm-tagger"
GROUPS = {
    "spacy_factories": ("Components", "for `nlp.add_pipe`, and `factory` in `[components.NAME]`"),
    "spacy_tokenizers": ("Tokenizers", "for `@tokenizers` in `[nlp.tokenizer]`"),
    "spacy_architectures": ("Architectures", "for `@architectures`"),
    "spacy_callbacks": ("Callbacks", "for `@callbacks`"),
    "spacy_readers": ("Readers", "for `@readers`"),
    "spacy_scorers": ("Scorers", "for `@scorers` in `[components.NAME.scorer]`"),
    "spacy_loggers": ("Loggers", "for `@loggers` in `[training.logger]`"),
}
GIVEN_BY_SPACY = {"nlp", "name"}
# Folders from top to bottom, and the errors that they raise.
ROOMS = [
    "annotate",
    "report",
    "ensemble",
    "scoring",
    "corpus",
    "pipeline",
    "models",
    "layers",
    "lexicon",
    "tokenizer",
    "crf",
    "errors",
]
_FIELD = re.compile(r"^(\w+(?:, \w+)*)(?: \(([^()]+(?:\([^()]*\)[^()]*)*)\))?: (.*)")
# [label](path#anchor), but not ![a picture](path) and not an address.
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!\w+:|#)([^()\s#]+)(#[^()\s]*)?\)")
_SECTION = re.compile(r"^(RAISES|RETURNS|YIELDS|WARNS):? (.*)")


class Block(NamedTuple):
    """A part of a docstring: kind is "prose", "code", "field" (then names and type are its), or a word such as RAISES."""

    kind: str
    lines: list[str]
    names: str = ""
    type: str = ""

    @property
    def text(self) -> str:
        return " ".join(self.lines)


def read_docstring(lines: Iterable[str]) -> list[Block]:
    """`name (type): meaning` and `RAISES: ...` at the margin, continued on indented lines; indented code; prose."""
    blocks = [Block("prose", [])]
    for line in lines:
        field, section = _FIELD.match(line), _SECTION.match(line)
        last = blocks[-1]
        if field:
            names, kind, meaning = field.groups()
            blocks.append(Block("field", [meaning], names, kind or ""))
        elif section:
            blocks.append(Block(section[1], [section[2]]))
        elif not line.strip():
            blocks.append(Block("prose", []))
        elif not line.startswith("    "):
            if last.kind != "prose":
                blocks.append(Block("prose", []))
            blocks[-1].lines.append(line)
        elif last.kind == "prose" and not last.lines:
            blocks[-1] = Block("code", [line[4:]])
        elif last.kind == "code":
            last.lines.append(line[4:])
        else:
            last.lines.append(line.strip())
    return [block for block in blocks if block.lines]


def write(folder: Path) -> None:
    """Write all pages. What is unchanged is not touched, so that Sphinx reads it once."""
    pages = {"cli.md": cli_page(), "config.md": config_page(), "glossary.md": glossary_page(), "api.md": api_page()}
    pages |= {f"api-{room}.md": room_page(room) for room in ROOMS}
    for name in (CONTRIBUTING, CHANGELOG):
        source = folder.parent.parent / name
        pages[name] = follow_links(source.read_text(encoding="utf8"), source, folder)
    folder.mkdir(exist_ok=True)
    for name, text in pages.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf8") != text:
            path.write_text(text, encoding="utf8")


def follow_links(text: str, source: Path, folder: Path) -> str:
    """A page's text with links that hold on the site, in a page of this folder: to pages, and to other files as downloads.

    source: the file that the text is from.
    """
    docs = Path(__file__).parent
    pages = {docs.parent / name: docs / "reference" / name for name in (CONTRIBUTING, CHANGELOG)}
    pages[docs.parent / "README.md"] = docs / "index.md"

    def follow(link: re.Match) -> str:
        label, path, anchor = link.groups(default="")
        target = (source.parent / path).resolve()
        if target.name == "README.md" and target in pages:
            anchor = ""  # the first page has other headings
        target = pages.get(target, target)
        if docs in target.parents or not target.is_file():
            return f"[{label}]({_relative(target, folder)}{anchor})" if target.exists() or docs in target.parents else label
        return f"{{download}}`{label.replace('`', '')} <{_relative(target, folder)}>`"

    return _LINK.sub(follow, text)


def _relative(path: Path, folder: Path) -> str:
    return os.path.relpath(path, folder).replace(os.sep, "/")


def cli_page() -> str:
    """By typer, which knows the commands."""
    command = get_command(app)
    context = command.make_context("spacy-bilstm", [], resilient_parsing=True)
    text = get_docs_for_click(obj=command, ctx=context, name="spacy-bilstm", title="The command spacy-bilstm")
    return text.replace("```console\n$ ", "```text\n")


def config_page() -> str:
    lines = [
        "# Every setting",
        "",
        "All names that the package registers with spaCy, with their settings. Where no default is given, the setting must be",
        "there; `spacy init fill-config` fills in the defaults. What is called None here is `null` in a config.",
    ]
    for group, (title, use) in GROUPS.items():
        lines += ["", f"## {title}", "", f"Names {use}."]
        for entry in sorted(_entries(group), key=lambda entry: entry.name):
            lines += ["", f"### {entry.name}", "", *_settings(entry)]
    return "\n".join(lines) + "\n"


def _entries(group: str) -> Iterator[EntryPoint]:
    return (entry for entry in entry_points(group=group) if entry.dist and entry.dist.name == OURS)


def _settings(entry: EntryPoint) -> Iterator[str]:
    make = entry.load()
    blocks = read_docstring((inspect.getdoc(make) or "").splitlines())
    yield "\n\n".join(block.text for block in blocks if block.kind == "prose")
    fields = {name: block for block in blocks if block.kind == "field" for name in block.names.split(", ")}
    defaults = dict(Language.get_factory_meta(entry.name).default_config) if entry.group == "spacy_factories" else {}
    yield ""
    for name, parameter in inspect.signature(make).parameters.items():
        if name in GIVEN_BY_SPACY:
            continue
        field = fields.get(name, Block("field", []))
        default = _default(defaults.get(name, parameter.default))
        kind = field.type or _type_name(parameter.annotation)
        yield f"- `{name}` ({kind}{f', by default {default}' if default else ''}): {field.text}"
    for block in blocks:
        if block.kind.isupper():
            yield from ["", f"{block.kind.capitalize()}: {block.text}"]


def _type_name(annotation: Any) -> str:
    return getattr(annotation, "__name__", str(annotation)).replace("typing.", "")


def _default(value: Any) -> str:
    if value is inspect.Parameter.empty:
        return ""
    if isinstance(value, dict):
        name = next((value[key] for key in value if key.startswith("@")), None)
        return f"`{name or srsly.json_dumps(value)}`"
    return f"`{srsly.json_dumps(value)}`"  # as in a config


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _code(label: str) -> str:
    return f"`` {label} ``" if "`" in label else f"`{_cell(label)}`"


def glossary_page() -> str:
    ours = [f"| {_code(label)} | {_cell(meaning)} |" for label, meaning in sorted(GLOSSARY.items())]
    labels = sorted(label for label in PENN.split() if label not in GLOSSARY)
    penn = [f"| {_code(label)} | {_cell(spacy_glossary.GLOSSARY[label])} |" for label in labels]
    universal = [f"| `{label}` | {spacy_glossary.GLOSSARY[label]} |" for label in UNIVERSAL.split()]
    head = ["", "| label | meaning |", "|---|---|"]
    return "\n".join(
        [
            "# Glossary of labels",
            "",
            "`spacy.explain(label)` knows all of them, as soon as a component of this package is loaded.",
            "",
            "## Labels that this package adds",
            *head,
            *ours,
            "",
            "## Penn Treebank tags, in `token.tag_`",
            *head,
            *penn,
            "",
            "## Universal parts of speech, in `token.pos_`",
            *head,
            *universal,
            "",
        ]
    )


# Marcus, Santorini and Marcinkiewicz 1993, "Building a large annotated corpus of English", table 2.
PENN = (
    "# $ . , : `` '' CC CD DT EX FW IN JJ JJR JJS LS MD NN NNS NNP NNPS PDT POS PRP PRP$ RB RBR RBS RP SYM TO UH VB VBD VBG "
    "VBN VBP VBZ WDT WP WP$ WRB"
)
# https://universaldependencies.org/u/pos/
UNIVERSAL = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X SPACE"


def api_page() -> str:
    lines = ["# API", "", "What the modules offer, folder by folder. A folder imports only from those below it.", ""]
    for room in ROOMS:
        lines.append(f"- [{room}](api-{room}.md): {_first_line(f'spacy_bilstm_tagger.{room}')}".rstrip(": "))
    toc = ["", "```{toctree}", ":hidden:", "", *(f"api-{room}" for room in ROOMS), "```", ""]
    return "\n".join([*lines, *toc])


def room_page(room: str) -> str:
    root = Path(spacy_bilstm_tagger.__file__).parent
    names = []
    for path in sorted((root / room).rglob("*.py")) or [root / f"{room}.py"]:
        parts = path.relative_to(root.parent).with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    lines = [f"# {room}", ""]
    for name in names:
        if name.count(".") > 1:
            lines += [f"## {name.split('.', 2)[2]}", ""]
        lines += ["```{eval-rst}", f".. automodule:: {name}", "```", ""]
    return "\n".join(lines)


def _first_line(module: str) -> str:
    return (inspect.getdoc(__import__(module, fromlist=["_"])) or "").partition("\n")[0]


def to_rst(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Rewrite a docstring for autodoc, in reStructuredText."""
    found: list[str] = []
    for block in read_docstring(lines):
        text = _escape(block.text)
        if block.kind == "code":
            found += ["::", "", *(f"    {line}" for line in block.lines)]
        elif block.kind == "field":
            found.append(f"* **{block.names}**{f' ({_escape(block.type)})' if block.type else ''}: {text}")
        else:
            found.append(text if block.kind == "prose" else f"*{block.kind.capitalize()}*: {text}")
        found.append("")
    lines[:] = found


def _escape(line: str) -> str:
    """`code` becomes ``code``; elsewhere signs that reStructuredText would read as markup are escaped."""
    parts = line.split("`")
    if len(parts) % 2 == 0:
        return re.sub(r"([*_|`\\])", r"\\\1", line)
    return "".join(f"``{part}``" if i % 2 else re.sub(r"([*|\\]|_(?=\W|$))", r"\\\1", part) for i, part in enumerate(parts))
