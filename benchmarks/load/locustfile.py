"""Field devices for locust: each user posts surveys of households of its own, and now and then the last one again.

LOAD_BODY names a file with a survey's body whose household is HOUSEHOLD, LOAD_TOKENS one with an access token a line,
LOAD_ANSWERS the file to write each answer to: its status (0: there was none), the household, and when it was asked for
and came, in seconds.
LOAD_PAUSE is the seconds that a user rests after a survey, on average: half as long or half as long again.
"""

import itertools
import os
import time
from pathlib import Path

from locust import FastHttpUser, between, task

BODY = Path(os.environ["LOAD_BODY"]).read_text()
PAUSE = float(os.environ["LOAD_PAUSE"])
TOKENS = itertools.cycle(Path(os.environ["LOAD_TOKENS"]).read_text().split())
ANSWERS = Path(os.environ["LOAD_ANSWERS"]).open("w", buffering=1)  # noqa: SIM115 - open as long as the process
NUMBERS = itertools.count()


class Device(FastHttpUser):
    """One of the field's devices; several share a registration and its token."""

    wait_time = between(PAUSE / 2, 1.5 * PAUSE)

    def on_start(self) -> None:
        """Take a number and a token."""
        self.number = next(NUMBERS)
        self.sent = 0
        self.headers = {"Content-Type": "application/json", "Authorization": f"Bearer {next(TOKENS)}"}

    @task(19)
    def send(self) -> None:
        """Post a survey of another household."""
        self.sent += 1
        self.post()

    @task(1)
    def send_again(self) -> None:
        """Post the last survey once more, as a device does that saw no answer."""
        self.sent = max(1, self.sent)
        self.post()

    def post(self) -> None:
        """Post the survey of the present household, and note the answer."""
        household = f"LOAD-{self.number}-{self.sent}"
        body = BODY.replace("HOUSEHOLD", household)
        asked = time.time()
        answer = self.client.post("/api/v1/upload/survey-data", data=body, headers=self.headers, name="survey")
        ANSWERS.write(f"{answer.status_code} {household} {asked} {time.time()}\n")
