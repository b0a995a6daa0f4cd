"""How far a tokenizer agrees with gold tokens: tokens are stretches of characters of the text."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterable, Optional

from spacy.tokens import Doc

from .text import AnnotatedText

Offsets = list[tuple[int, int]]
Disagreement = tuple[tuple[str, ...], tuple[str, ...]]  # gold tokens, tokens found, of the same characters


@dataclass
class TokenAgreement:
    """Counts over all texts.

    n_gold, n_found, n_same (int): tokens; the same are those whose first and last characters agree. Tokens of white
        space are left out.
    disagreements (Counter): how often these gold tokens were found as those tokens; the shortest stretches at whose
        ends both agree.
    contexts (dict): for each disagreement, the text around its first place.
    """

    n_texts: int = 0
    n_gold: int = 0
    n_found: int = 0
    n_same: int = 0
    disagreements: Counter[Disagreement] = field(default_factory=Counter)
    contexts: dict[Disagreement, str] = field(default_factory=dict)

    @property
    def precision(self) -> float:
        return self.n_same / self.n_found if self.n_found else 0.0

    @property
    def recall(self) -> float:
        """Also the share of gold tokens that come back whole."""
        return self.n_same / self.n_gold if self.n_gold else 0.0

    @property
    def f1(self) -> float:
        total = self.n_gold + self.n_found
        return 2 * self.n_same / total if total else 0.0

    def add(self, text: str, gold: Offsets, found: Offsets) -> None:
        self.n_texts += 1
        self.n_gold += len(gold)
        self.n_found += len(found)
        self.n_same += len(set(gold) & set(found))
        for part, other in _differing(gold, found):
            key = _texts(text, part), _texts(text, other)
            self.disagreements[key] += 1
            self.contexts.setdefault(key, text[max(0, part[0][0] - 20) : part[-1][1] + 20])


def compare_tokens(
    tokenizer: Callable[[str], Doc], texts: Iterable[AnnotatedText], path: Path, *, raw: bool
) -> TokenAgreement:
    """Tokenize each text and compare.

    texts (iterable of AnnotatedText): those without raw text are taken as their gold tokens with single spaces between
        them; then only tokens that were split too much can be seen.
    raw (bool): take the texts whose raw form is known, or those whose is not.
    RAISES: DataError where gold tokens do not spell their raw text.
    """
    agreement = TokenAgreement()
    for annotated in texts:
        if (annotated.raw is not None) is raw and annotated.words:
            text = " ".join(annotated.words) if annotated.raw is None else annotated.raw
            gold = _gold_offsets(annotated, path)
            found = [(token.idx, token.idx + len(token)) for token in tokenizer(text) if not token.is_space]
            agreement.add(text, gold, found)
    return agreement


def _gold_offsets(annotated: AnnotatedText, path: Path) -> Offsets:
    annotated.spaces(path)  # refuses tokens that do not spell the text
    offsets: Offsets = []
    end = 0
    for word in annotated.words:
        start = end if annotated.raw is None else annotated.raw.index(word, end)
        offsets.append((start, start + len(word)))
        end = start + len(word) + (annotated.raw is None)
    return offsets


def _differing(gold: Offsets, found: Offsets) -> Iterable[tuple[Offsets, Offsets]]:
    """The shortest stretches of both that end together and are not the same."""
    i = j = 0
    while i < len(gold) and j < len(found):
        first_gold, first_found = i, j
        while gold[i][1] != found[j][1]:
            behind: Optional[bool] = gold[i][1] < found[j][1]
            if (i if behind else j) + 1 == len(gold if behind else found):
                break
            i, j = (i + 1, j) if behind else (i, j + 1)
        part, other = gold[first_gold : i + 1], found[first_found : j + 1]
        i, j = i + 1, j + 1
        if part != other:
            yield part, other


def _texts(text: str, offsets: Offsets) -> tuple[str, ...]:
    return tuple(text[start:end] for start, end in offsets)
