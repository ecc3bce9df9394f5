"""YAML to checked settings: problems told all at once, in terms of the file."""

import pytest
from pydantic import BaseModel, ConfigDict

from regact.errors import ConfigError
from regact.settings import check_settings, read_settings


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    width_bp: int = 1


class Whole(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    part: Part = Part()
    parts: tuple[Part, ...] = ()
    name: str = "x"
    extra: Part | None = None


def write(tmp_path, text):
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    return path


def test_reads_values_and_overrides(tmp_path):
    path = write(tmp_path, "name: y\n")
    assert read_settings(path, Whole, overrides=["part.width_bp=3"]) == Whole(name="y", part=Part(width_bp=3))


def test_an_empty_file_is_all_defaults(tmp_path):
    assert read_settings(write(tmp_path, "# nothing\n"), Whole) == Whole()


def test_tells_every_problem_at_once(tmp_path):
    path = write(tmp_path, "part: {widht_bp: 2}\nnane: z\nname: [1]\nparts: [{width_bp: 1}, {width: 2}]\n")
    with pytest.raises(ConfigError) as caught:
        read_settings(path, Whole, overrides=["oops"])
    problems = " | ".join(caught.value.problems)
    assert len(caught.value.problems) == 5
    assert "part.widht_bp: unknown key; did you mean width_bp?" in problems
    assert "parts.1.width: unknown key; did you mean width_bp?" in problems
    assert "nane: unknown key; did you mean name?" in problems
    assert "--set oops" in problems


def test_a_group_that_may_be_left_out_has_known_keys_too(tmp_path):
    with pytest.raises(ConfigError, match=r"extra\.width: unknown key; did you mean width_bp\?"):
        read_settings(write(tmp_path, "extra: {width: 2}\n"), Whole)


@pytest.mark.parametrize("text", ["a: [1", "- 1\n- 2\n", "name: x\nname: y\n"])
def test_refuses_what_is_no_mapping_with_unique_keys(tmp_path, text):
    with pytest.raises(ConfigError, match=r"settings\.yaml"):
        read_settings(write(tmp_path, text), Whole)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        read_settings(tmp_path / "absent.yaml", Whole)


def test_check_settings_gives_settings_or_problems():
    assert check_settings(Whole, {"name": "a"}) == (Whole(name="a"), [])
    settings, problems = check_settings(Whole, {"part": 3})
    assert settings is None
    assert problems[0].startswith("part: ")
