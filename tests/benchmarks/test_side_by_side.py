from benchmarks.side_by_side import main


def test_the_page_shows_what_en_tweet_sm_finds(project, en_tweet_sm, capsys):
    main(project / "assets" / "sample" / "ten.txt", ["en_tweet_sm"])
    found = capsys.readouterr().out.splitlines()[2:]
    shown = (project / "docs" / "side-by-side.md").read_text(encoding="utf8").splitlines()
    assert [line for line in shown if line.startswith("| en_tweet_sm |")] == found
    assert len(found) == 10
