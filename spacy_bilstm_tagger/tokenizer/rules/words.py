"""Abbreviations, contractions, elisions, and words with hyphens, slashes and apostrophes."""

from typing import Iterator

from ..characters import (
    APOSTROPHE,
    END,
    ESCAPED_APOSTROPHE,
    HYPHEN,
    LETTER,
    LINK,
    LOOSE_APOSTROPHE,
    NO_LINK,
    combining_marks,
    word_unit,
)
from ..options import TokenizerOptions
from .rule import Rule, sign_rule

# Abbreviations that keep their point; those of single letters (U.S.) have a rule of their own.
ABBREVIATIONS = (
    "mr|mrs|ms|dr|st|jr|sr|prof|rev|gov|gen|sen|rep|capt|sgt|lt|col|cpt|inc|ltd|co|corp|vs|etc|ave|blvd|dept|est|feat|ft"
    "|approx|rs|jan|feb|apr|aug|sept|oct|nov|dec|attn|ext|vols?|assn|bros|univ|maj|cpl|adm|lieut|brig|cmdr|supt|messrs"
    "|profs|drs|sens|govs|mt|ste|intl|nos|pts|tues?|thurs?"
)
# Without a capital these are words of their own (mon, wed, a sec).
CAPITAL_ABBREVIATIONS = "Mon|Wed|Fri|Sec|Pt|Pres|Reps"
# And these are, unless a number follows (no. 1).
NUMBERED = "no|pt|ep|eps|ch|p|pp|fig|art|sec"
# Words that begin with an apostrophe.
ELISIONS = "cause|cuz|coz|em|til|till|bout|round|tis|twas|n|nuff|kay|fraid|tude|sup|ello"
# Words that end in one, apart from those in -in'.
CUT_WORDS = "n|o|ol|lil|th|wit|fo|mo|po|jus|an"

# Written without apostrophe, before the clitic; not where the whole is a word of its own (well, hell, ill, id, were).
# its and ur are split too: in tweets they are mostly "it is" and "you are".
NO_APOSTROPHE = {
    "s": "it|that|what|there|here|where|who|how|he|she",
    "m": "i",
    "ve": "i|you|we|they",
    "re": "you|they",
    "ll": "you|they|it|that",
    "r": "u",
    "nt": "do|did|does|wo|is|was|are|were|have|has|had|could|would|should|must|need",
}
# Two words written as one.
MERGED = {"na": "gon|wan", "ta": "got", "me": "lem|gim", "not": "can"}

# Prefixes and suffixes that keep their hyphen.
PREFIXES = (
    "e|a|u|x|agro|ante|anti|arch|be|bi|bio|co|counter|cross|cyber|de|eco|ex|extra|inter|intra|macro|mega|micro|mid|mini"
    "|multi|neo|non|over|pan|para|peri|post|pre|pro|pseudo|psycho|quasi|re|semi|sub|super|tri|ultra|un|uni|vice"
)
SUFFIXES = "esque|ette|fest|fold|gate|itis|less|most|rama|wise|ish"

_CLITIC = rf"(?:[{APOSTROPHE}]|{ESCAPED_APOSTROPHE})(?i:s|m+|re+|ve+|ll+|d){END}"


def plain_word_rule(options: TokenizerOptions) -> Rule:
    """Most tokens consist of letters. They are matched first, which is fast, except those that another rule may match."""
    others = ["RT", "MT"]
    if options.contractions == "split_all":
        others += [head + tail for parts in (NO_APOSTROPHE, MERGED) for tail in parts for head in parts[tail].split("|")]
    return Rule(
        "plain_word",
        rf"(?<![\w#＃])(?![xX][dDpP]|(?:{_trie([word.lower() for word in others])})(?!\w)){LETTER}+(?=[,!?]|\Z)",
        "The most frequent tokens, which are tried first for speed; the rule for words would match them too.",
        ("hello", "World", "naïve", "日本", "wow !"),
        ("RT", "xD", "a1"),
    )


