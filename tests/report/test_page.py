"""The page: whole, self-contained, saying what the runs say, and readable on narrow and wide screens."""

import html.parser
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from regact.errors import DataError, RunError
from regact.evaluation import evaluate
from regact.report import write_report


@pytest.fixture(scope="module")
def page(trained_runs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "report.html"
    return write_report([trained_runs.basenji, trained_runs.two_sided], out, split="test", device="cpu")


class Reader(html.parser.HTMLParser):
    """Collects addresses, the text of table rows, and tags that were not closed."""

    VOID = frozenset({"meta", "img", "br", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "srcset")]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def read(page: Path) -> Reader:
    reader = Reader()
    reader.feed(page.read_text())
    return reader


def test_page_is_well_formed_and_needs_no_other_file(page: Path):
    reader = read(page)
    assert reader.open == []
    assert reader.addresses
    assert all(address.startswith("data:image/svg+xml;base64,") for address in reader.addresses)
    assert not re.search(r"url\(|@import|<script", page.read_text())


def test_summary_holds_the_evaluated_numbers(page: Path, trained_runs):
    rows = {row[0]: row for row in reversed(read(page).rows) if row}
    for name, run in (("basenji", trained_runs.basenji), ("attention_two_sided", trained_runs.two_sided)):
        means = evaluate(run, split="test", device="cpu").means
        assert rows[name][1:4] == [f"{means[measure]:.3f}" for measure in ("pearson", "pearson_log1p", "r2")]


def test_assays_have_a_row_for_each_model(page: Path):
    rows = [row[:3] for row in read(page).rows if row and row[0] in ("CAGE", "DNASE")]
    assert rows == [
        ["CAGE", "basenji", "2"],
        ["CAGE", "attention_two_sided", "2"],
        ["CAGE", "4-mer ridge", "2"],
        ["DNASE", "basenji", "1"],  # the flat track cannot be judged
        ["DNASE", "attention_two_sided", "1"],
        ["DNASE", "4-mer ridge", "1"],
    ]
    assert "one value: track3" in page.read_text()


def test_names_split_dataset_and_versions(page: Path, trained_runs):
    text = page.read_text()
    card = json.loads((trained_runs.basenji / "card.json").read_text())
    for part in (
        "<b>test</b> split: 8 windows",
        card["store"]["fingerprint"][:16],
        "8 train, 8 valid, 8 test",
        "torch 2",
    ):
        assert part in text
    assert "distance functions of attention_two_sided".capitalize() in text
    assert "Distance functions of basenji" not in text


def test_text_of_users_is_escaped(page: Path):
    assert "<5'" not in page.read_text()


def test_page_of_one_run_marks_nothing_as_best(trained_runs, tmp_path: Path):
    text = write_report([trained_runs.basenji], tmp_path / "one.html", split="valid", device="cpu").read_text()
    assert 'class="number best"' not in text
    assert "<b>valid</b> split" in text


def test_runs_of_one_preset_go_by_their_folders(trained_runs, tmp_path: Path):
    copy = shutil.copytree(trained_runs.basenji, tmp_path / "copy")
    text = write_report([trained_runs.basenji, copy], tmp_path / "two.html", split="test", device="cpu").read_text()
    assert "<h1>basenji, copy</h1>" in text


def test_runs_of_different_datasets_are_refused(trained_runs, tmp_path: Path):
    other = shutil.copytree(trained_runs.basenji, tmp_path / "other")
    card = json.loads((other / "card.json").read_text())
    card["store"]["fingerprint"] = "0" * 64
    (other / "card.json").write_text(json.dumps(card))
    with pytest.raises(RunError, match="another dataset"):
        write_report([trained_runs.basenji, other], tmp_path / "report.html", device="cpu")
    assert not (tmp_path / "report.html").exists()


def test_run_without_an_epoch_is_refused(trained_runs, tmp_path: Path):
    unfinished = shutil.copytree(trained_runs.basenji, tmp_path / "unfinished")
    (unfinished / "log.csv").unlink()
    with pytest.raises(RunError, match="one finished epoch"):
        write_report([unfinished], tmp_path / "report.html", device="cpu")


def test_no_run_folder_is_one_error(tmp_path: Path):
    with pytest.raises(RunError, match=r"card\.json"):
        write_report([tmp_path], tmp_path / "report.html", device="cpu")


@pytest.mark.slow
@pytest.mark.parametrize("width_px", [400, 1400])
def test_page_fits_the_screen(page: Path, tmp_path: Path, width_px: int):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    # A frame of the wanted width, since headless windows have a least width; it reports through the wrapper's title.
    content = json.dumps(page.read_text()).replace("</", "<\\/")
    wrapper = tmp_path / "wrapper.html"
    wrapper.write_text(
        f"<body style='margin:0'><iframe style='border:0' width={width_px} height=900></iframe><script>"
        "const frame = document.querySelector('iframe');"
        "frame.onload = () => { const root = frame.contentDocument.documentElement;"
        "const broken = [...frame.contentDocument.images].filter(image => !image.naturalWidth).length;"
        "document.title = `${root.scrollWidth} ${root.clientWidth} ${broken}`; };"
        f"frame.srcdoc = {content};</script>"
    )
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--virtual-time-budget=5000",
    ]
    command = [chromium, *flags, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", wrapper.as_uri()]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    title = re.search(r"<title>(\d+) (\d+) (\d+)</title>", result.stdout)
    assert title is not None, result.stderr[-2000:]
    scroll_width, client_width, broken_images = map(int, title.groups())
    assert scroll_width <= client_width
    assert broken_images == 0


def test_a_split_without_windows_is_an_error(trained_runs, tmp_path: Path):
    with pytest.raises((DataError, ValueError), match="split"):
        write_report([trained_runs.basenji], tmp_path / "report.html", split="other", device="cpu")
