"""Emoticons, hearts, arrows and emoji."""

from functools import partial
from typing import Iterator

from ..characters import EMOJI, EMOJI_STYLE, END, JOINER, KEYCAP, REGIONAL, SKIN_TONE, TAG_SPEC, TEXT_STYLE
from ..options import TokenizerOptions
from .rule import Rule, sign_rule

emoticon_rule = partial(sign_rule, kind="emoticon")

_NOSE = "[-‑~^o*]?"


def emoji_rules(options: TokenizerOptions) -> Iterator[Rule]:
    one = rf"[{EMOJI}][{SKIN_TONE}{EMOJI_STYLE}{TEXT_STYLE}]*"
    sequence = (
        rf"[#*]{EMOJI_STYLE}?{KEYCAP}|[{REGIONAL}]{{2}}|{one}[{TAG_SPEC}]*(?:{JOINER}{one}){{0,99}}"
        rf"|[\u00a9\u00ae\u2190-\u21ff]{EMOJI_STYLE}"
    )
    yield Rule("keycap", rf"[0-9]{EMOJI_STYLE}?{KEYCAP}", "Unicode TR51: a digit on a key.", ("1️⃣",), ("1", "😂"), kind="emoji")
    if options.emoji_runs == "whole":
        yield sign_rule(
            "emoji_run",
            rf"(?:{sequence}){{1,999}}",
            "Tweebank v2: emoji without space between them are one token. Each is a sequence of Unicode TR51.",
            ("😂", "😂😂😂", "🔥💯✊🏾", "🇧🇷🇧🇷", "👩‍👩‍👧❤️", "♥"),
            ("1", "→", "lol😂"),
            kind="emoji",
        )
        return
    yield sign_rule(
        "emoji",
        sequence,
        "Unicode TR51: keycap, flag, or pictograph with style, skin tone, tags and joined pictographs.",
        ("😂", "👍🏽", "👩‍👩‍👧", "🇵🇹", "❤️", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "♥", "😂 😂"),
        ("😂😂", "1", "→"),
    )


