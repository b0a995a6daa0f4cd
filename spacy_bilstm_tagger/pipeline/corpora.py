"""The corpora of a training, as components look at them before it begins."""

import math
import warnings
import zlib
from itertools import islice
from pathlib import Path
from typing import Any, Callable, Iterable, Optional

from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example, validate_get_examples
from spacy.util import dot_to_object, resolve_dot_names
from thinc.api import Model

from ..errors import ConfigError, unreadable_corpus
from ..util import check_at_least, is_number
from .gold import IN_USER_DATA
from .soft_labels import KEY

SAMPLE_SIZE = 100  # texts; spaCy's components take 10, which are few for a log line about the coverage of tables
# Numbers of [training] and its blocks.
_LEAST = {
    ("optimizer", "learn_rate"): 0,
    ("optimizer", "grad_clip"): 0,
    ("batcher", "size"): 1,
    ("", "max_steps"): 0,
    ("", "max_epochs"): -1,
    ("", "patience"): 0,
    ("", "eval_frequency"): 1,
    ("", "accumulate_gradient"): 1,
}
_FROM_CONFIG = "spacy.training.initialize"  # the module whose examples are those of a config
_EXPECTED = "expected the {role} corpus, a .spacy file or a folder with some, in paths.{role} ('spacy-bilstm convert' makes one)"


def check_examples(get_examples: Callable[[], Iterable[Example]], method: str, nlp: Optional[Language] = None) -> None:
    """RAISES: TypeError or ValueError if there are no examples, as spaCy's components do; ConfigError for a file that is
    not there or cannot be read. Where `spacy train` initializes, also for a dev corpus that is missing, damaged or
    empty, and for a batch size or learn rate with which nothing is learned: spaCy sees these late or never.

    method (str): the caller, for the message.
    """
    if nlp is not None and get_examples.__module__ == _FROM_CONFIG:
        _check_reader(nlp)
    try:
        validate_get_examples(get_examples, method)
    except OSError as error:
        raise unreadable_corpus(error) from None
    except ValueError as error:
        if "E1014" not in str(error) or nlp is None:
            raise
        raise _no_docbin(nlp.config.interpolate()["paths"].get("train"), "train") from None
    if nlp is not None and get_examples.__module__ == _FROM_CONFIG:
        _check_training(nlp)


def sample_docs(get_examples: Callable[[], Iterable[Example]]) -> list[Doc]:
    """The first texts, for shapes."""
    return [eg.x for eg in islice(get_examples(), SAMPLE_SIZE)]


def check_learn_rate(name: str, sgd: Any, idle_steps: int) -> int:
    """How many updates in a row have had a learn rate of 0. WARNS: at the second one; a warm-up begins at 0. RAISES: ConfigError
    for a rate below 0, with which the loss grows."""
    learn_rate = getattr(sgd, "learn_rate", 1.0)
    if not is_number(learn_rate) or not 0 <= learn_rate < math.inf:
        raise ConfigError(f"{name}: learn_rate = {learn_rate!r}; expected a number of at least 0")
    idle_steps = 0 if learn_rate else idle_steps + 1
    if idle_steps == 2:
        warnings.warn(
            f"{name}: the learn rate stays at 0, so nothing is learned. Where it follows a schedule, call "
            "optimizer.step_schedules() after each update, or set optimizer.learn_rate, such as 0.001",
            stacklevel=4,
        )
    return idle_steps


def _check_training(nlp: Language) -> None:
    config = nlp.config.interpolate()
    check_at_least("[nlp]", 1, batch_size=nlp.batch_size)
    _check_numbers(config["training"])
    frozen = [pipe for name, pipe in nlp.components if name in config["training"].get("frozen_components", [])]
    for pipe in frozen:
        model: Any = getattr(pipe, "model", None)
        nodes = list(model.walk()) if isinstance(model, Model) else []
        has_shims, listens = any(node.shims for node in nodes), any(hasattr(node, "upstream_name") for node in nodes)
        is_empty = has_shims and not getattr(pipe, "has_weights", True)
        if is_empty or (listens and not model.has_dim("nO")):
            raise ConfigError(
                f"{getattr(pipe, 'name', pipe)}: is frozen, and has no weights yet; source it from a trained pipeline, or take it "
                "out of [training] frozen_components"
            )
    name = config["training"]["dev_corpus"]
    try:
        path = dot_to_object(config, name).get("path")
    except KeyError:  # spaCy says which
        return
    if not path:
        return
    if not Path(path).exists():
        raise ConfigError(f"{path}: no such file or directory; {_EXPECTED.format(role='dev')}")
    (corpus,) = resolve_dot_names(config, [name])
    try:
        first = next(iter(corpus(nlp)), None)
    except ValueError:
        raise _no_docbin(path, "dev") from None
    if first is None:
        raise ConfigError(f"{path}: holds no text; {_EXPECTED.format(role='dev')}")


def _check_reader(nlp: Language) -> None:
    """Warns of annotation that spaCy's reader drops where it makes other texts of those of a file. RAISES: ConfigError for a
    training file that it would leave out, with a warning that few see."""
    config = nlp.config.interpolate()
    try:
        reader = dot_to_object(config, config["training"]["train_corpus"])
        path = Path(reader["path"])
    except (KeyError, TypeError):  # a reader of another kind
        return
    if reader.get("@readers") != "spacy.Corpus.v1" or not path.exists():
        return
    if path.is_file() and path.suffix != ".spacy":
        raise _no_docbin(path, "train")
    setting = next((name for name in ("gold_preproc", "max_length", "augmenter") if reader.get(name)), None)
    file = next(iter(sorted(path.rglob("*.spacy"))), None) if path.is_dir() else path
    if setting is None or file is None:
        return
    try:
        docs = islice(DocBin().from_disk(file).get_docs(nlp.vocab), SAMPLE_SIZE)
        lost = {key for doc in docs for key in doc.user_data if key in (*IN_USER_DATA, KEY)}
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError):  # the reader says what is wrong
        return
    if lost:
        warnings.warn(
            f"{file}: its {', '.join(sorted(lost))} are lost by {setting} of the reader, which makes other texts; leave it out in "
            f"[{config['training']['train_corpus']}]",
            stacklevel=2,
        )


def _check_numbers(training: dict[str, Any]) -> None:
    """RAISES: ConfigError for a number by which nothing is learned, or no step is made."""
    for (block, name), least in _LEAST.items():
        number: Any = (training.get(block) or {} if block else training).get(name)
        if is_number(number) and number < least:  # else it is a schedule, or nothing
            where = f"[training.{block}]" if block else "[training]"
            raise ConfigError(f"{where}: {name} = {number}; expected a number of at least {least}")
    dropout: Any = training.get("dropout")
    if is_number(dropout) and not 0 <= dropout < 1:
        raise ConfigError(f"[training]: dropout = {dropout}; expected a number of at least 0 and below 1, such as 0.1")


def _no_docbin(path: Any, role: str) -> ConfigError:
    return ConfigError(f"{path}: cannot be read as .spacy; {_EXPECTED.format(role=role)}")
