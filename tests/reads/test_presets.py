"""Presets: every number can be replaced, is checked, and stands in the documentation."""

import re
from pathlib import Path

import pytest

from regact.errors import ConfigError
from regact.reads import PRESETS, CoverageSettings, coverage_settings

TEXT = (Path(__file__).parents[2] / "docs" / "coverage.md").read_text(encoding="utf-8")

# Another value for every field.
OTHER = {
    "assay": "RNA", "count": "fragment", "pairs": "fragment", "stranded": True, "shift_forward_bp": 0,
    "shift_reverse_bp": 0, "fragment_ends_shifted": False, "min_mapq": 7, "keep_duplicates": True,
    "keep_unlisted": True, "max_places": 4, "min_fragment_bp": 30, "max_fragment_bp": 700,
    "fragment_bp": 150, "assumed_fragment_bp": 140, "fragment_search_bp": (60, 400), "em": "exact",
    "em_sd_bp": 9.5, "em_background": 0.5, "em_rounds": 3, "em_tolerance": 0.1, "error_rate": 0.5,
    "gc": False, "clip": 6, "seed": 3,
}  # fmt: skip


def test_every_field_can_be_replaced():
    assert set(OTHER) == set(CoverageSettings.model_fields)
    for assay in PRESETS:
        settings = coverage_settings(assay.upper(), **{name: OTHER[name] for name in OTHER if name != "assay"})
        assert settings.model_dump() == {**OTHER, "assay": assay.upper()}


def test_the_documented_table_is_what_presets_say():
    header, *rows = (
        [cell.strip(" `") for cell in line.strip("|").split(" | ")]
        for line in TEXT.splitlines()
        if line.startswith(("| | cage", "| `count`", "| `pairs`", "| `stranded`", "| `shift", "| `em_sd", "| `gc`"))
    )
    assays = header[1:5]
    assert set(assays) == set(PRESETS)
    documented = {}
    for row in rows:
        for field, *values in zip(*(cell.replace("`", "").split(", ") for cell in row[:5]), strict=True):
            documented[field] = values
    for position, assay in enumerate(assays):
        settings = coverage_settings(assay)
        for field, values in documented.items():
            value = getattr(settings, field)
            assert values[position].lower() == str(value).removesuffix(".0").lower(), (assay, field)


def test_the_other_defaults_are_documented_too():
    defaults = coverage_settings("chip")
    said = dict(re.findall(r"`(\w+)=([^`]+)`", TEXT[TEXT.index("Alike in all") : TEXT.index("**Length of fragments")]))
    for field in set(CoverageSettings.model_fields) - {"assay"}:
        assert f"`{field}" in TEXT, field
    for field, text in said.items():
        assert text.lower().replace(" ", "") == str(getattr(defaults, field)).lower().replace(" ", "").translate(
            str.maketrans("()", "[]")
        )


@pytest.mark.parametrize(
    ("replaced", "words"),
    [
        ({"min_fragment_bp": 50, "max_fragment_bp": 40}, "min_fragment_bp 50 is above max_fragment_bp 40"),
        ({"fragment_search_bp": (100, 100)}, "needed 1 <= shortest < longest"),
        ({"count": "centre", "pairs": "fragment"}, "shifts move 5' ends, but count is centre"),
        ({"em": "best"}, "em: "),
        ({"sd": 4}, "sd: unknown key"),
    ],
)
def test_what_makes_no_sense_is_told(replaced, words):
    with pytest.raises(ConfigError, match=re.escape(words)):
        coverage_settings("atac", **replaced)
    with pytest.raises(ConfigError, match="unknown 'rna'"):
        coverage_settings("rna")
