"""What a rule of the tokenizer is."""

from dataclasses import dataclass

# In the order of their numbers; 0 is for what has no kind yet.
KINDS = (
    "word",
    "number",
    "punct",
    "symbol",
    "user",
    "hashtag",
    "cashtag",
    "url",
    "email",
    "emoji",
    "emoticon",
    "arrow",
    "retweet",
    "html",
    "pattern",
)


@dataclass(frozen=True)
class Rule:
    """name: what the token is, and the name of the regex group; kind: one of KINDS; pattern: for `re`; source: where
    the rule comes from; yes: chunks that are one token under this rule, or several with spaces between them, at least
    one of them under this rule; no: chunks that are not one token under this rule; start: what the first character is,
    "word" (a letter of any script, a digit or _), "sign" or "any"."""

    name: str
    kind: str
    pattern: str
    source: str
    yes: tuple[str, ...]
    no: tuple[str, ...]
    start: str = "word"
