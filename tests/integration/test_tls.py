"""TLS with everybody that Kyalo speaks to, and who is refused."""

import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from ingest_api.auth.clients import Credentials, add_client
from orchestration.context import Warehouse
from orchestration.dashboard.api import Api
from orchestration.dashboard.app import create_app as create_dashboard
from orchestration.dashboard.session import Session, SignIns
from orchestration.dbt import client_environment, dbt_environment
from orchestration.tls import https_of, trusted_by
from tests.certificates import Authority, make_authority
from tests.encrypted_postgres import NAMELESS, encrypted_server
from tests.integration.test_dashboard import hidden
from tests.served import served, sign_in
from tests.store_servers import azurite_server, moto_server
from warehouse.database import Database
from warehouse.embedded.binaries import find_installation
from warehouse.errors import ConfigurationError, DatabaseUnavailableError, NotFoundError, StorageUnavailableError
from warehouse.settings import Settings
from warehouse.stores import open_store

SURVEY = {"household_id": "KAN-001-ABC-1234", "survey_data": {"district": "Kanungu"}}
ELSEWHERE = {"X-Forwarded-For": "203.0.113.7"}  # a request that somebody between has passed on


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls") / "strange")


@pytest.fixture(scope="module")
def grace(module_warehouse: Warehouse) -> Credentials:
    return add_client(module_warehouse.database, "grace", "admin")


@pytest.fixture(scope="module")
def api(module_warehouse: Warehouse, authority: Authority, grace: Credentials) -> Iterator[httpx2.Client]:
    with served(module_warehouse, **https(authority), api_tls_minimum_version="1.3") as client:
        yield client


def https(authority: Authority) -> dict[str, Path]:
    return {
        "api_tls_certificate": authority.certificate,
        "api_tls_key": authority.key,
        "api_ca_bundle": authority.bundle,
    }


def test_surveys_come_by_https(api: httpx2.Client, grace: Credentials) -> None:
    answer = api.post("/api/v1/upload/survey-data", json=SURVEY, headers=sign_in(api, grace.name, grace.secret))
    assert answer.status_code == 200, answer.text


def test_phones_may_sign_in_by_https_from_anywhere(
    api: httpx2.Client, module_warehouse: Warehouse, grace: Credentials
) -> None:
    form_list, login = "/openrosa/formList", (grace.name, grace.secret)
    assert api.get(form_list, auth=login, headers=ELSEWHERE).status_code == 200
    with served(module_warehouse) as plain:
        assert "over https only" in plain.get(form_list, auth=login, headers=ELSEWHERE).text


def test_http_is_refused_where_https_is_spoken(api: httpx2.Client) -> None:
    with pytest.raises(httpx2.TransportError):
        httpx2.get(str(api.base_url).replace("https", "http"))


def test_key_that_everybody_may_read_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    open_authority = make_authority(tmp_path / "open")
    settings = warehouse.settings.model_copy(update=https(open_authority))
    open_authority.key.chmod(0o640)
    assert https_of(settings)
    open_authority.key.chmod(0o644)
    with pytest.raises(ConfigurationError) as raised:
        https_of(settings)
    assert raised.value.error_code == "configuration.open_secret"
    assert f"chmod 640 {open_authority.key}" in raised.value.remedy


def test_older_tls_is_refused(api: httpx2.Client, authority: Authority) -> None:
    context = trusted_by(authority.bundle)
    assert httpx2.get(f"{api.base_url}/health", verify=context).is_success
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{api.base_url}/health", verify=context)


def test_server_of_another_authority_is_refused(api: httpx2.Client, stranger: Authority) -> None:
    with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx2.get(f"{api.base_url}/health", verify=trusted_by(stranger.bundle))


def test_dashboard_speaks_https_and_asks_the_api_so(
    api: httpx2.Client, module_warehouse: Warehouse, authority: Authority, stranger: Authority, grace: Credentials
) -> None:
    settings = module_warehouse.settings.model_copy(update={**https(authority), "api_url": str(api.base_url)})
    with served(module_warehouse, create_dashboard, **https(authority), api_url=str(api.base_url)) as dashboard:
        form = {"name": grace.name, "secret": grace.secret, "to": "/dashboard"}
        form["form_word"] = hidden(dashboard.get("/dashboard/sign-in").text)
        answer = dashboard.post(
            "/dashboard/sign-in", data=form, headers={"Origin": str(dashboard.base_url).rstrip("/")}
        )
        assert answer.status_code == 303, answer.text
        assert "Secure" in answer.headers["Set-Cookie"]
    sign_ins = SignIns(settings, module_warehouse.database)
    session = sign_ins.recognise(sign_ins.sign_in(grace.name, grace.secret, None))
    with pytest.raises(NotFoundError):
        ask(Api(settings, sign_ins), session)
    with pytest.raises(DatabaseUnavailableError):
        ask(Api(settings.model_copy(update={"api_ca_bundle": stranger.bundle}), sign_ins), session)


def ask(api: Api, session: Session) -> None:
    try:
        api.get_submission(session, "content:none")
    finally:
        api.close()


def test_key_of_another_certificate_is_told(authority: Authority, stranger: Authority, tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None, kyalo_home=tmp_path, api_tls_certificate=authority.certificate, api_tls_key=stranger.key
    )
    with pytest.raises(ConfigurationError) as caught:
        https_of(settings)
    assert caught.value.error_code == "api.bad_certificate"


@pytest.fixture(scope="module")
def postgresql(authority: Authority) -> Iterator[Settings]:
    """The settings of a server that speaks TLS 1.3, as one that checks it would have them."""
    with encrypted_server(authority) as settings:
        checked = {
            "db_sslmode": "verify-full",
            "db_sslrootcert": str(authority.bundle),
            "db_tls_minimum_version": "1.3",
        }
        yield settings.model_copy(update=checked)


