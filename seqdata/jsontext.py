"""JSON as it comes: parsed twice as fast as by the standard library, which has the last word."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import from_json


def parse_json(body: bytes) -> Any:
    """Parse a body.

    Raises
    ------
    ValueError
        It is not JSON.
    """
    try:
        return from_json(body)
    except ValueError:  # such as half a surrogate pair, which the standard library takes
        return json.loads(body)
