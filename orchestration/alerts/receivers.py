"""Who is told of alerts: an e-mail address each, and any service that apprise knows. No secret of theirs is shown."""

import hashlib
import logging
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from warehouse.errors import ConfigurationError
from warehouse.settings import Settings

if TYPE_CHECKING:
    from apprise import NotifyBase

Tone = Literal["info", "success", "warning", "failure"]
MAIL_SERVER = "smtp://127.0.0.1"
MAIL = {"smtp": ("mailto", 25, "starttls"), "smtps": ("mailtos", 465, "ssl")}
SECRET_PART = re.compile(r"[^/?&=:@,;#\s]{4,}")
PROBLEM_CHARACTERS = 300


@dataclass(frozen=True)
class Receiver:
    """One who is told.

    Attributes:
        name: the service with the address, or with a hash that tells two of a kind apart.
        url: where, with secrets: it goes into no log and no table.
    """

    name: str
    url: str

    def send(self, title: str, body: str, tone: Tone) -> str | None:
        """Tell something; None when it was taken, else why not, without secrets."""
        from apprise import LogCapture, NotifyFormat, NotifyType

        with LogCapture(level=logging.WARNING, fmt="%(message)s") as log:  # type: ignore[no-untyped-call]
            is_taken = self._service().notify(
                title=title, body=body, notify_type=NotifyType(tone), body_format=NotifyFormat.TEXT
            )
            return None if is_taken else self._cover(log.getvalue())

    def _service(self) -> "NotifyBase":
        return _service(self.url, self.name)

    def _cover(self, told: str) -> str:
        """What the service said, with every part of the address that may be a secret covered."""
        address = urlsplit(self.url)._replace(scheme="").geturl()
        for part in SECRET_PART.findall(address) + SECRET_PART.findall(unquote(address)):
            told = told.replace(part, "***")
        return " ".join(told.split())[:PROBLEM_CHARACTERS] or "It was not taken."


def list_receivers(settings: Settings) -> list[Receiver]:
    """Those whom ALERT_EMAIL and ALERT_URLS name.

    Raises:
        ConfigurationError: an address is none, or names a service that apprise does not know.
    """
    return [receiver() for receiver in _named_receivers(settings)]


def list_usable_receivers(settings: Settings) -> tuple[list[Receiver], list[ConfigurationError]]:
    """The same, without those whose address cannot be used, and why it cannot."""
    usable, problems = [], []
    for receiver in _named_receivers(settings):
        try:
            usable.append(receiver())
        except ConfigurationError as error:
            problems.append(error)
    return usable, problems


def _named_receivers(settings: Settings) -> Iterator[Callable[[], Receiver]]:
    server = settings.smtp_url.get_secret_value() if settings.smtp_url else MAIL_SERVER
    for address in _parted(settings.alert_email):
        yield partial(_mailbox, server, address)
    for url in _parted(settings.alert_urls.get_secret_value()):
        yield partial(_of_service, url)


def _mailbox(server: str, address: str) -> Receiver:
    url = _mail_url(server, address)
    _service(url, address)
    return Receiver(f"E-Mail {address}", url)


def _of_service(url: str) -> Receiver:
    number = hashlib.sha256(url.encode()).hexdigest()[:8]
    return Receiver(f"{_service(url, 'an address of ALERT_URLS').service_name} {number}", url)


def _mail_url(server: str, address: str) -> str:
    """A mail server and an address, as apprise writes them."""
    parts = urlsplit(server)
    if parts.scheme not in MAIL or not parts.hostname:
        raise ConfigurationError(
            "SMTP_URL is no address of a mail server.",
            code="alert.bad_receiver",
            remedy="Write smtp://NAME:PASSWORD@HOST:PORT?from=ADDRESS, or smtps:// where all is encrypted.",
        )
    scheme, port, mode = MAIL[parts.scheme]
    sender = parse_qs(parts.query).get("from", [f"kyalo@{_domain(parts.hostname)}"])[0]
    login = f"{parts.username}:{parts.password or ''}@" if parts.username else ""
    options = {"to": address, "from": sender, "mode": mode if login or parts.scheme == "smtps" else "insecure"}
    return f"{scheme}://{login}{parts.hostname}:{parts.port or port}/?{urlencode(options, quote_via=quote)}"


def _domain(host: str) -> str:
    """The domain that mail comes from: the mail server's, or this machine's where the server is known by number."""
    is_number = ":" in host or host.replace(".", "").isdigit()
    return socket.getfqdn() if is_number else host


def _service(url: str, name: str) -> "NotifyBase":
    from apprise import Apprise, AppriseAsset

    service = Apprise.instantiate(url, asset=AppriseAsset(app_id="Kyalo", app_desc="Kyalo", app_url=""))
    if service is None:
        raise ConfigurationError(
            f"Nobody can be told at {name}.",
            code="alert.bad_receiver",
            remedy="Correct ALERT_EMAIL, SMTP_URL or ALERT_URLS; `kyalo alerts test` tries them.",
        )
    return service


def _parted(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
