"""The job queue."""

revision = "0005_jobs"
down_revision = "0004_identities"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