def _trie(words: list[str]) -> str:
    """A pattern for these words in any case, one branch for each first letter, which `re` looks up by that letter."""
    branches: dict[str, list[str]] = {}
    for word in words:
        branches.setdefault(word[:1], []).append(word[1:])
    return "|".join(
        f"[{first}{first.upper()}](?:{_trie(rests)})" if first else "" for first, rests in sorted(branches.items(), reverse=True)
    )


def word_rules(options: TokenizerOptions) -> Iterator[Rule]:
    yield from _abbreviation_rules()
    if options.contractions != "whole":
        yield from _contraction_rules(options)
    yield from _elision_rules()
    if options.hyphens == "split":
        yield from _hyphen_rules()
    yield from _whole_word_rules(options)


def _abbreviation_rules() -> Iterator[Rule]:
    yield Rule(
        "letters",
        # U.S., a.m., R.I.P, A.M, S.O.S; I. at the end of a sentence is not, nor is u.
        rf"(?<![\w.])(?:(?:{LETTER}\.){{2,}}(?:{LETTER}(?!\w))?|{LETTER}\.{LETTER}(?![\w.])|(?<!°)[A-HJ-Z]\.(?![\w.]))",
        "Penn Treebank tokenization (Marcus et al. 1993): points inside abbreviations and after initials stay.",
        ("U.S.", "a.m.", "R.I.P", "A.M", "J."),
        ("end.", "I.", "a.bc"),
    )
    yield Rule(
        "degree",
        r"(?<!\w)(?:Ph\.D|Ed\.D|M\.Sc|B\.Sc|M\.Ed|B\.Ed|D\.Phil|M\.Phil|Ll\.B)(?!\w)\.?(?!\.)",
        "Penn Treebank tokenization: academic degrees with their points.",
        ("Ph.D.", "Ph.D", "M.Sc."),
        ("Ph", "Ph.Da"),
    )
    yield Rule(
        "abbreviation",
        rf"(?<![\w.])(?:(?:(?i:{ABBREVIATIONS})|{CAPITAL_ABBREVIATIONS})\.(?!\.){END}|(?i:{ABBREVIATIONS}|{NUMBERED})\.(?=\d))",
        "Penn Treebank tokenization: titles, months, days, companies and the like keep their point; more of them "
        "where a number follows.",
        ("Mr.", "St.", "vs.", "Prof.", "Thurs.", "Wed.", "No. 1", "vol. 2", "EP. 10", "etc. http://t.co/x"),
        ("end.", "Dr", "Dr...", "no.", "wed.", "ep."),
    )
    yield Rule(
        "ampersand",
        rf"(?<![\w&])(?:[A-Z]{{1,3}}&(?:amp;)?[A-Z]{{1,3}}|[a-z]&(?:amp;)?[a-z])"
        rf"(?!&(?!(?:amp;)?(?:quot|apos|lt|gt|#3[49]|#x2[27]);)){END}",
        "Penn Treebank tokenization: AT&T and R&B are one word; also with & as Twitter's API writes it, and before a quote that "
        "is written so.",
        ("AT&T", "R&B", "Q&amp;A", "r&b", "R&B &quot;", "Q&amp;A &quot;"),
        ("you&me", "&", "AT&t", "A&B&C"),
    )
    yield Rule(
        "with",
        r"(?<!\w)(?i:w/o(?!\w)|w/(?!\w)|w/(?=[a-z]{3}))",
        "Twokenize: w/ and w/o for with and without, also before a word.",
        ("w/", "w/o", "w/ friends"),
        ("w", "and/or"),
    )
    yield Rule(
        "programming",
        rf"(?<!\w)(?:[cC]\+\+|[CF]#)(?![+#]){END}",
        "Names of programming languages that end in signs, as in spaCy's exceptions and Stanford's tokenizer.",
        ("C++", "C#"),
        ("C", "1++"),
    )


