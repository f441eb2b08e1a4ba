"""Which option an answer chooses, as each public scorer reads it, and as people do (`robust`).

Every rule is a pure function of the answer and the options (letter -> text). It gives a letter, `NO_OPTION` where the
answer says that none fits or refuses, and None where nothing can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Options = Mapping[str, str]
"""Letter -> text, in order."""
Rule = Callable[[str, Options], str | None]

NO_OPTION = "Z"
API_FAILED = "Failed to obtain answer via API"
"""What public kits write in place of an answer that they could not get."""