def connect(settings: Settings, **changed: object) -> list[tuple[str]]:
    """Speak with a server as the settings say, by a connection of one's own and by the pool, and tell how."""
    database = Database(settings.model_copy(update=changed), pool_size=1)
    spoken = "select version from pg_stat_ssl where pid = pg_backend_pid()"
    try:
        with database.connect() as own, database.transaction() as pooled:
            return own.execute(spoken).fetchall() + pooled.execute(spoken).fetchall()
    finally:
        database.close()


def test_postgresql_is_spoken_to_by_tls(postgresql: Settings) -> None:
    assert connect(postgresql) == [("TLSv1.3",), ("TLSv1.3",)]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"db_sslmode": "verify-full", "db_sslrootcert": "theirs"}, "certificate verify failed"),
        ({"db_sslmode": "verify-ca", "db_sslrootcert": "theirs"}, "certificate verify failed"),
        ({"db_host": NAMELESS}, "does not match host name"),
        ({"db_sslmode": "disable"}, "no encryption"),
    ],
)
def test_postgresql_that_is_not_as_asked_is_refused(
    postgresql: Settings, stranger: Authority, changed: dict[str, str], told: str
) -> None:
    if "db_sslrootcert" in changed:
        changed = {**changed, "db_sslrootcert": str(stranger.bundle)}
    with pytest.raises(DatabaseUnavailableError, match=told):
        connect(postgresql, **changed)


def test_postgresql_of_older_tls_is_refused_where_newer_is_asked_for(authority: Authority) -> None:
    with encrypted_server(authority, newest=ssl.TLSVersion.TLSv1_2) as settings:
        assert connect(settings, db_sslmode="require") == [("TLSv1.2",), ("TLSv1.2",)]
        with pytest.raises(DatabaseUnavailableError, match="protocol version"):
            connect(settings, db_sslmode="require", db_tls_minimum_version="1.3")


def test_certificate_is_shown_to_a_postgresql_that_asks_for_one(authority: Authority, stranger: Authority) -> None:
    with encrypted_server(authority, asks_for_certificate=True) as settings:
        shown = {"db_sslmode": "require", "db_sslcert": authority.certificate, "db_sslkey": authority.key}
        assert connect(settings, **shown) == [("TLSv1.3",), ("TLSv1.3",)]
        for refused in ({}, {"db_sslcert": stranger.certificate, "db_sslkey": stranger.key}):
            with pytest.raises(DatabaseUnavailableError):
                connect(settings, db_sslmode="require", **refused)


def test_postgresql_without_tls_is_refused_where_tls_is_asked_for(module_warehouse: Warehouse) -> None:
    with pytest.raises(DatabaseUnavailableError, match="does not support SSL"):
        connect(module_warehouse.settings, db_sslmode="require")


def test_dbt_and_mlflow_speak_tls_with_postgresql(module_warehouse: Warehouse, postgresql: Settings) -> None:
    """By the driver of each, with what Kyalo tells it."""
    from ml.tracking import tracking_uri

    database = Database(postgresql)
    as_dbt = "import os, psycopg2; e = os.environ; c = psycopg2.connect(host=e['DB_HOST'], port=e['DB_PORT'],"
    as_dbt += " dbname=e['DB_NAME'], user=e['DB_USER'], password=e['DB_PASSWORD']); print(c.info.ssl_in_use)"
    as_mlflow = f"import sqlalchemy; e = sqlalchemy.create_engine({tracking_uri(database)!r});"
    as_mlflow += " print(e.connect().connection.pgconn.ssl_in_use)"
    environment = dbt_environment(Warehouse(postgresql, database, module_warehouse.store))
    for program in (as_dbt, as_mlflow):
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
        assert done.stdout == "True\n", done.stderr


def test_programs_of_postgresql_are_told_too(module_warehouse: Warehouse) -> None:
    settings = module_warehouse.settings.model_copy(update={"db_sslmode": "verify-full", "db_sslrootcert": "system"})
    environment = client_environment(Warehouse(settings, Database(settings), module_warehouse.store))
    assert environment["PGSSLMODE"] == "verify-full"
    assert environment["PGSSLROOTCERT"] == "system"
    assert environment["PGSSLMINPROTOCOLVERSION"] == "TLSv1.2"
    assert environment["PATH"].split(os.pathsep)[-1] == str(find_installation() / "bin")  # they cannot speak TLS


def test_s3_is_spoken_to_by_tls(tmp_path: Path, authority: Authority, stranger: Authority) -> None:
    with moto_server(tmp_path, authority) as server:
        store = open_store(server.settings)
        assert list(store.list("raw/")) == []
        strange = server.settings.model_copy(update={"s3_ca_bundle": stranger.bundle})
        plain = server.settings.model_copy(
            update={"s3_endpoint_url": str(server.settings.s3_endpoint_url).replace("https", "http")}
        )
        for settings in (strange, plain):
            with pytest.raises(StorageUnavailableError):
                list(open_store(settings).list("raw/"))


def test_azure_is_spoken_to_by_tls(tmp_path: Path, authority: Authority, stranger: Authority) -> None:
    with azurite_server(tmp_path, authority) as server:
        assert list(open_store(server.settings).list("raw/")) == []
        strange = server.settings.model_copy(update={"azure_ca_bundle": stranger.bundle})
        with pytest.raises(StorageUnavailableError):
            list(open_store(strange).list("raw/"))


@pytest.mark.parametrize("alone", ["api_tls_certificate", "db_sslkey"])
def test_certificate_without_its_key_is_told(alone: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="come together"):
        Settings(_env_file=None, kyalo_home=tmp_path, **{alone: tmp_path / "half.pem"})
