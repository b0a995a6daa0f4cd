"""Tokens a second of the pipelines of a table: all are loaded, and read the texts of dev in turn, round after round."""

import time
from statistics import median
from typing import Any, Optional

import spacy
import srsly
import torch
from spacy.training import Corpus

from spacy_bilstm_tagger.util import write_beside

from .measure import is_stale, stored
from .plan import Plan, Run, Table
from .versions import versions

BATCH_SIZE = 256


def measure_speed(plan: Plan, table: Table, *, rounds: int) -> Optional[list[str]]:
    """Store the speed of each row: of its first seed that is trained and measured as the plan has it now, with that
    run's key, by which the page knows what is out of date. Returns the rows' names, or None without any.

    The time is the processor's, on one thread, in which other programs do not count. Tokens are those of the corpus,
    whatever a pipeline's own tokenizer makes of the texts; where the corpus has no raw text its tokens are joined by
    spaces. The first reading of all texts is not counted.
    """
    torch.set_num_threads(1)
    pipelines, keys = {}, {}
    for row in table.of_kind("recipe"):
        runs = [run for run in plan.runs_of(table, row) if _is_trained(run)]
        if runs:
            pipelines[row.name], keys[row.name] = spacy.load(plan.root / runs[0].pipeline), runs[0].key
    if not pipelines:
        return None
    docs = [example.reference for example in Corpus(plan.root / table.dev, gold_preproc=True)(spacy.blank("xx"))]
    texts, n_tokens = [doc.text for doc in docs], sum(map(len, docs))
    times: dict[str, list[float]] = {name: [] for name in pipelines}
    for turn in range(rounds + 1):
        for name, nlp in pipelines.items():
            start = time.process_time()
            for _ in nlp.pipe(texts, batch_size=BATCH_SIZE):
                pass
            if turn:
                times[name].append(time.process_time() - start)
    rows: dict[str, dict[str, Any]] = {}
    for name, taken in times.items():
        rows[name] = {"key": keys[name], "tokens_per_second": round(n_tokens / median(taken))}
        if table.base in times:
            # The base is slow and fast in the same rounds, so the ratio is steadier than the two figures.
            ratio = median(other / own for own, other in zip(taken, times[table.base]))
            rows[name]["ratio"] = round(ratio, 3)
    with write_beside(plan.measured / table.name / "speed.json") as draft:
        srsly.write_json(draft, {"rounds": rounds, "rows": rows, "versions": versions()})
    return list(rows)


def _is_trained(run: Run) -> bool:
    """As the plan has it now."""
    result = stored(run)
    return (run.plan.root / run.pipeline).exists() and result is not None and not is_stale(run, result)
