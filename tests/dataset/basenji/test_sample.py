"""A few windows imported as all of them would be."""

import pytest

from regact.dataset import open_store
from regact.dataset.basenji import BasenjiH5Source, BasenjiSource, StorageSettings, import_dataset
from regact.dataset.basenji.importer import survey_source
from regact.dataset.basenji.plan import plan_import
from regact.dataset.sample import SampleTask, sample_dataset, some_imported
from regact.genome import load_genome


@pytest.fixture(params=["tfrecords", "tfrecords with genome", "hdf5"])
def source(request, write_directory, write_h5, tmp_path):
    """(source, genome) of each kind."""
    if request.param == "hdf5":
        write_h5(tmp_path / "h5")
        return BasenjiH5Source(file=tmp_path / "h5" / "l131k_w128.h5", bed=tmp_path / "h5" / "l131k_w128.bed"), None
    made = write_directory(tmp_path / "data")
    genome = made.path / "genome.fa" if request.param.endswith("genome") else None
    return BasenjiSource(directory=made.path), genome


def plan_of(source, genome):
    opened = None if genome is None else load_genome(genome)
    return plan_import(survey_source(source), source, StorageSettings(), genome=opened)


def test_a_sample_holds_what_the_whole_import_holds(source, tmp_path):
    plan = plan_of(*source)
    whole = import_dataset(source[0], tmp_path / "whole", genome_path=source[1], workers=1)
    (tmp_path / "sample").mkdir()
    found = sample_dataset(SampleTask(plan, tmp_path / "sample", seconds=30))
    assert found.readings[-1].windows == found.of_windows == whole.n_windows
    assert open_store(found.store).header.values_sha256 == whole.header.values_sha256


@pytest.mark.parametrize("wanted", [1, 3])
def test_few_windows_are_of_every_split_and_in_their_places(source, tmp_path, wanted):
    plan = plan_of(*source)
    some = some_imported(plan, wanted)
    assert len(some.windows) < len(plan.windows)
    assert set(some.windows["split"]) == set(plan.windows["split"])
    assert sum(part.n_windows for part in some.parts) == len(some.windows) == len(some.rows)
    for part in some.parts:
        original = next(one for one in plan.parts if one.name == part.name)
        read = [window.codes.tobytes() for window in part.read()]
        assert read == [window.codes.tobytes() for window in original.read()][: part.n_windows]
        places = some.windows.iloc[some.rows[part.first : part.first + part.n_windows]]
        of_plan = plan.windows.iloc[plan.rows[original.first : original.first + part.n_windows]]
        assert places[["chrom", "start"]].to_numpy().tolist() == of_plan[["chrom", "start"]].to_numpy().tolist()
