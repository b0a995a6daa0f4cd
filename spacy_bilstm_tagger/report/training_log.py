"""The log of a training: a file with the scores of each evaluation, and warnings of what cannot end well."""

import math
import random
import sys
import time
from collections import Counter
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import IO, Any, Callable, Iterator, Literal, Optional, Union

import numpy as np
import srsly
from spacy.language import DEFAULT_CONFIG, Language
from spacy.training import Example
from spacy.training.loggers import console_logger_v3
from spacy.util import resolve_dot_names

from ..errors import ConfigError, DataError
from ..pipeline.base import SequenceComponent
from ..util import check_file, is_number

FEW_TEXTS = 50  # annotated ones, from which little can be learned
ZEROS = 3  # evaluations with a score of 0, after which it is said
LogStep = Callable[[Optional[dict[str, Any]]], None]


def make_jsonl_logger(
    path: Union[str, Path, None] = None,
    progress_bar: Optional[Literal["train", "eval"]] = "eval",
    console_output: bool = True,
) -> Callable[..., tuple[LogStep, Callable[[], None]]]:
    """Logs as spaCy's console logger does, writes the curve of the scores, and warns of what cannot end well.

    path (str, Path or None): the file of the curve, an object a line for each evaluation: epoch, step, seconds since the beginning,
        losses, the scores of [training.score_weights], and score, their weighted mean, by which the best model is chosen; from 0 to
        1, null for what is no number. It is written line by line, in the place of a file of an earlier training. None: no file.
    progress_bar (str or None): up to the next evaluation ("eval") or the last step ("train"), in a terminal.
    console_output (bool): print spaCy's table.

    It warns of settings that [training] does not have, of fewer than FEW_TEXTS annotated texts, of a dev corpus without gold or
    with labels that are not learned, and of a score that stays at 0.
    """
    setup_console = console_logger_v3(progress_bar=progress_bar, console_output=console_output)

    def setup(nlp: Language, stdout: IO = sys.stdout, stderr: IO = sys.stderr) -> tuple[LogStep, Callable[[], None]]:
        for message in _unknown_settings(nlp):
            print(f"⚠ {message}", file=stderr, flush=True)
        lots = random.getstate(), np.random.get_state()  # readers may draw by lot, and training is not to change by it
        for message in warn_of_corpora(nlp):
            print(f"⚠ {message}", file=stderr, flush=True)
        random.setstate(lots[0])
        np.random.set_state(lots[1])
        log_console, finish_console = setup_console(nlp, stdout, stderr)
        file = None if path is None else Path(path)
        if file is not None and file.is_dir():
            raise ConfigError(f"{file}: is a folder, expected the name of a file in [training.logger] path, such as log.jsonl")
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("", encoding="utf8")
        start, zeros = time.monotonic(), 0
        weights = nlp.config["training"]["score_weights"]
        names = [name for name, weight in weights.items() if weight is not None]

        def log_step(info: Optional[dict[str, Any]]) -> None:
            nonlocal zeros
            log_console(info)
            if info is None:
                return
            if file is not None:
                with file.open("a", encoding="utf8") as lines:
                    lines.write(srsly.json_dumps(_line(info, time.monotonic() - start, names)) + "\n")
            zeros = -1 if info["score"] or zeros < 0 else zeros + 1
            if zeros == ZEROS:
                print(f"⚠ {_of_zeros(info, nlp)}", file=stderr, flush=True)

        return log_step, finish_console

    return setup


def _unknown_settings(nlp: Language) -> Iterator[str]:
    """Names that [training] does not have, of which spaCy says nothing."""
    known = DEFAULT_CONFIG["training"]
    for name in sorted(set(nlp.config["training"]) - set(known)):
        meant = get_close_matches(name, known, n=1)
        yield f"[training] has no setting {name!r}, which does nothing" + (f"; did you mean {meant[0]!r}?" if meant else "")


