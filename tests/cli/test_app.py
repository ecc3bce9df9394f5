"""The mechanism of the command line, run as users run it: in a process of its own."""

import importlib
import inspect
import os
import signal
import subprocess
import sys
import textwrap
import time
from importlib import metadata
from pathlib import Path

import pytest

from regact.cli.app import COMMANDS, GROUPS, error_lines, load_command
from regact.errors import ConfigError, FormatError

# Commands that fail, wait or print in a known way, put into the table beside the real ones.
EXTRA_COMMANDS = """
import sys, time
from regact.cli import app
from regact.errors import ConfigError, FormatError

def broken(): raise FormatError("a.bw", "truncated\\nat 12", "a bigWig", "copy it again")
def problems(): raise ConfigError("x.yaml", ["window_bpp: unknown; did you mean window_bp", "seed: not a number"])
def absent(): open("no/such/file")
def bug(): raise KeyError("a bug")
def wait():
    print("waiting", flush=True)
    time.sleep(60)
def much():
    for line in range(100_000): print(line)

for name in ("broken", "problems", "absent", "bug", "wait", "much"):
    module = type(sys)(name)
    module.command = globals()[name]
    sys.modules[name] = module
    app.COMMANDS[name] = (name, name)
app.main()
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("program") / "program.py"
    path.write_text(textwrap.dedent(EXTRA_COMMANDS))
    return path


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, timeout=60)


REGACT = ("-c", "from regact.cli import main; main()")


def test_error_is_one_line_on_stderr(program: Path):
    result = run(program, "broken")
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == "regact: error: a.bw: truncated at 12; needed a bigWig; copy it again\n"


def test_settings_show_every_problem_on_its_own_line(program: Path):
    result = run(program, "problems")
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "regact: error: x.yaml: window_bpp: unknown; did you mean window_bp",
        "regact: error: x.yaml: seed: not a number",
    ]


def test_operating_system_error_is_one_line(program: Path):
    result = run(program, "absent")
    assert (result.returncode, result.stderr) == (1, "regact: error: no/such/file: No such file or directory\n")


@pytest.mark.parametrize("arguments", [("--debug", "broken"), ("broken", "--debug")])
def test_debug_shows_the_traceback_wherever_it_stands(program: Path, arguments: tuple[str, str]):
    result = run(program, *arguments)
    assert result.returncode == 1
    assert result.stderr.startswith("Traceback (most recent call last)")
    assert result.stderr.splitlines()[-1].startswith("regact: error: a.bw")


def test_a_bug_keeps_its_traceback(program: Path):
    result = run(program, "bug")
    assert result.returncode == 1
    assert "KeyError: 'a bug'" in result.stderr


def test_interrupt_exits_130_with_one_line(program: Path):
    process = subprocess.Popen(
        [sys.executable, str(program), "wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "regact: interrupted\n")


def test_reader_that_leaves_is_no_error(program: Path):
    command = f"{sys.executable} {program} much | head -n 1"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert (result.stdout, result.stderr) == ("0\n", "")


@pytest.mark.parametrize("arguments", [("no-such",), ("dataset", "no-such"), ("doctor", "--no-such")])
def test_wrong_call_exits_2(arguments: tuple[str, ...]):
    result = run(*REGACT, *arguments)
    assert result.returncode == 2
    assert "no-such" in result.stderr


def test_a_near_name_is_offered():
    assert "Did you mean 'doctor'?" in run(*REGACT, "dokter").stderr


def test_version():
    assert run(*REGACT, "--version").stdout == f"regact {metadata.version('regact')}\n"


def test_help_names_every_command_and_imports_nothing_heavy():
    code = "import sys; from regact.cli import app; app.build_group('')(['--help'], standalone_mode=False); "
    code += "print(sorted({'torch', 'numpy', 'pandas', 'matplotlib'} & set(sys.modules)))"
    result = run("-c", code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.rstrip().endswith("[]")
    assert all(name.split()[0] in result.stdout for name in COMMANDS)


@pytest.mark.slow
def test_help_is_quick():
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        run(*REGACT, "--help")
        seconds.append(time.perf_counter() - start)
    # 0.2 s on an idle core; the bound leaves room for a busy machine and still catches an import of torch (1.5 s).
    assert min(seconds) < 1.0


@pytest.mark.parametrize("name", sorted(COMMANDS))
class TestEveryCommand:
    def test_loads_and_says_what_the_table_says(self, name: str):
        module, summary = COMMANDS[name]
        docstring = inspect.getdoc(importlib.import_module(module).command) or ""
        assert docstring.splitlines()[0] == summary
        assert f"regact {name}" in docstring, "the help has no example"

    def test_every_parameter_is_explained(self, name: str):
        for parameter in load_command(name).params:
            assert getattr(parameter, "help", None), f"{parameter.name} has no help"

    def test_group_is_described(self, name: str):
        *group, _ = name.split()
        assert " ".join(group) in GROUPS


def test_shared_options_are_the_same_everywhere():
    helps: dict[str, set[str]] = {}
    shared = importlib.import_module("regact.cli.options")
    names = {
        declaration.lstrip("-")
        for value in vars(shared).values()
        for declaration in getattr(next(iter(getattr(value, "__metadata__", ())), None), "param_decls", None) or ()
    }
    for command in COMMANDS:
        for parameter in load_command(command).params:
            word = max(parameter.opts, key=len).lstrip("-")
            if word in names:
                helps.setdefault(word, set()).add(getattr(parameter, "help", ""))
    assert {word: texts for word, texts in helps.items() if len(texts) > 1} == {}


def test_error_lines_of_an_os_error_without_a_file():
    assert list(error_lines(OSError("out of luck"))) == ["out of luck"]
    assert list(error_lines(FormatError("f", "bad"))) == ["f: bad"]
    assert len(list(error_lines(ConfigError("f", ["a", "b", "c"])))) == 3


def test_processes_of_tests_see_the_thread_caps():
    assert os.environ["OMP_NUM_THREADS"] == "1"


def test_python_m_regact_is_the_command():
    for arguments in (["--help"], ["model", "show", "nonesuch"], ["--version"]):
        module, command = run("-m", "regact", *arguments), run(*REGACT, *arguments)
        assert (module.stdout, module.stderr, module.returncode) == (command.stdout, command.stderr, command.returncode)
    assert module.stdout == f"regact {metadata.version('regact')}\n"
