"""One self-contained HTML page for a set of runs: tables, figures, the dataset's card, commands and versions.

May import every folder but `cli`. A page holds all it shows (figures are inline), so that it can be mailed or archived.
"""

from regact.report.page import write_report

__all__ = ["write_report"]
