"""YAML files as checked settings: every problem at once, with the path of the field and the nearest valid name."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from regact.errors import ConfigError

Settings = TypeVar("Settings", bound=BaseModel)


def read_settings(path: Path | str | None, kind: type[Settings], *, overrides: Sequence[str] = ()) -> Settings:
    """The settings in a YAML file, checked as `kind`.

    Args:
        path: The YAML file; where it is empty, or None is given, every setting has its default.
        overrides: `field=value` with dots (`layout.gap_bp=100`), value in YAML; as `--set` on the command line.

    Raises:
        ConfigError: with every problem at once: no YAML, keys that are unknown (and the nearest valid one), twice there
            or missing, values of a wrong type or range.
    """
    values, problems = ({}, []) if path is None else read_yaml(path)
    problems += [problem for text in overrides if (problem := override(values, text))]
    settings, more = check_settings(kind, values)
    if settings is None or problems:
        raise ConfigError(path or "settings", [*problems, *more])
    return settings


def read_yaml(path: Path | str) -> tuple[dict[str, Any], list[str]]:
    """The values in a YAML file of `key: value` lines, and the keys that are there twice.

    Raises: ConfigError where it cannot be read or is no such file.
    """
    try:
        loader = _UniqueKeyLoader(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(path, [f"cannot be read ({error})"]) from error
    loader.duplicates = []
    try:
        values = loader.get_single_data()
    except yaml.YAMLError as error:
        raise ConfigError(path, [f"is no YAML: {' '.join(str(error).split())}"]) from error
    finally:
        loader.dispose()
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise ConfigError(path, [f"holds a {type(values).__name__}; needed `key: value` lines"])
    return values, loader.duplicates


def override(values: dict[str, Any], text: str) -> str:
    """Set one field of `values` in place by `field.inner=value`; return what is wrong with `text`, or nothing."""
    field, equals, value = text.partition("=")
    if not equals or not all(field.split(".")):
        return f"--set {text}: no field=value (for example --set model.width=0.5)"
    *parents, last = field.strip().split(".")
    place = values
    for parent in parents:
        child = place.setdefault(parent, {})
        if not isinstance(child, dict):
            return f"--set {text}: {parent} is no group of settings"
        place = child
    try:
        place[last] = yaml.safe_load(value)
    except yaml.YAMLError:
        return f"--set {text}: the value is no YAML"
    return ""


def check_settings(kind: type[Settings], values: Mapping[str, Any]) -> tuple[Settings | None, list[str]]:
    """`values` as `kind`, None where they are not; and every problem, each as `field: what; remedy`."""
    try:
        return kind.model_validate(values), []
    except ValidationError as error:
        return None, [_explain(problem, kind, values) for problem in error.errors()]


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML without keys that overwrite each other silently."""

    duplicates: list[str]

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                self.duplicates.append(f"line {key_node.start_mark.line + 1}: key {key!r} is there twice")
            seen.add(key)
        return super().construct_mapping(node, deep)


def _explain(error: Mapping[str, Any], kind: type[BaseModel], values: Any) -> str:
    """One of pydantic's errors as `field: what; remedy`."""
    field = _field_path(error["loc"], values)
    match error["type"]:
        case "extra_forbidden":
            known = _known_keys(kind, error["loc"][:-1])
            near = get_close_matches(str(error["loc"][-1]), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(sorted(known))}"
            return f"{field}: unknown key; {hint}"
        case "missing":
            return f"{field}: missing"
        case "union_tag_invalid" | "union_tag_not_found":
            return _explain_tag(field, error, list(_schema_at(kind, error["loc"])["discriminator"]["mapping"]))
        case "string_type" if isinstance(error["input"], int | float):
            return f"{field}: {error['input']!r} is no text; write it in quotes, for YAML takes it for something else"
        case "tuple_type" | "list_type" if isinstance(error["input"], str | int | float):
            return f"{field}: {error['input']!r} is no list; write [{error['input']}]"
        case "value_error":
            return f"{field}: {error['ctx']['error']}" if field else str(error["ctx"]["error"])
        case _:
            return f"{field}: {error['msg']}, found {error['input']!r}"


def _field_path(loc: Sequence[str | int], values: Any) -> str:
    """The dotted path that a user can find in the file: without the tags that pydantic puts in for unions."""
    parts = []
    for index, part in enumerate(loc):
        inside = (isinstance(values, dict) and part in values) or (isinstance(values, list) and isinstance(part, int))
        if inside:
            values = values[part]
        elif index < len(loc) - 1 or not isinstance(values, dict):
            continue
        parts.append(str(part))
    return ".".join(parts)


def _explain_tag(field: str, error: Mapping[str, Any], known: list[str]) -> str:
    """What is wrong with the key that says which of several kinds a group of settings is."""
    key, kinds = error["ctx"]["discriminator"].strip("'"), ", ".join(known)
    if error["type"] == "union_tag_not_found":
        return f"{field}.{key}: missing; needed one of {kinds}"
    tag = error["ctx"]["tag"]
    near = get_close_matches(tag, known, n=1)
    return f"{field}.{key}: unknown {tag!r}; " + (f"did you mean {near[0]}?" if near else f"needed one of {kinds}")


def _known_keys(kind: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys that a group of settings may have."""
    return list(_schema_at(kind, loc).get("properties", {}))


def _schema_at(kind: type[BaseModel], loc: Sequence[str | int]) -> Mapping[str, Any]:
    """The JSON schema (which knows unions and their tags) of one place in the settings."""
    schema = kind.model_json_schema()
    node = _dereference(schema, schema)
    for part in loc:
        tags = node.get("discriminator", {}).get("mapping", {})
        if isinstance(part, int):
            node = node.get("items", {})
        else:
            node = {"$ref": tags[part]} if part in tags else node.get("properties", {}).get(part, {})
        node = _dereference(node, schema)
    return node


def _dereference(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while True:
        kinds = [kind for kind in node.get("anyOf", ()) if kind != {"type": "null"}]
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        elif len(kinds) == 1:  # a group of settings that may be left out
            node = kinds[0]
        else:
            return node
