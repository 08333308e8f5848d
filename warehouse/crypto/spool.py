"""Temporary files that hold nothing in clear: what comes to the disk is encrypted with a key that only memory has."""

import io
import os
import tempfile
from typing import BinaryIO, cast

from warehouse.crypto.frames import (
    FRAME_BYTES,
    FrameCipher,
    OpeningReader,
    new_cipher_key,
)

MEMORY_BYTES = 64 * 1024


class PrivateFile(io.RawIOBase):
    """A temporary file that is written once, in order, and then read and sought in; it ends with its last reader.

    Small content never leaves memory. Once it has been read from, nothing more can be written.

    Args:
        max_size: how much is kept in memory.
    """

    def __init__(self, max_size: int = MEMORY_BYTES) -> None:
        super().__init__()
        self._max_size = max(max_size, FRAME_BYTES)
        self._waiting = bytearray()
        self._written = 0
        self._frames = 0
        self._key = b""
        self._disk: BinaryIO | None = None
        self._reader: BinaryIO | None = None

    @property
    def _rolled(self) -> bool:
        """Whether writing may touch the disk; the web framework asks it of its uploads."""
        return self._disk is not None

    def readable(self) -> bool:
        """Always."""
        return True

    def writable(self) -> bool:
        """Until it is read."""
        return self._reader is None

    def seekable(self) -> bool:
        """Always."""
        return True

    def write(self, content: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        """Add to the end."""
        if self._reader is not None:
            raise io.UnsupportedOperation("a private file is written before it is read")
        self._waiting += content
        self._written += len(content)
        if self._disk is not None or self._written > self._max_size:
            self._roll_out(keep=1)
        return len(content)

    def read(self, size: int | None = -1) -> bytes:
        """Some of what was written, from where one stands."""
        return self._open().read(-1 if size is None else size)

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Fill some of a buffer."""
        content = self._open().read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def tell(self) -> int:
        """Where one reads, or how much was written."""
        return self._written if self._reader is None else self._reader.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Read on from elsewhere; to the end while it is written changes nothing."""
        is_end = (whence == io.SEEK_END and offset == 0) or (whence == io.SEEK_SET and offset == self._written)
        if self._reader is None and is_end:
            return self._written
        return self._open().seek(offset, whence)

    def close(self) -> None:
        """Let the file go; its key goes with it."""
        for file in (self._reader, self._disk):
            if file is not None:
                file.close()
        self._waiting = bytearray()
        super().close()

    def hand_over(self) -> tuple[BinaryIO, bytes]:
        """The encrypted file and its key, for a process that reads it with `open_private`."""
        self._open()
        if self._disk is None:
            self._roll_out(keep=0)
        assert self._disk is not None  # noqa: S101 - it was made a line above
        self._disk.flush()
        self._disk.seek(0)
        return self._disk, self._key

    def _open(self) -> BinaryIO:
        if self._reader is None:
            if self._disk is None:
                self._reader = io.BytesIO(self._waiting)
            else:
                self._roll_out(keep=0)
                raw = OpeningReader(self._disk, FrameCipher(self._key), 0)
                self._reader = io.BufferedReader(raw, FRAME_BYTES)
            self._reader.seek(0, io.SEEK_END)
        return self._reader

    def _roll_out(self, *, keep: int) -> None:
        """Encrypt frames that are full to the disk; with `keep=0` what is left as the last one."""
        if self._disk is None:
            self._disk = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - closed with this file
            self._key = new_cipher_key()
        cipher = FrameCipher(self._key)
        while len(self._waiting) >= FRAME_BYTES + keep:
            self._put(
                cipher, bytes(self._waiting[:FRAME_BYTES]), is_last=keep == 0 and len(self._waiting) == FRAME_BYTES
            )
            del self._waiting[:FRAME_BYTES]
        if keep == 0 and (self._waiting or not self._frames):
            self._put(cipher, bytes(self._waiting), is_last=True)
            self._waiting = bytearray()

    def _put(self, cipher: FrameCipher, content: bytes, *, is_last: bool) -> None:
        assert self._disk is not None  # noqa: S101 - only called where there is one
        self._disk.write(cipher.seal(self._frames, content, is_last=is_last))
        self._frames += 1


def open_private(file: BinaryIO, key: bytes) -> BinaryIO:
    """The content of a private file that another process handed over."""
    return io.BufferedReader(OpeningReader(file, FrameCipher(key), 0), FRAME_BYTES)


def take_key(descriptor: int) -> bytes:
    """The key of a private file, from the pipe through which it was handed over."""
    with os.fdopen(descriptor, "rb") as pipe:
        return pipe.read()
