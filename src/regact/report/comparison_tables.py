"""The tables of a comparison, read from its folder: runs, 95 % intervals, and which models differ."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from regact.errors import FormatError
from regact.report.model_record import Interval95

RESULTS, SUMMARY, DIFFERENCES = "results.tsv", "summary.tsv", "differences.tsv"
_LOW, _HIGH = "_low", "_high"
_NAMES = ("model", "other", "run", "no_interval")


@dataclass(frozen=True)
class Intervals:
    """Each model's 95 % intervals by measure, NaN where there is none, and in words why there is none."""

    by_model: dict[str, dict[str, Interval95]]
    why_none: str


@dataclass(frozen=True)
class Differences:
    """Every model less every other, in one measure; NaN where they were not compared.

    `differs`: whether that is called a difference.
    """

    names: tuple[str, ...]
    difference: Float[np.ndarray, "model model"]
    differs: Bool[np.ndarray, "model model"]


def read_intervals(comparison: Path, split: str) -> Intervals:
    """Return the intervals on `split` from a comparison's summary.tsv."""
    if not (comparison / SUMMARY).is_file():
        return Intervals({}, f"{comparison.name} has no {SUMMARY}")
    table = read_table(comparison / SUMMARY, ("model", "split", "no_interval"))
    table = table[table["split"] == split]
    if not len(table):
        return Intervals({}, f"{comparison.name} did not judge its models on split {split}")
    measures = [name.removesuffix(_LOW) for name in table.columns if name.endswith(_LOW)]
    by_model = {
        str(row["model"]): {measure: (row[measure + _LOW], row[measure + _HIGH]) for measure in measures}
        for row in table.to_dict("records")
    }
    return Intervals(by_model, "; ".join(dict.fromkeys(table["no_interval"].dropna())))


def read_differences(comparison: Path, split: str, measure: str, names: tuple[str, ...]) -> Differences | None:
    """Return how the models `names` differ in `measure` on `split`, from differences.tsv; None without intervals."""
    if not (comparison / DIFFERENCES).is_file():
        return None
    columns = ("split", "measure", "model", "other", "difference", "low", "differs")
    table = read_table(comparison / DIFFERENCES, columns)
    rows = table[(table["split"] == split) & (table["measure"] == measure) & table["low"].notna()]
    rows = rows[rows["model"].isin(names) & rows["other"].isin(names)]
    if not len(rows):
        return None
    difference, differs = np.full((len(names), len(names)), np.nan), np.zeros((len(names), len(names)), dtype=bool)
    for row in rows.to_dict("records"):
        one, other = names.index(row["model"]), names.index(row["other"])
        difference[one, other], difference[other, one] = row["difference"], -row["difference"]
        differs[one, other] = differs[other, one] = row["differs"]
    return Differences(names, difference, differs)


def read_table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read one of the tables; FormatError where it is unreadable or lacks one of `columns`."""
    needed, remedy = "a table as `regact compare` writes it", "run the comparison again"
    try:
        # A model may be called 16, or NA: what stands in these columns is a name, and nothing is what is not known.
        table = pd.read_csv(path, sep="\t", dtype=dict.fromkeys(_NAMES, str), keep_default_na=False, na_values=[""])
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise FormatError(path, f"unreadable ({error})", needed, remedy) from error
    if missing := [name for name in columns if name not in table.columns]:
        raise FormatError(path, f"no column {', '.join(missing)}", needed, remedy)
    return table
