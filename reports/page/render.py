"""Pages from templates: everything that a model or a data set wrote is escaped."""

from __future__ import annotations

from importlib.resources import files
from typing import Any


def static(name: str) -> bytes:
    """A style sheet or script that ships with the package."""
    return files(__package__).joinpath("static", name).read_bytes()


def render(template: str, **values: Any) -> str:
    """A template's page, with the style sheet inlined. A value that the template misses is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("reports.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(style=Markup(static("page.css").decode()), **values)
