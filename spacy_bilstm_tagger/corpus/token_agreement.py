"""Agreement of a tokenizer with gold tokens. Tokens are compared as ranges of characters of the text."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterable, Iterator

from spacy.scorer import PRFScore
from spacy.tokens import Doc

from .annotated_text import AnnotatedText

Offsets = list[tuple[int, int]]
Disagreement = tuple[tuple[str, ...], tuple[str, ...]]  # the gold and the predicted tokens of the same characters


@dataclass
class TokenAgreement:
    """Counts over all texts.

    score (PRFScore): precision, recall and F1 of the tokens; a token is right if its first and last characters are.
        Tokens of white space are left out.
    disagreements (Counter): how often these gold tokens were predicted as those tokens; the shortest ranges at whose
        ends both agree.
    contexts (dict): for each disagreement, the text around its first place.
    """

    n_texts: int = 0
    score: PRFScore = field(default_factory=PRFScore)
    disagreements: Counter[Disagreement] = field(default_factory=Counter)
    contexts: dict[Disagreement, str] = field(default_factory=dict)

    def add(self, text: str, gold: Offsets, predicted: Offsets) -> None:
        self.n_texts += 1
        self.score.score_set(set(predicted), set(gold))
        for ours, theirs in _differing(gold, predicted):
            key = tuple(text[start:end] for start, end in ours), tuple(text[start:end] for start, end in theirs)
            self.disagreements[key] += 1
            self.contexts.setdefault(key, text[max(0, ours[0][0] - 20) : ours[-1][1] + 20])

    def summary(self, *, raw: bool, show: int) -> list[str]:
        """The lines of a report; empty if there were no texts.

        raw (bool): whether the raw texts are known.
        show (int): how many of the most frequent disagreements to list.
        """
        if not self.n_texts:
            return []
        score, n_gold, n_predicted = self.score, self.score.tp + self.score.fn, self.score.tp + self.score.fp
        if raw:
            p, r, f = (100 * value for value in (score.precision, score.recall, score.fscore))
            lines = [f"{self.n_texts:,} texts; tokens: {n_gold:,} gold, {n_predicted:,} found"]
            lines.append(f"Precision {p:.2f}, recall {r:.2f}, F1 {f:.2f}")
        else:
            lines = [
                f"{self.n_texts:,} texts without raw text, their tokens joined by spaces: "
                f"{score.tp:,} of {n_gold:,} gold tokens come back whole ({100 * score.recall:.2f}%)"
            ]
        for (gold, predicted), count in self.disagreements.most_common(show):
            context = self.contexts[gold, predicted]
            lines.append(f"{count:6}  {' '.join(gold)}  <>  {' '.join(predicted)}    in {context!r}")
        rest = len(self.disagreements) - show
        if show and rest > 0:
            lines.append(f"        ... and {rest:,} other disagreements")
        return lines


def compare_tokens(tokenizer: Callable[[str], Doc], texts: Iterable[AnnotatedText], path: Path, *, raw: bool) -> TokenAgreement:
    """Tokenize each text that has gold tokens, and compare.

    path (Path): the file of the texts, for messages.
    raw (bool): take the texts whose raw text is known, or those whose is not. The latter are tokenized as their gold
        tokens with single spaces between them, so that only tokens that were split too much can be seen.
    RAISES: DataError if gold tokens do not spell their raw text.
    """
    agreement = TokenAgreement()
    for text in texts:
        if (text.raw is not None) is raw and text.words:
            gold = _gold_offsets(text, path)
            predicted = [(token.idx, token.idx + len(token)) for token in tokenizer(text.text) if not token.text.isspace()]
            agreement.add(text.text, gold, predicted)
    return agreement


def _gold_offsets(text: AnnotatedText, path: Path) -> Offsets:
    text.gaps(path)  # refuses tokens that do not spell the text
    offsets: Offsets = []
    end = 0
    for word in text.words:
        start = end if text.raw is None else text.raw.index(word, end)
        offsets.append((start, start + len(word)))
        end = start + len(word) + (text.raw is None)
    return offsets


def _differing(gold: Offsets, predicted: Offsets) -> Iterator[tuple[Offsets, Offsets]]:
    """The shortest ranges at whose ends both have a token's end, with different tokens inside."""
    ends = sorted({end for _, end in gold} & {end for _, end in predicted})
    by_range: list[tuple[Offsets, Offsets]] = [([], []) for _ in range(len(ends) + 1)]
    for side, tokens in enumerate((gold, predicted)):
        for token in tokens:
            by_range[bisect_left(ends, token[1])][side].append(token)
    return ((ours, theirs) for ours, theirs in by_range if ours != theirs)
