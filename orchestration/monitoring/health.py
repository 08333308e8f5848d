"""How well it all is, as the views of `ops` judge it."""

from dataclasses import dataclass

from psycopg.rows import class_row

from warehouse.database import Database, queries

STATEMENTS = queries("monitoring")


@dataclass(frozen=True)
class Component:
    """One part of health.

    Attributes:
        score: 0 to 1; None where there is no data.
        status: excellent, good, warning, critical or unknown.
        reason: why, in a sentence.
    """

    component: str
    weight: float
    score: float | None
    status: str
    reason: str


@dataclass(frozen=True)
class Health:
    """The whole of it.

    Attributes:
        health_score: mean of the parts that have data, by weight; None where none has.
        status: excellent, good, warning, critical or unknown.
        worst_component: the part with the lowest score, and `reason` why.
        unknown_components: parts without data.
    """

    health_score: float | None
    status: str
    worst_component: str | None
    reason: str
    unknown_components: list[str]

    def __str__(self) -> str:
        """The same in a few words."""
        score = "" if self.health_score is None else f" ({self.health_score:.2f})"
        worst = f"; {self.worst_component.replace('_', ' ')}: {self.reason}" if self.worst_component else ""
        return f"health is {self.status}{score}{worst}"


def read_health(database: Database) -> Health:
    """The health of the warehouse now."""
    with database.transaction() as connection, connection.cursor(row_factory=class_row(Health)) as cursor:
        (health,) = cursor.execute(STATEMENTS["health"]).fetchall()
    return health


def list_components(database: Database) -> list[Component]:
    """The parts of health, the heaviest first."""
    with database.transaction() as connection, connection.cursor(row_factory=class_row(Component)) as cursor:
        return cursor.execute(STATEMENTS["health_components"]).fetchall()
