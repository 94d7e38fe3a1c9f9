"""The client of the web application's API: `SequenceClient`, under the name that scripts know."""

from seqdata.sources.webapp.client import SequenceClient

__all__ = ["SequenceClient"]
