"""The page of an audit: whole, self-contained, and saying what was found."""

import re

import pytest

from regact.dataset import open_store
from regact.dataset.audit import audit_dataset
from regact.report.audit_page import write_audit_page


@pytest.fixture(scope="module")
def page(trained_runs, tmp_path_factory):
    store = open_store(trained_runs.store)
    audit = audit_dataset(store, store.open_genome())
    return write_audit_page(audit, tmp_path_factory.mktemp("audit") / "audit.html").read_text(encoding="utf-8")


def test_findings_come_first_with_what_to_do(page):
    assert page.index("<h2>Findings</h2>") < page.index("<h2>Splits</h2>")
    assert page.count('<th scope="row">track3</th>') == 4  # constant in three splits, and a row of the track table
    assert "correlation is not defined" in page
    assert "3 things to look at" in page


def test_every_figure_and_table_is_there(page):
    assert page.count("data:image/svg+xml") == 4
    assert len(re.findall("<table>", page)) == 5  # findings, splits, shared bases, similar windows, tracks
    assert "chr2:1-4096" in page


def test_nothing_is_fetched_and_no_text_is_taken_for_markup(page):
    sources = re.findall(r'(?:src|href)="([^"]*)', page)
    assert sources
    assert all(source.startswith("data:") for source in sources)
    assert "<script" not in page
