"""What the dashboard has the API do, in the name of who is signed in: it writes nothing itself."""

from typing import Any
from urllib.parse import quote

import httpx2

from orchestration.dashboard.session import Session, SignIns
from orchestration.tls import scheme_of, trusted_by
from warehouse.errors import DatabaseUnavailableError, KyaloError, NotFoundError, RefusedRequestError
from warehouse.settings import Settings

SECONDS = 10.0


class Api:
    """The API, as a client of it.

    Args:
        settings: where it is.
        sign_ins: gives it tokens of who is signed in.
    """

    def __init__(self, settings: Settings, sign_ins: SignIns) -> None:
        self._client = httpx2.Client(
            base_url=api_address(settings), timeout=SECONDS, trust_env=False, verify=trusted_by(settings.api_ca_bundle)
        )
        self._sign_ins = sign_ins

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def get_submission(self, session: Session, submission_id: str) -> dict[str, Any]:
        """All that is known of a submission in quarantine.

        Raises:
            NotFoundError: there is none.
            RefusedRequestError: the API refuses it.
            DatabaseUnavailableError: it does not answer.
        """
        return self._ask(session, "GET", f"/api/v1/quarantine/{quote(submission_id, safe='')}")

    def decide(self, session: Session, subject: str, judgement: dict[str, object]) -> None:
        """Decide about a submission, or a batch as `batches/<ingestion>`.

        Raises:
            NotFoundError: there is none.
            RefusedRequestError: the API refuses it.
            DatabaseUnavailableError: it does not answer.
        """
        self._ask(session, "POST", f"/api/v1/quarantine/{subject}/decision", judgement)

    def acknowledge(self, session: Session, alert_id: str) -> None:
        """Say that somebody knows of an alert.

        Raises:
            NotFoundError: it is not open.
            RefusedRequestError: the API refuses it.
            DatabaseUnavailableError: it does not answer.
        """
        self._ask(session, "POST", f"/api/v1/alerts/{quote(alert_id, safe='')}/acknowledgement")

    def _ask(self, session: Session, method: str, path: str, body: dict[str, object] | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._sign_ins.token_for_api(session)}"}
        try:
            answer = self._client.request(method, path, json=body, headers=headers)
        except httpx2.TransportError as error:
            raise DatabaseUnavailableError(
                "The API does not answer.", code="api.not_started", remedy="Start it: `kyalo api`, or `kyalo up`."
            ) from error
        if not answer.is_success:
            raise _error_of(answer)
        found: dict[str, Any] = answer.json()
        return found


def api_address(settings: Settings) -> str:
    """Where the API is."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.api_host, settings.api_host)  # noqa: S104 - not bound
    return settings.api_url or f"{scheme_of(settings)}://{host}:{settings.api_port}"


def _error_of(answer: httpx2.Response) -> KyaloError:
    """What the API says against it, as an error of ours."""
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    kind = NotFoundError if answer.status_code == httpx2.codes.NOT_FOUND else RefusedRequestError
    return kind(
        str(problem.get("detail", f"The API answers {answer.status_code}.")),
        code=str(problem.get("code", "request.bad_form")),
        remedy=str(problem.get("remedy", "")),
    )
