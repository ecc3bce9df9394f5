"""What a run takes, from readings made up so that the sums can be done by hand."""

from pathlib import Path

import pytest

from regact.comparison.trial import Trial
from regact.dataset import open_store
from regact.planning.climb import Reading, Size
from regact.planning.data_probe import DataReadings
from regact.planning.dataset_step import Outlook
from regact.planning.judging_step import judging_step
from regact.planning.model_probe import ModelReadings, ModelTask
from regact.planning.steps import Step
from regact.planning.training_step import Known, training_step
from regact.training import TransferConfig

MB = 2**20
READING = (0.5, 0.25)  # seconds of a window, of the clock and the cores
STEP, JUDGED, UPDATE, SAVING = 3.0, 8.0, 1.0, 2.0  # seconds of a step, of eight windows judged, ...


@pytest.fixture
def known(planted):
    """`known(training=..., transfer=...)`: 48 training and 12 validation windows, in batches of 8."""

    def make(transfer=None, **training):
        experiment = planted.experiment
        config = experiment.training.model_copy(update={"patience": None, **training})
        task = ModelTask(
            model=experiment.model,
            tracks=3,
            window_bp=1024,
            bin_bp=32,
            crop_bins=0,
            training=config,
            transfer=transfer or TransferConfig(),
            device="cpu",
            seconds=1.0,
            ram_bytes=10**10,
            gpu_bytes=None,
        )
        spec = task.spec(1024)
        readings = ModelReadings(
            start=(5.0, 5.0),
            judging=(Reading(Size.of(spec, 8), JUDGED, JUDGED / 2, (JUDGED, JUDGED), 600 * MB, None),),
            training=(Reading(Size.of(spec, task.at_once), STEP, STEP / 2, (STEP + 7, STEP / 2), 700 * MB, None),),
            update=(UPDATE, UPDATE / 2),
            judged_share=1.5,
            frozen_share=0.5,
            kept_share=0.125,
            saving=(SAVING, SAVING / 2),
            state_bytes=12_000,
            weights_bytes=4_000,
            saving_ram=800 * MB,
            fixed_bytes=500 * MB,
            fixed_gpu_bytes=0,
        )
        store = open_store(planted.store.path)
        opened = Step("open", 0.0, 0.0, 0, None, 0, 0, Path(), "")
        data = Outlook(opened, store, planted.genome, store.path, 0, is_there=True)
        return Known(task, readings, data, DataReadings((4.0, 4.0), READING, (), 0))

    return make


def plan(planted, known, *, times=1, workers=0):
    trial = Trial("x", planted.experiment, Path("run"))
    return training_step("x", trial, known, times=times, workers=workers)


def epochs(n, step=STEP):
    """Seconds of n epochs: six steps of eight windows that are read, twelve windows judged, a state saved."""
    validation = 12 * (JUDGED / 8 + READING[0])
    return n * (6 * (step + 8 * READING[0]) + validation + SAVING)


ONCE = 4.0 + 7.0  # opening the dataset, and what the first step took longer


def test_steps_validations_and_saved_states_add_up(planted, known):
    found = plan(planted, known(epochs=5))
    assert found.seconds == pytest.approx(ONCE + epochs(5))
    cores = 4.0 + 5 * (6 * (STEP / 2 + 8 * READING[1]) + 12 * (JUDGED / 16 + READING[1]) + SAVING / 2)
    assert found.cpu_seconds == pytest.approx(cores)
    assert found.ram_bytes == pytest.approx(800 * MB, rel=0.01)  # saving takes most here
    assert (found.gpu_bytes, found.passing_bytes) == (None, 12_000)
    assert found.disk_bytes > 16_000
    twice = plan(planted, known(epochs=5), times=2)
    assert (twice.seconds, twice.disk_bytes) == (pytest.approx(2 * found.seconds), 2 * found.disk_bytes)
    assert twice.ram_bytes == found.ram_bytes


def test_micro_batches_share_one_update(planted, known):
    found = plan(planted, known(epochs=1, accumulate=2))
    assert found.seconds == pytest.approx(ONCE + epochs(1, step=2 * (STEP - UPDATE) + UPDATE))


def test_frozen_epochs_and_bins_that_are_kept(planted, known):
    frozen = TransferConfig(run=Path("tower"), freeze_epochs=4)
    whole = STEP + 8 * READING[0]
    saved = plan(planted, known(epochs=6)).seconds - plan(planted, known(frozen, epochs=6)).seconds
    assert saved == pytest.approx(4 * 6 * whole * (1 - 0.5))
    kept = frozen.model_copy(update={"keep_bins": True})
    more = plan(planted, known(frozen, epochs=6)).seconds - plan(planted, known(kept, epochs=6)).seconds
    assert more == pytest.approx(2 * 6 * whole * (0.5 - 0.125))  # both strands are computed once
    memory = plan(planted, known(kept, epochs=6)).ram_bytes - plan(planted, known(frozen, epochs=6)).ram_bytes
    assert memory == 2 * 48 * 24 * 32 * 4


def test_steps_minutes_and_patience_limit_a_run(planted, known):
    assert plan(planted, known(epochs=100, max_steps=6)).seconds == pytest.approx(ONCE + epochs(1))
    step = plan(planted, known(epochs=10_000, max_minutes=30))
    assert step.seconds == pytest.approx(1800 + 12 * (JUDGED / 8 + READING[0]) + SAVING)
    assert [plan(planted, known(epochs=n, patience=3)).at_most for n in (3, 4)] == [False, True]


def test_who_reads_ahead_costs_memory_and_saves_time(planted, known):
    alone, helped = (plan(planted, known(epochs=3), workers=workers) for workers in (0, 4))
    # 8 windows take 4 s to read, 1 s with four at it: less than the step.
    assert alone.seconds - helped.seconds == pytest.approx(3 * (6 * 4.0 + 12 * (0.5 - 0.125)))
    assert helped.ram_bytes - alone.ram_bytes > 4 * 100 * MB
    assert helped.cpu_seconds == pytest.approx(alone.cpu_seconds)


def test_judging(planted, known):
    trial = Trial("x", planted.experiment, Path("run"))
    found = judging_step("x", trial, known(), times=1, splits=["valid", "test"])
    assert found.seconds == pytest.approx(24 * (1.5 * JUDGED / 8 + READING[0]))
    sums = 12 * 2 * 6 * 8 * 3
    assert found.ram_bytes == pytest.approx(600 * MB + sums, abs=sums)
    assert found.disk_bytes > 2 * sums
    assert found.name == "judge x on valid and test"
