"""The run folder of imported weights: what it says, what is refused, and that evaluation and transfer take it."""

import json
from pathlib import Path

import pytest
import torch
import yaml

from regact.cli.app import main
from regact.errors import ConfigError, DataError, OutputExistsError, RunError
from regact.evaluation import evaluate, judge
from regact.model import build_model, load_model, predict_codes
from regact.pretrained.run_folder import describe_files, write_imported_run
from regact.tracks import Track, TrackSheet
from regact.training import TrainingConfig, TransferConfig, read_card, train_model

SOURCE = {"format": "a test", "files": []}


@pytest.fixture
def foreign(planted):
    """A network that fits the planted dataset, its link and N those of another project."""
    spec = planted.experiment.model_spec(3)
    head = spec.head.model_copy(update={"link": "elu1"})
    return build_model(spec.model_copy(update={"head": head, "n_value": 0.25}), seed=5)


@pytest.fixture
def sheet():
    return TrackSheet(
        (
            Track("a", (), strand_pair=1, description="CAGE: a"),
            Track("b", (), strand_pair=0),
            Track("c", (), strand_pair=2),
        ),
        Path("targets.txt"),
    )


def test_a_folder_says_where_its_weights_are_from_and_what_its_tracks_are(foreign, sheet, tmp_path):
    (tmp_path / "weights.bin").write_bytes(b"abc")
    source = {"format": "a test", "files": describe_files([tmp_path / "weights.bin"])}
    run = write_imported_run(foreign, tmp_path / "run", sheet=sheet, source=source)
    card = read_card(run)
    assert card["state"] == "imported"
    assert (card["tracks"], card["strand_pair"]) == (["a", "b", "c"], [1, 0, 2])
    assert card["descriptions"][0] == "CAGE: a"
    assert card["source"]["tracks_from"] == "targets.txt"
    assert card["source"]["files"] == [
        {
            "name": "weights.bin",
            "bytes": 3,
            "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        }
    ]
    assert yaml.safe_load((run / "config.yaml").read_text())["model"] == json.loads(foreign.spec.model_dump_json())
    codes = torch.randint(0, 5, (1, foreign.spec.window_bp), dtype=torch.uint8)
    assert torch.equal(predict_codes(load_model(run), codes), predict_codes(foreign, codes))


def test_tracks_without_a_sheet_are_numbered(foreign, tmp_path):
    card = read_card(write_imported_run(foreign, tmp_path / "run", sheet=None, source=SOURCE))
    assert card["tracks"] == ["track_1", "track_2", "track_3"]
    assert card["strand_pair"] == [0, 1, 2]
    assert card["source"]["tracks_from"] is None


def test_a_sheet_of_other_length_is_refused(foreign, sheet, tmp_path):
    with pytest.raises(ConfigError, match=r"targets\.txt: 2 tracks; needed 3"):
        write_imported_run(foreign, tmp_path / "run", sheet=TrackSheet(sheet.tracks[:2], sheet.path), source=SOURCE)
    assert not (tmp_path / "run").exists()


def test_only_a_run_folder_is_replaced_and_only_when_told(foreign, tmp_path, thesis):
    run = write_imported_run(foreign, tmp_path / "run", sheet=None, source=SOURCE)
    with pytest.raises(OutputExistsError, match="--overwrite"):
        write_imported_run(foreign, run, sheet=None, source=SOURCE)
    write_imported_run(foreign, run, sheet=None, source={**SOURCE, "format": "another"}, overwrite=True)
    assert read_card(run)["source"]["format"] == "another"
    with pytest.raises(OutputExistsError, match=r"holds no card\.json"):
        write_imported_run(foreign, thesis, sheet=None, source=SOURCE, overwrite=True)


class TestEvaluate:
    def test_judges_imported_weights_on_any_dataset_that_fits(self, foreign, planted, tmp_path):
        run = write_imported_run(foreign, tmp_path / "run", sheet=None, source=SOURCE)
        result = evaluate(run, split="test", store=planted.store, genome=planted.genome, device="cpu")
        assert len(result.tracks) == 3
        assert result.n_windows == len(planted.store.rows("test"))

    def test_needs_a_dataset(self, foreign, tmp_path):
        run = write_imported_run(foreign, tmp_path / "run", sheet=None, source=SOURCE)
        with pytest.raises(RunError, match=r"know no dataset.*--store"):
            evaluate(run, split="test")

    def test_holds_names_of_tracks_against_the_datasets(self, foreign, sheet, planted, tmp_path):
        run = write_imported_run(foreign, tmp_path / "run", sheet=sheet, source=SOURCE)
        with pytest.raises(RunError, match=r"3 other tracks: \w+ for a"):
            evaluate(run, split="test", store=planted.store, genome=planted.genome)

    def test_judges_the_bins_that_a_network_answers_for(self, foreign, planted, tmp_path):
        """More crop than the dataset's: the same rates on fewer bins, with workers and in memory alike."""
        spec = foreign.spec.model_copy(update={"crop_bins": foreign.spec.crop_bins + 2})
        cropped = build_model(spec, seed=0)
        cropped.load_state_dict(foreign.state_dict())
        runs = [
            write_imported_run(model, tmp_path / name, sheet=None, source=SOURCE)
            for name, model in (("whole", foreign), ("cropped", cropped))
        ]
        seen = {run: [] for run in runs}
        for run in runs:
            evaluate(
                run,
                split="test",
                store=planted.store,
                genome=planted.genome,
                device="cpu",
                workers=1,
                observe=lambda batch, example, rate, run=run: seen[run].append((example.targets.clone(), rate.clone())),
            )
        for (all_targets, all_rates), (targets, rates) in zip(*seen.values(), strict=True):
            assert torch.equal(targets, all_targets[..., 2:-2])
            torch.testing.assert_close(rates, all_rates[..., 2:-2])
        judgement = judge(runs[1], split="test", store=planted.store, genome=planted.genome, device="cpu")
        assert (
            judgement.accuracy.n_bins
            == planted.store.with_crop(spec.crop_bins).read_mask(planted.store.rows("test")).sum()
        )

    def test_from_the_command_line_with_measures(self, foreign, planted, tmp_path, capsys):
        spec = foreign.spec.model_copy(update={"crop_bins": foreign.spec.crop_bins + 1})
        run = write_imported_run(build_model(spec, seed=0), tmp_path / "run", sheet=None, source=SOURCE)
        arguments = ["evaluate", run, "--store", planted.store.path, "--split", "test", "--measures", "spearman,peaks"]
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments), "--no-baseline", "--device", "cpu"])
        assert ended.value.code == 0, capsys.readouterr().err
        assert "spearman" in capsys.readouterr().out

    def test_refuses_other_windows(self, foreign, planted, tmp_path):
        spec = foreign.spec.model_copy(update={"window_bp": 2 * foreign.spec.window_bp, "tracks": 4})
        run = write_imported_run(build_model(spec, seed=0), tmp_path / "run", sheet=None, source=SOURCE)
        with pytest.raises(DataError, match=rf"needed window_bp {spec.window_bp}, tracks 4"):
            evaluate(run, split="test", store=planted.store, genome=planted.genome)

    def test_needs_the_bins_that_a_network_answers_for(self, foreign, planted, tmp_path):
        run = write_imported_run(foreign, tmp_path / "run", sheet=None, source=SOURCE)
        with pytest.raises(DataError, match=r"needed crop_bins 0, as the model"):
            evaluate(run, split="test", store=planted.store.with_crop(1), genome=planted.genome)


def test_a_training_starts_from_imported_weights(foreign, planted, tmp_path):
    run = write_imported_run(foreign, tmp_path / "run", sheet=None, source=SOURCE)
    tuned = train_model(
        planted.store,
        planted.genome,
        foreign.spec,
        TrainingConfig(**{**planted.experiment.training.model_dump(), "epochs": 1}),
        tmp_path / "tuned",
        transfer=TransferConfig(run=run, parts="trunk", freeze_epochs=1),
        device="cpu",
    )
    theirs, ours = foreign.state_dict(), load_model(tuned).state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs if name.startswith(("tower.", "context.")))
    assert not torch.equal(ours["head.affine.weight"], theirs["head.affine.weight"])
