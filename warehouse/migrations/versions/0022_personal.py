"""Where personal answers are kept, encrypted."""

revision = "0022_personal"
down_revision = "0021_audit"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
