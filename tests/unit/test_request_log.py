"""The line of each request."""

import asyncio
import logging

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ingest_api.request_log import RequestLog
from ingest_api.request_times import RequestTimes


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    await Response(status_code=404)(scope, receive, send)


def test_an_address_that_leads_nowhere_is_not_written(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ingest_api.request_log")
    sent: list[object] = []

    async def ask() -> None:
        async def send(message: object) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/Nakato/0772123456", "headers": []}
        await RequestLog(_nowhere, times=RequestTimes())(scope, None, send)  # type: ignore[arg-type]

    asyncio.run(ask())
    (record,) = [one for one in caplog.records if one.name == "ingest_api.request_log"]
    assert (record.fields["route"], record.fields["status"]) == ("unknown", 404)  # type: ignore[attr-defined]
    assert len(sent) == 2
