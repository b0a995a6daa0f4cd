"""The page in a browser: nothing is loaded, nothing fails, and what is clicked shows."""

import pytest
import spacy

from spacy_bilstm_tagger.report.page import render_page


@pytest.fixture(scope="module")
def files(golden, sample, toxic, report_of, tmp_path_factory):
    """Pages of tags and entities beside another pipeline, of spans, and of texts without gold."""
    folder = tmp_path_factory.mktemp("pages")
    other = spacy.load(golden)
    other.get_pipe("ner").threshold = 0.9
    nlp, path = toxic
    (folder / "raw.txt").write_text("so happy in Lisbon 😂\nKim is here\n", encoding="utf8")
    log = [{"step": step, "score": step / 50, "scores": {"tag_acc": 0.5, "ents_f": 0.1}} for step in (10, 20, 40)]
    reports = {
        "both": report_of(golden, sample, against=other),
        "spans": report_of(nlp, path),
        "raw": report_of(golden, folder / "raw.txt"),
    }
    reports["both"].numbers.update(learning_curve=log, against="another one")
    for name, report in reports.items():
        (folder / f"{name}.html").write_text(render_page(report), encoding="utf8")
    return folder


@pytest.fixture
def open_page(browser, files):
    pages = []

    def open_it(name, width=1400, **options):
        page = browser.new_page(viewport={"width": width, "height": 900}, **options)
        page.problems, page.requests = [], []
        page.on("console", lambda message: page.problems.append(message.text))
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto((files / f"{name}.html").as_uri())
        pages.append(page)
        return page

    yield open_it
    for page in pages:
        page.close()


def background(page) -> str:
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("name", ["both", "spans", "raw"])
def test_opens_without_an_error_and_loads_nothing(open_page, files, name, width):
    page = open_page(name, width)
    assert page.problems == []
    assert page.requests == [(files / f"{name}.html").as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".tweet").count() > 0


def test_a_click_on_a_confusion_shows_its_texts(open_page):
    page = open_page("both")
    section = page.locator('section[data-name="tagger"]')
    cell = section.locator(".confusion td:not(.right) button").first
    gold, found = cell.get_attribute("data-gold"), cell.get_attribute("data-found")
    cell.click()
    assert cell.get_attribute("aria-pressed") == "true"
    tweets = section.locator(".tweet")
    assert 1 <= tweets.count() <= int(cell.inner_text())
    for tweet in tweets.all():
        pairs = [token.locator("small").all_inner_texts() for token in tweet.locator(".wrong").all()]
        assert [gold, found] in [pair[:2] for pair in pairs]
    section.locator(".clear").click()
    assert cell.get_attribute("aria-pressed") == "false"
    assert section.locator(".tweet").count() > tweets.count() - 1


def test_filters(open_page):
    page = open_page("both")
    section = page.locator('section[data-name="ner"]')
    section.locator("[name=list]").select_option("all")
    section.locator("[name=gold]").select_option("person")
    texts = section.locator(".tweet").all()
    assert texts
    for text in texts:
        assert text.locator(".row").first.locator("mark", has_text="person").count()
    word = texts[0].locator("mark").first.inner_text().split()[0]
    section.locator("[name=search]").fill(word.upper())
    found = section.locator(".tweet").all_inner_texts()
    assert found
    assert all(word.lower() in text.lower() for text in found)
    assert section.locator(".count").inner_text().startswith(f"{len(found)} of ")
    section.locator("[name=search]").fill("nothing has this")
    assert section.locator(".tweet").count() == 0


def test_the_legend(open_page):
    assert "— stands for no label" in open_page("both").locator("section").first.inner_text()


def test_lists(open_page):
    page = open_page("both")
    section = page.locator('section[data-name="ner"]')
    for name in section.locator("[name=list] option").evaluate_all("all => all.map(one => one.value)"):
        section.locator("[name=list]").select_option(name)
        assert section.locator(".tweet").count() > 0, name
    section.locator("[name=list]").select_option("suspects")
    assert "P(gold label)" in section.locator(".tweet").first.inner_text()
    section.locator("[name=list]").select_option("better")
    assert section.locator(".tweet").first.locator(".row", has_text="other").count()


def test_more_texts_are_shown_when_asked(open_page):
    page = open_page("both")
    section = page.locator('section[data-name="tagger"]')
    section.locator("[name=list]").select_option("all")
    assert section.locator(".tweet").count() == 50
    section.locator(".more").click()
    assert section.locator(".tweet").count() > 50


def test_dark_and_light(open_page):
    page = open_page("both", color_scheme="light")
    light = background(page)
    page.locator("#theme").click()
    assert background(page) != light
    page.locator("body").press("d")
    assert background(page) == light
    assert background(open_page("both", color_scheme="dark")) != light


def test_keys(open_page):
    page = open_page("both")
    page.locator("body").press("j")
    first = page.locator(".tweet").first
    assert first.evaluate("one => one === document.activeElement")
    first.press("j")
    assert page.locator(".tweet").nth(1).evaluate("one => one === document.activeElement")
    page.locator(".tweet").nth(1).press("/")
    assert page.evaluate("document.activeElement.name") == "search"
    head = page.locator("table.sort thead th").nth(1)
    head.focus()
    head.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"


def test_tables_sort(open_page):
    page = open_page("both")
    table = page.locator("table.sort").first
    head = table.locator("thead th").nth(1)
    head.click()
    counts = [int(text.replace(",", "")) for text in table.locator("tbody td:nth-child(2)").all_inner_texts()]
    assert counts == sorted(counts, reverse=True)
    head.click()
    counts = [int(text.replace(",", "")) for text in table.locator("tbody td:nth-child(2)").all_inner_texts()]
    assert counts == sorted(counts)


def test_threshold_for_a_wanted_precision(open_page):
    page = open_page("both")
    box = page.locator(".wanted").first
    box.locator("input").fill("1")
    assert "threshold 0.01" in box.locator("output").inner_text()


def test_characters_beyond_the_first_plane(open_page):
    page = open_page("raw")
    assert "😂" in page.locator(".tweet .tokens span").all_inner_texts()[-1] or page.get_by_text("😂").count()


def test_prints_without_controls(open_page):
    page = open_page("both")
    page.emulate_media(media="print")
    assert not page.locator("#theme").is_visible()
    assert not page.locator(".controls").first.is_visible()
    assert page.locator(".tweet").first.is_visible()
