"""How many lemmas are right, letter case aside: of all words, and of those of open classes.

    python -m benchmarks.lemmas en_tweet_sm assets/ewt/dev.conllu assets/tweebank/en-ud-tweet-dev.conllu

Gold tokens; punctuation, symbols, X and Tweebank's placeholders (NUMBER, @USER, URL) do not count. Tweebank leaves closed-class
words and clitics as they are (me, n't, 's), where EWT has I, not and be.
"""

from pathlib import Path
from typing import Annotated

import spacy
import typer
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_bilstm_tagger.corpus import read_corpus, to_docbin

OPEN = {"NOUN", "PROPN", "VERB", "ADJ", "ADV", "NUM", "INTJ"}
LEFT_OUT = {"PUNCT", "SYM", "X", "SPACE", ""}
PLACEHOLDERS = {"NUMBER", "@USER", "URL", ""}


def main(pipeline: Annotated[str, typer.Argument()], treebanks: Annotated[list[Path], typer.Argument()]) -> None:
    nlp = spacy.load(pipeline)
    for path in treebanks:
        gold = list(to_docbin(path, read_corpus(path)[1]).get_docs(Vocab()))
        docs = [
            Doc(nlp.vocab, words=[token.text for token in doc], spaces=[bool(token.whitespace_) for token in doc])
            for doc in gold
        ]
        pairs = [
            (token.lemma_, found.lemma_, token.pos_)
            for doc, tagged in zip(gold, nlp.pipe(docs, batch_size=256))
            for token, found in zip(doc, tagged)
            if token.pos_ not in LEFT_OUT and token.lemma_ not in PLACEHOLDERS
        ]
        right = [gold.lower() == found.lower() for gold, found, _ in pairs]
        is_open = [right for right, (_, _, pos) in zip(right, pairs) if pos in OPEN]
        exact = sum(gold == found for gold, found, _ in pairs) / len(pairs)
        print(
            f"{path.name}: {len(pairs):,} words, right {sum(right) / len(right):.3f} (with letter case {exact:.3f}), "
            f"open classes {sum(is_open) / len(is_open):.3f}"
        )


if __name__ == "__main__":
    typer.run(main)
