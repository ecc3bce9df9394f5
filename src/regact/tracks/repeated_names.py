"""Identifiers that stand in a published table more than once, told apart by numbers."""

from collections import Counter
from collections.abc import Callable, Sequence

_SHOWN = 3


def number_repeats(
    names: Sequence[str], where: object, tell: Callable[[str], object] = lambda remark: None
) -> tuple[str, ...]:
    """The names in their order, those that stood there before with a number behind: a, b, a, a -> a, b, a_2, a_3.

    A number that would make a name of the table's own is left out, so that all are different and the first of each
    keeps its name. The same table always gives the same names.

    Args:
        names: As they stand in a table.
        where: The table, for the remark.
        tell: Called with a remark where names were changed.
    """
    taken, counts, numbered = set(names), Counter[str](), []
    for name in names:
        counts[name] += 1
        new = name
        while counts[name] > 1 and new in taken:
            new = f"{name}_{counts[name]}"
            counts[name] += new in taken
        taken.add(new)
        numbered.append(new)
    changed = [(old, new) for old, new in zip(names, numbered, strict=True) if old != new]
    if changed:
        shown = ", ".join(f"{old} is now {new}" for old, new in changed[:_SHOWN])
        more = ", ..." if len(changed) > _SHOWN else ""
        tell(f"{where}: {len(changed):,} identifiers stand there again and were numbered ({shown}{more})")
    return tuple(numbered)
