"""Punctuation and all other signs, so that every character is in a token."""

from typing import Iterator

from ..characters import EMOJI_STYLE, TEXT_STYLE, combining_marks, punctuation
from ..options import TokenizerOptions
from .rule import Rule, sign_rule


def mark_rules(options: TokenizerOptions) -> Iterator[Rule]:
    # Runs of one sign end at a thousand: `re` takes memory for every repetition of a back reference.
    tail = rf"[{combining_marks()}{EMOJI_STYLE}{TEXT_STYLE}]*"
    signs = rf"[^\w\s{punctuation()}]"
    space = sign_rule("space", r"\s+", "Python's white space, where spaCy passes it on.", (), (), kind="punct")
    if options.punct_runs == "single":
        yield sign_rule(
            "punct",
            rf"[{punctuation()}]{tail}",
            "Every sign of punctuation (Unicode's categories P) alone.",
            (".", "! !", ". . .", "("),
            ("!!", "a", "+"),
        )
        yield sign_rule("symbol", rf"{signs}{tail}", "Any other sign alone.", ("+", "= =", "$"), ("++", "."))
        yield space
        return
    yield sign_rule(
        "exclamation",
        r"!+\.{2,}|[!?！？]+" if options.scheme == "ud" else r"[.…]*[!?！？][!?！？.…]*",
        "Twokenize: runs of ! and ?. Points among them belong to the run in Ritter (27 of 33 such runs) and, "
        "after !, in Tweebank v2.",
        ("!", "?!", "!!!!", "!!..") + (() if options.scheme == "ud" else ("..!", "?.")),
        ("!,", "..."),
        kind="punct",
    )
    yield sign_rule(
        "ellipsis",
        r"\.{2,}|…[.…]*",
        "Penn Treebank tokenization: an ellipsis is one token, however long; so is Twitter's mark of a cut tweet.",
        ("...", "..", "…", "…."),
        (".", "..,"),
        kind="punct",
    )
    yield sign_rule(
        "punct",
        rf"(?P<samepunct>[{punctuation()}])(?P=samepunct){{0,999}}{tail}",
        "Twokenize: any other punctuation (Unicode's categories P), a run of the same sign, with its combining marks.",
        (".", "---", "***", "(", "“", "((", "//"),
        ("().", "a", "+"),
    )
    yield sign_rule(
        "symbol",
        rf"(?P<samesymbol>{signs})(?P=samesymbol){{0,999}}{tail}",
        "Any other sign, a run of the same one: nothing is ever lost.",
        ("+", "===", "$$", "´", "\u200d"),
        ("+=", "."),
    )
    yield space
