"""Content in encrypted frames, so that a large file streams and any part of it can be read.

A sealed object is a head (MARK, the name of the key, and the object's own key in a token of that key) and frames of
64 KiB, each encrypted with AES-256-GCM under the object's own key. A frame's nonce is its number and whether it is the
last: frames that were left out, put in another order, or cut off at the end are found, as any changed byte is.
"""

import io
import os
from typing import TYPE_CHECKING, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from warehouse.errors import IntegrityError

if TYPE_CHECKING:
    from warehouse.crypto.keys import KeyRing  # the process that reads Parquet files needs no settings

MARK = b"KYALO\x001\n"
KEY_ID_LENGTH = 8
FRAME_BYTES = 64 * 1024
TAG_BYTES = 16
SEALED_BYTES = FRAME_BYTES + TAG_BYTES
KEY_BITS = 256
TOKEN_BYTES = 140  # of a Fernet token that holds the 32 bytes of a key
HEAD_BYTES = len(MARK) + KEY_ID_LENGTH + TOKEN_BYTES
LAST = 1 << 88


class FrameCipher:
    """Encrypts and opens the frames of one object with its own key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def make(cls) -> "FrameCipher":
        """One with a new key, which nobody else will ever know."""
        return cls(AESGCM.generate_key(KEY_BITS))

    def seal(self, number: int, content: bytes, *, is_last: bool) -> bytes:
        """A frame's content, encrypted."""
        return self._cipher.encrypt(_nonce(number, is_last), content, None)

    def open(self, number: int, sealed: bytes, *, is_last: bool) -> bytes:
        """A frame's content.

        Raises:
            IntegrityError: it was changed.
        """
        try:
            return self._cipher.decrypt(_nonce(number, is_last), sealed, None)
        except InvalidTag as error:
            raise IntegrityError(
                "An encrypted object was changed or cut short.",
                code="keys.changed_content",
                remedy="`kyalo storage verify --repair` restores it.",
            ) from error


class FramedReader(io.RawIOBase):
    """Bytes that are made a frame at a time, wherever they are read from; closes what it reads from, if it owns that.

    Args:
        source: what the frames are made from.
        size: how many bytes there are to read.
    """

    def __init__(self, source: BinaryIO, size: int, *, owns_source: bool) -> None:
        super().__init__()
        self.source = source
        self.size = size
        self._owns_source = owns_source
        self._position = 0

    def piece(self, position: int) -> bytes:
        """The bytes from a position to the end of the frame in which it lies; at least one."""
        raise NotImplementedError

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Read on from elsewhere."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Fill some of a buffer."""
        if self._position >= self.size or not len(buffer):
            return 0
        piece = self.piece(self._position)[: len(buffer)]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        """Close what it reads from."""
        if not self.closed and self._owns_source:
            self.source.close()
        super().close()


class SealingReader(FramedReader):
    """The sealed form of what is left of a source, made as it is read; reading it twice gives the same bytes."""

    def __init__(self, source: BinaryIO, keys: "KeyRing") -> None:
        self._start = source.tell()
        self._content_bytes = source.seek(0, io.SEEK_END) - self._start
        super().__init__(source, sealed_size(self._content_bytes), owns_source=False)
        key = AESGCM.generate_key(KEY_BITS)
        self._cipher = FrameCipher(key)
        self._head = MARK + keys.current_id.encode() + keys.seal(key)
        self._last = max(0, (self._content_bytes - 1) // FRAME_BYTES)
        self._made: tuple[int, bytes] = (-1, b"")

    def piece(self, position: int) -> bytes:
        """The rest of the head, or of a frame."""
        if position < HEAD_BYTES:
            return self._head[position:]
        number, offset = divmod(position - HEAD_BYTES, SEALED_BYTES)
        if self._made[0] != number:
            self.source.seek(self._start + number * FRAME_BYTES)
            content = self.source.read(FRAME_BYTES)
            self._made = (number, self._cipher.seal(number, content, is_last=number == self._last))
        return self._made[1][offset:]


class OpeningReader(FramedReader):
    """The content of sealed frames; reads any part of it without the rest.

    Args:
        source: the frames.
        cipher: of the object.
        start: where the first frame begins.
    """

    def __init__(self, source: BinaryIO, cipher: FrameCipher, start: int = HEAD_BYTES) -> None:
        frame_bytes = source.seek(0, io.SEEK_END) - start
        super().__init__(source, content_size(frame_bytes), owns_source=True)
        self._cipher = cipher
        self._start = start
        self._last = max(0, (frame_bytes - 1) // SEALED_BYTES)
        self._opened: tuple[int, bytes] = (-1, b"")

    def piece(self, position: int) -> bytes:
        """The rest of a frame."""
        number, offset = divmod(position, FRAME_BYTES)
        if self._opened[0] != number:
            self.source.seek(self._start + number * SEALED_BYTES)
            sealed = self.source.read(SEALED_BYTES)
            self._opened = (number, self._cipher.open(number, sealed, is_last=number == self._last))
        return self._opened[1][offset:]


def seal(source: BinaryIO, keys: "KeyRing") -> BinaryIO:
    """The sealed form of what is left of a source, to be read as a file."""
    return io.BufferedReader(SealingReader(source, keys), FRAME_BYTES)


def open_sealed(source: BinaryIO, keys: "KeyRing") -> BinaryIO:
    """The content of a sealed object, to be read and sought in; what was never sealed is given as it is.

    Raises:
        IntegrityError: none of the keys opens it, or it was changed.
    """
    head = read_head(source)
    if head is None:
        return source
    reader = OpeningReader(source, FrameCipher(keys.open(head[1])))
    if not reader.size:
        reader.piece(0)  # nobody reads the frame of an empty object, and one that was cut short looks like it
    return io.BufferedReader(reader, FRAME_BYTES)


def read_head(source: BinaryIO) -> tuple[str, bytes] | None:
    """The name of an object's key and the token with its own key, None of one that was never sealed."""
    source.seek(0)
    head = source.read(HEAD_BYTES)
    source.seek(0)
    if not head.startswith(MARK) or len(head) < HEAD_BYTES:
        return None
    name = head[len(MARK) : len(MARK) + KEY_ID_LENGTH]
    return name.decode("ascii", "replace"), head[len(MARK) + KEY_ID_LENGTH :]


def sealed_size(content_bytes: int) -> int:
    """How many bytes the sealed form of some content has."""
    frames = max(1, -(-content_bytes // FRAME_BYTES))
    return HEAD_BYTES + content_bytes + frames * TAG_BYTES


def content_size(frame_bytes: int) -> int:
    """How many bytes of content stand in so many bytes of frames."""
    return max(0, frame_bytes - max(1, -(-frame_bytes // SEALED_BYTES)) * TAG_BYTES)


def new_cipher_key() -> bytes:
    """A key for frames that one process alone reads."""
    return os.urandom(KEY_BITS // 8)


def _nonce(number: int, is_last: bool) -> bytes:
    return (number | (LAST if is_last else 0)).to_bytes(12, "big")
