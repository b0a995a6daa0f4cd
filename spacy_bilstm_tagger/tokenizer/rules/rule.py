"""A rule of the tokenizer, and the kinds of tokens."""

from dataclasses import dataclass
from functools import partial

# Each kind is stored as its number, from 1; 0 is a word without a kind.
KINDS = (
    *("word", "number", "punct", "symbol", "user", "hashtag", "cashtag", "url", "email"),
    *("emoji", "emoticon", "arrow", "retweet", "html", "pattern"),
)


@dataclass(frozen=True)
class Rule:
    """The tokens of one rule.

    name (str): the name of the regex group.
    pattern (str): for `re`.
    source (str): the document or corpus that the rule follows.
    yes (tuple of str): chunks that are one token of this rule. With spaces: several tokens, at least one of this rule.
    no (tuple of str): chunks that are not one token of this rule.
    kind (str): one of KINDS. By default the name if it is among them, else "word".
    start (str): the first character: "word" (a letter of any script, a digit or _), "sign" or "any".
    """

    name: str
    pattern: str
    source: str
    yes: tuple[str, ...]
    no: tuple[str, ...]
    kind: str = ""
    start: str = "word"

    def __post_init__(self) -> None:
        if not self.kind:
            object.__setattr__(self, "kind", self.name if self.name in KINDS else "word")


sign_rule = partial(Rule, start="sign")
