"""The log of who saw and changed what: each entry bears a hash of all before it that nobody makes without the key."""

from warehouse.audit.chain import Chain
from warehouse.audit.entries import Draft, begin, current, end, note

__all__ = ["Chain", "Draft", "begin", "current", "end", "note"]
