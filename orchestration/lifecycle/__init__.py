"""What becomes of data as it grows old: archived, exported or deleted, by policies and by nothing else."""

from orchestration.lifecycle.acts import Account, Act
from orchestration.lifecycle.archiving import archive
from orchestration.lifecycle.deleted_objects import say_if_deleted
from orchestration.lifecycle.exported_rows import restore_rows
from orchestration.lifecycle.policies import Policy, list_policies

__all__ = ["Account", "Act", "Policy", "archive", "list_policies", "restore_rows", "say_if_deleted"]
