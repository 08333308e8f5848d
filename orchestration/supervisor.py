"""`kyalo up`: all processes of Kyalo as children of one, which starts again what dies, and ends with all of them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
STEADY_SECONDS = 60.0  # a process that lived so long starts from the first pause again
HOPELESS_DEATHS = 5
STOP_SECONDS = 9.0  # in which all have ended, or are killed; a worker takes up to eight
LOOK_SECONDS = 0.2
ENDED_WELL = (0, -signal.SIGTERM)  # the latter while it was still starting

Tell = Callable[[str, str], None]


@dataclass
class Child:
    """A process that is kept alive.

    Attributes:
        name: what it is, before each of its lines.
        command: the command of `kyalo` that it is, with its arguments.
        deaths: how often in a row it died before it had lived for a minute.
        due_at: when it is to be started, by the clock that never goes back.
    """

    name: str
    command: Sequence[str]
    process: "subprocess.Popen[str] | None" = None
    started_at: float = 0.0
    deaths: int = 0
    due_at: float = 0.0
    reader: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Keeps processes alive until it is told to stop.

    Args:
        commands: the processes by name, each with its command of `kyalo`.
        tell: takes who wrote a line, and the line.
        environment: variables that they get beside those of this process.
    """

    def __init__(self, commands: Mapping[str, Sequence[str]], tell: Tell, environment: Mapping[str, str]) -> None:
        self._children = [Child(name, command) for name, command in commands.items()]
        self._tell = tell
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **environment}

    def keep(self, stop: threading.Event) -> bool:
        """Start all, start again what dies, and end all when told to; whether all ended as they should."""
        while not stop.is_set():
            for child in self._children:
                if child.process is not None and not child.is_running:
                    self._bury(child, child.process)
                if child.process is None and child.due_at <= time.monotonic():
                    self._start(child)
            stop.wait(LOOK_SECONDS)
        return self._stop()

    def _start(self, child: Child) -> None:
        command = [sys.executable, "-m", "orchestration.child", *child.command]
        # A session of its own: Ctrl+C in the terminal comes to us alone, and the end of each is waited for.
        child.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            env=self._environment,
        )
        child.started_at = time.monotonic()
        child.reader = threading.Thread(target=self._pass_on, args=(child.name, child.process.stdout), daemon=True)
        child.reader.start()

    def _bury(self, child: Child, process: "subprocess.Popen[str]") -> None:
        """Note that a process died, and when it is started again: after a pause that grows with each early death."""
        code = _reap(child, process)
        lived = time.monotonic() - child.started_at
        child.deaths = 1 if lived >= STEADY_SECONDS else child.deaths + 1
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (child.deaths - 1), LONGEST_PAUSE_SECONDS)
        child.due_at = time.monotonic() + pause
        told = f"{child.name} ended with exit code {code} after {lived:.0f} s and starts again in {pause:.0f} s"
        if child.deaths >= HOPELESS_DEATHS:
            told += f"; that was death {child.deaths} in a row: its lines above say why. The others go on"
        self._tell("up", told)

    def _stop(self) -> bool:
        """Ask all to end, and kill who does not; whether nobody had to be killed, and all ended well.

        They may end in any order, as what one leaves to another lies in the database.
        """
        for child in self._children:
            if child.process and child.is_running:
                child.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline and any(child.is_running for child in self._children):
            time.sleep(LOOK_SECONDS / 4)
        are_well = [self._end(child) for child in self._children]
        return all(are_well)

    def _end(self, child: Child) -> bool:
        if child.process is None:
            return True
        if child.is_running:
            self._tell("up", f"{child.name} did not end in time and is killed")
            child.process.kill()
        return _reap(child, child.process) in ENDED_WELL

    def _pass_on(self, name: str, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                self._tell(name, line.rstrip("\n"))


def _reap(child: Child, process: "subprocess.Popen[str]") -> int:
    """The exit code of a process that ended, after what it had to say was passed on."""
    code = process.wait()
    if process.stdin:
        process.stdin.close()
    if child.reader:
        child.reader.join(timeout=1)
    child.process = None
    return code
