"""Keys, tokens and frames: what is sealed is opened again, and what was changed is not."""

import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from warehouse.crypto.frames import FRAME_BYTES, HEAD_BYTES, SEALED_BYTES, open_sealed, seal, sealed_size
from warehouse.crypto.keys import KeyRing, load_key_ring, new_key
from warehouse.crypto.spool import PrivateFile, open_private
from warehouse.errors import ConfigurationError, IntegrityError
from warehouse.settings import Settings

KEYS = KeyRing((new_key(),), b"h" * 32)
SIZES = st.integers(0, 3 * FRAME_BYTES) | st.sampled_from([0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1])


def opened(sealed: bytes, keys: KeyRing = KEYS) -> bytes:
    with open_sealed(io.BytesIO(sealed), keys) as content:
        return content.read()


@given(SIZES, st.integers(0, 3 * FRAME_BYTES), st.integers(0, 2 * FRAME_BYTES))
def test_any_part_of_any_size_is_read_again(size: int, start: int, length: int) -> None:
    content = os.urandom(size)
    sealed = seal(io.BytesIO(content), KEYS).read()
    assert (len(sealed), opened(sealed)) == (sealed_size(size), content)
    with open_sealed(io.BytesIO(sealed), KEYS) as reader:
        reader.seek(start)
        assert reader.read(length) == content[start : start + length]


@given(st.integers(0, 2 * FRAME_BYTES), st.data())
def test_any_changed_byte_is_told(size: int, data: st.DataObject) -> None:
    sealed = bytearray(seal(io.BytesIO(os.urandom(size)), KEYS).read())
    sealed[data.draw(st.integers(len(b"KYALO\0001\n") + 8, len(sealed) - 1))] ^= 1
    with pytest.raises(IntegrityError):
        opened(bytes(sealed))


@pytest.mark.parametrize(
    "change",
    [
        lambda sealed: sealed[:-SEALED_BYTES],
        lambda sealed: sealed[:-1],
        lambda sealed: sealed[: HEAD_BYTES + 16],
        lambda sealed: sealed[:HEAD_BYTES],
        lambda sealed: sealed + sealed[-SEALED_BYTES:],
        lambda sealed: sealed[:HEAD_BYTES] + sealed[HEAD_BYTES + SEALED_BYTES :],
        lambda sealed: (
            sealed[:HEAD_BYTES]
            + sealed[HEAD_BYTES + SEALED_BYTES : HEAD_BYTES + 2 * SEALED_BYTES]
            + sealed[HEAD_BYTES : HEAD_BYTES + SEALED_BYTES]
            + sealed[HEAD_BYTES + 2 * SEALED_BYTES :]
        ),
    ],
    ids=[
        "last frame gone",
        "cut",
        "cut to an empty frame",
        "cut to its head",
        "frame repeated",
        "first frame gone",
        "frames swapped",
    ],
)
def test_frames_stand_where_they_stood(change: "object") -> None:
    sealed = seal(io.BytesIO(os.urandom(3 * FRAME_BYTES)), KEYS).read()
    with pytest.raises(IntegrityError):
        opened(change(sealed))  # type: ignore[operator]


def test_frames_of_another_object_are_no_part_of_this_one() -> None:
    one, two = (seal(io.BytesIO(os.urandom(2 * FRAME_BYTES)), KEYS).read() for _ in range(2))
    with pytest.raises(IntegrityError):
        opened(one[:-SEALED_BYTES] + two[-SEALED_BYTES:])


def test_old_keys_open_and_the_newest_seals() -> None:
    newer = KeyRing((new_key(), *KEYS.encryption_keys), KEYS.hash_key)
    assert newer.open(KEYS.seal(b"Nakato")) == b"Nakato"
    assert opened(seal(io.BytesIO(b"Nakato"), KEYS).read(), newer) == b"Nakato"
    with pytest.raises(IntegrityError):
        KEYS.open(newer.seal(b"Nakato"))
    assert newer.derive("audit") == KEYS.derive("audit") != KEYS.derive("stand-in")


def test_what_was_never_sealed_is_read_as_it_stands() -> None:
    assert opened(b"household_id\nA\n") == b"household_id\nA\n"


@pytest.mark.parametrize("keys", ["short", new_key()[:-1], f"{new_key()},nonsense"], ids=["short", "cut", "one of two"])
def test_bad_keys_are_refused(keys: str, tmp_path: "os.PathLike[str]") -> None:
    with pytest.raises((ConfigurationError, ValidationError)):
        load_key_ring(Settings(_env_file=None, kyalo_home=tmp_path, encryption_key=keys, hash_key=new_key()))


@given(st.lists(st.binary(max_size=2 * FRAME_BYTES), max_size=6))
def test_private_file_holds_nothing_in_clear(parts: list[bytes]) -> None:
    content = b"".join(parts)
    with PrivateFile() as file:
        for part in parts:
            file.write(part)
        assert file.seek(0, io.SEEK_END) == len(content)
        file.seek(0)
        assert file.read() == content
        on_disk, key = file.hand_over()
        reader = open_private(on_disk, key)
        assert reader.read() == content
        on_disk.seek(0)
        written = on_disk.read()
    assert not any(content[place : place + 16] in written for place in range(0, len(content) - 16, 16))


def test_private_file_is_read_where_one_stands() -> None:
    with PrivateFile() as file:
        file.write(b"Nakato Sarah")
        assert (file.read(), file.seek(7), file.read(5)) == (b"", 7, b"Sarah")
        with pytest.raises(io.UnsupportedOperation):
            file.write(b"more")
