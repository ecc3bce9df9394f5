"""The tables of a report, as text ready to be shown."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from regact.dataset import Store
from regact.dataset.summary import summarize_store
from regact.model import ModelSpec, summarize_context
from regact.plot import Score
from regact.report.model_record import Judged, ModelRecord

_CONTEXT = ("dilated convs.", "attn. layers", "attn. heads", "exp. fn.")
MEASURES = {"pearson": "ρ", "r2": "r²", "pearson_log1p": "ρ of log(1+x)"}


@dataclass(frozen=True)
class Cell:
    """One entry; `interval` stands small below it, `best` marks the highest of its column, `number` sets it right."""

    text: str
    best: bool = False
    number: bool = True
    interval: str = ""


@dataclass(frozen=True)
class Table:
    """Columns and rows of cells."""

    columns: tuple[str, ...]
    rows: list[list[Cell]]


def accuracy_table(models: Sequence[ModelRecord], floor: Judged) -> Table:
    """Return the paper's table (its Figure 6): layers, heads, distance function, ρ and r² of every model.

    Besides ρ of log(1 + count), on simulated data distal accuracy with a row for either ceiling, and the regression.
    """
    distal = models[0].judgements[0].distal
    names = [*MEASURES.values(), *(["distal accuracy"] if distal else [])]
    scores = [_scores(model, with_distal=distal is not None) for model in models]
    best = [_best([row[column].value for row in scores]) for column in range(len(names))]
    rows = [
        [Cell(model.label, number=False), *_context_cells(model.spec), *_score_cells(row, best)]
        for model, row in zip(models, scores, strict=True)
    ]
    empty = [Cell("")] * len(_CONTEXT)
    floors = _score_cells(_scores(floor, with_distal=distal is not None))
    rows.append([Cell(floor.label, number=False), *empty, *floors])
    if distal:
        ceilings = {
            f"the truth within {distal.reach_bp / 1000:.3g}\N{NO-BREAK SPACE}kb": distal.within_reach,
            "the truth": 1.0 if distal.is_computed else math.nan,
        }
        nothing = [Cell("")] * len(MEASURES)
        rows += [[Cell(name, number=False), *empty, *nothing, Cell(score_text(c))] for name, c in ceilings.items()]
    return Table(("model", *_CONTEXT, *names), rows)


def _context_cells(spec: ModelSpec) -> list[Cell]:
    """Return what the paper's table says of a model: pooling by distance has a function, and no attention."""
    context = summarize_context(spec)
    distances = [name.replace("_", "\N{NON-BREAKING HYPHEN}") for name in context.distances]
    return [
        Cell(str(context.dilated_layers)),
        Cell(str(len(context.attention_heads))),
        Cell(", ".join(map(str, context.attention_heads)) or "0"),
        Cell(", ".join(distances) or "none", number=False),
    ]


def cost_table(models: Sequence[ModelRecord]) -> Table:
    """Return one row a model: its size, how far it sees, and what its training took."""
    rows = [
        [
            Cell(model.label, number=False),
            Cell(model.reach),
            Cell(f"{model.cost.parameters:,}"),
            Cell(f"{model.cost.gmac:.3g}"),
            Cell(model.seeds),
            Cell("; ".join(dict.fromkeys(run.epochs for run in model.runs))),
            Cell(f"{model.seconds:,.0f}"),
        ]
        for model in models
    ]
    columns = ("model", "reach", "parameters", "GMAC a window", "seeds", "epochs", "training of one seed, s")
    return Table(columns, rows)


def assay_table(models: Sequence[ModelRecord], floor: Judged) -> Table:
    """Return one row per assay and model, and one for the regression: number of tracks and their mean accuracy."""
    rows = []
    for assay in floor.judgements[0].accuracy.assays.to_dict("records"):
        name, tracks = assay["assay"], Cell(str(assay["tracks"]))
        scores = [[model.assay_score(name, measure) for measure in MEASURES] for model in models]
        best = [_best([row[column].value for row in scores]) for column in range(len(MEASURES))]
        for model, row in zip(models, scores, strict=True):
            rows.append([Cell(name, number=False), Cell(model.label, number=False), tracks, *_score_cells(row, best)])
        floors = _score_cells([floor.assay_score(name, measure) for measure in MEASURES])
        rows.append([Cell(name, number=False), Cell(floor.label, number=False), tracks, *floors])
    return Table(("assay", "model", "tracks", *MEASURES.values()), rows)


def dataset_tables(store: Store) -> tuple[Table, Table]:
    """Return what models were trained and judged on: facts as rows of name and value, and one row a split."""
    summary = summarize_store(store)
    assays = ", ".join(f"{count:,} {assay}" for assay, count in summary.assays)
    facts = [*summary.facts, ("assays", assays), *(("remark", remark) for remark in summary.remarks)]
    splits = [
        [
            Cell(split.split, number=False),
            Cell(f"{split.windows:,}"),
            Cell(f"{split.chroms:,}"),
            Cell(f"{split.covered_bp:,}"),
            Cell(f"{split.counted_fraction:.2%}"),
        ]
        for split in summary.splits
    ]
    return (
        Table(("", ""), [[Cell(name, number=False), Cell(value, number=False)] for name, value in facts]),
        Table(("split", "windows", "chromosomes", "bp read", "bins that count"), splits),
    )


def score_text(value: float) -> str:
    """Return a number between -1 and 1 with three digits, a dash where it is not known."""
    return f"{value:.3f}".replace("-", "\N{MINUS SIGN}") if math.isfinite(value) else "–"


def _scores(judged: Judged, *, with_distal: bool) -> list[Score]:
    return [*(judged.score(measure) for measure in MEASURES), *([judged.distal_score()] if with_distal else [])]


def _score_cells(scores: Sequence[Score], best: Sequence[float] | None = None) -> list[Cell]:
    return [
        Cell(
            score_text(score.value),
            best=score.value == top,
            interval=f"{score_text(score.low)} to {score_text(score.high)}" if score.has_interval else "",
        )
        for score, top in zip(scores, best or [math.nan] * len(scores), strict=True)
    ]


def _best(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return max(finite) if len(values) > 1 and finite else math.nan
