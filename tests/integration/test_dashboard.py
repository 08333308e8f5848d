"""The dashboard: who may look, what the pages say, and that nothing on them can write."""

import re
from collections.abc import Iterator
from html import unescape

import httpx2
import plotly.graph_objects
import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr
from starlette.testclient import TestClient

from ingest_api.auth.clients import Credentials, add_client, revoke_client
from orchestration.context import Warehouse
from orchestration.dashboard import figures
from orchestration.dashboard.app import create_app
from orchestration.dashboard.graph import draw_graph
from orchestration.dashboard.reading import open_reader, reading
from tests.served import served
from tests.shown_marts import create_as_dbt_does, make_up
from warehouse.audit.reading import list_entries, who_saw
from warehouse.database import Database
from warehouse.errors import ConfigurationError
from warehouse.grants import ROLES
from warehouse.migrations import migrate

pytestmark = pytest.mark.xdist_group("dashboard")

PAGES = ["", "/ingestion", "/quality", "/risk", "/models", "/runs", "/runs/made-up-3", "/alerts"]
NAMED = "KAN-777-XYZ-1"
NAMING = f"""
insert into ops.small_groups (district, cluster, village)
values ('District 3', '', ''), ('District 3', '', 'Village 3'), ('District 1', '', 'Village 5');
update marts.rpt_village_priorities set households = 3333, expected_vulnerable_households = 3000
where village in ('Village 3', 'Village 5');
update marts.rpt_district_summary set households = 7777 where district = 'District 3';
update marts.rpt_district_summary set households = households - 7402 where district = 'District 2';
update marts.dim_quality_rules set broken_submissions = 3, message = 'the respondent refused' where rule_id = 'rule_2';
update raw.ingestions set filename = '{NAMED}.csv', status = 'failed', error_code = 'file.no_rows',
    error_message = 'The file {NAMED}.csv has no rows.'
where ingestion_id = (select max(ingestion_id) from raw.ingestions);
update raw.ingestions set filename = '{NAMED}.csv'
where ingestion_id = (select min(ingestion_id) from raw.ingestions);
update ops.pipeline_runs set error_message = error_message || ' Key (household_id)=({NAMED}) is there twice.'
where run_id = 'made-up-3';
update ops.pipeline_steps set status = 'failed', error_code = 'build.failed', error_message = 'Key ({NAMED}) is there.'
where run_id = 'made-up-3' and step = 'build';
update ops.dbt_results set status = 'error', message = 'Key (household_id)=({NAMED}) is there twice.'
where run_id = 'made-up-3' and node_name = 'model_1';
insert into ops.alerts (alert, subject, severity, message, runbook, resolved_at)
select 'run_failed', 'made-up', 'error', 'Run made-up-3 failed: Key ({NAMED}) is there.', 'docs/runbooks.md#run_failed',
    resolved_at
from (values (null), (clock_timestamp())) as alerts (resolved_at);
"""
SURVEY = {"household_id": "KAN-001-ABC-1234", "survey_data": {"district": "Kanungu", "household_size": 99}}
ORIGIN = {"Origin": "http://testserver"}


@pytest.fixture(scope="module")
def shown(module_warehouse: Warehouse) -> Warehouse:
    """Made-up marts, with places of few households and messages that name one."""
    make_up(module_warehouse)
    with module_warehouse.database.transaction() as connection:
        for statement in NAMING.split(";\n")[:-1]:
            connection.execute(statement.encode())
    return module_warehouse


@pytest.fixture(scope="module")
def people(shown: Warehouse) -> dict[str, Credentials]:
    roles = {"ann": "analyst", "grace": "office", "ada": "admin", "tablet": "device"}
    return {name: add_client(shown.database, name, role) for name, role in roles.items()}  # type: ignore[arg-type]


@pytest.fixture
def visitor(shown: Warehouse) -> Iterator[TestClient]:
    settings = shown.settings.model_copy(update={"login_limit_per_minute": 3})
    with TestClient(create_app(settings), follow_redirects=False) as client:
        yield client


