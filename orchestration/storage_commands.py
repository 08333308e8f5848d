"""The commands `kyalo storage ...`: what the object store holds, one object of it, and whether it is all there."""

import io
import os
import secrets
import shutil
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from orchestration.console import AsJson, count, err, out, print_json
from orchestration.context import Warehouse, open_warehouse
from warehouse.audit import note
from warehouse.crypto.keys import load_key_ring
from warehouse.errors import MisuseError, NotFoundError
from warehouse.stores import check_original, checksum_of, open_original, type_of

if TYPE_CHECKING:
    from orchestration.originals import Verification

LINE = "{:>13}  {:12}  {:24}  {:18}  {:26}  {}"
REFUSED = (
    "The orphans stay where they are: they are most of the store, so the database may be the wrong one (new, restored,"
    " another home's). If it is the right one, `kyalo storage verify --repair --force` moves them to archive/orphans/."
)
app = typer.Typer(help="Look into the object store, and compare it with the ledger.", no_args_is_help=True)


@app.command("ls")
def list_store(
    prefix: Annotated[str, typer.Argument(help="How their keys begin; everything when omitted.")] = "",
    as_json: AsJson = False,
) -> None:
    """List objects with their size, checksum, content type, form and ingestion."""
    from orchestration.originals import list_objects

    with open_warehouse() as warehouse:
        objects = list(list_objects(warehouse.database, warehouse.store, prefix))
    if as_json:
        print_json(objects)
        return
    _print_objects(objects)
    size = sum(found["size_bytes"] for found in objects)
    out.print(f"done: {count(len(objects), 'object')}, {count(size, 'byte')}")


@app.command()
def get(
    key: Annotated[str, typer.Argument(help="The object's key, as `kyalo storage ls` shows it.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; standard output when omitted.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch an object, an archived original as it was sent; what is not as it was written is refused."""
    if as_json and output is None:
        raise MisuseError(
            "Standard output cannot hold both the object and JSON.", code="storage.no_output", remedy="Name a file: -o."
        )
    with open_warehouse() as warehouse, _open_checked(warehouse, key) as content:
        sha256, size = checksum_of(content)
        if output is None:
            shutil.copyfileobj(content, sys.stdout.buffer)
            return
        _write(output, content)
    if as_json:
        facts = {"key": key, "file": output, "size_bytes": size, "sha256": sha256, "content_type": type_of(key)}
        print_json(facts)
    else:
        out.print(f"done: {count(size, 'byte')} in {output}")


@app.command()
def table(
    key: Annotated[str, typer.Argument(help="The Parquet file's key, as its manifest names it.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The CSV file to write.")],
) -> None:
    """Write an exported table as CSV, its encrypted columns opened; needs the keys, and the audit log tells of it."""
    from pyarrow import csv

    from orchestration.parquet import open_table

    with open_warehouse() as warehouse, warehouse.store.get(key) as content:
        read = open_table(content, load_key_ring(warehouse.settings))
        text = io.BytesIO()
        csv.write_csv(read, text)
        text.seek(0)
        _write(output, text)
        note(records=read.num_rows)
    out.print(f"done: {count(read.num_rows, 'row')} in {output}")


@app.command()
def verify(
    repair: Annotated[
        bool, typer.Option("--repair", help="Restore from the second store; move orphans to archive/orphans/.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Move orphans even where the ledger names none or few of the originals.")
    ] = False,
    grace: Annotated[float, typer.Option(min=0, help="Hours below which an orphan is left alone.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Compare the store with the ledger, byte by byte; ends with 1 when something is wrong and not repaired."""
    from orchestration.originals import verify_originals

    with open_warehouse() as warehouse:
        verification = verify_originals(
            warehouse.database,
            warehouse.store,
            repair=repair,
            force=force,
            grace=timedelta(hours=grace),
            watch=_watch,
        )
    if as_json:
        print_json({**asdict(verification), "is_sound": verification.is_sound})
    else:
        _print_findings(verification)
    if not verification.is_sound:
        raise typer.Exit(1)


def _print_objects(objects: list[dict[str, Any]]) -> None:
    """One line each, however wide: a key is to be copied whole."""
    typer.echo(LINE.format("bytes", "sha256", "type", "form", "ingestion", "key"))
    for found in objects:
        others = f" +{found['ingestions'] - 1}" if found["ingestions"] > 1 else ""
        typer.echo(
            LINE.format(
                f"{found['size_bytes']:,}",
                (found["sha256"] or "")[:12],
                found["content_type"][:24],
                found["form"] or "",
                f"{found['ingestion_id'] or ''}{others}",
                found["key"],
            )
        )


def _print_findings(verification: "Verification") -> None:
    for finding in verification.findings:
        note = " (repaired)" if finding.is_repaired else ""
        out.print(f"{finding.problem:9}{finding.key}{note}", highlight=False, soft_wrap=True)
    if verification.waiting_copies:
        waiting = count(verification.waiting_copies, "copy is", "copies are")
        out.print(f"{waiting} still to be made by the worker", highlight=False)
    if verification.is_refused:
        out.print(REFUSED, highlight=False, soft_wrap=True)
    wrong = sum(not finding.is_repaired for finding in verification.findings)
    repaired = len(verification.findings) - wrong
    originals = count(verification.originals, "original")
    out.print(f"done: {originals}, {repaired:,} repaired, {wrong:,} wrong", highlight=False)


def _watch(keys: list[str]) -> Iterable[str]:
    from rich.progress import track

    return track(keys, description="reading", console=err, transient=True, disable=not err.is_terminal)


def _open_checked(warehouse: Warehouse, key: str) -> BinaryIO:
    """An object for reading, an archived one unpacked, seen to be what its key states."""
    from orchestration.lifecycle import say_if_deleted

    try:
        check_original(warehouse.store, key)
    except NotFoundError as error:
        raise say_if_deleted(warehouse.database, key) or error from error
    return open_original(warehouse.store, key)


def _write(path: Path, content: BinaryIO) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
            shutil.copyfileobj(content, target)
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
