"""What runs say of how they were made."""

from types import SimpleNamespace

import pytest

from regact.report.page import _title
from regact.report.provenance import experiment_of


def models_of(folder, *names):
    """Models with a run each, whose settings have these names; None is a run without settings."""
    models = []
    for number, name in enumerate(names):
        run = folder / str(number)
        run.mkdir()
        if name is not None:
            (run / "config.yaml").write_text(f"name: {name}\nseed: {number}\n")
        models.append(SimpleNamespace(label=f"m{number}", runs=(SimpleNamespace(folder=run),)))
    return models


@pytest.mark.parametrize(
    ("names", "experiment"), [(("demo", "demo"), "demo"), (("demo", "yeast"), ""), (("demo", None), ""), ((None,), "")]
)
def test_an_experiment_is_named_where_all_runs_are_of_it(tmp_path, names, experiment):
    assert experiment_of(models_of(tmp_path, *names)) == experiment


def test_a_page_of_many_models_is_called_after_their_experiment_or_dataset(tmp_path):
    store = SimpleNamespace(path=tmp_path / "stores" / "worm")
    for folder, name in (("known", "yeast"), ("unknown", None)):
        (tmp_path / folder).mkdir()
        models = models_of(tmp_path / folder, *[name] * 4)
        assert _title(models, store) == f"{name or 'worm'}: 4 models"
    assert _title(models[:2], store) == "m0, m1"
