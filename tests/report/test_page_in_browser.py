"""Pages as a browser lays them out, on a phone, a wide screen and paper: nothing is fetched, nothing is cut off."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from regact.dataset import open_store
from regact.dataset.audit import audit_dataset
from regact.report import write_report
from regact.report.audit_page import write_audit_page

PHONE_PX, WIDE_PX = 400, 1600
PAPER_PX = round(184 * 96 / 25.4)  # A4 less the page's margins
PAPER_HEIGHT_PX = round(267 * 96 / 25.4)
# What a page looks like in a frame of a given width, since headless windows have a least width.
SCRIPT = """
const reports = [];
function report(name, content) {
  const root = content.documentElement;
  const figures = [...content.images].map(image => {
    const box = image.getBoundingClientRect(), around = image.parentElement;
    return {alt: image.alt, width: box.width, height: box.height, room: around.clientWidth, broken: !image.naturalWidth,
            natural: image.naturalWidth, scrolls: getComputedStyle(around).overflowX == "auto"};
  });
  const small = [...content.querySelectorAll("td, th, p, figcaption, dd, a, h1, h2, h3")]
    .filter(part => part.offsetWidth && parseFloat(getComputedStyle(part).fontSize) < 8);
  reports.push({name, width: root.clientWidth, scroll: root.scrollWidth, figures, small: small.length,
                fetched: content.defaultView.performance.getEntriesByType("resource").map(entry => entry.name)});
}
for (const [name, width, content] of PAGES) {
  const frame = document.createElement("iframe");
  frame.style = `border: 0; width: ${width}px; height: 900px`;
  frame.onload = () => {
    report(name, frame.contentDocument);
    if (reports.length == PAGES.length) document.body.textContent = JSON.stringify(reports);
  };
  frame.srcdoc = content;
  document.body.append(frame);
}
"""


def lay_out(pages: list[tuple[str, int, str]], folder: Path) -> dict[str, dict]:
    """What a browser makes of pages: (name, width in pixels, HTML) each."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed: no page can be laid out")
    wrapper = folder / "wrapper.html"
    data = json.dumps(pages).replace("</", "<\\/")
    wrapper.write_text(f"<!doctype html><meta charset='utf-8'><body><script>const PAGES = {data};{SCRIPT}</script>")
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
    ]
    flags += [
        "--virtual-time-budget=20000",
        f"--user-data-dir={folder / 'profile'}",
        "--host-resolver-rules=MAP * ~NOTFOUND",
    ]
    command = [chromium, *flags, "--dump-dom", wrapper.as_uri()]
    result = subprocess.run(command, capture_output=True, text=True, timeout=180)
    found = re.search(r"<body[^>]*>(\[.*\])</body>", result.stdout, flags=re.DOTALL)
    assert found is not None, result.stderr[-2000:]
    return {
        each["name"]: each
        for each in json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    }


def on_paper(page: str) -> str:
    """The page with its rules for print in force."""
    assert page.count("@media print") == 1
    return page.replace("@media print", "@media all")


@pytest.fixture(scope="module")
def laid_out(trained_runs, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    folder = tmp_path_factory.mktemp("browser")
    runs = [trained_runs.basenji, trained_runs.two_sided]
    store = open_store(trained_runs.store)
    report = write_report(runs, folder / "report.html", split="test", device="cpu").read_text()
    audit = write_audit_page(audit_dataset(store, store.open_genome()), folder / "audit.html").read_text()
    pages = [
        (f"{name} {medium}", width, text)
        for name, page in (("report", report), ("audit", audit))
        for medium, width, text in (
            ("phone", PHONE_PX, page),
            ("wide", WIDE_PX, page),
            ("paper", PAPER_PX, on_paper(page)),
        )
    ]
    return lay_out(pages, folder)


PAGES = [f"{page} {medium}" for page in ("report", "audit") for medium in ("phone", "wide", "paper")]
slow = pytest.mark.slow


@slow
@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_wider_than_its_screen(laid_out, name: str):
    assert laid_out[name]["scroll"] <= laid_out[name]["width"]


@slow
@pytest.mark.parametrize("name", PAGES)
def test_every_figure_is_there_and_nothing_was_fetched(laid_out, name: str):
    page = laid_out[name]
    assert len(page["figures"]) >= 4
    assert not [figure["alt"] for figure in page["figures"] if figure["broken"]]
    assert page["fetched"] == []


@slow
@pytest.mark.parametrize("name", PAGES)
def test_no_figure_is_cut_off_or_too_small_to_read(laid_out, name: str):
    for figure in laid_out[name]["figures"]:
        assert figure["scrolls"] or figure["width"] <= figure["room"] + 1, figure["alt"]
        assert figure["width"] >= 0.6 * figure["natural"], figure["alt"]
        if name.endswith("paper"):
            assert figure["height"] <= PAPER_HEIGHT_PX, figure["alt"]
    assert laid_out[name]["small"] == 0


@slow
def test_a_page_that_is_too_wide_or_fetches_is_found(laid_out, tmp_path: Path):
    bad = "<p style='width: 900px'>wide</p><img src='http://regact.invalid/x.png' alt='x'>"
    page = lay_out([("bad", PHONE_PX, bad)], tmp_path)["bad"]
    assert page["scroll"] > page["width"]
    assert page["figures"][0]["broken"]
    assert page["fetched"] == ["http://regact.invalid/x.png"]
