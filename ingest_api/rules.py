"""The rules that surveys are judged by, as the last builds published them."""

from warehouse.database import Database, queries
from warehouse.errors import RefusedRequestError


def require_rule(database: Database, rule: str) -> None:
    """See that there is such a rule; before the first publication any name is taken.

    Raises:
        RefusedRequestError: there is none.
    """
    with database.transaction() as connection:
        has_rules = connection.execute(queries("rules")["has_rules"]).fetchone()
        if has_rules == (False,):
            return
        knows_rule = connection.execute(queries("rules")["knows_rule"], {"rule": rule}).fetchone()
    if knows_rule == (False,):
        raise RefusedRequestError(
            f"There is no rule {rule!r}.",
            code="review.unknown_rule",
            remedy="The table marts.dim_quality_rules names them all.",
        )
