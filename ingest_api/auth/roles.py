"""What a client may do, by the kind of client it is."""

from typing import Literal

Role = Literal["device", "office", "analyst", "admin"]
SURVEY_SENDERS: frozenset[Role] = frozenset({"device", "office"})
FILE_SENDERS: frozenset[Role] = frozenset({"office"})
REVIEWERS: frozenset[Role] = frozenset({"office"})
EVERYBODY: frozenset[Role] = frozenset({"device", "office", "analyst"})
