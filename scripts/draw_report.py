"""Take pictures of a report, as docs/reports.md shows it: pip install playwright, and Chromium (Debian: chromium).

spacy-bilstm report en_tweet_sm assets/wnut17/dev.conll -o report.html
python scripts/draw_report.py report.html docs/images
"""

import shutil
from pathlib import Path
from typing import Annotated

import typer
from playwright.sync_api import sync_playwright

SANDBOX = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def main(page: Path, folder: Path, chromium: Annotated[str, typer.Option(help="The browser.")] = "chromium") -> None:
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=shutil.which(chromium), args=SANDBOX)
        wide = browser.new_page(viewport={"width": 1200, "height": 1000})
        wide.goto(page.resolve().as_uri())
        wide.screenshot(path=folder / "report.png", clip={"x": 0, "y": 0, "width": 1200, "height": 760}, full_page=True)
        wide.locator("select[name=list]").first.select_option("suspects")
        explorer = wide.locator(".explorer").first.bounding_box()
        top = explorer["y"] if explorer else 0
        clip = {"x": 0, "y": top - 10, "width": 1200, "height": 620}
        wide.screenshot(path=folder / "report-texts.png", clip=clip, full_page=True)
        phone = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
        phone.goto(page.resolve().as_uri())
        phone.screenshot(path=folder / "report-phone.png")
        browser.close()


if __name__ == "__main__":
    typer.run(main)
