"""A study small enough to run in seconds: the planted experiment, one epoch or two a trial."""

import pytest

from regact.experiment import Experiment


@pytest.fixture
def study_of(planted):
    """`study_of(space, trials=4, ...)`: the planted experiment with a `tune` section of these fields."""

    def make(space, *, epochs=1, model=None, **tune) -> Experiment:
        values = planted.experiment.model_dump(exclude_unset=True)
        values["tune"] = {"space": space, "trials": 4, **tune}
        values["training"] = {**values["training"], "epochs": epochs}
        values["model"] = model or values["model"]
        return Experiment.model_validate(values)

    return make
