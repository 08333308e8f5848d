"""Attachments."""

revision = "0007_openrosa"
down_revision = "0006_clients"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
