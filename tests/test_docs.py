"""Documentation that cannot drift: its commands, targets and links exist."""

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from regact.cli.app import COMMANDS, load_command

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])
MAKEFILE = (ROOT / "Makefile").read_text()


def fenced_lines(text: str) -> Iterator[str]:
    """Yield the lines of fenced code, a continued line joined with the next."""
    for block in re.findall(r"^```[a-z]*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        yield from block.replace("\\\n", " ").splitlines()


def shell_commands(text: str, program: str) -> Iterator[list[str]]:
    for line in fenced_lines(text):
        every = shlex.split(line.removeprefix("$ "), comments=True) if program in line else []
        joins = [-1, *(place for place, word in enumerate(every) if word in ("||", "&&", ";")), len(every)]
        for before, behind in pairwise(joins):
            words = every[before + 1 : behind]
            while words and re.fullmatch(r"\w+=.*", words[0]):  # VARIABLE=value before the command
                words = words[1:]
            if words and Path(words[0]).name == program:
                yield words[1:]


def regact_calls() -> list[tuple[str, str, list[str]]]:
    """Every `regact` line of the pages and of the commands' own help: (where, command, its arguments)."""
    calls = []
    texts = {str(page.relative_to(ROOT)): page.read_text() for page in PAGES}
    for script in sorted(ROOT.glob("experiments/*.sh")):
        texts[str(script.relative_to(ROOT))] = f"```sh\n{script.read_text()}```"
    for name in COMMANDS:
        examples = re.findall(r"^ *regact .*(?:\\\n.*)*", load_command(name).help or "", flags=re.MULTILINE)
        texts[f"help of {name}"] = "```\n" + "\n".join(line.strip() for line in examples) + "\n```"
    for where, text in texts.items():
        for words in shell_commands(text, "regact"):
            if words and words[0].startswith("-"):  # regact --help
                continue
            name = next((" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in COMMANDS), "")
            calls.append((where, name or " ".join(words), words[len(name.split()) :]))
    return calls


@pytest.mark.parametrize(("where", "name", "arguments"), regact_calls())
def test_command_exists_with_these_options(where: str, name: str, arguments: list[str]):
    assert name in COMMANDS, f"{where}: no such command"
    if arguments == ["--help"]:
        return
    command = load_command(name)
    context = command.context_class(command, info_name=name)
    _, positional, _ = command.make_parser(context).parse_args(list(arguments))  # raises for an unknown option
    assert not positional, f"{where}: {positional} left over"
    given = {argument.split("=")[0] for argument in arguments}
    for parameter in command.params:
        if parameter.required and parameter.param_type_name == "option":
            assert given & set(parameter.opts), f"{where}: {parameter.opts[0]} is missing"


def test_every_command_is_documented():
    documented = {name for where, name, _ in regact_calls() if where.endswith(".md")}
    assert set(COMMANDS) <= documented


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
class TestPage:
    def test_make_targets_exist(self, page: Path):
        for words in shell_commands(page.read_text(), "make"):
            for word in words:
                assert "=" in word or re.search(rf"^{re.escape(word)}:", MAKEFILE, flags=re.MULTILINE), word

    def test_relative_links_resolve(self, page: Path):
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            assert file.exists(), target
            if anchor and file.suffix == ".md":
                assert anchor in anchors(file.read_text()), target

    def test_names_no_place_of_one_machine(self, page: Path):
        assert not re.search(r"(?<![\w.])/(work|root|home)/", page.read_text())


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_paths_in_contributing_exist():
    for path in re.findall(r"`(src/regact/[\w/.]+)`", (ROOT / "CONTRIBUTING.md").read_text()):
        assert (ROOT / path).exists(), path


def test_readme_opens_with_the_two_commands():
    first_block = re.search(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert first_block is not None
    assert [line.split("#")[0].strip() for line in first_block[1].splitlines()] == ["make demo", "make test"]


def test_index_names_every_page():
    index = (ROOT / "docs" / "index.md").read_text()
    assert {page.name for page in (ROOT / "docs").glob("*.md") if f"({page.name})" not in index} == {"index.md"}


def test_the_demo_trains_as_many_models_as_pages_say():
    models = yaml.safe_load((ROOT / "experiments/demo.yaml").read_text())["compare"]["models"]
    number = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")[len(models)]
    for page in ("README.md", "Makefile", "experiments/demo.sh"):
        said = re.findall(r"\b(\w+) models\b", (ROOT / page).read_text())
        assert number in said, f"{page} says {said}; experiments/demo.yaml has {number}"
