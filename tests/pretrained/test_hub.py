"""`push_to_hub` and `from_pretrained` with the real client, against a hub of the tests' own."""

import builtins

import pytest
import torch

from regact.errors import FormatError, ProgramError, RunError
from regact.model import predict_codes
from regact.pretrained import export_weights, from_pretrained, push_to_hub, write_imported_run


@pytest.fixture
def hub(small_hub, monkeypatch, tmp_path):
    """A hub that the client takes for Hugging Face's."""
    with small_hub() as running:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", running.address)
        template = running.address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        yield running


@pytest.fixture
def run(small_network, tmp_path):
    """Imported weights with everything that a run can bring along."""
    (tmp_path / "sequences.bed").write_text("chr1\t0\t2048\ttrain\n")
    source = {"format": "a test", "files": []}
    windows = tmp_path / "sequences.bed"
    run = write_imported_run(small_network, tmp_path / "run", sheet=None, source=source, windows=windows)
    table = "split\tidentifier\tassay\tdescription\tpearson\tpearson_log1p\tr2\tr2_log1p\n"
    (run / "metrics.tsv").write_text(table + "valid\ttrack_1\tCAGE\tCAGE:x\t0.5\t0.6\t0.2\t0.3\n")
    return run


FILES = {"README.md", "SHA256SUMS", "card.json", "config.json", "metrics.tsv", "model.safetensors", "windows.bed"}


def codes_for(model):
    return torch.randint(0, 5, (1, model.spec.window_bp), dtype=torch.uint8)


def test_a_pushed_run_comes_back_the_same(hub, run, small_network, tmp_path):
    address = push_to_hub(run, "lab/liver", private=True, token="hf_right", license_id="cc-by-4.0")
    assert address == f"{hub.address}/lab/liver"
    assert hub.private["lab/liver"]
    assert set(hub.repositories["lab/liver"]) == FILES
    assert "license: cc-by-4.0" in hub.repositories["lab/liver"]["README.md"].decode()
    model = from_pretrained("lab/liver", cache_dir=tmp_path / "cache")
    codes = codes_for(model)
    assert torch.equal(predict_codes(model, codes), predict_codes(small_network, codes))
    again = from_pretrained("lab/liver", cache_dir=tmp_path / "cache", local_files_only=True)
    assert torch.equal(predict_codes(again, codes), predict_codes(small_network, codes))


def test_an_exported_folder_goes_as_it_is(hub, run, tmp_path):
    folder = export_weights(run, tmp_path / "liver")
    (folder / "README.md").write_text("# written by hand\n")
    (folder / "notes.txt").write_text("not for others")
    push_to_hub(folder, "lab/liver", token="hf_right")
    push_to_hub(folder, "lab/liver", token="hf_right")  # the repository is there by now
    assert hub.repositories["lab/liver"]["README.md"] == b"# written by hand\n"
    assert "notes.txt" not in hub.repositories["lab/liver"]
    (folder / "card.json").write_text("{}")
    with pytest.raises(FormatError, match=r"card\.json was changed"):
        push_to_hub(folder, "lab/liver", token="hf_right")


def test_nothing_of_another_model_stays_behind(hub, run, tmp_path):
    """Its windows and accuracies would be taken for those of the new one."""
    push_to_hub(run, "lab/liver", token="hf_right")
    hub.repositories["lab/liver"]["notes.txt"] = b"not ours"
    (run / "windows.bed").unlink()
    (run / "metrics.tsv").unlink()
    push_to_hub(run, "lab/liver", token="hf_right")
    assert set(hub.repositories["lab/liver"]) == FILES - {"windows.bed", "metrics.tsv"} | {"notes.txt"}
    from_pretrained("lab/liver", cache_dir=tmp_path / "cache")


def test_what_shall_be_private_does_not_go_to_a_public_repository(hub, run):
    push_to_hub(run, "lab/liver", token="hf_right")
    before = dict(hub.repositories["lab/liver"])
    (run / "metrics.tsv").unlink()
    with pytest.raises(RunError, match=r"lab/liver: there already, and public: nothing was uploaded; needed a private"):
        push_to_hub(run, "lab/liver", private=True, token="hf_right")
    assert hub.repositories["lab/liver"] == before
    push_to_hub(run, "lab/own", private=True, token="hf_right")
    push_to_hub(run, "lab/own", private=True, token="hf_right")
    assert "metrics.tsv" not in hub.repositories["lab/own"]


def test_what_was_changed_on_the_hub_is_refused(hub, run, tmp_path):
    push_to_hub(run, "lab/liver", token="hf_right")
    weights = bytearray(hub.repositories["lab/liver"]["model.safetensors"])
    weights[-1] ^= 1
    hub.repositories["lab/liver"]["model.safetensors"] = bytes(weights)
    with pytest.raises(FormatError, match=r"model\.safetensors was changed"):
        from_pretrained("lab/liver", cache_dir=tmp_path / "cache")


def test_code_in_a_repository_is_not_even_fetched(hub, run, tmp_path):
    push_to_hub(run, "lab/liver", token="hf_right")
    for name in ("modeling.py", "pytorch_model.bin", "setup.py"):
        hub.repositories["lab/liver"][name] = b"import os; os.abort()"
    from_pretrained("lab/liver", cache_dir=tmp_path / "cache")
    assert set(hub.fetched) == FILES


@pytest.mark.parametrize(("name", "problem"), [("lab/nothing", "Repository"), ("not a name", "Repo id")])
def test_a_repository_that_is_not_there_is_named(hub, name, problem, tmp_path):
    with pytest.raises(RunError, match=f"{name}: the hub's client says: .*{problem}"):
        from_pretrained(name, cache_dir=tmp_path / "cache")


def test_a_wrong_token_is_an_error_of_one_line(hub, run):
    with pytest.raises(RunError, match="lab/liver: the hub's client says: ") as caught:
        push_to_hub(run, "lab/liver", token="hf_wrong")
    assert "401" in str(caught.value)


def test_a_folder_needs_no_client(run, tmp_path, monkeypatch):
    real = builtins.__import__

    def without_client(name, *arguments, **options):
        if name.startswith("huggingface_hub"):
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_client)
    from_pretrained(export_weights(run, tmp_path / "liver"))
    with pytest.raises(ProgramError, match=r'pip install "regact\[hub\]"'):
        from_pretrained("lab/liver")
