"""Labels with probabilities, in the place of gold ones: what teachers, or several people, say of a text.

They lie in `Doc.user_data`, which a DocBin keeps with store_user_data=True. Only expected counts are kept: how probable each
label is at each token, and how often each follows each other. A network learns from these as from the distribution itself
(see `crf.loss.cross_entropy`), and the counts of several teachers are averaged.
"""

from dataclasses import dataclass
from typing import Callable, Iterator, Optional, Sequence

import numpy as np
import torch
from spacy.tokens import Doc

from ..crf.inference import ChainScores
from ..crf.loss import Counts, expected_counts
from ..types import Floats
from .gold import alternatives, is_missing, known_tags

KEY = "soft_labels"  # in Doc.user_data
_LEAST = 0.002  # probability at the most probable token, below which a label is left out


@dataclass(frozen=True)
class SoftLabels:
    """A distribution over the label sequences of one text, by its expected counts.

    labels (list of str): the labels. "a|b" is one of several, "-" or "" any.
    rows (array): (tokens, labels), the probability of each label at each token.
    pairs (array): (labels, labels), how often each label is expected to follow each other.
    """

    labels: list[str]
    rows: Floats
    pairs: Floats

    @property
    def confidence(self) -> float:
        """The mean over the tokens of the probability of the most probable label."""
        return float(self.rows.max(axis=1).mean()) if self.rows.size else 1.0

    def rename(self, new_label: Callable[[str], str]) -> "SoftLabels":
        """The same by other labels. The probabilities of labels with one new name are added up."""
        names = [new_label(label) for label in self.labels]
        return self._on(list(dict.fromkeys(names)), names)

    def _on(self, labels: list[str], names: list[str]) -> "SoftLabels":
        """names: the new name of each label."""
        at = np.array([labels.index(name) for name in names])
        into = (at[:, None] == np.arange(len(labels))).astype("float32")
        return SoftLabels(labels, self.rows @ into, into.T @ self.pairs @ into)


def mean_soft_labels(several: Sequence[SoftLabels]) -> SoftLabels:
    """The mean of several distributions over the same text."""
    labels = list(dict.fromkeys(label for soft in several for label in soft.labels))
    alike = [soft._on(labels, soft.labels) for soft in several]
    rows = np.mean([soft.rows for soft in alike], axis=0)
    return SoftLabels(labels, rows, np.mean([soft.pairs for soft in alike], axis=0))


def soft_labels_of(scores: ChainScores, labels: Sequence[str]) -> list[SoftLabels]:
    """The soft labels of each text. labels (sequence of str): the names of the outputs."""
    rows, pairs = (part.float().cpu().numpy() for part in expected_counts(scores))
    ends = np.cumsum(np.asarray(scores.lengths, dtype=np.int64))
    return [SoftLabels(list(labels), part, pair) for part, pair in zip(np.split(rows, ends[:-1]), pairs)]


def set_soft_labels(doc: Doc, key: str, soft: SoftLabels, *, is_exclusive: bool = True) -> None:
    """Keep them with a doc, for components that learn from this key. Labels that are improbable throughout are left out.

    is_exclusive (bool): whether a token has one of the labels, so that their probabilities add up to 1.
    """
    rows, pairs, labels = soft.rows, soft.pairs, soft.labels
    if is_exclusive and len(rows):
        kept = np.flatnonzero(rows.max(axis=0) >= _LEAST)
        labels, rows, pairs = [labels[i] for i in kept], rows[:, kept], pairs[np.ix_(kept, kept)]
        rows = rows / rows.sum(axis=1, keepdims=True)
        pairs = pairs * (len(rows) - 1) / max(pairs.sum(), 1e-9)
    found = {"labels": list(labels), "rows": rows.astype("float16"), "pairs": pairs.astype("float16")}
    doc.user_data.setdefault(KEY, {})[key] = found


def get_soft_labels(doc: Doc, key: str) -> Optional[SoftLabels]:
    """What was kept under this key, or None."""
    found = doc.user_data.get(KEY, {}).get(key)
    if found is None:
        return None
    return SoftLabels(list(found["labels"]), found["rows"].astype("float32"), found["pairs"].astype("float32"))


def confidence(doc: Doc) -> float:
    """The lowest confidence of all soft labels of a doc; 1 without any."""
    kept = (get_soft_labels(doc, key) for key in doc.user_data.get(KEY, {}))
    return min((soft.confidence for soft in kept if soft is not None), default=1.0)


def soft_names(doc: Doc, key: str) -> Iterator[str]:
    """The labels that are kept under this key, with the parts of "a|b" in its place."""
    soft = get_soft_labels(doc, key)
    for label in soft.labels if soft else ():
        if not is_missing(label):
            yield from alternatives(label)


def join_chains(chains: Sequence[Sequence[SoftLabels]]) -> list[SoftLabels]:
    """The soft labels of each text from those of independent chains, each with labels of its own."""
    if len(chains) == 1:
        return list(chains[0])
    joined = []
    for parts in zip(*chains):
        labels = [label for soft in parts for label in soft.labels]
        pairs = np.zeros((len(labels), len(labels)), dtype="float32")
        at = 0
        for soft in parts:
            here = slice(at, at + len(soft.labels))
            pairs[here, here] = soft.pairs
            at = here.stop
        joined.append(SoftLabels(labels, np.concatenate([soft.rows for soft in parts], axis=1), pairs))
    return joined


def combine(several: Sequence[SoftLabels], output_names: Sequence[str]) -> tuple[Counts, Optional[torch.Tensor]]:
    """The counts of a batch, (tokens, outputs), and None; or, if a label stands for several outputs, the counts by label and
    the outputs of each, (labels, outputs) bool.

    RAISES: KeyError for a label that is none of the outputs, nor made of them.
    """
    index = {name: i for i, name in enumerate(output_names)}
    labels = list(dict.fromkeys(label for soft in several for label in soft.labels))
    alike = [soft._on(labels, soft.labels) for soft in several]
    rows = torch.from_numpy(np.concatenate([soft.rows for soft in alike]))
    pairs = torch.from_numpy(np.sum([soft.pairs for soft in alike], axis=0))
    sets = torch.zeros((len(labels), len(index)), dtype=torch.bool)
    for i, label in enumerate(labels):
        names = known_tags(label, index.keys())
        sets[i, [index[name] for name in names] or slice(None)] = True
    if not bool((sets.sum(dim=1) == 1).all()):
        return Counts(rows, pairs), sets
    into = sets.float()
    return Counts(rows @ into, into.T @ pairs @ into), None
