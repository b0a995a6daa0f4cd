"""The built site in a browser, on a screen and on a phone. SPACY_BILSTM_TEST_SITE names its folder; without, it is skipped."""

import os
from pathlib import Path

import pytest

SITE = Path(os.environ.get("SPACY_BILSTM_TEST_SITE", "site that is not built"))
# The pages of modules are all of one kind.
PAGES = sorted(path.relative_to(SITE) for path in SITE.rglob("*.html") if "_modules" not in path.parts)
PAGES = [path for path in PAGES if not path.name.startswith("api-") or path.name == "api-crf.html"]
pytestmark = pytest.mark.skipif(not PAGES, reason="SPACY_BILSTM_TEST_SITE is not set")


@pytest.mark.parametrize("width", [390, 1400])
def test_pages_fit_the_screen_and_show_their_pictures(browser, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    # What is still being loaded when the next page opens is aborted.
    page.on("requestfailed", lambda r: r.failure == "net::ERR_ABORTED" or problems.append(r.url))
    for path in PAGES:
        page.goto((SITE.resolve() / path).as_uri())
        found = page.evaluate("document.documentElement.scrollWidth")
        if found > width:
            problems.append(f"{path}: {found} pixels wide, on a screen of {width}")
        broken = page.evaluate("[...document.images].filter(i => i.loading != 'lazy' && !i.naturalWidth).map(i => i.src)")
        problems += [f"{path}: {source}" for source in broken]
    assert not problems
