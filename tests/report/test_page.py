"""The page: whole, self-contained, saying what the runs say."""

import base64
import html.parser
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from regact.errors import ConfigError, DataError, FormatError, RunError
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
    assert all(re.match(r"data:image/svg\+xml;base64,|#\w+$", address) for address in reader.addresses)
    assert not re.search(r"url\(|@import|<script", page.read_text())


def test_drawings_need_no_other_file_either(page: Path):
    drawings = [base64.b64decode(address.partition(",")[2]) for address in read(page).addresses if address[0] != "#"]
    assert len(drawings) > 8
    for drawing in drawings:
        assert len(drawing) < 150_000  # so that nine models stay within some megabytes
        links = re.findall(rb'href="([^"]*)"', drawing)
        assert all(link.startswith((b"#", b"data:image/png;base64,")) for link in links)
        # What is left of http names vocabularies; nothing is fetched from there.
        assert not re.search(rb"(?:src|url)\s*[=(]\s*[\"']?http", drawing)


def test_every_figure_says_what_it_shows(page: Path):
    text = page.read_text()
    assert text.count("<figcaption>") == text.count("<img ") == len(re.findall(r'<img [^>]*alt="[^"]{20,}"', text))


def test_sections_that_are_linked_are_there(page: Path):
    links = [address[1:] for address in read(page).addresses if address[0] == "#"]
    assert links
    assert all(f'id="{link}"' in page.read_text() for link in links)


def test_summary_is_the_paper_s_table_with_the_evaluated_numbers(page: Path, trained_runs):
    rows = {row[0]: row for row in reversed(read(page).rows) if row}
    context = {"basenji": ["7", "0", "0", "none"], "attention_two_sided": ["0", "1", "5", "two‑sided"]}
    for name, run in (("basenji", trained_runs.basenji), ("attention_two_sided", trained_runs.two_sided)):
        means = evaluate(run, split="test", device="cpu").means
        scores = [f"{means[measure]:.3f}".replace("-", "−") for measure in ("pearson", "r2", "pearson_log1p")]
        assert rows[name] == [name, *context[name], *scores]


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
        "by chromosomes: valid chr2, test chr3",
        "torch 2",
        "No intervals",
    ):
        assert part in text
    assert "Distance functions of the heads of attention_two_sided" in text
    assert "Distance functions of the heads of basenji" not in text


def test_the_region_asked_for_is_shown(trained_runs, tmp_path: Path):
    text = write_report(
        trained_runs.basenji,
        tmp_path / "one.html",
        region="chr1:4,000-5,000",
        tracks=["DNASE"],
        device="cpu",
        command="regact report --region 'chr1'",
    ).read_text()
    assert "chr1:4000-5000, as asked for, in windows of the train split." in text
    assert "DNASE in chr1:4000-5000" in text
    assert "CAGE in chr1" not in text
    assert "regact report --region &#39;chr1&#39;" in text


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"region": "chr9:1-1000"}, DataError, "chr1, chr2, chr3"),
        ({"region": "chr1:1,000"}, FormatError, "NAME:FIRST-LAST"),
        ({"tracks": ["liever"]}, ConfigError, "no track fits 'liever'"),
    ],
)
def test_what_cannot_be_shown_is_said_before_anything_is_judged(trained_runs, tmp_path: Path, asked, error, said):
    run = shutil.copytree(trained_runs.basenji, tmp_path / "run")
    for remembered in run.glob("judged_*"):
        remembered.unlink()
    with pytest.raises(error, match=said):
        write_report([run], tmp_path / "report.html", device="cpu", **asked)
    assert not list(run.glob("judged_*"))


def test_text_of_users_is_escaped(page: Path):
    assert "<5'" not in page.read_text()


def test_page_of_one_run_marks_nothing_as_best(trained_runs, tmp_path: Path):
    text = write_report([trained_runs.basenji], tmp_path / "one.html", split="valid", device="cpu").read_text()
    assert 'class="number best"' not in text
    assert "<b>valid</b> split" in text


