"""Batches of records in, annotations out. The command, Ray, Spark and a service call the same `Annotator`."""

from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Iterable, Iterator, Mapping, Optional, Sequence, Union

import spacy
import srsly
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import get_package_path, is_package, load_config
from thinc.model import Model

from ..errors import ConfigError, DataError, damaged
from ..layers.word_cache import forget_words
from ..util import check_at_least, no_text
from .annotation import check_fields
from .outputs import Form, encode
from .records import Record

BATCH_SIZE = 256
TASK = 2048  # records


@dataclass(frozen=True)
class Recipe:
    """How a pipeline annotates: whatever its output depends on, besides the records.

    model (str): folder or installed package. form (Form): what is written.
    disable (tuple of str): components that are not loaded. batch_size (int): texts of a batch of `nlp.pipe`.
    gpu_id (int): -1 for the CPU.
    """

    model: str
    form: Form = field(default_factory=Form)
    disable: tuple[str, ...] = ()
    batch_size: int = BATCH_SIZE
    gpu_id: int = -1

    def load(self) -> Language:
        """RAISES: DataError for what is no pipeline, and a component that it does not have."""
        if self.gpu_id >= 0:
            spacy.require_gpu(self.gpu_id)
        nlp = load_pipeline(self.model, self.disable)
        components = load_config(nlp.path / "config.cfg")["components"]
        for name in self.disable:
            if name not in components:
                raise DataError(f"--disable {name}: {self.model} has no such component; found {', '.join(components)}")
        return nlp


class Annotator:
    """A pipeline that annotates batches of records. It loads when it is made, and cannot be pickled: pickle its Recipe.

    Docs and the strings of a batch are freed after it (`nlp.memory_zone`), so memory does not grow with the texts.
    """

    def __init__(self, recipe: Recipe, nlp: Optional[Language] = None) -> None:
        self.recipe = recipe
        self.nlp = nlp if nlp is not None else recipe.load()

    def rows(self, records: Sequence[Record]) -> tuple[list[dict[str, Any]], dict[int, str]]:
        """A row for each record: id, kept columns, text and annotation, see `to_annotation`. And the reasons why records
        have none, by their number in the batch."""
        with self.nlp.memory_zone():
            kept, docs, failed = self._docs(records)
            return [self.recipe.form.row(*pair) for pair in zip(kept, docs)], failed

    def annotations(self, texts: Iterable[str]) -> list[dict[str, Any]]:
        """The annotation of each text, or {"error": the reason why it has none}."""
        rows, failed = self.rows([Record(i, text) for i, text in enumerate(texts)])
        found = {row.pop("id"): row for row in rows}
        return [found[i] if i in found else {"error": failed[i]} for i in range(len(found) + len(failed))]

    def encode(self, records: Sequence[Record]) -> tuple[bytes, int, dict[int, str]]:
        """The same as a piece of a file, see `outputs.encode`, with the number of its records. The piece depends on these
        records alone, to the last bit."""
        for _, pipe in self.nlp.pipeline:
            if isinstance(model := getattr(pipe, "model", None), Model):
                forget_words(model)
        with self.nlp.memory_zone():
            kept, docs, failed = self._docs(records)
            if len(failed) == len(records) > 1:  # not the fault of the records
                raise DataError(f"no text of {len(records):,} could be annotated: {failed[0]}")
            return encode(self.recipe.form, kept, docs), len(kept), failed

    def _docs(self, records: Sequence[Record]) -> tuple[list[Record], list[Doc], dict[int, str]]:
        """If a component fails on a batch, each text is tried alone, so that one costs no other."""
        texts = [record.text for record in records]
        try:
            docs = list(self.nlp.pipe(texts, batch_size=self.recipe.batch_size))
            if len(docs) == len(texts):
                return list(records), docs, {}
        except Exception:  # of any component, also of others than ours
            pass
        kept, docs, failed = [], [], {}
        for number, record in enumerate(records):
            try:
                docs.append(self.nlp(record.text))
                kept.append(record)
            except Exception as error:
                failed[number] = " ".join(f"the pipeline failed: {type(error).__name__}: {error}".split())[:300]
        return kept, docs, failed


