"""Exported folders: what is in them and what is not, that commands take them, and that changed ones are refused."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml
from safetensors import safe_open
from safetensors.torch import save_file

from regact.engine import write_checksums
from regact.errors import FormatError, OutputExistsError, RegactError, RunError
from regact.evaluation import evaluate
from regact.model import load_model, predict_codes
from regact.pretrained import export_weights, from_pretrained, load_exported, write_imported_run
from regact.tracks import Track, TrackSheet
from regact.training import TrainingConfig, TransferConfig, read_card, train_model


@pytest.fixture(scope="module")
def trained(planted, tmp_path_factory):
    """A run of one epoch on the planted dataset."""
    config = TrainingConfig(**{**planted.experiment.training.model_dump(), "epochs": 1})
    out = tmp_path_factory.mktemp("trained") / "run"
    card = {"command": "regact train /home/me/secret.yaml", "name": "my project"}
    return train_model(
        planted.store, planted.genome, planted.experiment.model_spec(3), config, out, device="cpu", card=card
    )


@pytest.fixture
def imported(small_network, tmp_path):
    sheet = TrackSheet(
        tuple(Track(f"t{row}", (), strand_pair=row, description=f"CAGE:{row}") for row in range(3)),
        Path("/home/me/targets.txt"),
    )
    files = [{"name": "model.tf.index", "bytes": 1, "sha256": "ab" * 32}]
    source = {"format": "a test's", "files": files}
    return write_imported_run(small_network, tmp_path / "imported", sheet=sheet, source=source)


def test_a_trained_run_travels(trained, planted, tmp_path):
    folder = export_weights(trained, tmp_path / "liver", license_id="cc-by-4.0")
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "SHA256SUMS",
        "card.json",
        "config.json",
        "metrics.tsv",
        "model.safetensors",
        "windows.bed",
    }
    codes = torch.randint(0, 5, (2, planted.store.window_bp), dtype=torch.uint8)
    expected = predict_codes(load_model(trained), codes)
    for model in (from_pretrained(folder), load_exported(folder), load_model(folder)):
        assert torch.equal(predict_codes(model, codes), expected)
    card = read_card(folder)
    assert card["tracks"] == list(planted.store.sheet.identifiers)
    assert card["strand_pair"] == planted.store.sheet.strand_pair.tolist()
    assert card["genome"] == {"name": planted.store.genome_name, "checksum": planted.store.genome_checksum}
    config = json.loads((folder / "config.json").read_text())
    assert (config["library_name"], config["model"]) == ("regact", card["model"])


def test_nothing_of_this_machine_travels(trained, imported, planted, tmp_path):
    for run in (trained, imported):
        folder = export_weights(run, tmp_path / f"exported_{run.name}")
        for path in folder.iterdir():
            content = path.read_bytes()
            for private in (str(planted.store.path), str(trained.parent), "/home/me", "my project"):
                assert private.encode() not in content, path.name


def test_evaluation_and_transfer_take_an_exported_folder(trained, planted, tmp_path):
    folder = export_weights(trained, tmp_path / "liver")
    with pytest.raises(RunError, match=r"without the place of its dataset.*--store"):
        evaluate(folder, split="test")
    ours, theirs = (
        evaluate(run, split="test", store=planted.store, genome=planted.genome, device="cpu")
        for run in (trained, folder)
    )
    pd.testing.assert_frame_equal(ours.tracks, theirs.tracks)
    tuned = train_model(
        planted.store,
        planted.genome,
        planted.experiment.model_spec(3),
        TrainingConfig(**{**planted.experiment.training.model_dump(), "epochs": 1}),
        tmp_path / "tuned",
        transfer=TransferConfig(run=folder, freeze_epochs=1),
        device="cpu",
    )
    state = load_model(folder).state_dict()
    assert all(torch.equal(t, state[n]) for n, t in load_model(tuned).state_dict().items() if n.startswith("tower."))
    again = export_weights(tuned, tmp_path / "again")
    assert read_card(again)["transfer"]["run"] == "liver"
    assert "started from: tower of weights with sha256" in (again / "README.md").read_text()


def test_a_card_says_what_people_ask(trained, planted, imported, tmp_path):
    text = (export_weights(trained, tmp_path / "liver", license_id="cc-by-4.0") / "README.md").read_text()
    _, head, body = text.split("---\n", 2)
    assert yaml.safe_load(head) == {
        "library_name": "regact",
        "tags": ["regact", "genomics", "dna", "regulatory-activity"],
        "license": "cc-by-4.0",
    }
    metrics = pd.read_csv(trained / "metrics.tsv", sep="\t")
    for told in (
        "# liver",
        f"{planted.store.window_bp:,} bp",
        'from_pretrained("liver")',
        f"| all | {metrics['pearson'].count()} | {metrics['pearson'].mean():.3f}",
        planted.store.fingerprint,
        planted.store.genome_checksum,
    ):
        assert told in body
    text = (export_weights(imported, tmp_path / "foreign") / "README.md").read_text()
    assert "license" not in text.split("---")[1]
    for told in (
        "imported: a test's; `model.tf.index` (sha256 `abab",
        "- tracks: 3 (3 CAGE)",
        "elu1 link",
        "is 0.25 in",
    ):
        assert told in text
    assert "## Accuracy" not in text


def changed_tensor(path, change):
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    change(tensors)
    save_file(tensors, path, metadata=metadata)


def flip_last_byte(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def without_bias(tensors):
    del tensors["head.affine.bias"]


WEIGHT = "head.affine.weight"
TAMPERING = {
    "shape": lambda folder: changed_tensor(
        folder / "model.safetensors", lambda t: t.update({WEIGHT: torch.zeros(3, 5, 1)})
    ),
    "dtype": lambda folder: changed_tensor(
        folder / "model.safetensors", lambda t: t.update({WEIGHT: t[WEIGHT].half()})
    ),
    "values": lambda folder: changed_tensor(
        folder / "model.safetensors", lambda t: t.update({WEIGHT: t[WEIGHT] + 1e-6})
    ),
    "missing tensor": lambda folder: changed_tensor(folder / "model.safetensors", without_bias),
    "bit": lambda folder: flip_last_byte(folder / "model.safetensors"),
    "cut off": lambda folder: (folder / "model.safetensors").write_bytes(
        (folder / "model.safetensors").read_bytes()[:-100]
    ),
    "pickle": lambda folder: (folder / "model.safetensors").write_bytes(pickle.dumps({"weights": [1.0]})),
}


@pytest.mark.parametrize("tampering", TAMPERING)
@pytest.mark.parametrize("checksums_too", [False, True])
def test_changed_weights_are_refused(tampering, checksums_too, imported, tmp_path):
    folder = export_weights(imported, tmp_path / "liver")
    TAMPERING[tampering](folder)
    if checksums_too:  # whoever changes the weights may write the list anew: what is inside them still tells
        (folder / "README.md").unlink()
        write_checksums(folder)
    for load in (from_pretrained, load_model):  # load_model is what every command loads with
        with pytest.raises((FormatError, RunError), match=r"model\.safetensors"):
            load(folder)


def test_every_changed_file_is_named(imported, tmp_path):
    folder = export_weights(imported, tmp_path / "liver")
    card = json.loads((folder / "card.json").read_text())
    card["tracks"].reverse()
    (folder / "card.json").write_text(json.dumps(card))
    (folder / "config.json").unlink()
    (folder / "config.json").write_text("{}")
    (folder / "README.md").write_text("people may mend this")
    with pytest.raises(FormatError, match=r"card\.json was changed, config\.json was changed; needed the files"):
        load_exported(folder)
    with pytest.raises(FormatError, match=r"card\.json was changed"):
        read_card(folder)


def test_a_folder_without_checksums_or_of_another_model_is_refused(imported, trained, tmp_path):
    folder = export_weights(imported, tmp_path / "liver")
    other = export_weights(trained, tmp_path / "other")
    (folder / "README.md").unlink()
    (folder / "config.json").write_bytes((other / "config.json").read_bytes())
    write_checksums(folder)
    with pytest.raises(RunError, match=r"config\.json is of another model than the weights"):
        load_exported(folder)
    (folder / "config.json").write_text('{"format": 1, "model": {"tracks": 3}}')
    write_checksums(folder)
    with pytest.raises(FormatError, match=r"config\.json: damaged"):
        load_exported(folder)
    (folder / "SHA256SUMS").unlink()
    with pytest.raises(FormatError, match=r"no checksum of card\.json, config\.json, model\.safetensors"):
        load_exported(folder)
    with pytest.raises(RunError, match="a folder that `regact weights export` wrote"):
        load_exported(trained)


def test_a_file_that_was_put_into_a_folder_is_refused(trained, tmp_path):
    """One that nobody vouches for would be believed, such as the windows that it was trained on."""
    folder = export_weights(trained, tmp_path / "out")
    lines = (folder / "SHA256SUMS").read_text().splitlines(keepends=True)
    (folder / "SHA256SUMS").write_text("".join(line for line in lines if "windows.bed" not in line))
    (folder / "notes.txt").write_text("of no matter")
    with pytest.raises(FormatError, match=r"SHA256SUMS: no checksum of windows\.bed; needed one"):
        load_exported(folder)
    (folder / "windows.bed").unlink()
    load_exported(folder)


def test_loading_runs_nothing_that_lies_in_the_folder(imported, tmp_path):
    """Everything that other libraries run when they load a model, laid beside this one."""
    folder = export_weights(imported, tmp_path / "liver")
    trap = tmp_path / "sprung"
    code = f"open({str(trap)!r}, 'w')"
    for name in ("modeling", "configuration", "__init__", "setup", "conftest", "regact", "sitecustomize"):
        (folder / f"{name}.py").write_text(code)

    class Trap:
        def __reduce__(self):
            return eval, (code,)

    for name in ("pytorch_model.bin", "weights.pt", "model.pkl"):
        (folder / name).write_bytes(pickle.dumps(Trap()))
    program = "import sys, regact; print(regact.from_pretrained(sys.argv[1]).spec.tracks)"
    # -P: the folder itself is no place to import from, as with the installed command.
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, str(folder)], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout == "3\n"
    assert not trap.exists()
    (folder / "model.safetensors").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(RegactError):
        load_model(folder)
    assert not trap.exists()


def test_only_an_exported_folder_is_replaced_and_only_when_told(imported, trained, tmp_path):
    folder = export_weights(imported, tmp_path / "liver")
    with pytest.raises(OutputExistsError, match="--overwrite"):
        export_weights(trained, folder)
    export_weights(trained, folder, overwrite=True)
    assert (folder / "metrics.tsv").exists()
    with pytest.raises(OutputExistsError, match=r"holds no config\.json"):
        export_weights(folder, trained, overwrite=True)


def test_an_exported_folder_can_be_exported_again(imported, tmp_path):
    first = export_weights(imported, tmp_path / "a" / "liver")
    second = export_weights(first, tmp_path / "b" / "liver")
    assert {path.name: path.read_bytes() for path in first.iterdir()} == {
        path.name: path.read_bytes() for path in second.iterdir()
    }


def test_a_run_without_weights_has_nothing_to_export(tmp_path):
    with pytest.raises(RunError, match=r"no card\.json in it"):
        export_weights(tmp_path, tmp_path / "liver")
    assert not (tmp_path / "liver").exists()
