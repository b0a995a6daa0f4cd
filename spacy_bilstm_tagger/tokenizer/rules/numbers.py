"""Numbers, dates, times, scores, ranges, money, ordinals, units, phone numbers."""

from functools import partial
from typing import Iterator

from ..characters import CURRENCY, END, LINK, NO_LINK
from ..options import TokenizerOptions
from .rule import Rule, sign_rule

number_rule = partial(Rule, kind="number")

# Measures that are written behind a number without a space; those of one letter are told from words by the digits.
UNITS = (
    "[ap]m?|[ap]\\.m\\.?|h|hrs?|hours?|mins?|minutes?|secs?|days|wks?|weeks?|mos?|months?|yrs?|years?"
    "|[kcm]?m|km|mi|miles?|ft|yds?|[kmµ]?g|kgs?|lbs?|oz|[cm]?l|[kmgt]b|gigs?|[kmg]?hz|[km]?w|kwh|watts?|[km]?v|mah"
    "|[km]?ph|kmh|mph|bpm|rpm|fps|mp|px|k|mm?|bn|b|c|f|pp|pts?|pcs?|usd|eur|gbp|aud|cad|cents?|bucks|mil|million|billion"
)


def number_rules(options: TokenizerOptions) -> Iterator[Rule]:
    # The parts of a number are counted up to a bound: a rule that reads a long row of them and then fails would read it
    # again at its next part.
    yield number_rule(
        "date",
        r"(?<![\w$.])(?:\d{1,4}(?P<datesep>[/.-])\d{1,2}(?P=datesep)\d{1,4}"
        r"|(?i:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)-\d{1,2}-\d{2,4}|\d{1,2}-(?i:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)-\d{2,4})(?![\w/-])",
        "UD English EWT and Tweebank v2: a date in digits is one token.",
        ("10/27/2010", "31.05.2016", "2016-06-18", "Apr-6-2016"),
        ("10/27", "1.2", "a1/2/3"),
    )
    yield number_rule(
        "phone",
        r"(?<![\w$.-])(?:\d{1,3}[-.])?(?:\d{3}[-.]\d{3}|\d{3})[-.]\d{4}(?![\w-])",
        "UD English EWT: phone numbers are one token; the North American plan (NANP) groups 3, 3 and 4 digits.",
        ("713-853-3989", "345-9945", "1-800-555-0199"),
        ("713-853", "3-4", "2015-2016"),
    )
    yield sign_rule(
        "phone_abroad",
        r"(?<![\w+])\+\d{1,3}(?:[-.]\d{2,4}){2,5}(?![\w-])",
        "ITU-T E.123: a phone number with + and the code of its country is one token, as those without are.",
        ("+1-555-123-4567", "+44.20.7946.0958"),
        ("+1", "+1-555", "1+1-555-1234"),
        kind="number",
    )
    yield from _whole_numbers() if options.units == "whole" else _split_numbers()


def _whole_numbers() -> Iterator[Rule]:
    rest = (
        rf"(?:[.,:/-]\d+){{0,40}}(?:{NO_LINK}[a-zA-Z]{{1,4}}|[{CURRENCY}]|°[a-zA-Z]?)?(?:%|\+)?"
        rf"(?:/{NO_LINK}[a-zA-Z]+?(?:(?={LINK})|(?![a-zA-Z])))?{END}(?!-{NO_LINK}\w)"
    )
    source = "Ritter's corpus keeps signs and units with the number: 60%, 7pm, 10/4."
    yield Rule(
        "number",
        rf"(?<!\w)\d+{rest}",
        source,
        (
            "7",
            "1,000",
            "3.5",
            "10/4",
            "3-1",
            "7:30",
            "7pm",
            "2nd",
            "20k",
            "60%",
            "100+",
            "1 http://t.co/x",
            "7pm https://t.co/x",
        ),
        ("3-year-old", "a1", "1,"),
    )
    yield sign_rule(
        "signed_number",
        rf"(?<!\w)(?:[-+]?[{CURRENCY}]\d+|[-+]\d+|[-+]?[{CURRENCY}]?(?<![\w.])\.\d+){rest}",
        source,
        ("$20", "$4.5m", "-5", "$21/hour", "£100", ".5", "-$5"),
        ("5", "$", "-a1"),
        kind="number",
    )


