"""What the hidden Markov model looks at in a word: spelling and NORM, and its class and ending if it is unknown."""

from ..tokenizer.glove_keys import glove_key


def word_contexts(text: str, norm: str) -> list[str]:
    """The word under its NORM and as it is spelled, from general to specific."""
    return [f"norm:{norm}", f"text:{text}"]


def ending_contexts(text: str, suffix_length: int) -> list[str]:
    """What is left to see of an unknown word, from general to specific: its class, then its last letters in that class.

    suffix_length (int): the longest ending, in characters.
    """
    kind = word_class(text)
    lower = text.lower()
    longest = min(suffix_length, len(lower))
    return [f"class:{kind}", *(f"ending:{kind}:{lower[-length:]}" for length in range(1, longest + 1))]


def word_class(text: str) -> str:
    """<user>, <hashtag>, <url>, <number>, <smile> and other GloVe keys of the kind; else digit, mark (no letters),
    upper (two capitals or more and nothing small), title, or lower."""
    key = glove_key(text)
    if key.startswith("<") and key.endswith(">"):
        return key
    if any(char.isdigit() for char in text):
        return "digit"
    letters = "".join(filter(str.isalpha, text))
    if not letters:
        return "mark"
    if len(letters) > 1 and letters.isupper():
        return "upper"
    return "title" if text[0].isupper() else "lower"
