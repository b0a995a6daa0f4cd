"""What makes the repository one to contribute to: its forms, workflows and versions fit each other and the code."""

import re
import shlex
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import srsly
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_bilstm_tagger.layers import word_features

PROJECT = Path(__file__).resolve().parent.parent
GITHUB = PROJECT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = [path for path in sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")) if path.name != "config.yml"]
PAGES = ["CONTRIBUTING.md", "CHANGELOG.md", "CODE_OF_CONDUCT.md", "SECURITY.md"]
MADE = {"dist", "fresh", "site", ".venv"}  # by commands of the workflows
FILE = re.compile(r"[\w.-]+(?:/[\w.-]+)+|[\w-]+\.(?:cff|cfg|md|py|sh|toml|txt|yml)")
LINK = re.compile(r"\]\(([^)#\s]+)")


def read(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf8")


def of_pyproject(name: str) -> str:
    (value,) = re.findall(rf'^{name} = "(.+)"$', read("pyproject.toml"), re.MULTILINE)
    return value


def of_constraints(name: str) -> str:
    (value,) = re.findall(rf"^{name}==(.+)$", read("constraints.txt"), re.MULTILINE)
    return value


def steps(workflow: Path) -> list[dict]:
    return [step for job in srsly.read_yaml(workflow)["jobs"].values() for step in job["steps"]]


def commands(workflow: Path) -> list[str]:
    return [step["run"] for step in steps(workflow) if "run" in step]


def matrix() -> list[str]:
    """The versions of Python whose fast tests are run."""
    return srsly.read_yaml(GITHUB / "workflows" / "tests.yml")["jobs"]["newest"]["strategy"]["matrix"]["python"]


def test_all_yaml_is_read():
    hidden = [".pre-commit-config.yaml", "CITATION.cff", ".github/dependabot.yml"]
    paths = [*WORKFLOWS, *(GITHUB / "ISSUE_TEMPLATE").iterdir(), *map(PROJECT.joinpath, hidden)]
    assert all(isinstance(srsly.read_yaml(path), dict) for path in paths)
    assert [path.stem for path in WORKFLOWS] == ["docs", "gpu", "release", "tests"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
class TestWorkflows:
    def test_files_in_commands_exist(self, workflow):
        words = [word for command in commands(workflow) for word in shlex.split(command)]
        files = {word for word in words if FILE.fullmatch(word) and word.partition("/")[0] not in MADE}
        assert {name for name in files if not (PROJECT / name).exists()} == set()

    def test_permissions_are_the_least(self, workflow):
        content = srsly.read_yaml(workflow)
        assert content["permissions"] == {"contents": "read"}
        of_jobs = {name: job["permissions"] for name, job in content["jobs"].items() if "permissions" in job}
        expected = {
            "docs": {"deploy": {"pages": "write", "id-token": "write"}},
            "release": {"publish": {"id-token": "write"}, "attach": {"contents": "write"}},
        }
        assert of_jobs == expected.get(workflow.stem, {})

    def test_actions_have_a_major_version(self, workflow):
        used = [step["uses"] for step in steps(workflow) if "uses" in step]
        assert used
        assert [name for name in used if not re.fullmatch(r"[\w-]+/[\w-]+@(?:release/)?v\d+", name)] == []

    def test_jobs_end(self, workflow):
        assert all(job["timeout-minutes"] for job in srsly.read_yaml(workflow)["jobs"].values())

    def test_a_command_is_one_line_without_values_of_a_pull_request(self, workflow):
        """A title or a branch name in `${{ }}` would be run by the shell."""
        assert [command for command in commands(workflow) if "\n" in command or "${{" in command] == []


def test_the_site_is_built_as_its_settings_say():
    (command,) = re.findall(r"python -m sphinx .*(?=\"\"\")", read("docs/conf.py"))
    assert command in commands(GITHUB / "workflows" / "docs.yml")


def test_the_page_of_contributors_releases_as_the_workflow_does():
    page = read("CONTRIBUTING.md")
    build = srsly.read_yaml(GITHUB / "workflows" / "release.yml")["jobs"]["build"]["steps"]
    for command in [step["run"] for step in build if "run" in step][1:]:
        assert command.partition(" |")[0].replace("python -m venv", "python3 -m venv") in page


def test_versions_agree():
    version = of_pyproject("version")
    assert srsly.read_yaml(PROJECT / "CITATION.cff")["version"] == version
    newest, text = re.findall(r"^## \[(.+?)\](.*?)(?=^## |\Z)", read("CHANGELOG.md"), re.MULTILINE | re.DOTALL)[0]
    assert version == newest or (newest == "Unreleased" and f" {version}," in text)


def test_the_citation_has_what_its_format_asks_for():
    """https://github.com/citation-file-format/citation-file-format, schema 1.2.0."""
    citation = srsly.read_yaml(PROJECT / "CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert citation["license"] == of_pyproject("license")
    assert {"message", "title", "authors"} <= set(citation)
    assert all({"authors", "title", "type"} <= set(reference) for reference in citation["references"])


def test_pythons_agree():
    page = read("pyproject.toml")
    classifiers = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', page)
    assert matrix() == classifiers
    assert f">={matrix()[0]}" == of_pyproject("requires-python")
    assert f"py{matrix()[0].replace('.', '')}" == of_pyproject("target-version")  # of ruff
    assert matrix()[0] == of_pyproject("python_version")  # of mypy


def test_pre_commit_has_the_ruff_of_the_constraints():
    repos = srsly.read_yaml(PROJECT / ".pre-commit-config.yaml")["repos"]
    (ruff,) = [repo for repo in repos if repo["repo"].endswith("/ruff-pre-commit")]
    assert ruff["rev"] == f"v{of_constraints('ruff')}"
    assert [hook["id"] for hook in ruff["hooks"]] == ["ruff-check", "ruff-format"]


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
class TestForms:
    """https://docs.github.com/communities/using-templates-to-encourage-useful-issues-and-pull-requests"""

    def test_required_keys(self, form):
        content = srsly.read_yaml(form)
        assert all(isinstance(content[key], str) for key in ("name", "description"))
        fields = [part for part in content["body"] if part["type"] != "markdown"]
        assert fields
        assert {part["type"] for part in content["body"]} <= {"markdown", "input", "textarea", "dropdown", "checkboxes"}
        assert all(part["attributes"]["value"] for part in content["body"] if part["type"] == "markdown")
        assert all(part["attributes"]["label"] for part in fields)
        ids = [part["id"] for part in fields]
        assert len(ids) == len(set(ids))

    def test_links_go_to_pages_that_exist(self, form):
        """They are relative to the page of a new issue."""
        links = LINK.findall(form.read_text(encoding="utf8"))
        pages = {link.removeprefix("../blob/main/") for link in links if link != "../security/policy"}
        assert {page for page in pages if not (PROJECT / page).is_file()} == set()


def test_there_is_a_form_for_each_kind_of_issue():
    assert [form.stem for form in FORMS] == ["bug", "feature", "question", "wrong_label"]
    config = srsly.read_yaml(GITHUB / "ISSUE_TEMPLATE" / "config.yml")
    assert config["blank_issues_enabled"] is False
    assert all({"name", "url", "about"} == set(link) for link in config["contact_links"])


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_go_to_files_that_exist(page):
    files = {link for link in LINK.findall(read(page)) if not link.startswith("https://")}
    assert {name for name in files if not (PROJECT / name).is_file()} == set()


class TestContributing:
    @pytest.fixture
    def blocks(self) -> list[str]:
        found = re.findall(r"^( *)```python\n(.*?)^\1```$", read("CONTRIBUTING.md"), re.MULTILINE | re.DOTALL)
        return [textwrap.dedent(code) for _, code in found]

    def block(self, blocks: list[str], part: str) -> str:
        (code,) = [code for code in blocks if part in code]
        return code

    def test_it_is_short(self):
        assert len(read("CONTRIBUTING.md").split()) <= 1500

    def test_files_it_names_exist(self):
        """But for those of its examples, and those that commands make."""
        names = {word for code in re.findall(r"`([^`\n]+)`", read("CONTRIBUTING.md")) for word in code.split()}
        files = {name for name in names if FILE.fullmatch(name) and name.partition("/")[0] not in MADE}
        missing = {name for name in files if not any((root / name).exists() for root in self.roots())}
        assert {name for name in missing if "pairs" not in name and "hmm_short" not in name} == set()

    def roots(self) -> list[Path]:
        package = PROJECT / "spacy_bilstm_tagger"
        return [PROJECT, package, package / "corpus", GITHUB / "workflows"]

    def test_the_format_of_the_example_passes_its_tests(self, blocks, monkeypatch):
        name = "spacy_bilstm_tagger.corpus.pairs"
        module = ModuleType(name)
        module.__package__ = "spacy_bilstm_tagger.corpus"
        exec(self.block(blocks, "def read_pairs"), module.__dict__)
        monkeypatch.setitem(sys.modules, name, module)
        tests: dict = {}
        exec(self.block(blocks, "def test_two_lines"), tests)
        tests["test_two_lines_are_a_text"]()
        (cases,) = tests["test_errors_are_one_line"].pytestmark
        assert len(cases.args[1]) == 4
        for case in cases.args[1]:
            tests["test_errors_are_one_line"](*case)
        assert module.looks_like_pairs(["TEXT so good", "TAGS RB JJ"])
        assert not module.looks_like_pairs(["so RB", "good JJ"])

    def test_the_layer_of_the_example_passes_its_test(self, blocks):
        names = dict(vars(word_features))
        exec(self.block(blocks, "def WordLengths"), names)

        def token_rows(model, doc):
            types = word_features.WordTypes.of([doc])
            return model.predict(types)[types.index]

        tests = {
            "WordLengths": names["WordLengths"],
            "np": np,
            "token_rows": token_rows,
            "assert_array_equal": np.testing.assert_array_equal,
        }
        exec(self.block(blocks, "def test_word_lengths"), tests)
        tests["test_word_lengths_are_tenths"](lambda text: Doc(Vocab(), words=text.split()))
