"""Is a file a list of names, one a line, or in another format that would be read as names without complaint?"""

import json
from typing import Optional

_COMMENTS = ("# ", "// ", "<!--")


def other_format(text: str) -> Optional[tuple[int, str]]:
    """The line where it shows, and what the file seems to be; None for a list of names.

    Names may hold commas, brackets and signs. So only this is taken for something else: JSON and XML as a whole, tables
    whose number of columns is the same in all lines, without a blank after the separator, and a comment at the head.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not lines:
        return None
    number, first = lines[0]
    if first.startswith(_COMMENTS):
        return number, "a comment"
    if first[0] in "{[" and (_is_json(text) or all(_is_json(line) for _, line in lines)):
        return number, "JSON"
    if first.startswith("<") and lines[-1][1].endswith(">") and "</" in lines[-1][1]:
        return number, "XML"
    for separator in ",;|":
        counts = {line.count(separator) for _, line in lines}
        if len(lines) > 1 and len(counts) == 1 and counts != {0} and f"{separator} " not in text:
            return number, f"columns separated by {separator!r}"
    return None


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), (dict, list))
    except ValueError:
        return False
