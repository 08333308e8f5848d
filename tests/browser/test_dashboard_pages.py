"""The dashboard in a real browser: it draws, asks nobody else, fits a phone, and axe finds nothing against it."""

import shutil
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from ingest_api.auth.clients import add_client
from orchestration.context import Warehouse
from orchestration.dashboard.app import create_app
from tests.shown_marts import make_up
from warehouse.embedded.server import free_port

playwright = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.xdist_group("dashboard"),
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (on Debian: apt install chromium)"),
]
PAGES = ["", "/ingestion", "/quality", "/risk", "/models", "/runs", "/runs/made-up-3", "/alerts"]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def address(module_warehouse: Warehouse) -> Iterator[str]:
    make_up(module_warehouse)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(create_app(module_warehouse.settings), port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}/dashboard"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def secret(module_warehouse: Warehouse) -> str:
    return add_client(module_warehouse.database, "grace", "office").secret


@pytest.fixture(scope="module")
def browser() -> Iterator["playwright.Browser"]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_every_page(browser: "playwright.Browser", address: str, secret: str, width: int, scheme: str) -> None:
    complaints: list[str] = []
    with browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme) as context:
        page = context.new_page()
        page.on("console", lambda said: complaints.append(f"console: {said.text}") if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", lambda asked: complaints.append(asked.url) if is_elsewhere(asked.url, address) else None)
        page.goto(f"{address}/alerts")
        complaints += judge(page, "sign-in")
        sign_in_by_keyboard(page, secret)
        assert page.url == f"{address}/alerts"
        for name in PAGES:
            page.goto(address + name)
            for plot in page.query_selector_all(".plot"):
                page.wait_for_selector(f"[data-figure={plot.get_attribute('data-figure')}] svg.main-svg")
            complaints += judge(page, name)
    assert complaints == []


def is_elsewhere(url: str, address: str) -> bool:
    return not url.startswith((address, "data:", "blob:"))


def sign_in_by_keyboard(page: "playwright.Page", secret: str) -> None:
    page.focus("#name")
    page.keyboard.type("grace")
    page.keyboard.press("Tab")
    page.keyboard.type(secret)
    page.keyboard.press("Enter")
    page.wait_for_selector("nav")


def judge(page: "playwright.Page", name: str) -> list[str]:
    """What axe has against a page, and whether it is wider than the window."""
    found = axe.Axe().run(page, options=RULES).response["violations"]
    against = [f"{name}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]
    return [*against, f"{name} is wider than the window"] if page.evaluate(TOO_WIDE) else against