def _contraction_rules(options: TokenizerOptions) -> Iterator[Rule]:
    between_letters = rf"(?:[{LOOSE_APOSTROPHE}]|{ESCAPED_APOSTROPHE})"
    yield Rule(
        "negated",
        rf"{LETTER}+(?=(?i:n{between_letters}t){END})",
        "Penn Treebank tokenization (Marcus et al. 1993): the verb before n't.",
        ("do n't", "ca n’t", "ai N'T", "ca n't http://t.co/x", "do n&#39;t"),
        ("not", "don't"),
    )
    yield Rule(
        "negation",
        rf"(?<={LETTER})(?i:n{between_letters}t){END}|(?<!\S)(?i:n[{APOSTROPHE}]t)(?!\S)",
        "Penn Treebank tokenization: n't is a token.",
        ("do n't", "N't"),
        ("nt", "don't"),
    )
    yield sign_rule(
        "clitic",
        rf"(?<=[\w?!)\]”\"])(?<!\"[\"'’]){_CLITIC}|(?<=\w){between_letters}(?i:s|m|re|ve|ll|d){END}"
        rf"|(?<!\S)[{APOSTROPHE}](?i:s|m|re|ve|ll|d)(?!\S)",
        "Penn Treebank tokenization: 's 'm 're 've 'll 'd. Also where it stands alone, as in texts that are "
        "tokenized already, with the signs that keyboards give for an apostrophe, and with the HTML entities of one.",
        ("it 's", "they ’re", "I 'd 've", "'s", "How `s", "I 'mmm", "it 's http://t.co/x", "it &#39;s"),
        ("it's", "'s-x", "s", "'tree"),
    )
    if options.contractions == "split_all":
        joined = "|".join(rf"(?:{heads})(?={tail}(?![\w{APOSTROPHE}]))" for tail, heads in NO_APOSTROPHE.items())
        merged = "|".join(rf"(?:{heads})(?={tail}(?![\w{APOSTROPHE}]))" for tail, heads in MERGED.items())
        yield Rule(
            "contracted",
            rf"(?<!\w)(?i:{joined})",
            "UD English EWT and Tweebank v2: contractions are split where the apostrophe is left out, too.",
            ("do nt", "i m", "that s", "it s", "u r"),
            ("were", "well", "id", "bits", "cant", "lets"),
        )
        yield Rule(
            "merged",
            rf"(?<!\w)(?i:{merged})|(?<!\w)[yY](?=[{APOSTROPHE}](?i:all)(?!\w))",
            "Penn Treebank tokenization, which UD follows: gon|na, wan|na, got|ta, lem|me, gim|me, can|not.",
            ("gon na", "wan na", "got ta", "lem me", "can not", "y 'all"),
            ("gonna", "kinda", "imma", "yall"),
        )
        yield sign_rule(
            "all",
            rf"(?<=[yY])[{APOSTROPHE}](?i:all)(?!\w)",
            "Tweebank v2: y'all is two words.",
            ("y 'all",),
            ("'all", "y'all"),
        )


def _elision_rules() -> Iterator[Rule]:
    yield sign_rule(
        "elision",
        rf"(?<!\w)[{APOSTROPHE}](?:(?i:{ELISIONS})|\d\ds?){END}(?:(?<=[nN])[{APOSTROPHE}]{END})?",
        "Twokenize: words that have lost their beginning; years and decades without their century.",
        ("'em", "'til", "’cause", "'90s", "'68", "'n'", "'em http://t.co/x"),
        ("'tree", "'", "'emu"),
    )
    yield Rule(
        "cut_word",
        rf"(?<![\w\"'‘“*])(?:{LETTER}+(?i:in)|(?i:{CUT_WORDS}))[{APOSTROPHE}]{END}",
        "Twokenize and Tweebank v2: words that have lost their end, goin' above all.",
        ("goin'", "drinkin’", "n'", "ol'", "goin' http://t.co/x"),
        ("dogs'", "in'", "'begin'", "goin"),
    )
    yield Rule(
        "censored",
        rf"(?<!\w){LETTER}+(?:[*$]+{NO_LINK}{LETTER}+?){{1,9}}?(?={LINK})"
        rf"|(?<!\w){LETTER}+(?:\*+{LETTER}+){{1,40}}|(?<!\w){LETTER}+(?:\$+{LETTER}+){{1,40}}(?!\w)"
        rf"|(?<![\w.@]){LETTER}@{LETTER}{{1,2}}(?![\w.@])",
        "Ritter and Tweebank v2: * and $ between letters stand for letters, and @ between single ones.",
        ("f*ck", "sh**t", "Ke$ha", "A$AP", "b@d", "f*ck http://t.co/x"),
        ("*hugs*", "$AAPL", "a*"),
    )


