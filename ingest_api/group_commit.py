"""Group commit: surveys that arrive together are stored in one transaction, each answered after it."""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import psycopg

from ingest_api.receipts import SurveyReceipt
from ingest_api.surveys import ArrivingSurvey, land_surveys, renew_survey
from warehouse.audit import Chain, Draft, current
from warehouse.contract import Contract
from warehouse.crypto.sealing import sealing
from warehouse.database import Database
from warehouse.errors import BusyError
from warehouse.logs import get_logger

logger = get_logger(__name__)
MOST_TOGETHER = 500
SLOW_LANES = 4
STORED = 200  # the status of what is answered then
# A survey whose twin is in a transaction that takes long must not hold up those that came with it.
PATIENCE = "set local lock_timeout = '100ms'"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A survey and the one who waits for it to be durable."""

    contract: Contract
    survey: ArrivingSurvey
    answer: "asyncio.Future[SurveyReceipt]"
    draft: Draft | None


class SurveyWriter:
    """Stores surveys in the order of their arrival, as many at a time as have come while the last were written.

    Where a group cannot be stored as one, since a twin of one of them is being written elsewhere, its halves are; what
    has to wait, and every survey of a group that failed for another reason, is stored by itself, beside the groups that
    follow. What the audit says of them is stored with them.

    Args:
        database: where to.
        chain: the chain of the audit that this process writes.
    """

    def __init__(self, database: Database, chain: Chain) -> None:
        self._database = database
        self._chain = chain
        self._arriving: SimpleQueue[Waiting | None] = SimpleQueue()
        self._slow = ThreadPoolExecutor(SLOW_LANES, "kyalo-slow-lane")
        self._thread = threading.Thread(target=self._write_groups, name="kyalo-writer", daemon=True)
        self._thread.start()

    async def write(self, contract: Contract, survey: ArrivingSurvey) -> SurveyReceipt:
        """Store one survey; durable when this returns.

        Raises:
            DatabaseUnavailableError: it may or may not be stored; sending it again is harmless.
        """
        answer: asyncio.Future[SurveyReceipt] = asyncio.get_running_loop().create_future()
        self._arriving.put(Waiting(contract, survey, answer, current()))
        return await answer

    def check(self) -> None:
        """Raise DatabaseUnavailableError where no survey could be stored now."""
        with self._database.transaction() as connection:
            connection.execute("select 1")

    def close(self) -> None:
        """Store what has arrived, then stop."""
        self._arriving.put(None)
        self._thread.join()
        self._slow.shutdown()

    def _write_groups(self) -> None:
        while (first := self._arriving.get()) is not None:
            group, is_last = self._take_group(first)
            for contract in {id(waiting.contract): waiting.contract for waiting in group}.values():
                self._write_together([waiting for waiting in group if waiting.contract is contract])
            if is_last:
                return

    def _take_group(self, first: Waiting) -> tuple[list[Waiting], bool]:
        """The first, with all who wait already; and whether nobody will follow."""
        group = [first]
        while len(group) < MOST_TOGETHER:
            try:
                waiting = self._arriving.get_nowait()
            except Empty:
                break
            if waiting is None:
                return group, True
            group.append(waiting)
        return group, False

    def _write_together(self, group: Sequence[Waiting]) -> None:
        try:
            receipts = self._store(group, PATIENCE)
        except Exception as error:  # noqa: BLE001 - each is tried by itself, and told its own error
            logger.debug("surveys cannot be stored as one", surveys=len(group), problem=str(error))
            if len(group) > 1 and isinstance(error, BusyError):
                middle = len(group) // 2  # only those that have to wait are left to themselves
                self._write_together(group[:middle])
                self._write_together(group[middle:])
                return
            for waiting in group:
                self._slow.submit(self._write_alone, waiting)
            return
        _answer(group, receipts)

    def _write_alone(self, waiting: Waiting) -> None:
        try:
            receipts = self._store([waiting])
        except Exception as error:  # noqa: BLE001 - the one who waits raises it
            _refuse(waiting, error)
            return
        _answer([waiting], receipts)

    def _store(self, group: Sequence[Waiting], *first: str) -> list[SurveyReceipt]:
        with sealing(self._database.settings) as keys, self._database.transaction() as connection:
            for statement in first:
                connection.execute(statement)
            surveys = [renew_survey(keys, waiting.survey) for waiting in group]
            receipts = land_surveys(connection, group[0].contract, surveys)
            self._enter(connection, group, receipts)
        for waiting in group:
            if waiting.draft:
                waiting.draft.is_written = True
        return receipts

    def _enter(
        self, connection: psycopg.Connection, group: Sequence[Waiting], receipts: Sequence[SurveyReceipt]
    ) -> None:
        """Enter the surveys in the log, in the transaction that stores them."""
        entries = []
        for waiting, receipt in zip(group, receipts, strict=True):
            if waiting.draft:
                waiting.draft.subject, waiting.draft.records = receipt.ingestion_id, 1
                entries.append(waiting.draft.entry("allowed", STORED))
        if entries:
            self._chain.append(connection, entries)


def _answer(group: Sequence[Waiting], receipts: Sequence[SurveyReceipt]) -> None:
    def tell() -> None:
        for waiting, receipt in zip(group, receipts, strict=True):
            if not waiting.answer.done():  # its client may have gone
                waiting.answer.set_result(receipt)

    group[0].answer.get_loop().call_soon_threadsafe(tell)


def _refuse(waiting: Waiting, error: Exception) -> None:
    def tell() -> None:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)

    waiting.answer.get_loop().call_soon_threadsafe(tell)
