"""How long an upload takes until it is scored, as receipts tell it: asked of the database now and then only."""

import threading

from ingest_api.ledger import estimate_processing_time
from warehouse.database import Database
from warehouse.errors import KyaloError

REFRESH_SECONDS = 60.0


class ProcessingTime:
    """The estimate, read in a thread each minute.

    Attributes:
        text: the last estimate.
    """

    def __init__(self, database: Database) -> None:
        self.text = estimate_processing_time(database)
        self._database = database
        self._stop = threading.Event()
        threading.Thread(target=self._refresh, name="kyalo-processing-time", daemon=True).start()

    def close(self) -> None:
        """Read no more."""
        self._stop.set()

    def _refresh(self) -> None:
        while not self._stop.wait(REFRESH_SECONDS):
            try:
                self.text = estimate_processing_time(self._database)
            except KyaloError:
                continue  # the database is away: the last estimate is as good as any