def _hyphen_rules() -> Iterator[Rule]:
    unit, glued = word_unit(), rf"(?:{NO_LINK}\w)*"
    yield Rule(
        "affixed",
        rf"(?<![\w{HYPHEN}])(?i:(?:{PREFIXES})-{NO_LINK}{LETTER}{glued}|(?:mid|pre|post)-\d{glued})(?![{HYPHEN}]){END}"
        rf"|(?<![\w{HYPHEN}]){LETTER}+-(?i:{SUFFIXES})(?![{HYPHEN}]){END}",
        "English Web Treebank guidelines (Bies et al. 2012): affixes that are no words keep their hyphen; the "
        "list is that of Stanford's PTBTokenizer.",
        ("anti-abortion", "e-mail", "re-watching", "Pre-show", "clock-wise", "mid-80s", "anti-war http://t.co/x"),
        ("late-night", "self-made", "anti-", "e-5"),
    )
    yield Rule(
        "spelled",
        rf"(?<![\w{HYPHEN}])[A-Za-z](?:(?:-{NO_LINK}\w+?){{1,9}}?(?={LINK})|(?:-{unit}){{1,99}}(?![\w{HYPHEN}]|[:.,]\d))",
        "Tweebank v2: a hyphen after a single letter is inside a name or a word that is spelled out.",
        ("T-shirt", "K-pop", "O-M-G", "K-5", "T-shirt http://t.co/x"),
        ("late-night", "a-", "3-0", "Net-2"),
    )
    yield Rule(
        "short_pair",
        rf"(?<![\w/]){LETTER}{{1,2}}[/\\]{LETTER}{{1,2}}(?![\w/])",
        "Tweebank v2: a slash between one or two letters is inside an abbreviation (AC/DC, s/o), between words it is a token.",
        ("AC/DC", "s/o", "b/c", "s\\o"),
        ("and/or", "his/her", "a/b/c"),
    )


def _whole_word_rules(options: TokenizerOptions) -> Iterator[Rule]:
    unit, glued = word_unit(), rf"[\w{combining_marks()}]+?"
    clitic = "(?!)" if options.contractions == "whole" else _CLITIC
    if options.hyphens == "split":
        inside = rf"(?!{clitic})(?:[{APOSTROPHE}]|{ESCAPED_APOSTROPHE})(?=\w){NO_LINK}"
    else:
        inside = rf"(?!{clitic})(?:[{HYPHEN}/{APOSTROPHE}]+|{ESCAPED_APOSTROPHE})(?=\w){NO_LINK}"
    yield Rule(
        "glued_word",
        rf"(?<!\w)(?=[\w{combining_marks()}{HYPHEN}/{APOSTROPHE}]{{1,200}}://){glued}(?:{inside}{glued}){{0,9}}?(?={LINK})",
        "Tweets: the word before a link that stands right after it.",
        ("lol http://t.co/x", "a1 https://t.co/x", "o'clock http://t.co/x", "नमस्ते http://t.co/x"),
        ("http://t.co/x", "lolhttp", "lol"),
    )
    if options.hyphens == "split":
        yield Rule(
            "word",
            rf"{unit}(?:{inside}{unit}){{0,99}}",
            "Unicode TR29: letters, digits and marks of any script, apostrophes inside; UD English: hyphens and "
            "slashes between words are tokens.",
            ("o'clock", "नमस्ते", "a1", "late - night", "and / or", "2nite", "hy\u00adphen"),
            ("late-night", "a.", "and/or"),
        )
        return
    yield Rule(
        "word",
        rf"{unit}(?:{inside}{unit}){{0,99}}",
        "Unicode TR29: letters, digits and marks of any script; Penn Treebank: hyphens, slashes and apostrophes "
        "inside a word belong to it.",
        ("late-night", "and/or", "o'clock", "y'all", "3-year-old", "नमस्ते", "a1"),
        ("a.", "a--", "(a)"),
    )
