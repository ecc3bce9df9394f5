"""Loops compiled to machine code by numba, kept on disk where that is possible."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, compiled when it is first called with arguments of some types.

    The machine code is kept beside the source or, where that folder is read-only, in the user's cache folder
    (`NUMBA_CACHE_DIR` names another), so that later processes start at once. Where neither can be written, every
    process compiles anew, which takes seconds.

    What is kept is renewed when the function's own file changes, not when a compiled function or a constant of another
    file does: let compiled functions call compiled functions of their own file only, and touch the files that use a
    constant when it changes (an installed package has new files at every version).
    """
    try:
        return numba.njit(cache=True)(function)
    except RuntimeError:  # numba found no folder that it may write to
        return numba.njit()(function)
