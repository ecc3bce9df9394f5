"""Other people's weights as run folders, read without the programs that wrote them, and our runs made to travel.

A reader of each file format, the layout of each published family of models, one writer of run folders. May import
`training`, `model`, `tracks`, `engine` and what those may; nothing in a file that it reads is ever run.
"""

from regact.pretrained.basenji_keras import import_keras
from regact.pretrained.basenji_tf1 import import_basenji_2018
from regact.pretrained.export import export_weights, load_exported
from regact.pretrained.hub import from_pretrained, push_to_hub
from regact.pretrained.run_folder import describe_run, write_imported_run

__all__ = [
    "describe_run",
    "export_weights",
    "from_pretrained",
    "import_basenji_2018",
    "import_keras",
    "load_exported",
    "push_to_hub",
    "write_imported_run",
]
