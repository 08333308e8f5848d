"""Files that belong to submissions: kept in pieces with the survey, moved to the object store afterwards."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

import psycopg
from psycopg import sql

from ingest_api.openrosa.instances import Instance, normalise
from ingest_api.records import LONGEST_NAME, REPLACEMENT
from warehouse.crypto.keys import KeyRing, load_key_ring
from warehouse.crypto.spool import PrivateFile
from warehouse.database import Database, queries
from warehouse.errors import IntegrityError
from warehouse.stores import ObjectStore
from warehouse.stores.protocol import checksum_of

PIECE_BYTES = 1024**2


@dataclass(frozen=True, slots=True)
class ArrivingFile:
    """One file of a submission; its name is the sender's, and never a path here."""

    name: str
    content_type: str
    file: BinaryIO
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Owner:
    """The submission that files belong to, and the request that brought them."""

    form: str
    submission_key: str
    ingestion_id: str


def arriving_file(name: str, content_type: str, file: BinaryIO) -> ArrivingFile:
    """A file as it will be kept."""
    file.seek(0)
    digest, size = checksum_of(file)
    plain = normalise(name).replace("\0", REPLACEMENT).encode("utf-8", "replace").decode()
    return ArrivingFile(
        name=plain[:LONGEST_NAME] or f"unnamed-{digest[:16]}",
        content_type=content_type[:LONGEST_NAME].replace("\0", REPLACEMENT),
        file=file,
        sha256=digest,
        size_bytes=size,
    )


def keep_attachments(
    connection: psycopg.Connection, keys: KeyRing, owner: Owner, instance: Instance, files: Sequence[ArrivingFile]
) -> int:
    """Keep the files of one request in the caller's transaction; how many were not there yet.

    The same bytes under the same name are kept once. Other bytes under a name are kept beside the first, and a name
    that the survey does not speak of is kept, too: `review.attachment_flags` tells of both, and of what is missing.
    """
    key = {"form": owner.form, "submission_key": owner.submission_key}
    connection.execute(_statement("expect_attachments"), {**key, "names": instance.expected_files})
    texts = instance.texts
    ordered = sorted(files, key=lambda file: (file.name, file.sha256))  # so that two requests cannot block each other
    return sum(_keep(connection, keys, owner, file, is_expected=file.name in texts) for file in ordered)


def missing_attachments(connection: psycopg.Connection, owner: Owner) -> list[str]:
    """The files that a submission speaks of and that have not arrived."""
    key = {"form": owner.form, "submission_key": owner.submission_key}
    return [row[0] for row in connection.execute(_statement("missing_attachments"), key)]


def move_attachments(database: Database, store: ObjectStore) -> int:
    """Move the files that wait in the database to the object store; how many were moved.

    Each is a transaction of its own. The object is written before the commit that refers to it, and is named by its
    content: what a crash leaves half done is done again to the same end.

    Raises:
        IntegrityError: the bytes of one are not what was received; the others have been moved.
    """
    moved, last = 0, 0
    damaged: IntegrityError | None = None
    while (waiting := _claim_and_move(database, store, last)) is not None:
        last, error = waiting
        damaged = damaged or error
        moved += error is None
    if damaged:
        raise damaged
    return moved


def _keep(
    connection: psycopg.Connection, keys: KeyRing, owner: Owner, file: ArrivingFile, *, is_expected: bool
) -> bool:
    values = {
        "form": owner.form,
        "submission_key": owner.submission_key,
        "ingestion_id": owner.ingestion_id,
        "name": file.name,
        "content_type": file.content_type,
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
        "is_expected": is_expected,
    }
    row = connection.execute(_statement("insert_attachment"), values).fetchone()
    if row is None:
        return False
    file.file.seek(0)
    number = 0
    while piece := file.file.read(PIECE_BYTES):
        sealed = {"attachment_id": row[0], "number": number, "body": keys.seal(piece)}
        connection.execute(_statement("insert_piece"), sealed)
        number += 1
    return True


def _claim_and_move(database: Database, store: ObjectStore, after: int) -> tuple[int, IntegrityError | None] | None:
    """Move the first file behind `after` that no other process is at; its number, and what is wrong with it."""
    with database.transaction() as connection:
        waiting = connection.execute(_statement("next_attachment"), {"after": after}).fetchone()
        if waiting is None:
            return None
        attachment_id, form, content_type, sha256 = waiting
        key = f"raw/{form}/attachments/{sha256}"
        connection.execute(queries("objects")["lock_object"], {"key": key})
        try:
            with PrivateFile() as joined:
                _join_pieces(connection, load_key_ring(database.settings), attachment_id, joined, sha256)
                store.put(key, cast(BinaryIO, joined), content_type)
        except IntegrityError as error:
            return attachment_id, error
        connection.execute(_statement("finish_move"), {"attachment_id": attachment_id, "object_key": key})
        connection.execute(_statement("delete_pieces"), {"attachment_id": attachment_id})
    return attachment_id, None


def _join_pieces(
    connection: psycopg.Connection, keys: KeyRing, attachment_id: int, target: PrivateFile, sha256: str
) -> None:
    digest, number = hashlib.sha256(), 0
    values = {"attachment_id": attachment_id}
    while row := connection.execute(_statement("read_piece"), {**values, "number": number}, binary=True).fetchone():
        piece = keys.open_waiting(row[0])
        digest.update(piece)
        target.write(piece)
        number += 1
    if digest.hexdigest() != sha256:
        raise IntegrityError(f"The pieces of attachment {attachment_id} are not what was received.")
    target.seek(0)


def _statement(name: str) -> sql.SQL:
    return queries("openrosa")[name]
