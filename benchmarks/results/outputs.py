"""Commands whose output the page quotes."""

import subprocess
from pathlib import Path
from typing import Any, Optional

import srsly

from spacy_bilstm_tagger.util import write_beside

from .measure import RunFailed, environment
from .plan import Plan
from .versions import versions


def output_path(plan: Plan, name: str) -> Path:
    return plan.measured / "outputs" / f"{name}.json"


def stored_output(plan: Plan, name: str) -> Optional[dict[str, Any]]:
    """command, text and versions, or None where it was not run yet."""
    path = output_path(plan, name)
    return srsly.read_json(path) if path.is_file() else None


def store_output(plan: Plan, name: str) -> None:
    """Run the command and keep what it prints. RAISES: RunFailed."""
    command = plan.outputs[name]
    here = command.format(**{**plan.vars, **plan.here})
    done = subprocess.run(
        ["bash", "-c", here], cwd=plan.root, env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise RunFailed(f"exit code {done.returncode}: {''.join(last)}")
    result = {"command": command.format(**plan.vars), "text": done.stdout.strip(), "versions": versions()}
    with write_beside(output_path(plan, name)) as draft:
        srsly.write_json(draft, result)
