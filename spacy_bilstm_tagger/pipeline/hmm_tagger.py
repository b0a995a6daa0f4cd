"""The `hmm_tagger` component: a first-order hidden Markov model, the classic baseline for part-of-speech tags."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Optional, Union

import numpy as np
import srsly
import torch
from spacy import util
from spacy.language import Language
from spacy.pipeline.pipe import Pipe, deserialize_config
from spacy.pipeline.tagger import Tagger
from spacy.strings import StringStore
from spacy.tokens import Doc
from spacy.training import Example, validate_examples
from spacy.util import SimpleFrozenList
from spacy.vocab import Vocab

from ..checks import check_above_zero, check_fraction, check_least
from ..errors import ConfigError, Errors
from ..layers import shim  # noqa: F401, for what it does at a fork: torch's threads do not survive one
from ..layers.crf import viterbi
from ..partial_labels import is_open, single_tags
from .examples import check_examples
from .hmm_counts import HMMCounts, TaggedText, count_tags
from .hmm_estimates import Floats
from .hmm_model import HiddenMarkovModel
from .loading import check_checksums, write_checksums

if TYPE_CHECKING:
    from pandas import DataFrame

START, END = "<start>", "<end>"
MEMO_SIZE = 50_000


@Language.factory(
    "hmm_tagger",
    assigns=["token.tag"],
    default_config={
        "suffix_length": 10,
        "rare": 2,
        "suffix_smoothing": 5.0,
        "word_smoothing": 1.0,
        "transition_smoothing": None,
        "overwrite": False,
        "scorer": {"@scorers": "spacy-bilstm-tagger.tagger_scorer.v1"},
    },
    default_score_weights={
        "tag_acc": 1.0,
        "tag_acc_doc_mean": None,
        "tag_micro_f": None,
        "tag_micro_f_doc_mean": None,
        "tag_macro_f": None,
        "tag_per_type": None,
    },
)
def make_hmm_tagger(
    nlp: Language,
    name: str,
    suffix_length: int,
    rare: int,
    suffix_smoothing: float,
    word_smoothing: float,
    transition_smoothing: Optional[float],
    overwrite: bool,
    scorer: Optional[Callable],
) -> "HMMTagger":
    """Make a part-of-speech tagger that is estimated from counts, in one pass, when the pipeline is initialized.

    suffix_length (int): the longest ending, in characters, by which unknown words are known; 0 leaves their class.
    rare (int): words seen up to so many times teach endings.
    suffix_smoothing (float): how much an ending is smoothed with the next shorter one; see `back_off`.
    word_smoothing (float): how much a word's spelling is smoothed with its NORM, and that with its ending.
    transition_smoothing (float or None): the share of P(tag) in P(tag | tag before); by deleted interpolation if None.
    overwrite (bool): replace tags that are already set.
    scorer (Callable or None): the scoring method.
    """
    return HMMTagger(
        nlp.vocab,
        name,
        suffix_length=suffix_length,
        rare=rare,
        suffix_smoothing=suffix_smoothing,
        word_smoothing=word_smoothing,
        transition_smoothing=transition_smoothing,
        overwrite=overwrite,
        scorer=scorer,
    )


class HMMTagger(Pipe):
    """Gives each text the tags that are most probable together with its words.

    All there is to learn are counts, which `initialize` takes from all examples; `update` leaves them as they are.
    """

    def __init__(
        self,
        vocab: Vocab,
        name: str = "hmm_tagger",
        *,
        suffix_length: int = 10,
        rare: int = 2,
        suffix_smoothing: float = 5.0,
        word_smoothing: float = 1.0,
        transition_smoothing: Optional[float] = None,
        overwrite: bool = False,
        scorer: Optional[Callable] = None,
    ) -> None:
        check_least(name, "suffix_length", suffix_length, 0)
        check_least(name, "rare", rare, 0)
        check_above_zero(name, "suffix_smoothing", suffix_smoothing)
        check_above_zero(name, "word_smoothing", word_smoothing)
        if transition_smoothing is not None:
            check_above_zero(name, "transition_smoothing", transition_smoothing)
            check_fraction(name, "transition_smoothing", transition_smoothing)
        self.vocab = vocab
        self.name = name
        self.scorer = scorer
        self.cfg: dict[str, Any] = {
            "labels": [],
            "overwrite": overwrite,
            "rare": rare,
            "suffix_length": suffix_length,
            "suffix_smoothing": suffix_smoothing,
            "transition_smoothing": transition_smoothing,
            "word_smoothing": word_smoothing,
        }
        self._hmm: Optional[HiddenMarkovModel] = None
        self._memo: dict[tuple[int, int], np.ndarray] = {}  # emissions by (ORTH, NORM)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> tuple[str, ...]:
        return self.labels

    def add_label(self, label: str) -> int:
        """Add a tag before the counts are taken. Returns 0 if it was there, else 1.

        RAISES: ValueError for a new label afterwards.
        """
        if label in self.labels:
            return 0
        if self._hmm is not None:
            raise ValueError(
                f"{self.name}: {label!r} is not among the labels that were counted. Add labels before "
                f"nlp.initialize(), or give all of them to it with [initialize.components.{self.name}.labels]"
            )
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        return 1

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[Union[list[str], tuple[str, ...]]] = None,
    ) -> None:
        """Collect the labels (from `labels`, else from all examples, sorted) and count over all examples. A tag that
        stands for several is taken for a missing one.

        A corpus that is streamed (`max_epochs = -1`) shows spaCy's components its first 100 texts only at this point.
        RAISES: ConfigError where there is no label, ValueError for a gold tag that is not among the labels.
        """
        check_examples(get_examples, "HMMTagger.initialize")
        texts = [_tagged_tokens(eg) for eg in get_examples()]
        if labels is None:
            labels = sorted(single_tags({tag for text in texts for _, _, tag in text}))
        self._hmm = None
        for label in labels:
            self.add_label(label)
        if not self.labels:
            raise ConfigError(Errors.TAGGER_NO_LABELS.format(name=self.name))
        index = {label: i for i, label in enumerate(self.labels)}
        try:
            numbered: list[TaggedText] = [
                [
                    (word, norm, None if tag is None or is_open(tag, index.keys()) else index[tag])
                    for word, norm, tag in text
                ]
                for text in texts
            ]
        except KeyError as error:
            message = Errors.LABEL_UNKNOWN.format(name=self.name, label=error.args[0], count=len(index))
            raise ValueError(message) from None
        self._estimate(count_tags(numbered, len(index), suffix_length=self.cfg["suffix_length"], rare=self.cfg["rare"]))

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Any = None,
        losses: Optional[dict[str, float]] = None,
    ) -> dict[str, float]:
        """Change nothing: the counts are taken once, in `initialize`. The loss is 0.0."""
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        validate_examples(examples, "HMMTagger.update")
        return losses

    def __call__(self, doc: Doc) -> Doc:
        error_handler = self.get_error_handler()
        try:
            self.set_annotations([doc], self.predict([doc]))
        except Exception as error:
            error_handler(self.name, self, [doc], error)
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        error_handler = self.get_error_handler()
        for docs in util.minibatch(stream, size=batch_size):
            try:
                self.set_annotations(docs, self.predict(docs))
                yield from docs
            except Exception as error:
                error_handler(self.name, self, docs, error)

    def predict(self, docs: Iterable[Doc]) -> list[np.ndarray]:
        """The number of each token's tag on the most probable path; one (tokens,) array for each doc."""
        hmm = self._require_hmm()
        docs = list(docs)
        lengths = [len(doc) for doc in docs]
        if not sum(lengths):
            return [np.zeros(0, dtype="int64") for _ in docs]
        numbers: dict[tuple[int, int], int] = {}
        words = [
            numbers.setdefault((orth, norm), len(numbers))
            for doc in docs
            for orth, norm in doc.to_array(["ORTH", "NORM"]).tolist()
        ]
        rows = np.stack([self._emissions(hmm, docs[0].vocab.strings, orth, norm) for orth, norm in numbers])
        best = viterbi(hmm.chain, torch.from_numpy(rows[words]), lengths).numpy()
        return np.split(best, np.cumsum(lengths)[:-1])

    # As it is in spaCy's Tagger: `labels` and cfg["overwrite"] are all it needs.
    set_annotations = Tagger.set_annotations

    def transition_table(self) -> "DataFrame":
        """P(tag | tag before), a row for each tag before. Texts begin in the row <start>, and end in the column <end>.

        RAISES: ImportError without pandas.
        """
        start_first = np.roll(self._require_hmm().transitions, 1, axis=0)
        return _frame(self.name, start_first, [START, *self.labels], [*self.labels, END])

    def emission_table(self, words: Iterable[str]) -> "DataFrame":
        """P(tag | word) whatever stands around it, a row for each of the words, known or not.

        RAISES: ImportError without pandas.
        """
        hmm, words = self._require_hmm(), list(words)
        rows = [hmm.tag_probabilities(word, self.vocab[word].norm_) for word in words]
        return _frame(self.name, np.array(rows).reshape(-1, len(self.labels)), words, list(self.labels))

    def to_bytes(self, *, exclude: Iterable[str] = SimpleFrozenList()) -> bytes:
        """exclude: any of cfg, vocab, counts."""
        serialize: dict[str, Callable[[], Any]] = {
            "cfg": lambda: srsly.json_dumps(self.cfg),
            "vocab": lambda: self.vocab.to_bytes(exclude=exclude),
        }
        if self._hmm is not None:
            serialize["counts"] = self._hmm.counts.to_bytes
        return util.to_bytes(serialize, exclude)

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = SimpleFrozenList()) -> "HMMTagger":
        """RAISES: ValueError for counts that are damaged or do not fit the labels."""
        deserialize: dict[str, Callable[[Any], Any]] = {
            "cfg": lambda data: self.cfg.update(srsly.json_loads(data)),
            "vocab": lambda data: self.vocab.from_bytes(data, exclude=exclude),
            "counts": self._read_counts,
        }
        self._load(partial(util.from_bytes, bytes_data, deserialize, exclude))
        return self

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = SimpleFrozenList()) -> None:
        """exclude: any of cfg, vocab, counts."""
        serialize: dict[str, Callable[[Path], Any]] = {
            "cfg": lambda p: srsly.write_json(p, self.cfg),
            "vocab": lambda p: self.vocab.to_disk(p, exclude=exclude),
        }
        if self._hmm is not None:
            counts = self._hmm.counts.to_bytes()
            serialize["counts"] = lambda p: p.write_bytes(counts)
        util.to_disk(path, serialize, exclude)
        write_checksums(path)

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = SimpleFrozenList()) -> "HMMTagger":
        """RAISES: DataError for a file that was altered, ValueError for counts that do not fit the labels."""
        check_checksums(self.name, path, exclude)
        deserialize: dict[str, Callable[[Path], Any]] = {
            "cfg": lambda p: self.cfg.update(deserialize_config(p)),
            "vocab": lambda p: self.vocab.from_disk(p, exclude=exclude),
            "counts": lambda p: self._read_counts(p.read_bytes()) if p.exists() else None,
        }
        self._load(partial(util.from_disk, path, deserialize, exclude))
        return self

    def _load(self, read: Callable[[], Any]) -> None:
        """Whole or not at all."""
        cfg, hmm = dict(self.cfg), self._hmm
        try:
            read()
        except Exception:
            self.cfg, self._hmm = cfg, hmm
            raise

    def _read_counts(self, data: bytes) -> None:
        try:
            counts = HMMCounts.from_bytes(data)
        except ValueError as error:
            raise ValueError(Errors.HMM_DAMAGED.format(name=self.name, reason=error)) from None
        if counts.n_labels != len(self.labels):
            reason = f"counts of {counts.n_labels} tags for {len(self.labels)} labels"
            raise ValueError(Errors.HMM_DAMAGED.format(name=self.name, reason=reason))
        for label in self.labels:
            self.vocab.strings.add(label)
        self._estimate(counts)

    def _estimate(self, counts: HMMCounts) -> None:
        names = ("suffix_length", "suffix_smoothing", "word_smoothing", "transition_smoothing")
        self._hmm = HiddenMarkovModel(counts, **{name: self.cfg[name] for name in names})
        self._memo = {}

    def _require_hmm(self) -> HiddenMarkovModel:
        if self._hmm is None:
            raise ValueError(
                f"{self.name}: nothing is counted yet. Call nlp.initialize() or load a trained pipeline first"
            )
        return self._hmm

    def _emissions(self, hmm: HiddenMarkovModel, strings: StringStore, orth: int, norm: int) -> np.ndarray:
        memo = self._memo
        row = memo.get((orth, norm))
        if row is None:
            row = hmm.emissions(strings[orth], strings[norm])
            if len(memo) >= MEMO_SIZE:
                memo.clear()
            memo[orth, norm] = row
        return row


def _tagged_tokens(example: Example) -> list[tuple[str, str, Optional[str]]]:
    """Each token as the component will see it, with its gold tag where there is one."""
    tags = example.get_aligned("TAG", as_string=True)
    return [(token.text, token.norm_, tag or None) for token, tag in zip(example.predicted, tags)]


def _frame(name: str, table: Floats, index: list[str], columns: list[str]) -> "DataFrame":
    try:
        import pandas as pd
    except ImportError:
        raise ImportError(
            f"{name}: tables need pandas. Install it with: pip install 'spacy-bilstm-tagger[report]'"
        ) from None
    return pd.DataFrame(table, index=index, columns=columns)