def sign_in(client: httpx2.Client, given: Credentials, secret: str = "") -> httpx2.Response:
    word = hidden(client.get("/dashboard/sign-in").text)
    form = {"name": given.name, "secret": secret or given.secret, "form_word": word, "to": "/dashboard/risk"}
    return client.post("/dashboard/sign-in", data=form, headers=ORIGIN)


def hidden(page: str) -> str:
    found = re.search(r'name="form_word" value="([^"]+)"', page)
    assert found, page
    return found[1]


def test_nobody_sees_a_page_without_signing_in(visitor: TestClient) -> None:
    for page in [*PAGES, "/risk/priorities.csv", "/quality/submission?of=x"]:
        answer = visitor.get(f"/dashboard{page}")
        assert (answer.status_code, answer.headers["Location"][:22]) == (303, "/dashboard/sign-in?to="), page
    assert visitor.get("/dashboard/alive").text == "alive"


@pytest.mark.parametrize(
    "page", ["risk?district=%00", "quality?rule=%00", "runs/%00", "risk/priorities.csv?district=%00"]
)
def test_no_address_holds_a_nul_byte(visitor: TestClient, people: dict[str, Credentials], page: str) -> None:
    sign_in(visitor, people["ann"])
    answer = visitor.get(f"/dashboard/{page}")
    assert answer.status_code == 404
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("page", PAGES)
def test_page_shows_and_no_script_stands_in_it(visitor: TestClient, people: dict[str, Credentials], page: str) -> None:
    assert sign_in(visitor, people["ann"]).headers["Location"] == "/dashboard/risk"
    answer = visitor.get(f"/dashboard{page}")
    assert answer.status_code == 200
    assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
    assert not re.findall(r"<script(?![^>]*(?: src=|application/json))", answer.text)
    assert "Jane Doe" not in answer.text
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', answer.text)


def test_pages_say_what_the_tables_say(visitor: TestClient, people: dict[str, Credentials]) -> None:
    sign_in(visitor, people["ann"])
    overview = visitor.get("/dashboard").text
    assert "Of 1,500 households, 600 are predicted" in overview
    assert "87% of the disk is taken." in overview
    assert "A dbt model could not be built" in visitor.get("/dashboard/runs/made-up-3").text
    ingestion = visitor.get("/dashboard/ingestion?days=30").text
    assert "It has more or fewer cells than the header." in ingestion
    assert "quarterly report" in ingestion
    assert visitor.get("/dashboard/runs/none").status_code == 404
    assert visitor.get("/dashboard/ingestion?days=0").status_code == 422


@pytest.mark.parametrize("page", [*PAGES, "/risk?district=District+1", "/risk/priorities.csv"])
@pytest.mark.parametrize("name", ["ann", "grace", "ada"])
def test_only_reviewers_see_households_and_small_places(
    visitor: TestClient, people: dict[str, Credentials], name: str, page: str
) -> None:
    """Analysts see nowhere what names a household, what repeats what others wrote, what tells of fewer than five."""
    sign_in(visitor, people[name])
    text = visitor.get(f"/dashboard{page}").text
    telling = {
        "/ingestion": {NAMED},
        "/quality": {NAMED, ">KAN-2<"},
        "/risk": {"3,333", "7,777"},
        "/risk?district=District+1": {"3,333"},
        "/risk/priorities.csv": {",3333,"},
        "": {NAMED, "7,777"},
        "/runs": {NAMED},
        "/runs/made-up-3": {NAMED},
        "/alerts": {NAMED},
    }
    told = {word for words in telling.values() for word in words if word in text}
    assert told == (set() if name == "ann" else telling.get(page, set()))


def test_analysts_are_told_how_much_waits_and_why(visitor: TestClient, people: dict[str, Credentials]) -> None:
    sign_in(visitor, people["ann"])
    page = visitor.get("/dashboard/quality?status=discarded&rule=rule_2&page=2").text
    assert "45 open" in page
    assert "The respondent refused" in page
    assert '<td class="number">under 5</td>' in page
    assert "shown to offices and administrators" in page
    risk = visitor.get("/dashboard/risk?district=District+3").text
    assert "Village 3" in risk
    assert "no numbers are shown" in risk
    assert "7,777" not in risk
    assert "Predicted vulnerable</dt>" not in risk


