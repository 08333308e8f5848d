"""What is inside a pickled model, told without running any of it.

A pickle is a program: it names classes and functions, and calls them. Here it is read with the machine of Python's own
unpickler, but every name leads to a class that does nothing.
"""

import bz2
import gzip
import hashlib
import io
import lzma
import pickle
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar

import numpy as np

from ml.foreign.names import is_known
from warehouse.errors import UnreadableFileError

MOST_BYTES = 1024**3
ARRAY = "joblib.numpy_pickle.NumpyArrayWrapper"
DTYPE = "numpy.dtype"
ZLIB = b"\x78"
PACKED: dict[bytes, Callable[[BinaryIO], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZ": bz2.open,
    b"\xfd7zXZ": lzma.open,
    b"\x5d\x00": lzma.open,
}


@dataclass(frozen=True)
class Contents:
    """A pickled model, looked into.

    Attributes:
        sha256: hash of the file.
        names: the classes and functions that it names.
    """

    sha256: str
    size_bytes: int
    names: tuple[str, ...]

    @property
    def unknown(self) -> tuple[str, ...]:
        """The names that no pipeline of scikit-learn needs."""
        return tuple(name for name in self.names if not is_known(name))


def look_into(content: bytes) -> Contents:
    """Read a file that joblib or pickle wrote, without running it.

    Raises:
        UnreadableFileError: it is none (ml.no_pickle).
    """
    try:
        reader = _Reader(io.BytesIO(_unpacked(content)))
        reader.load()
    except Exception as error:  # a pickle of strangers can be wrong in any way
        raise UnreadableFileError(
            f"The file is no model that joblib wrote: {error!r}.",
            code="ml.no_pickle",
            remedy="Write it with joblib.dump(pipeline, file).",
        ) from error
    return Contents(hashlib.sha256(content).hexdigest(), len(content), tuple(sorted(reader.names)))


class _Nothing:
    """What stands for every object: it takes whatever it is given, and does nothing."""

    def __new__(cls, *_: object, **__: object) -> "_Nothing":
        return super().__new__(cls)

    def __call__(self, *_: object, **__: object) -> "_Nothing":
        return self

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: object, value: object) -> None:
        """Take a member of a mapping."""

    def append(self, value: object) -> None:
        """Take a member of a list."""

    extend = add = append


class _Array(_Nothing):
    """An array of joblib's, whose numbers follow in the file."""


class _Reader(pickle._Unpickler):  # noqa: SLF001 - the unpickler that is written in Python can be taught
    """An unpickler that notes names and calls nothing."""

    stack: list[Any]
    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(pickle._Unpickler.dispatch)  # noqa: SLF001

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.file = file
        self.names: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        """Note a name; it leads to nothing, but for numpy's types of numbers, which say how long an array is.

        A name with dots leads through what a module holds to things of other modules: it is noted as no name at all.
        """
        full_name = f"{module}.{name}" if name.isidentifier() else f"{module}:{name}"
        self.names.add(full_name)
        return {DTYPE: np.dtype, ARRAY: _Array}.get(full_name, _Nothing)

    def persistent_load(self, _: Any) -> Any:
        """Stand in for what the pickle expects from outside."""
        return _Nothing()

    def load_build(self) -> None:
        """Pass over the numbers of an array."""
        super().load_build()  # type: ignore[misc]
        if isinstance(self.stack[-1], _Array):
            self._skip_array(self.stack[-1].state)

    dispatch[pickle.BUILD[0]] = load_build

    def _skip_array(self, state: dict[str, Any]) -> None:
        dtype: np.dtype[Any] = state["dtype"]
        if dtype.hasobject:
            inner = _Reader(self.file)
            inner.load()
            self.names |= inner.names
            return
        if state.get("numpy_array_alignment_bytes") is not None:
            self.file.read(self.file.read(1)[0])
        self.file.seek(int(np.prod(state["shape"], dtype=np.int64)) * dtype.itemsize, io.SEEK_CUR)


def _unpacked(content: bytes) -> bytes:
    """The pickle itself; joblib may have packed it."""
    if content.startswith(ZLIB):
        return zlib.decompressobj().decompress(content, MOST_BYTES)
    for start, open_packed in PACKED.items():
        if content.startswith(start):
            with open_packed(io.BytesIO(content)) as file:
                return bytes(file.read(MOST_BYTES))
    return content