def test_runs_of_one_preset_go_by_their_folders(trained_runs, tmp_path: Path):
    copy = shutil.copytree(trained_runs.basenji, tmp_path / "copy")
    card = json.loads((copy / "card.json").read_text())
    card["training"]["learning_rate"] = 0.5
    (copy / "card.json").write_text(json.dumps(card))
    text = write_report([trained_runs.basenji, copy], tmp_path / "two.html", split="test", device="cpu").read_text()
    assert "<h1>basenji, copy</h1>" in text


def test_seeds_of_one_model_are_one_entry(trained_runs, tmp_path: Path):
    copy = shutil.copytree(trained_runs.basenji, tmp_path / "copy")
    card = json.loads((copy / "card.json").read_text())
    card["training"]["seed"] = 7
    (copy / "card.json").write_text(json.dumps(card))
    out = write_report([trained_runs.basenji, copy, trained_runs.two_sided], tmp_path / "three.html", device="cpu")
    text = out.read_text()
    assert "<h1>basenji, attention_two_sided</h1>" in text
    assert "3 runs of 2 models" in text
    assert "Dots: single seeds" in text
    assert "<h3>basenji, seed 0; basenji, seed 7; attention_two_sided</h3>" in text  # made alike
    assert text.count("<summary>all settings of") == 3
    costs = [row for row in read(out).rows if row and row[0] == "basenji"][-1]
    assert costs[4] == "0, 7"


@pytest.fixture
def comparison(trained_runs, tmp_path: Path) -> Path:
    """A comparison of both runs as `regact compare` leaves it, as far as a page reads it."""
    folder = tmp_path / "comparison"
    names = {"basenji": trained_runs.basenji, "two_sided": trained_runs.two_sided}
    for name, run in names.items():
        shutil.copytree(run, folder / "runs" / name)
    rows = [{"model": name, "run": f"runs/{name}"} for name in names]
    table(folder / "results.tsv", [{"model": "4-mer ridge", "run": ""}, *rows])
    interval = {"split": "test", "pearson_low": 0.1234, "pearson_high": 0.5678, "no_interval": ""}
    table(folder / "summary.tsv", [interval | {"model": name} for name in ("4-mer ridge", *names)])
    difference = {"split": "test", "measure": "pearson", "model": "basenji", "other": "two_sided", "difference": 0.01}
    table(folder / "differences.tsv", [difference | {"low": -0.1, "differs": False}])
    return folder


def table(path: Path, rows: list[dict]) -> None:
    pd.DataFrame(rows).to_csv(path, sep="\t", index=False)


def test_a_comparison_s_page_has_its_names_intervals_and_differences(comparison: Path):
    out = write_report(comparison, comparison / "report.html", device="cpu")
    text = out.read_text()
    assert "<h1>basenji, two_sided</h1>" in text
    assert text.count("0.123 to 0.568") == 3  # either model and the floor
    assert "bootstrap over seeds and blocks" in text
    assert "Which models differ" in text
    assert "0 of 1 pairs" in text
    assert "Differences in distal accuracy" not in text
    assert (comparison / "baseline_test.json").exists()


def test_a_comparison_without_intervals_says_why(comparison: Path):
    rows = [{"model": "basenji", "split": "test", "no_interval": "3 blocks of the genome, needed 20"}]
    table(comparison / "summary.tsv", rows)
    (comparison / "differences.tsv").unlink()
    text = write_report(comparison, comparison / "report.html", device="cpu").read_text()
    assert "No intervals: 3 blocks of the genome, needed 20." in text
    assert "Which models differ" not in text


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


def test_a_split_without_windows_is_an_error(trained_runs, tmp_path: Path):
    with pytest.raises((DataError, ValueError), match="split"):
        write_report([trained_runs.basenji], tmp_path / "report.html", split="other", device="cpu")