def test_audit_names_who_saw_which_households(
    visitor: TestClient, people: dict[str, Credentials], shown: Warehouse
) -> None:
    sign_in(visitor, people["grace"])
    assert "Page 2" in visitor.get("/dashboard/quality?page=2").text
    entry = list_entries(shown.database, limit=1)[0]
    assert (entry.action, entry.actor, entry.door, entry.result) == ("page.quality", "grace", "dashboard", "allowed")
    assert entry.records >= len(entry.households) > 1
    assert entry in who_saw(shown.database, entry.households[0])


def test_audit_holds_no_number_that_was_typed_in(
    visitor: TestClient, people: dict[str, Credentials], shown: Warehouse
) -> None:
    sign_in(visitor, people["grace"])
    visitor.get("/dashboard/quality/submission", params={"of": "x 0772888666"})
    (entry,) = list_entries(shown.database, limit=1)
    assert (entry.action, (entry.subject or "")[:9]) == ("submission.show", "personal:")


def test_before_the_first_build_the_overview_says_so(warehouse: Warehouse) -> None:
    given = add_client(warehouse.database, "ann", "analyst")
    with TestClient(create_app(warehouse.settings), follow_redirects=False) as client:
        sign_in(client, given)
        assert "No households are published yet." in client.get("/dashboard").text
        assert "Nothing is known yet" in client.get("/dashboard").text
        answer = client.get("/dashboard/risk")
        assert (answer.status_code, "Not built yet" in answer.text) == (503, True)


def test_priority_list_is_a_file_without_formulas(visitor: TestClient, people: dict[str, Credentials]) -> None:
    sign_in(visitor, people["ann"])
    answer = visitor.get("/dashboard/risk/priorities.csv", params={"district": "District 1"})
    header, *lines = answer.text.split("\r\n")
    assert header.startswith("district,cluster,village,priority_rank")
    assert len([line for line in lines if line]) == 15
    assert ",'=1+1," in answer.text


def test_wrong_secrets_are_counted_and_devices_kept_out(visitor: TestClient, people: dict[str, Credentials]) -> None:
    assert sign_in(visitor, people["tablet"]).status_code == 403
    for _ in range(3):
        assert sign_in(visitor, people["ann"], secret="wrong").status_code == 401  # noqa: S106
    assert sign_in(visitor, people["ann"]).status_code == 429


def test_session_ends_with_the_client_and_with_its_time(shown: Warehouse) -> None:
    given = add_client(shown.database, "leaver", "analyst")
    with TestClient(create_app(shown.settings), follow_redirects=False) as client:
        cookie = sign_in(client, given).headers["Set-Cookie"]
        assert {"HttpOnly", "SameSite=strict", "Max-Age=28800"} <= set(cookie.split("; "))
        assert client.get("/dashboard").status_code == 200
        revoke_client(shown.database, "leaver")
        assert client.get("/dashboard").status_code == 303
    given = add_client(shown.database, "late", "analyst")
    short = create_app(shown.settings.model_copy(update={"dashboard_session_seconds": -1}))
    with TestClient(short, follow_redirects=False) as client:
        client.cookies.set("kyalo_session", sign_in(client, given).cookies.get("kyalo_session") or "expired")
        assert client.get("/dashboard").status_code == 303


def test_token_of_the_api_is_no_session(shown: Warehouse, people: dict[str, Credentials]) -> None:
    with served(shown) as api, TestClient(create_app(shown.settings), follow_redirects=False) as client:
        answer = api.post(
            "/api/v1/auth/token", json={"client_id": people["ann"].name, "client_secret": people["ann"].secret}
        )
        client.cookies.set("kyalo_session", answer.json()["access_token"])
        assert client.get("/dashboard").status_code == 303


