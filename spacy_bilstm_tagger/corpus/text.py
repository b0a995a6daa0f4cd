"""What every format is read into."""

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ..errors import DataError


@dataclass
class AnnotatedText:
    """One tweet, post or sentence.

    words (list of str): gold tokens; none where `spans` is given: TweetTokenizer then makes the tokens.
    tags (list of str or None): a tag for each token, "" where it is missing; None where the format has none.
    ents (list of str or None): a BIO tag for each token, "-" where it is missing; None where the format has none.
    raw (str or None): the text the tokens were cut from, if known.
    lines (list of int): the line of each token in its file, for messages; of a text without tokens, its first line.
    spans (list of (int, int) or None): (start, end) ranges of the characters of `raw` that are inside spans, in order
        and apart; end is exclusive. None where the format has none.
    """

    words: list[str]
    tags: Optional[list[str]]
    ents: Optional[list[str]]
    raw: Optional[str]
    lines: list[int]
    spans: Optional[list[tuple[int, int]]] = None

    @property
    def letters(self) -> str:
        """What tells whether two texts are the same."""
        return letters("".join(self.words) if self.raw is None else self.raw)

    def spaces(self, path: Path) -> Optional[list[bool]]:
        """Whether white space follows each token in the raw text; None where there is no raw text.

        RAISES: DataError where the tokens do not spell the raw text.
        """
        if self.raw is None:
            return None
        spaces, position = [], 0
        for word, line in zip(self.words, self.lines):
            rest = self.raw[position:]
            if not rest.startswith(word):
                expected = repr(rest[: len(word)]) if rest else "the end of the text"
                message = (
                    f"{path}, line {line}: the token {word!r} does not continue the text {self.raw!r}; expected "
                    f"{expected}"
                )
                raise DataError(message)
            after = position + len(word)
            position = after + len(self.raw[after:]) - len(self.raw[after:].lstrip())
            spaces.append(position > after)
        if position < len(self.raw):
            message = (
                f"{path}, line {self.lines[-1]}: {self.words[-1]!r} is the last token of the text {self.raw!r}; "
                f"expected tokens for {self.raw[position:]!r} after it"
            )
            raise DataError(message)
        return spaces


def letters(text: str) -> str:
    """In lower case and without white space: alike in corpora that cut or write the same text differently."""
    return "".join(text.split()).lower()
