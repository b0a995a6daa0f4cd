"""The code blocks of a Markdown page: read, run from top to bottom in one folder, compared with the output that is shown."""

import configparser
import contextlib
import doctest
import inspect
import io
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Optional

import pytest
import spacy
import srsly
from spacy.cli import app as spacy_app
from typer.testing import CliRunner

from spacy_bilstm_tagger import cli

FENCE = re.compile(r"(?:^<!-- not run: (?P<reason>[^\n]+?) -->\n)?^```(?P<language>[^`\n]*)\n(?P<code>.*?)^```\n+", re.M | re.S)
REASONS = {
    "downloads",
    "GPU",
    "long training",
    "installs",
    "another machine",
    "runs until it is stopped",
    "needs ray",
    "needs spark",
    "needs en_core_web_sm",
}
RUN = ("bash", "python")
# Commands that are made short, or that write into the page's folder, which is on the path.
SHORTER = {
    r"(-m spacy train .*)": r"\1 --training.max_steps 10 --training.eval_frequency 5",
    r"(vectors distill .*)": r"\1 --dim 4",
    r"^pip (install packages/\S+\.whl)$": rf"{shlex.quote(sys.executable)} -m pip \1 -q --no-deps --no-index --target .",
}
SKIPPED = re.compile(r"pip |python3 -m venv |source |(export )?FOLDER=")
SPACY_COMMANDS = "train", "evaluate", "benchmark", "find-threshold", "package"  # that run in this process
SIGNS = set("|<>&;$*(){}`")  # of a line that only a shell can run


@dataclass(frozen=True)
class Block:
    """reason: why it cannot run in a test, if it cannot; output: what is shown below it, if anything is."""

    place: str
    language: str
    code: str
    reason: Optional[str] = None
    output: Optional[str] = None

    @property
    def runs(self) -> bool:
        return self.language in RUN and self.reason is None


def read_blocks(path: Path) -> list[Block]:
    """A page's blocks. An output belongs to the block directly above it."""
    text = path.read_text(encoding="utf8")
    blocks: list[Block] = []
    end = -1
    for found in FENCE.finditer(text):
        if found["language"] == "text" and found.start() == end and blocks[-1].language in RUN:
            blocks[-1] = replace(blocks[-1], output=found["code"])
        else:
            place = f"{path.name}:{text.count(chr(10), 0, found.start()) + 1}"
            blocks.append(Block(place, found["language"], found["code"], found["reason"]))
        end = found.end()
    return [block for block in blocks if not block.language.startswith("{")]  # directives of MyST


class Page:
    """Runs blocks in the present folder. names: what the Python blocks have defined."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.names: dict = {}
        self._variables: list[str] = []

    def run(self, block: Block) -> None:
        found = self._run_python(block) if block.language == "python" else self._run_commands(block)
        if block.output is not None:
            flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            if not doctest.OutputChecker().check_output(block.output, found, flags):
                pytest.fail(f"{block.place}: expected\n{block.output}\nfound\n{found}", pytrace=False)

    def _run_python(self, block: Block) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as stdout:
            exec(compile(block.code, block.place, "exec"), self.names)
        return stdout.getvalue()

    def _run_commands(self, block: Block) -> str:
        """Our own commands in this process, which has imported everything already; what lies between them in a shell."""
        lines = [_shorter(line) for line in block.code.replace("\\\n", " ").splitlines()]
        lines = [line for line in lines if line and not line.startswith("#") and not SKIPPED.match(line)]
        if any("<<" in line or line.startswith(("for ", "while ", "if ")) for line in lines):  # commands of several lines
            return self._run_shell(block, lines)
        outputs = []
        for ours, group in groupby(lines, _is_ours):
            part = list(group)
            outputs += [self._run_here(block, line) for line in part] if ours else [self._run_shell(block, part)]
        return "".join(outputs)

    def _run_shell(self, block: Block, lines: list[str]) -> str:
        script = "\n".join(["set -eo pipefail", *self._variables, *lines])
        self._variables += [line for line in lines if re.match(r"[A-Z_]+=", line)]
        result = subprocess.run(["bash", "-c", script], env=self.environment, capture_output=True, text=True, check=False)
        if result.returncode:
            pytest.fail(f"{block.place}: {result.stdout}{result.stderr}", pytrace=False)
        return result.stdout + result.stderr

    def _run_here(self, block: Block, line: str) -> str:
        words = shlex.split(line.replace("$FOLDER", self.environment["FOLDER"]), comments=True)
        if words[0] == "python":
            result = CliRunner().invoke(spacy_app, words[3:])
            code, output = result.exit_code, f"{result.output}{result.exception or ''}"
        else:
            with contextlib.ExitStack() as stack:
                stdout = stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
                stack.enter_context(contextlib.redirect_stderr(stdout))
                stack.enter_context(pytest.MonkeyPatch.context()).setattr(sys, "argv", words)
                exit = stack.enter_context(pytest.raises(SystemExit))
                cli.main()
            code, output = exit.value.code or 0, stdout.getvalue()
        if code:
            pytest.fail(f"{block.place}: {line}\n{output}", pytrace=False)
        return output


def _shorter(line: str) -> str:
    for pattern, replacement in SHORTER.items():
        line = re.sub(pattern, replacement, line.strip())
    return line


def _is_ours(line: str) -> bool:
    simple = not SIGNS & set(line.partition(" #")[0].replace("$FOLDER", ""))
    return simple and line.startswith(("spacy-bilstm ", *(f"python -m spacy {each} " for each in SPACY_COMMANDS)))


def check_config(block: Block) -> None:
    """A piece of a config: its values are JSON, every registered name exists, and has the settings that are given to it."""
    piece = configparser.ConfigParser(interpolation=None)
    piece.optionxform = str  # type: ignore[assignment,method-assign]
    piece.read_string(block.code)
    for path in piece.sections():
        section = {name: value if "${" in value else srsly.json_loads(value) for name, value in piece[path].items()}
        for key, name in section.items():
            if key.startswith("@"):
                taken = inspect.signature(spacy.registry.get(key[1:], name)).parameters
                unknown = {name for name in section if not name.startswith("@") and name not in taken}
                more = any(each.kind is each.VAR_KEYWORD for each in taken.values())
                assert more or not unknown, f"{block.place}: [{path}] has no {unknown}"


def environment(transformer_folder: Path, packages: Path) -> dict[str, str]:
    """FOLDER is a transformer's; the packages in a folder count as installed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": os.pathsep.join([str(packages), str(Path(__file__).parent.parent)]),
        "OMP_NUM_THREADS": "1",
        "FOLDER": str(transformer_folder),
    }
