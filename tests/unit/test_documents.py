"""What the documents say is what the program does."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import click
import pytest
import typer
import yaml

from orchestration.cli import app
from orchestration.reference_pages import errors_page, settings_page
from orchestration.serving import create_app
from warehouse import errors
from warehouse.settings import PROJECT_ROOT

README = (PROJECT_ROOT / "README.md").read_text()
GUIDE = (PROJECT_ROOT / "docs" / "guide.md").read_text()


def commands() -> Iterator[tuple[str, click.Command]]:
    group: Any = typer.main.get_command(app)
    yield from group.commands.items()


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_command_has_help_and_stands_in_the_documents(name: str, command: click.Command) -> None:
    assert command.help
    assert f"kyalo {name}" in README + GUIDE


def test_documents_name_no_command_that_is_not_there() -> None:
    known = {name for name, _ in commands()}
    named = set(re.findall(r"`kyalo ([a-z]+)", README + GUIDE))
    assert named <= known


def test_settings_page_is_current() -> None:
    assert (PROJECT_ROOT / "docs" / "settings.md").read_text() == settings_page()


def test_errors_page_is_current() -> None:
    assert (PROJECT_ROOT / "docs" / "errors.md").read_text() == errors_page()


def test_versions_agree() -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["project"]
    assert create_app().version == project["version"]
    assert (
        yaml.safe_load((PROJECT_ROOT / "dbt_project" / "dbt_project.yml").read_text())["version"] == project["version"]
    )
    assert f"## {project['version']}" in (PROJECT_ROOT / "CHANGELOG.md").read_text()


def test_every_error_is_terminal_or_transient() -> None:
    tree = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.KyaloError)]
    leaves = [kind for kind in tree if not kind.__subclasses__()]
    assert leaves
    for kind in leaves:
        assert issubclass(kind, errors.Terminal) != issubclass(kind, errors.Transient), kind
        assert kind.__name__ in (errors.__doc__ or ""), kind


def test_locks_hold_hashes_and_name_no_address() -> None:
    for lock in (PROJECT_ROOT / "locks").glob("*.txt"):
        text = lock.read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
        assert "index-url" not in text


def test_compose_has_every_process_of_the_design() -> None:
    compose = yaml.safe_load((PROJECT_ROOT / "docker-compose.yml").read_text())
    own = {"api", "worker", "scheduler", "dashboard"}
    assert set(compose["services"]) == own | {"db", "minio", "bucket", "prometheus", "grafana"}
    known = {name for name, _ in commands()}
    for service in own:
        assert compose["services"][service]["command"][0] in known
