"""Your Sequence account in Parquet, pandas and notebooks.

Importing this package is quick: each name below is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdata.core.lazy import lazy_names
from seqdata.core.logs import logger

if TYPE_CHECKING:
    from seqdata.auth import AuthTokens, get_access_token
    from seqdata.config import (
        SequenceConfig,
        SequenceCredentials,
        get_credentials,
        get_sequence_config,
    )
    from seqdata.exceptions import (
        AuthenticationError,
        GraphQLError,
        SequenceError,
        TokenExpiredError,
    )
    from seqdata.export import read_csv
    from seqdata.ledger import Ledger
    from seqdata.sandbox import Sandbox
    from seqdata.sources.webapp.client import SequenceClient

logger(__name__)

__version__ = "0.1.0"

_HOMES = {
    "AuthTokens": "auth",
    "AuthenticationError": "exceptions",
    "GraphQLError": "exceptions",
    "Ledger": "ledger",
    "Sandbox": "sandbox",
    "SequenceClient": "client",
    "SequenceConfig": "config",
    "SequenceCredentials": "config",
    "SequenceError": "exceptions",
    "TokenExpiredError": "exceptions",
    "get_access_token": "auth",
    "get_credentials": "config",
    "get_sequence_config": "config",
    "read_csv": "export",
}

__all__ = [
    "AuthTokens",
    "AuthenticationError",
    "GraphQLError",
    "Ledger",
    "Sandbox",
    "SequenceClient",
    "SequenceConfig",
    "SequenceCredentials",
    "SequenceError",
    "TokenExpiredError",
    "__version__",
    "get_access_token",
    "get_credentials",
    "get_sequence_config",
    "read_csv",
]

__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
