"""The roles that processes and analysts work as."""

revision = "0020_roles"
down_revision = "0019_prediction_range"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
