"""What a program takes before it works: the memory of `regact train` once it has started."""

from regact.engine import memory_bytes, run_apart


def program_bytes() -> int:
    """Memory of a process in which everything is imported and nothing was done yet.

    Of a fresh one, not of this one: a plan may be asked for in a notebook that holds gigabytes of its user's data.
    """
    return run_apart(_memory_at_start, None, where="a program that has started")


def _memory_at_start(_: None) -> int:
    return memory_bytes()  # with this module the process has imported its package, and with that models and training
