import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from regact.errors import FormatError, RunError
from regact.model import PRESETS, load_model, load_spec, one_hot, save_model
from regact.model.weights_file import find_weights

WEIGHTS = "weights.safetensors"


@pytest.mark.parametrize("name", PRESETS)
def test_round_trip_is_bit_for_bit(name: str, small_model, codes, tmp_path):
    model = small_model(name, crop_bins=1, link="softplus")
    model(one_hot(codes))  # moves batch norm's statistics
    path = save_model(model, tmp_path / "run")
    assert path == tmp_path / "run" / WEIGHTS
    assert [p.name for p in path.parent.iterdir()] == [WEIGHTS]
    loaded = load_model(tmp_path / "run")
    assert loaded.spec == model.spec == load_spec(path)
    assert not loaded.training
    assert torch.equal(loaded(one_hot(codes)), model.eval()(one_hot(codes)))
    assert torch.equal(load_model(path)(one_hot(codes)), model(one_hot(codes)))


def test_saving_again_replaces(small_model, tmp_path):
    save_model(small_model("standard"), tmp_path)
    save_model(small_model("basenji"), tmp_path)
    assert load_model(tmp_path).spec.preset == "basenji"


def read(path) -> tuple[dict, dict]:
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118


def test_tensors_that_do_not_fit_are_named_all_at_once(small_model, tmp_path):
    path = save_model(small_model("standard"), tmp_path)
    tensors, metadata = read(path)
    tensors["head.affine.weight"] = torch.zeros(4, 5, 1)
    tensors["extra"] = torch.zeros(1)
    tensors["head.affine.bias"] = tensors["head.affine.bias"].half()
    del tensors["tower.blocks.0.norm.weight"]
    save_file(tensors, path, metadata=metadata)
    with pytest.raises(RunError) as error:
        load_model(tmp_path)
    for text in (
        "tower.blocks.0.norm.weight is missing",
        "extra is unknown",
        "head.affine.weight is torch.float32 (4, 5, 1), needed torch.float32 (3, 55, 1)",
        "head.affine.bias is torch.float16 (3,), needed torch.float32 (3,)",
    ):
        assert text in str(error.value)


def test_changed_spec_is_refused(small_model, tmp_path):
    path = save_model(small_model("standard"), tmp_path)
    tensors, metadata = read(path)
    spec = json.loads(metadata["regact_model_spec"])
    spec["tracks"] = "many"
    save_file(tensors, path, metadata={"regact_model_spec": json.dumps(spec)})
    with pytest.raises(RunError, match="its model spec is not valid \\(tracks"):
        load_model(tmp_path)


def test_changed_values_are_refused(small_model, tmp_path):
    path = save_model(small_model("standard"), tmp_path)
    tensors, metadata = read(path)
    tensors["head.affine.bias"][1] += 1e-6
    save_file(tensors, path, metadata=metadata)
    with pytest.raises(FormatError, match="its tensors do not have their checksum; needed the values that were saved"):
        load_model(tmp_path)


@pytest.mark.parametrize("name", ["head.affine.bias", "tower.blocks.0.norm.num_batches_tracked"])
def test_any_flipped_bit_of_a_tensor_is_refused(name, small_model, tmp_path):
    path = save_model(small_model("standard"), tmp_path)
    content = bytearray(path.read_bytes())
    header_bytes = int.from_bytes(content[:8], "little")
    _, last = json.loads(content[8 : 8 + header_bytes])[name]["data_offsets"]
    content[8 + header_bytes + last - 1] ^= 1
    path.write_bytes(content)
    with pytest.raises(FormatError, match="checksum"):
        load_model(tmp_path)


def test_weights_of_an_older_version_have_no_checksum_and_are_read(small_model, codes, tmp_path):
    model = small_model("standard").eval()
    path = save_model(model, tmp_path)
    tensors, metadata = read(path)
    spec = json.loads(metadata["regact_model_spec"])
    for later in ("tensors_sha256", "n_value", "block"):
        del spec[later]
    save_file(tensors, path, metadata={"regact_model_spec": json.dumps(spec)})
    assert torch.equal(load_model(tmp_path)(one_hot(codes)), model(one_hot(codes)))


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_a_spec_that_is_no_object_is_refused(text, tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / WEIGHTS, metadata={"regact_model_spec": text})
    with pytest.raises(FormatError, match="damaged model spec"):
        load_model(tmp_path)


def test_the_same_model_is_the_same_bytes(small_model, tmp_path):
    one, other = (save_model(small_model(), tmp_path / name).read_bytes() for name in "ab")
    assert one == other


def test_an_exported_folder_has_the_hubs_name_for_it(small_model, tmp_path):
    path = save_model(small_model("standard"), tmp_path, name="model.safetensors")
    assert find_weights(tmp_path) == path
    assert load_model(tmp_path).spec.preset == "standard"
    assert find_weights(save_model(small_model("standard"), tmp_path).parent).name == WEIGHTS


def test_file_of_others_is_refused(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / WEIGHTS)
    with pytest.raises(RunError, match="holds no model spec"):
        load_model(tmp_path)


@pytest.mark.parametrize("keep", [0, 7, 1000, -1])
def test_truncated_file_is_refused(keep: int, small_model, tmp_path):
    path = save_model(small_model("standard"), tmp_path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(FormatError, match=WEIGHTS):
        load_model(tmp_path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(RunError, match="no such file; needed the weights of a trained model"):
        load_model(tmp_path / "nowhere")


def test_the_name_of_a_preset_is_no_run(small_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError) as error:
        load_model("attention_two_sided")
    assert str(error.value) == (
        "attention_two_sided: no such run, but the name of a preset, which has no weights yet; needed a run folder; "
        'build_model(preset_spec("attention_two_sided", tracks=..., window_bp=...)) is a new model of this preset'
    )
    save_model(small_model("standard"), "attention_two_sided")  # a run may be called like one
    assert load_model("attention_two_sided").spec.preset == "standard"


def test_failed_save_leaves_what_was_there(small_model, tmp_path, monkeypatch):
    save_model(small_model("standard"), tmp_path)

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("regact.model.weights_file.save", fail)
    with pytest.raises(OSError, match="No space"):
        save_model(small_model("basenji"), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [WEIGHTS]
    assert load_model(tmp_path).spec.preset == "standard"