def _line(info: dict[str, Any], seconds: float, names: list[str]) -> dict[str, Any]:
    """names: of the scores that [training.score_weights] has."""
    scores = {name: _number(info["other_scores"].get(name)) for name in names}
    return {
        "epoch": info["epoch"],
        "step": info["step"],
        "seconds": round(seconds, 1),
        "losses": {name: _number(loss) for name, loss in info["losses"].items()},
        "scores": scores,
        "score": _number(info["score"]),
    }


def _number(value: Any) -> Optional[float]:
    """None for what is no number, or none that JSON knows."""
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _of_zeros(info: dict[str, Any], nlp: Language) -> str:
    weights = {name: weight for name, weight in nlp.config["training"]["score_weights"].items() if weight}
    names = ", ".join(weights) or "nothing: [training.score_weights] has no weight above 0"
    return (
        f"The score is still 0 after {ZEROS} evaluations (step {info['step']}). It is made of {names}. Look whether the dev corpus "
        "has gold for that, and its labels are those of the training corpus; else try another learn rate, or more texts"
    )


def warn_of_corpora(nlp: Language) -> Iterator[str]:
    """What is wrong with the corpora of a config, one line each. Of a corpus that is streamed nothing is read."""
    config = nlp.config.interpolate()["training"]
    if config["max_epochs"] == -1:
        return
    train, dev = resolve_dot_names(nlp.config.interpolate(), [config["train_corpus"], config["dev_corpus"]])
    pipes = [(name, pipe) for name, pipe in nlp.pipeline if isinstance(pipe, SequenceComponent)]
    pipes = [(name, pipe) for name, pipe in pipes if name not in config["frozen_components"]]
    first = list(islice(train(nlp), FEW_TEXTS))
    unknown: dict[str, Counter[str]] = {name: Counter() for name, _ in pipes}
    has_gold = dict.fromkeys(unknown, False)
    learned, known = {example.reference.text for example in first}, set()
    for example in dev(nlp):
        known |= learned & {example.reference.text}
        for name, pipe in pipes:
            if _has_gold(pipe, example):
                has_gold[name] = True
                unknown[name] += pipe.unknown_labels([example.reference])
    if len(known) > len(learned) / 10:
        yield (
            f"{len(known)} of the first {len(learned)} texts of the training corpus are in the dev corpus too, so its scores tell "
            "little of new texts; leave them out (convert has --exclude)"
        )
    for name, pipe in pipes:
        annotated = sum(_has_gold(pipe, example) or pipe.read_soft_labels(example.reference) is not None for example in first)
        if len(first) < FEW_TEXTS and annotated < FEW_TEXTS:
            yield (
                f"{name}: the training corpus has {annotated} annotated texts, from which little can be learned; expected at least "
                f"{FEW_TEXTS} to go on from a trained pipeline, and some hundreds without (spacy-bilstm pretag helps to annotate "
                "more)"
            )
        if not has_gold[name]:
            yield f"{name}: no text of the dev corpus has gold for it, so it has no score"
        if unknown[name]:
            most = ", ".join(f"{label} ({count})" for label, count in unknown[name].most_common(5))
            yield (f"{name}: the dev corpus has labels that the training corpus does not teach, and that will not be found: {most}")


def _has_gold(pipe: SequenceComponent, example: Example) -> bool:
    return bool(pipe.has_gold(example.reference))


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a training's log. RAISES: DataError for another file."""
    check_file(path)
    try:
        lines = list(srsly.read_jsonl(path))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}; expected the file of JsonlLogger.v1") from None
    if not all(map(_is_line, lines)):
        raise DataError(f"{path}: expected lines with step and score, as JsonlLogger.v1 writes them")
    return lines


def _is_line(line: Any) -> bool:
    if not isinstance(line, dict) or not isinstance(line.get("scores", {}), dict):
        return False
    values = [line.get("score", ""), *line.get("scores", {}).values()]
    return is_number(line.get("step")) and all(value is None or is_number(value) for value in values)
