"""Folders of Kyalo's own on this machine."""

import os
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder of Kyalo's own: its owner's, and passed through by the server's account under root."""
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
