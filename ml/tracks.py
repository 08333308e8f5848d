"""The two tracks of models, which are never mixed."""

from typing import Literal

Track = Literal["screening", "assessment"]

TRACKS: tuple[Track, ...] = ("screening", "assessment")
