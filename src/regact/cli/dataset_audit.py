"""`regact dataset audit`: what in a dataset would mislead training or judgement."""

from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import Genome, Out, Overwrite, Workers
from regact.cli.output import print_line, print_remark, print_table
from regact.dataset import open_store
from regact.dataset.audit import audit_dataset
from regact.engine import refuse_existing, whole_folder
from regact.report.audit_page import write_audit_page

_MOST_SHOWN = 40


def command(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="Store, as `regact dataset build` writes it.")],
    out: Out = None,
    genome: Genome = None,
    workers: Workers = None,
    overwrite: Overwrite = False,
) -> None:
    """Find tracks and splits of a store that would mislead training.

    Looks at every value: tracks without signal or variance, outliers, clipping, unlike scales, strand pairs that do not
    fit; masks; bases that splits share; and test windows whose sequence occurs in training. Findings and splits are
    printed; --out is a new folder for audit.html and the tables (findings, splits, tracks, windows, shared; TSV).

    [bold]Examples[/bold]

      regact dataset audit stores/yeast

      regact dataset audit stores/yeast --out audits/yeast
    """
    if out is not None:
        refuse_existing(out, overwrite=overwrite, mark="audit.html")
    opened = open_store(store)
    audit = audit_dataset(opened, opened.open_genome(genome), workers=workers)
    print_table(audit.splits.columns.tolist(), audit.splits.to_numpy().tolist())
    print_line("")
    findings = audit.findings_table()
    shown = findings.drop(columns="advice")
    print_table(shown.columns.tolist(), shown.head(_MOST_SHOWN).to_numpy().tolist())
    for kind, advice in findings.drop_duplicates("kind")[["kind", "advice"]].to_numpy().tolist():
        print_line(f"{kind}: {advice}")
    if len(findings) > _MOST_SHOWN:
        print_remark(f"{len(findings) - _MOST_SHOWN:,} more findings: --out writes all of them")
    if out is not None:
        with whole_folder(out, overwrite=overwrite, mark="audit.html") as temporary:
            audit.to_table(temporary)
            write_audit_page(audit, temporary / "audit.html")
        print_line(str(out / "audit.html"))