def emoticon_rules(options: TokenizerOptions) -> Iterator[Rule]:
    yield sign_rule(
        "arrow",
        r"(?:<{1,9}(?:[-~]{1,40}|={1,40})|(?:&lt;){1,9}[-=~]{1,40})(?:>+|(?:&gt;)+)?"
        r"|(?:-{1,40}|={1,40}|~{1,40})(?:>+|(?:&gt;)+)|[←-⇿]+(?!️)",
        "Tweebank v2 and Ritter keep drawn arrows whole: -> --> <-- ==>.",
        ("->", "-->", "--->>", "<--", "==>", "=>", "→", "-&gt;", "<->"),
        ("-", "--", ">", "<", "<3", ">>"),
    )
    yield emoticon_rule(
        "heart",
        r"(?:<|&lt;)(?:[+/\\]?3+(?!\d))",
        "The most frequent emoticon of Twokenize that begins with <; &lt; is how Twitter's API writes that.",
        ("<3", "<33", "&lt;3", "</3"),
        ("<", "<30", "&lt;"),
    )
    yield emoticon_rule(
        "face",
        # Eyes, tear, nose, mouth. Letters are mouths only at the end of a word; right after a word, only brackets,
        # D and P are.
        rf"(?<![\w:;=])(?:>|&gt;)?[:;=]['’]?{_NOSE}(?:[)\](\[}}{{@|\\/*>3]+(?!\w)|[)\](\[]+|[dDpPoOsScCbBXxLI$]+{END})"
        rf"|(?<=[a-zA-Z])[:;=]['’]?-?(?:[)(\]]+|[DP]+{END})",
        "Twokenize (O'Connor et al. 2010, TweetMotif) and the list of Read (2005): eyes, nose and mouth.",
        (
            ":)",
            ":-D",
            ";)",
            ":'(",
            "=P",
            ":/",
            ">:(",
            "&gt;:(",
            ":DD",
            ":L",
            ";3",
            ":^)",
            ":]",
            "lol :)",
            "you :D",
            ":D https://t.co/x",
        ),
        ("10:30", "http://x.org", ":", "ok:D3x", "a:b", "a:pm"),
    )
    yield Rule(
        "letter_face",
        r"[xX8](?:-[)\](]|-?[dDpP]+(?!\w))|B-\)(?!\w)|D[-~^]?['’]?:(?!\w)",
        "Twokenize: x and 8 for eyes, B for eyes with glasses, D for a mouth on the left.",
        ("xD", "XP", "8-)", "8D", "B-)", "D:", "D':"),
        ("8)", "x)", "8/", "xDa", "B)", "b-)", "d:", "D;"),
        kind="emoticon",
    )
    yield emoticon_rule(
        "reversed_face",
        rf"(?<![\w)\]])[(\[]{{1,9}}{_NOSE}['’]?[:;=](?![\w)(])|(?<=[a-zA-Z])\({_NOSE}[:;=](?![\w)(])"
        rf"|(?<![\w)])[)\]]{{1,9}}{_NOSE}['’]?[:;=](?![\w)(])|(?<![\w(])\([xX](?!\w)(?!\))",
        "Twokenize: the mouth on the left.",
        ("(:", "(;", "[:", "too (:", "(x"),
        ("(a)", "a):b", "(x)"),
    )
    yield emoticon_rule(
        "upright_face",
        r"[\^>*][_.-]{1,9}[\^<*]|\^\^|(?<!\w)(?:-_{1,40}-|-\.-|;_{1,40};)(?!\w)"
        r"|(?<![\w.])\._{1,40}\.(?!\w)|(?<!\w)\\[oOmM0]/|¯\\_\(ツ\)_/¯|(?<!\w)<\('-'<\)"
        r"|(?<!\w)\((?:[\^>T;][_.-]{1,9}[\^<T;]|-_{1,9}-)[;'\"]?\)|&gt;[_.]{1,9}&lt;",
        "Japanese emoticons, which stand upright: two eyes around a mouth (Bedrick et al. 2012); arms \\o/ and ¯\\_(ツ)_/¯.",
        (
            *("^_^", "-_-", "-____-", "^.^", ">.<", "-.-", "._.", "^^", "\\o/", "\\m/", "¯\\_(ツ)_/¯"),
            *("(^_^;)", "(>_<)", "&gt;_&lt;"),
        ),
        ("-", "a-.-", "x._.x", "...", "(_)"),
    )
    yield Rule(
        "upright_letter_face",
        r"(?!0\.+0)(?:[oO0][_.]{1,9}[oO0]|[tTuU]_{1,9}[tTuU]|[xX]_{1,9}[xX]|[nN]_{1,9}[nN]|[vV]_{1,9}[vV]|[ಠಥ][_益﹏‿]{1,9}[ಠಥ])(?!\w)",
        "Japanese emoticons whose eyes are letters.",
        ("o_O", "O.o", "T_T", "x_x", "0_0", "ಠ_ಠ"),
        ("oo", "a_a", "o_Ok", "0.0"),
        kind="emoticon",
    )
    yield emoticon_rule(
        "kaomoji",
        # At least one sign beyond ASCII between round brackets, and no word: letters only from the list.
        r"[(（](?=[^\s\w()（）]{0,6}(?:[^\x00-\x7f\w]|[ಠಥづノ]))(?:[^\s\w()（）\"“”.,!?]|[ωДεσoOTuшツノಠಥ益ヮづ_]){2,9}[)）]"
        r"(?:[っノσづ╯][^\s\w]?(?:[┻┴][━─]?[┻┴])?)?",
        "Japanese emoticons in brackets, such as those listed by Bedrick et al. (2012).",
        ("(´・ω・`)", "(≧∇≦)", "(￣▽￣)", "(づ｡◕‿◕｡)づ", "(ಥ﹏ಥ)", "(╯°□°）╯︵┻━┻"),
        ("(a)", "()", "(…)", "(ok…)", "(ಠ)", "(東京)", "(ノート)"),
    )
