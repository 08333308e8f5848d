"""The graph of a run, in an order in which each step comes after what it needs."""

from orchestration.graph import actions
from orchestration.graph.step import Step
from warehouse.grants import SCORER, TRANSFORMER

AFTER_TRAINING = ("score", "watch", "marts", "publish", "export", "check")
STEPS = (
    Step("load", needs=(), action=actions.load),
    Step("build", needs=("load",), action=actions.build, has_children=True, role=TRANSFORMER),
    Step("train", needs=("build",), action=actions.train, has_children=True, role=SCORER),
    Step("mirror", needs=("train",), action=actions.mirror, may_run_beside=AFTER_TRAINING),
    Step("score", needs=("train",), action=actions.score, role=SCORER),
    Step(
        "watch",
        needs=("score",),
        action=actions.watch,
        may_run_beside=("marts", "publish", "export"),
        role=SCORER,
    ),
    Step("marts", needs=("score",), action=actions.marts, has_children=True, role=TRANSFORMER),
    Step("publish", needs=("marts",), action=actions.publish, role=TRANSFORMER),
    Step("export", needs=("publish",), action=actions.export, may_run_beside=("check",), role=TRANSFORMER),
    Step("check", needs=("watch", "publish"), action=actions.check, timeout_seconds=600),
)