@pytest.mark.parametrize("place", ["https://elsewhere.example", "//elsewhere.example", "/dashboard\\..", "/dashboards"])
def test_signing_in_leads_nowhere_else(visitor: TestClient, people: dict[str, Credentials], place: str) -> None:
    word = hidden(visitor.get("/dashboard/sign-in").text)
    form = {"name": "ann", "secret": people["ann"].secret, "form_word": word, "to": place}
    assert visitor.post("/dashboard/sign-in", data=form).headers["Location"] == "/dashboard"


def test_forms_of_others_are_refused(visitor: TestClient, people: dict[str, Credentials]) -> None:
    sign_in(visitor, people["grace"])
    word = hidden(visitor.get("/dashboard").text)
    form = {"of": "x", "decision": "release", "reason": "because"}
    for data, headers in [
        (form, ORIGIN),
        (form | {"form_word": "guessed"}, ORIGIN),
        (form | {"form_word": word}, {"Origin": "http://elsewhere.example"}),
        (form | {"form_word": word}, {"Sec-Fetch-Site": "cross-site"}),
    ]:
        answer = visitor.post("/dashboard/quality/submission", data=data, headers=headers)
        assert (answer.status_code, "dashboard.form_expired" in answer.text) == (400, True)
    assert visitor.post("/dashboard/sign-out", data={"form_word": word}, headers=ORIGIN).status_code == 303
    assert visitor.get("/dashboard").status_code == 303


def test_pages_read_as_a_role_that_cannot_write_nor_see_people(shown: Warehouse) -> None:
    reader = open_reader(shown.settings)
    refused = {
        "select * from ops.clients": psycopg.errors.InsufficientPrivilege,
        "select message from raw.rejected_rows": psycopg.errors.InsufficientPrivilege,
        "select * from raw.household_survey": psycopg.errors.InsufficientPrivilege,
        "select * from ml.prediction_requests": psycopg.errors.InsufficientPrivilege,
        "update ops.alerts set message = ''": psycopg.errors.ReadOnlySqlTransaction,
        "insert into review.decisions default values": psycopg.errors.ReadOnlySqlTransaction,
    }
    for statement, error in refused.items():
        with pytest.raises(error), reader.transaction() as connection:
            connection.execute(statement.encode())
    with reader.transaction() as connection:
        connection.execute("set transaction read write")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("update ops.alerts set message = ''")
    with reading(reader) as opened:
        assert opened.row("totals", district=None)["households"] == 1500
    reader.close()


def test_migrator_who_may_not_create_roles_is_told_what_to_do(warehouse: Warehouse) -> None:
    address = warehouse.database.address()
    with warehouse.database.connect() as connection:
        connection.autocommit = True
        name = sql.Identifier(address["dbname"])
        connection.execute("create role plain_migrator login password 'plain'")
        connection.execute(sql.SQL("grant create on database {} to plain_migrator").format(name))
        connection.execute(
            "drop schema raw, review, ml, ops, marts, jobs, staging, validated, features, marts_next, analyst cascade"
        )
        settings = warehouse.settings.model_copy(
            update={"db_user": "plain_migrator", "db_password": SecretStr("plain")}
        )
        migrated = Database(settings)
        try:
            with pytest.raises(ConfigurationError, match="plain_migrator may not create or take on") as caught:
                migrate(migrated)
            assert 'grant kyalo_dashboard to "plain_migrator"' in (caught.value.remedy or "")
            connection.execute("grant kyalo_dashboard to plain_migrator")
            with pytest.raises(ConfigurationError, match="kyalo_loader") as caught:
                migrate(migrated)
            assert caught.value.error_code == "database.no_roles"
            for role in ROLES:
                connection.execute(sql.SQL("grant {} to plain_migrator").format(sql.Identifier(role)))
            migrate(migrated)
        finally:
            migrated.close()
            connection.execute("drop owned by plain_migrator cascade")
            connection.execute("drop role plain_migrator")