def _split_numbers() -> Iterator[Rule]:
    # After a comma up to three digits: "Jan 16,2011" is two numbers.
    number, point = r"\d+(?:[.:]\d+|,\d{1,3}(?!\d)){0,40}", r"\.\d+"
    yield number_rule(
        "ordinal",
        rf"(?<!\w)\d+(?:[,.]\d+){{0,9}}(?i:st|nd|rd|th|s){END}",
        "UD English EWT: ordinals and decades are one token, whatever other letters do behind a number.",
        ("1st", "22ND", "1980s", "90s"),
        ("1", "1km", "a1st"),
    )
    yield number_rule(
        "fraction",
        r"(?<![\w/.$-])\d{1,3}/\d{1,4}(?![\w/])",
        "UD English EWT: 9/11 and 1/2 are one token.",
        ("9/11", "1/2", "8/12"),
        ("1/", "1/2/3", "12:30/1:30"),
    )
    yield number_rule(
        "score",
        rf"(?<![\w$.,:/-])(?:{_scores()})(?![\w.,:/-]*\w)",
        "Tweebank v2: the score of a game, which is written with the winner's first, is one token (3-0); a range, "
        "which ascends, is three (6 - 8).",
        ("3-0", "1-1", "21-14", "10-3"),
        ("6-8", "10-12", "3-0-1"),
    )
    yield number_rule(
        "series",
        r"(?<![\w$.,:/-])\d+(?P<seriessep>[-/])\d+(?:(?P=seriessep)\d+){1,40}(?![\w-])",
        "Tweebank v2: three and more numbers with hyphens or slashes are one token, neither a range nor a choice.",
        ("1-4-3-2", "10/30/10/5"),
        ("1-4", "1-4/3"),
    )
    yield number_rule(
        "quantity",
        rf"(?<![\w.])(?:{number})(?=(?i:{UNITS}){END})",
        "UD English guidelines, words: a unit of measure is a token of its own.",
        ("6 pm", "8 GB", "4.5 k", "400 g", "8:30 am"),
        ("2nite", "6", "1st"),
    )
    yield Rule(
        "unit",
        rf"(?<=\d){NO_LINK}(?i:{UNITS}){END}",
        "UD English guidelines, words: a unit of measure is a token of its own.",
        ("6 pm", "$ 20 k"),
        ("pm", "2day"),
    )
    yield sign_rule(
        "degrees",
        r"°[CFcf](?!\w)",
        "UD English guidelines, words: a unit of measure is a token of its own.",
        ("°C", "15.5 °C"),
        ("°", "°Ca"),
    )
    yield number_rule(
        "plain_number",
        rf"(?<![\w.])\d+[.:]\d+(?=[a-zA-Z])|(?<![\w.]){number}{END}",
        "UD English guidelines: points, commas and colons inside a number; %, $ and hyphens stand apart.",
        ("7", "1,000", "3.5", "7:30", "60 %", "$ 20", "6 - 8", "2015 - 2016", "7.03 xyz", "7 http://t.co/x"),
        ("1,", "a1", "2nite"),
    )
    yield sign_rule(
        "signed_number",
        rf"(?<!\S)[-+]{number}{END}|(?<![\w.]){point}{END}",
        "Tweebank v2: a sign before a number that nothing stands before; a number that begins with its point.",
        ("-5", "+40", ".5", ".5 %"),
        ("5", "-a", "-"),
        kind="number",
    )


def _scores() -> str:
    """Two numbers of up to two digits, the first not below the second."""
    pairs = [rf"{a}-[0-{a}]" for a in range(10)]
    tens = [rf"{a}\d-(?:[0-{a - 1}]?\d)" if a > 1 else rf"{a}\d-\d" for a in range(1, 10)]
    same_tens = [rf"{a}{b}-{a}[0-{b}]" for a in range(1, 10) for b in range(10)]
    return "|".join(same_tens + tens + pairs)
