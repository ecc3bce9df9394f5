"""What a report can be on."""

import pytest

from regact.errors import RunError
from regact.model import build_model, preset_spec
from regact.pretrained import export_weights, write_imported_run
from regact.report import write_report


def test_weights_without_their_training_are_refused_in_one_line(trained_runs, tmp_path):
    model = build_model(preset_spec("standard", tracks=2, window_bp=1024, width=0.02), seed=0)
    imported = write_imported_run(model, tmp_path / "imported", sheet=None, source={"format": "a test", "files": []})
    exported = export_weights(trained_runs.basenji, tmp_path / "exported")
    for run, found in ((imported, "imported"), (exported, "exported")):
        with pytest.raises(RunError, match=rf"holds {found} weights.*; judge it with `regact evaluate --store`"):
            write_report([run], tmp_path / "page.html", split="test")
