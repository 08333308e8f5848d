"""https, where a certificate is set: for API and dashboard, and for who asks them."""

import ssl
from collections.abc import Callable
from pathlib import Path

import uvicorn

from warehouse.crypto.kept import OTHERS, check_private
from warehouse.errors import ConfigurationError
from warehouse.settings import Settings

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
MakeContext = Callable[[uvicorn.Config, Callable[[], ssl.SSLContext]], ssl.SSLContext]


def https_of(settings: Settings) -> MakeContext | None:
    """What uvicorn asks how to speak https; None where no certificate is set, and http is spoken.

    Raises:
        ConfigurationError: certificate or key cannot be used, or everybody may read the key.
    """
    if not (settings.api_tls_certificate and settings.api_tls_key):  # they come together
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = VERSIONS[settings.api_tls_minimum_version]
    try:
        check_private(settings.api_tls_key, OTHERS)
        context.load_cert_chain(settings.api_tls_certificate, settings.api_tls_key, password=_no_passphrase)
    except OSError as error:
        raise ConfigurationError(
            f"API_TLS_CERTIFICATE and API_TLS_KEY cannot be used: {error.strerror or error}.",
            code="api.bad_certificate",
            remedy="Both are files in PEM form; the key must belong to the certificate and have no passphrase.",
        ) from error
    return lambda _config, _default: context


def scheme_of(settings: Settings) -> str:
    """What API and dashboard speak."""
    return "https" if settings.api_tls_certificate else "http"


def trusted_by(authorities: Path | None) -> ssl.SSLContext:
    """What is asked of a server's certificate: that one of these authorities, or else a well-known one, vouches for it.

    Raises:
        ConfigurationError: the file of authorities cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=authorities)
    except OSError as error:
        raise ConfigurationError(
            f"API_CA_BUNDLE ({authorities}) cannot be used: {error.strerror or error}.",
            code="api.bad_certificate",
            remedy="It is a file in PEM form that holds the authority's certificate.",
        ) from error


def _no_passphrase() -> str:
    """Instead of a question at the terminal."""
    return ""
