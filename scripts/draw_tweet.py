"""Tag a tweet and draw it with displaCy, the tags above the entities, on one self-contained HTML page.

A picture of it is docs/images/tagged-tweet.png, in README.
"""

import unicodedata
from pathlib import Path
from typing import Annotated

import spacy
import typer
from spacy import displacy
from spacy.tokens import Doc, Token

# Emoji fonts come after Arial, because they hold digits and # too, and before fonts that may hold emoji without colour.
FONT = "Arial, Helvetica, 'Liberation Sans', 'Apple Color Emoji', 'Segoe UI Emoji', 'Noto Color Emoji', sans-serif"
WORD_SIZE, TAG_SIZE = 22, 16
PAGE = """<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<title>displaCy</title>
<style>
body {{ width: 868px; margin: 0; padding: 16px; background: #ffffff; color: #000000; font: {word_size}px {font}; }}
.tags, .entities {{ text-wrap: balance; }}
.tags {{ margin: 0 -8px 12px; }}
.displacy-tag {{ font-size: {tag_size}px; font-weight: bold; fill: #3b5ba9; }}
.entity {{ white-space: nowrap; }}
</style>
</head>
<body>
<div class="tags">{tags}</div>
{entities}
</body>
</html>
"""


def main(
    pipeline: Annotated[str, typer.Argument(help="The pipeline's folder, or its name if it is installed.")],
    tweet: str,
    out: Annotated[Path, typer.Argument(metavar="OUT.html", help="The page to write.")],
) -> None:
    out.write_text(draw(spacy.load(pipeline)(tweet)), encoding="utf8")


def draw(doc: Doc) -> str:
    """The whole page, without links to other files."""
    tags = "".join(draw_tag(token) for token in doc if not token.is_space)
    # Without entities spaCy warns and draws the plain text.
    entities = displacy.render(doc, style="ent", jupyter=False)
    return PAGE.format(lang=doc.lang_, font=FONT, word_size=WORD_SIZE, tag_size=TAG_SIZE, tags=tags, entities=entities)


def draw_tag(token: Token) -> str:
    """One word and its tag.

    displaCy makes all words of a text as wide as the longest, here a URL. So each word is drawn as a text of its own.
    """
    width = max(text_width(token.text, WORD_SIZE), text_width(token.tag_, TAG_SIZE)) + 16
    text = {"words": [{"text": token.text, "tag": token.tag_}], "arcs": []}
    options = {"distance": width // 2, "offset_x": width // 2, "word_spacing": WORD_SIZE, "font": FONT}
    # Not minified, the word would have a space after it and stand to the left of its tag.
    return displacy.render(text, style="dep", manual=True, minify=True, jupyter=False, options=options)


def text_width(text: str, size: int) -> int:
    """The approximate width of a text in pixels. If it is a few pixels too small, nothing is cut off."""
    ems = 0.0
    for char in text:
        if unicodedata.east_asian_width(char) in "WF":
            ems += 1.3
        elif char.isupper() or char in "@mw%&":
            ems += 0.8
        elif char in "fijlrt.,:;!'|/()":
            ems += 0.35
        else:
            ems += 0.6
    return round(ems * size)


if __name__ == "__main__":
    typer.run(main)
