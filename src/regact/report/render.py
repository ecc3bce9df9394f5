"""Pages from the templates of this folder; all extend `base.html`, so that they look alike."""

import platform
from datetime import UTC, datetime
from importlib import metadata

import jinja2


def render_page(template: str, **content: object) -> str:
    """Return the page; besides `content`, templates know `versions` (of this program's parts) and `written` (now)."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("regact.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    written = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return environment.get_template(template).render(**content, versions=_versions(), written=written)


def _versions() -> str:
    names = ("regact", "torch", "numpy", "pandas", "zarr", "matplotlib")
    return ", ".join([*(f"{name} {metadata.version(name)}" for name in names), f"Python {platform.python_version()}"])