def test_reviewers_decide_and_acknowledge_through_the_api(shown: Warehouse, people: dict[str, Credentials]) -> None:
    with served(shown) as api:
        token = api.post(
            "/api/v1/auth/token", json={"client_id": "grace", "client_secret": people["grace"].secret}
        ).json()["access_token"]
        receipt = api.post(
            "/api/v1/upload/survey-data", json=SURVEY, headers={"Authorization": f"Bearer {token}"}
        ).json()
        submission = keep_out(shown, receipt["ingestion_id"])
        settings = shown.settings.model_copy(update={"api_url": str(api.base_url)})
        with TestClient(create_app(settings), follow_redirects=False) as client:
            sign_in(client, people["grace"])
            page = client.get("/dashboard/quality/submission", params={"of": submission})
            assert "KAN-001-ABC-1234" in page.text
            form = {"of": submission, "decision": "release", "form_word": hidden(page.text)}
            assert client.post("/dashboard/quality/submission", data=form | {"reason": " "}).status_code == 400
            answer = client.post("/dashboard/quality/submission", data=form | {"reason": "Phoned them."})
            assert "It is released" in client.get(answer.headers["Location"]).text
            assert "decided" in client.post("/dashboard/quality/submission", data=form | {"reason": "Again."}).text
            alerts = client.get("/dashboard/alerts").text
            known = re.findall(r'name="of" value="([^"]+)"', alerts)
            client.post("/dashboard/alerts", data={"of": known[0], "form_word": hidden(alerts)})
            assert "grace knows" in client.get("/dashboard/alerts").text
            client.cookies.clear()
            sign_in(client, people["ann"])
            page = client.get("/dashboard/quality/submission", params={"of": submission})
            assert (page.status_code, "may not see answers" in page.text) == (403, True)
            form = {"of": known[1], "form_word": hidden(client.get("/dashboard").text)}
            assert "which may not do this" in unescape(client.post("/dashboard/alerts", data=form).text)
        assert api.get("/dashboard").headers["Location"].endswith(":8001/dashboard")


def keep_out(warehouse: Warehouse, ingestion_id: str) -> str:
    """Put a stored survey into quarantine, as a build would."""
    with warehouse.database.transaction() as connection:
        for model in ("int_quarantined_submissions", "int_batch_quality"):
            create_as_dbt_does(connection, "validated", model)
        connection.execute(
            "insert into validated.int_quarantined_submissions (submission_id, ingestion_id, household_id, status,"
            " failed_rules, reasons, row_number, received_at) select 'made-up:9', %s, 'KAN-001-ABC-1234', 'open',"
            " failed_rules, reasons, 1, now() from marts.fct_quarantined_submissions limit 1",
            [ingestion_id],
        )
    return "made-up:9"


def test_without_the_api_a_decision_says_so(visitor: TestClient, people: dict[str, Credentials]) -> None:
    sign_in(visitor, people["grace"])
    answer = visitor.get("/dashboard/quality/submission?of=made-up:1")
    assert (answer.status_code, "api.not_started" in answer.text) == (503, True)


def test_figures_are_plotly_s(shown: Warehouse) -> None:
    drawn: list[figures.Figure] = []
    with reading(shown.database) as opened:
        drawn += [
            figures.risk_by_district(opened.rows("districts")),
            figures.villages_on_map(opened.rows("locations", district=None)),
            figures.drift_of(opened.rows("drift", model_name="vulnerability_screening", model_version=1), "screening"),
        ]
    for figure in drawn:
        plotly.graph_objects.Figure({"data": figure.data, "layout": figure.layout})
        assert figure.rows
        assert "<" not in figure.told


def test_steps_beside_each_other_stand_in_one_column(shown: Warehouse) -> None:
    with reading(shown.database) as opened:
        graph = draw_graph(opened.rows("run_steps", run_id="made-up-1"))
    columns = {node["step"]: node["x"] for node in graph.nodes}
    assert columns["watch"] == columns["marts"] > columns["score"]
    assert columns["export"] == columns["check"]
    assert len(graph.edges) == 9
