"""`regact doctor`: what this machine has, and what it lacks for which command."""

import os
import platform
import re
import shutil
import sys
from importlib import metadata
from pathlib import Path

import torch

from regact.cli.output import print_table
from regact.engine import available_cores

# program -> (Debian package, what needs it)
PROGRAMS = {
    "bowtie2": ("bowtie2", "`regact align`; alignments may also come from elsewhere"),
    "samtools": ("samtools", "`regact align`"),
    "bedtools": ("bedtools", "preparing BED files of blacklisted or unmappable regions"),
    "chromium": ("chromium", "the tests of HTML pages"),
}
# package of an extra -> (the extra, what needs it)
EXTRAS = {"optuna": ("tune", "regact tune"), "huggingface_hub": ("hub", "regact weights export --push-to-hub")}
_GIB = 2**30


def command() -> None:
    """Show versions, devices and programs, and what is missing for which command.

    Nothing is changed, and the exit code is 0 also where something optional is missing.

    [bold]Example[/bold]

      regact doctor
    """
    print_table(("what", "found"), [*_machine(), *_devices()], title="Machine")
    print_table(("package", "version", "needed"), _packages(), title="\nPackages")
    print_table(("program", "found", "needed for"), _programs(), title="\nPrograms")


def _machine() -> list[tuple[str, str]]:
    pages, page_bytes = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    disk = shutil.disk_usage(Path.cwd())
    data = os.environ.get("REGACT_DATA")
    return [
        ("regact", f"{metadata.version('regact')} in {Path(__file__).parents[1]}"),
        ("Python", f"{platform.python_version()} in {sys.prefix}"),
        ("system", platform.platform()),
        ("memory", f"{pages * page_bytes / _GIB:.1f} GiB"),
        ("disk (working directory)", f"{disk.free / _GIB:.1f} GiB free of {disk.total / _GIB:.1f} GiB"),
        ("REGACT_DATA", data if data else "not set; tests and experiments with real data need it or --data"),
    ]


def _devices() -> list[tuple[str, str]]:
    found = [("device cpu", f"{available_cores()} cores for this process, {torch.get_num_threads()} torch threads")]
    for index in range(torch.cuda.device_count()):
        device = torch.cuda.get_device_properties(index)
        found.append((f"device cuda:{index}", f"{device.name}, {device.total_memory / _GIB:.0f} GiB"))
    if torch.backends.mps.is_available():
        found.append(("device mps", "Apple GPU"))
    if len(found) == 1:
        found.append(("accelerator", "none; everything works on the CPU, training is slower"))
    return found


def _packages() -> list[tuple[str, str, str]]:
    rows = []
    extras = [
        (package, _version(package, f'none; pip install "regact[{extra}]"'), f"for {purpose}")
        for package, (extra, purpose) in EXTRAS.items()
    ]
    for requirement in metadata.requires("regact") or []:
        match = re.match(r"[\w.-]+", requirement)
        if match is None or "extra ==" in requirement:
            continue
        version = _version(match[0], "MISSING: pip install regact")
        rows.append((match[0], version, requirement.removeprefix(match[0])))
    return [*rows, *extras]


def _version(package: str, missing: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return missing


def _programs() -> list[tuple[str, str, str]]:
    return [
        (program, shutil.which(program) or f"missing (Debian package {package})", purpose)
        for program, (package, purpose) in PROGRAMS.items()
    ]
