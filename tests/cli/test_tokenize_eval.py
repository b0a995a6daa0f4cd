import pytest

ROW = "{id}\t{word}\t_\tX\t_\t_\t_\t_\t_\t{misc}\n"


def conllu(text, *words):
    """words: gold tokens; those that end in + have no space after them."""
    rows = (
        ROW.format(id=i, word=word.rstrip("+"), misc="SpaceAfter=No" if word.endswith("+") else "_")
        for i, word in enumerate(words, 1)
    )
    return f"# text = {text}\n" + "".join(rows) + "\n"


TWEETS = conllu("i  dont like @mara's", "i", "do+", "nt", "like", "@mara+", "'s") + conllu("7pm :)", "7+", "pm", ":)")


def test_scores_and_disagreements(spacy_bilstm, write):
    code, out, _ = spacy_bilstm("tokenize-eval", write("a.conllu", TWEETS))
    assert code == 0
    assert "Tokenizer: ud\n2 texts; tokens: 9 gold, 9 found\nPrecision 100.00, recall 100.00, F1 100.00\n" in out
    code, out, _ = spacy_bilstm("tokenize-eval", write("a.conllu", TWEETS), "--tokenizer", "ptb")
    assert "tokens: 9 gold, 7 found\nPrecision 71.43, recall 55.56, F1 62.50\n" in out
    assert '     1  do nt  <>  dont    in "i  dont like @mara\'s"\n' in out
    assert "     1  7 pm  <>  7pm    in '7pm :)'\n" in out


def test_only_the_most_frequent(spacy_bilstm, write):
    path = write("a.conllu", TWEETS + conllu("we dont", "we", "do+", "nt"))
    _, out, _ = spacy_bilstm("tokenize-eval", path, "--tokenizer", "ptb", "--show", "1")
    assert "     2  do nt  <>  dont " in out
    assert "... and 1 other disagreements" in out
    _, out, _ = spacy_bilstm("tokenize-eval", path, "--tokenizer", "ptb", "--show", "0")
    assert "<>" not in out


OTHERS = {
    "language": ("en", "F1 100.00"),
    "name": ("spacy-bilstm-tagger.TweetTokenizer.v1", "F1 62.50"),
    "json": ('{"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1", "units": "split"}', "F1 82.35"),
}


@pytest.mark.parametrize(("tokenizer", "score"), OTHERS.values(), ids=OTHERS)
def test_other_tokenizers(spacy_bilstm, write, tokenizer, score):
    code, out, _ = spacy_bilstm("tokenize-eval", write("a.conllu", TWEETS), "--tokenizer", tokenizer)
    assert code == 0
    assert score in out


def test_a_saved_pipeline(spacy_bilstm, write, tweet_nlp, tmp_path):
    tweet_nlp.to_disk(tmp_path / "pipeline")
    path = write("a.conllu", TWEETS)
    _, out, _ = spacy_bilstm("tokenize-eval", path, "--tokenizer", tmp_path / "pipeline")
    assert "F1 62.50" in out


def test_tokens_without_raw_text_come_back_whole(spacy_bilstm, write):
    path = write("a.tsv", "don't\tX\nstop\tX\n!\tX\n\nI\tX\n'm\tX\n")
    code, out, _ = spacy_bilstm("tokenize-eval", path, "--tokenizer", "ptb")
    assert code == 0
    assert "2 texts without raw text, their tokens joined by spaces: 4 of 5 gold tokens come back whole (80.00%)" in out
    assert "     1  don't  <>  do n't    in \"don't stop !\"\n" in out


BAD = {
    "unknown": ("nonsense", "expected ptb, ud, the settings of a tokenizer as JSON"),
    "language": ("zzz", "--tokenizer zzz: cannot be made ("),
    "json": ('{"a', '--tokenizer {"a: not JSON'),
    "setting": (
        '{"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1", "scheme": "x"}',
        "tokenizer -> scheme: at root: 'x' is not typing.Literal['ptb', 'ud']",
    ),
}


@pytest.mark.parametrize(("tokenizer", "message"), BAD.values(), ids=BAD)
def test_bad_tokenizers(spacy_bilstm, write, tokenizer, message):
    code, _, err = spacy_bilstm("tokenize-eval", write("a.conllu", TWEETS), "--tokenizer", tokenizer)
    assert code == 1
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_gold_tokens_that_do_not_spell_the_text(spacy_bilstm, write):
    path = write("a.conllu", conllu("i like", "i", "love"))
    code, _, err = spacy_bilstm("tokenize-eval", path)
    assert code == 1
    assert "line 3: the token 'love' does not continue the text 'i like'" in err


def test_a_corpus_without_tokens(spacy_bilstm, write):
    code, _, err = spacy_bilstm("tokenize-eval", write("a.csv", 'spans,text\n"[0, 1]",so bad\n'))
    assert code == 1
    assert "has no gold tokens to compare with" in err
