"""Every cumulative probability of a prediction lies between 0 and 1."""

from alembic import op

revision = "0019_prediction_range"
down_revision = "0018_dashboard"
branch_labels = None
depends_on = None

CHANGE = """
alter table ml.predictions
    drop constraint predictions_are_ordered,
    add constraint predictions_are_ordered check ({condition})
"""
ORDERED = "probability_below_125 <= probability and probability <= probability_below_215"


def upgrade() -> None:
    """Bound the lowest and the highest."""
    op.execute(CHANGE.format(condition=f"0 <= probability_below_125 and {ORDERED} and probability_below_215 <= 1"))


def downgrade() -> None:
    """Ask for their order alone."""
    op.execute(CHANGE.format(condition=ORDERED))
