"""What a client sends, over a socket of its own, until it is acknowledged."""

import json
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

SURVEY_PATH = "/api/v1/upload/survey-data"
FILE_PATH = "/api/v1/upload/file"
BOUNDARY = "kyalo-chaos"
FILE_ROWS = 3_000
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Upload:
    """One request, and the households that it tells of; their names are its own."""

    households: tuple[str, ...]
    path: str
    headers: dict[str, str]
    body: bytes


def surveys(run: str) -> list[Upload]:
    """Eight single surveys."""
    return [_survey(f"{run}-{number}") for number in range(8)]


def file(run: str, remark: str = "") -> list[Upload]:
    """One file of some thousand surveys, each with a remark that no contract knows."""
    households = tuple(f"{run}-{number}" for number in range(FILE_ROWS))
    lines = "".join(f"{household},Kanungu,{remark}\r\n" for household in households)
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{run}.csv"\r\n\r\n'
    body = f"{part}household_id,district,remark\r\n{lines}\r\n--{BOUNDARY}--\r\n".encode()
    return [Upload(households, FILE_PATH, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}, body)]


def large_file(run: str) -> list[Upload]:
    """A file that takes a while to be written: 9 MB."""
    return file(run, "x" * 3_000)


def _survey(household: str) -> Upload:
    body = json.dumps({"household_id": household, "survey_data": {"household_size": 5, "district": "Kitgum"}})
    headers = {"Content-Type": "application/json", "Idempotency-Key": household}
    return Upload((household,), SURVEY_PATH, headers, body.encode())


@dataclass
class Client:
    """Sends uploads, every second one by two twins at a time, and again until each was acknowledged.

    Attributes:
        halfway: while it is not set, every request stops after half of its bytes.
        held: requests that have stopped there.
        resent: uploads that had to be sent again.
        refused: answers that say neither yes nor later; there must be none.
    """

    port: int
    token: str
    uploads: Sequence[Upload]
    halfway: threading.Event = field(default_factory=threading.Event)
    held: int = 0
    resent: int = 0
    refused: list[str] = field(default_factory=list)
    _acknowledged: set[int] = field(default_factory=set)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Nothing holds requests back at first."""
        self.halfway.set()

    @property
    def are_all_held(self) -> bool:
        """Whether every request has stopped halfway."""
        return self.held == len(self._threads)

    @property
    def missing(self) -> list[Upload]:
        """Uploads that nobody has acknowledged."""
        return [upload for upload in self.uploads if id(upload) not in self._acknowledged]

    def start(self) -> None:
        """Send everything, all at the same time."""
        requests = [*self.uploads, *self.uploads[1::2]]
        self._threads = [threading.Thread(target=self._send, args=[upload]) for upload in requests]
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Wait for the answers that still come, and send again what was not acknowledged."""
        for thread in self._threads:
            thread.join()
        self.resent = len(self.missing)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.missing:
            assert time.monotonic() < deadline, f"{len(self.missing)} uploads are not acknowledged"
            for upload in self.missing:
                self._send(upload)
            time.sleep(0.1)
        assert self.refused == []

    def _send(self, upload: Upload) -> None:
        head = {**upload.headers, "Host": "127.0.0.1", "Authorization": f"Bearer {self.token}", "Connection": "close"}
        head["Content-Length"] = str(len(upload.body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        request = f"POST {upload.path} HTTP/1.1\r\n{lines}\r\n".encode() + upload.body
        middle = len(request) - len(upload.body) // 2
        try:
            with socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS) as connection:
                connection.sendall(request[:middle])
                self.held += not self.halfway.is_set()
                self.halfway.wait()
                connection.sendall(request[middle:])
                answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        except OSError:
            return
        if answer.startswith(b"HTTP/1.1 200"):
            self._acknowledged.add(id(upload))
        elif answer[9:12] not in (b"", b"503"):
            self.refused.append(answer.decode())