def annotate(
    model: Union[str, Path, Language],
    records: Iterable[Any],
    *,
    fields: Sequence[str] = Form.fields,
    offsets: str = "codepoint",
    batch_size: int = BATCH_SIZE,
) -> Iterator[dict[str, Any]]:
    """Annotate records one batch after another, in order.

    model: a pipeline, or its folder or name. records (iterable): texts, or dicts with a "text" and any other keys, which are
        kept.
    fields, offsets: see `to_annotation`.
    RAISES: DataError for fields that do not exist; ConfigError for a batch size below 1.
    Yields a dict for each record: what it had, and the annotation; or what it had, and "error" with the reason.
    """
    check_at_least("annotate", 1, batch_size=batch_size)
    if isinstance(records, (str, bytes, Mapping)) or hasattr(records, "columns"):
        raise DataError(
            f"annotate: found {type(records).__name__} as records, expected a list or stream of texts, or of dicts with a "
            "'text' (of a pandas frame: frame.to_dict('records'))"
        )
    name = model if isinstance(model, (str, Path)) else "pipeline"
    asked = check_fields([fields] if isinstance(fields, str) else fields)
    recipe = Recipe(str(name), Form(fields=asked, offsets=offsets), batch_size=batch_size)
    annotator = Annotator(recipe, model if isinstance(model, Language) else None)
    stream = iter(records)
    while given := list(islice(stream, batch_size)):
        yield from _annotate_batch(annotator, given)


def _annotate_batch(annotator: Annotator, given: list[Any]) -> Iterator[dict[str, Any]]:
    dicts = [dict(each) if isinstance(each, Mapping) else {"text": each} for each in given]
    errors = {i: reason for i, each in enumerate(dicts) if (reason := _reason(each.get("text")))}
    rights = [i for i in range(len(dicts)) if i not in errors]
    found = dict(zip(rights, annotator.annotations([dicts[i]["text"] for i in rights])))
    for i, each in enumerate(dicts):
        each.pop("error", None)  # of an earlier run
        yield {**each, **(found[i] if i in found else {"error": errors[i]})}


def _reason(text: Any) -> str:
    """Why a record has no text; "" if it has."""
    if not isinstance(text, str):
        return "no text: expected a string"
    if not text.strip():
        return "no text: it is blank"
    return no_text(text)


def model_path(name: str) -> Path:
    """The folder of a pipeline. RAISES: DataError for what is none."""
    path = get_package_path(name) if is_package(name) else Path(name)
    if is_package(name):
        inside = sorted(each.parent for each in path.glob("*/config.cfg"))
        path = inside[0] if inside else path
    if not _has_config(path):
        best = trained_inside(path)
        raise DataError(
            f"{name[:200]}: is no pipeline; expected a folder with config.cfg, or the name of an installed package"
            + (f" (there is one in {best})" if best else "")
        )
    return path


def trained_inside(folder: Path) -> Optional[Path]:
    """The pipeline in the output folder of a training, the best one first; None if there is none."""
    return next(filter(_has_config, (folder / "model-best", folder / "model-last")), None)


def _has_config(folder: Path) -> bool:
    try:
        return (folder / "config.cfg").is_file()
    except (OSError, ValueError):  # a text, which is too long for a name
        return False


def load_pipeline(name: str, exclude: Iterable[str] = ()) -> Language:
    """A pipeline by its folder or package. RAISES: DataError for what is none, for one that is damaged, and for one that cannot
    annotate, such as an untrained one."""
    check_readable(model_path(name))
    try:
        nlp = spacy.load(name, exclude=list(exclude))
    except OSError as error:
        raise DataError(str(error)) from None
    except (ConfigError, DataError):
        raise
    except ValueError as error:  # of a config that is cut off, say
        raise DataError(f"{damaged(Path(name), 'a pipeline', error)}; get the pipeline again") from None
    try:
        nlp("so")
    except Exception as error:  # of any component
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise DataError(f"{name}: cannot annotate a text ({reason}); expected a trained pipeline with all of its parts") from None
    return nlp


def check_readable(folder: Path) -> None:
    """RAISES: DataError for a meta.json or config.cfg that is damaged, which spaCy would not name."""
    for name, read in (("meta.json", srsly.read_json), ("config.cfg", load_config)):
        try:
            read(folder / name)
        except (OSError, ValueError) as error:
            raise DataError(f"{damaged(folder / name, 'a part of a pipeline', error)}; get the pipeline again") from None
