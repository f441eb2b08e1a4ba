"""Pages from templates: everything that a model or a data set wrote is escaped, and nothing runs that is not a file."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'none'; base-uri 'none'; form-action 'none'"
)
STYLES = ("page.css", "board.css", "pages.css")
SCRIPTS = ("sort.js", "board.js", "diff.js", "text.js", "shown.js", "samples.js", "compare.js")
STATIC = (*STYLES, *SCRIPTS)
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800")
_CONTROLS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def static(name: str) -> bytes:
    """A style sheet or script that ships with the package."""
    return files(__package__).joinpath("static", name).read_bytes()


def visible(text: object) -> Any:
    """Text as markup in which a mark that nobody sees (zero width, direction, control) is written out."""
    from markupsafe import Markup, escape

    def shown(c: str) -> Markup:
        if c in "\n\t" or not (c in _INVISIBLE or unicodedata.category(c) in _CONTROLS or 0xFE00 <= ord(c) <= 0xFE0F):
            return escape(c)
        return Markup('<span class="mark">U+{:04X}</span>').format(ord(c))

    return Markup("").join(map(shown, str(text)))


def render(
    template: str, *, root: str = "../", here: str = "", nav: Sequence[tuple[str, str]] = (), **values: Any
) -> str:
    """A template's page; `root` leads from it to the site's folder. A value that the template misses is an error.

    `nav` are the (address, title) of the pages that it leads to; `here` is its own address among them.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("reports.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    return environment.get_template(template).render(policy=CSP, root=root, here=here, nav=nav, **values)
