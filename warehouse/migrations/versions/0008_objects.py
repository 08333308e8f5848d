"""Objects of the store."""

revision = "0008_objects"
down_revision = "0007_openrosa"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
