"""The `hmm_tagger` component: part-of-speech tags by a hidden Markov model."""

from typing import TYPE_CHECKING, Any, Callable, Iterable, Optional, Sequence

import numpy as np
from spacy.language import Language
from spacy.training import Example, validate_examples

from ...errors import ConfigError
from ...layers import shim  # noqa: F401, for its hook at a fork: torch's threads do not survive one
from ...lexicon.files import use_checksums
from ...util import check_above_zero, check_at_least, check_fraction
from ..corpora import check_examples
from ..gold import aligned_tags, known_tags, single_tags
from ..tagger import SCORE_WEIGHTS, TagComponent
from .model import HMM, Floats, HiddenMarkovModel, TaggedText, count_tags

if TYPE_CHECKING:
    from pandas import DataFrame

START, END = "<start>", "<end>"


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
    default_score_weights=SCORE_WEIGHTS,
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
    check_at_least(name, 0, suffix_length=suffix_length, rare=rare)
    check_above_zero(name, suffix_smoothing=suffix_smoothing, word_smoothing=word_smoothing)
    if transition_smoothing is not None:
        check_above_zero(name, transition_smoothing=transition_smoothing)
        check_fraction(name, transition_smoothing=transition_smoothing)
    smoothing = {"suffix_smoothing": suffix_smoothing, "word_smoothing": word_smoothing}
    settings = {"suffix_length": suffix_length, "rare": rare, "transition_smoothing": transition_smoothing, **smoothing}
    use_checksums(nlp)
    return HMMTagger(nlp.vocab, HMM(settings), name, scorer=scorer, overwrite=overwrite, **settings)


class HMMTagger(TagComponent):
    """Gives each text the tags that are most probable together with its words.

    All there is to learn are counts, which `initialize` takes from all examples; `update` leaves them as they are.
    """

    def add_label(self, label: str) -> int:
        """Add a tag before the counts are taken. Returns 0 if it was there, else 1.

        RAISES: ValueError for a new label afterwards.
        """
        if self.model.has_dim("nO") and label not in self.labels:
            raise ValueError(
                f"{self.name}: {label!r} is not among the labels that were counted. Add labels before "
                f"nlp.initialize(), or give all of them to it with [initialize.components.{self.name}.labels]"
            )
        return super().add_label(label)

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[Sequence[str]] = None,
    ) -> None:
        """Collect the labels (from `labels`, else from all examples, sorted) and count over all examples. A tag that
        stands for several counts as missing.

        A corpus that is streamed (`max_epochs = -1`) shows spaCy's components its first 100 texts only at this point.
        RAISES: ConfigError if there is no label, ValueError for a gold tag that is not among the labels.
        """
        check_examples(get_examples, "HMMTagger.initialize", nlp)
        self.model.set_dim("nO", None, force=True)  # type: ignore[arg-type]
        examples = list(get_examples())
        if labels is None:
            labels = sorted(single_tags({tag or "" for eg in examples for tag in aligned_tags(eg, "tag")}))
        for label in labels:
            self.add_label(label)
        if not self.labels:
            raise ConfigError(self.no_labels())
        n_labels, lengths = len(self.labels), {"suffix_length": self.cfg["suffix_length"], "rare": self.cfg["rare"]}
        counts = count_tags(self._number(examples), n_labels, **lengths)
        self.model.attrs["hmm"] = HiddenMarkovModel(counts, self.model.attrs["hmm"].settings)
        self.model.set_dim("nO", n_labels, force=True)

    def update(self, examples: Iterable[Example], *, losses: Optional[dict[str, float]] = None, **kwargs: Any) -> dict[str, float]:
        """Change nothing: the counts are taken once, in `initialize`. The loss is 0.0.

        RAISES: ValueError for a gold tag that is not among the labels.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, "HMMTagger.update")
        self._number(examples)
        return losses

    def _number(self, examples: Iterable[Example]) -> list[TaggedText]:
        index = {label: i for i, label in enumerate(self.labels)}
        try:
            return [_numbered(eg, index) for eg in examples]
        except KeyError as error:
            raise self.unknown_label(error.args[0]) from None

    def predict(self, docs: Iterable[Any]) -> Sequence[Any]:
        self._require_counts()
        return super().predict(docs)

    def transition_table(self) -> "DataFrame":
        """P(tag | tag before), a row for each tag before. Texts begin in the row <start>, and end in the column <end>.

        RAISES: ImportError without pandas.
        """
        start_first = np.roll(self._require_counts().transitions, 1, axis=0)
        return _frame(self.name, start_first, [START, *self.labels], [*self.labels, END])

    def emission_table(self, words: Iterable[str]) -> "DataFrame":
        """P(tag | word) whatever the words around it, a row for each of the words, known or not.

        RAISES: ImportError without pandas.
        """
        hmm, words = self._require_counts(), list(words)
        rows = [hmm.tag_probabilities(word, self.vocab[word].norm_) for word in words]
        return _frame(self.name, np.array(rows).reshape(-1, len(self.labels)), words, list(self.labels))

    def _require_counts(self) -> HiddenMarkovModel:
        if not self.model.has_dim("nO"):
            raise ValueError(f"{self.name}: nothing is counted yet. Call nlp.initialize() or load a trained pipeline first")
        return self.model.attrs["hmm"]


def _numbered(example: Example, index: dict[str, int]) -> TaggedText:
    """Each token with the number of its gold tag, None if that is missing or stands for several.

    RAISES: KeyError for an unknown tag.
    """
    tags = aligned_tags(example, "tag")
    found = [known_tags(tag or "", index.keys()) for tag in tags]
    numbers = [index[tags[0]] if len(tags) == 1 else None for tags in found]
    return [(token.text, token.norm_, number) for token, number in zip(example.predicted, numbers)]


def _frame(name: str, table: Floats, index: list[str], columns: list[str]) -> "DataFrame":
    try:
        import pandas as pd
    except ImportError:
        raise ImportError(f"{name}: tables need pandas. Install it with: pip install 'spacy-bilstm-tagger[report]'") from None
    return pd.DataFrame(table, index=index, columns=columns)
