"""The command line: one short file per command, shared options in `options.py`, the table of commands in `app.py`.

May import everything; nothing imports it. How to add a command stands at the top of `app.py`.
"""

from regact.cli.app import main

__all__ = ["main"]
