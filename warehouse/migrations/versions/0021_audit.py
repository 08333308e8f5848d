"""The log of who saw and changed what."""

revision = "0021_audit"
down_revision = "0020_roles"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
