"""The commands `kyalo policies ...`: from which probability on a household counts as vulnerable."""

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.console import AsJson, count, out, print_json
from orchestration.context import open_warehouse
from warehouse.errors import NotFoundError

if TYPE_CHECKING:
    from ml.promotion.policies import Policy

LINE = "{:>7}  {:16}  {:34}  {:>7}  {:12}  {}"
app = typer.Typer(
    help="Say which share of a district, or which probability, counts as vulnerable.", no_args_is_help=True
)

Share = Annotated[float | None, typer.Option(min=0, max=1, help="Share of the households of each district.")]


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List all policies, the newest, which holds, first."""
    from ml.promotion.policies import list_policies

    with open_warehouse() as warehouse, warehouse.database.transaction() as connection:
        policies = list_policies(connection)
    if as_json:
        print_json([asdict(policy) for policy in policies])
        return
    typer.echo(LINE.format("policy", "since", "asks for", "model", "by", "why"))
    for policy in policies:
        since, model = f"{policy.decided_at:%Y-%m-%d %H:%M}", str(policy.model_version or "")
        typer.echo(
            LINE.format(policy.policy_version, since, _describe(policy)[:34], model, policy.actor[:12], policy.reason)
        )
    out.print(f"done: {count(len(policies), 'policy', 'policies')}; the first one holds", highlight=False)


@app.command()
def show(
    version: Annotated[int | None, typer.Argument(help="The policy; the one that holds when omitted.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show a policy, with the threshold of each district and what it costs."""
    from ml.promotion.policies import list_policies

    with open_warehouse() as warehouse, warehouse.database.transaction() as connection:
        policies = list_policies(connection)
    policy = next((one for one in policies if version in (None, one.policy_version)), None)
    if policy is None:
        raise NotFoundError(f"There is no policy {version}.", code="policy.not_found")
    print_json(asdict(policy)) if as_json else _print_policy(policy)


@app.command("set")
def set_new(
    reason: Annotated[str, typer.Option(help="Why: whoever reads it later will ask.")],
    quota: Share = None,
    district: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=SHARE", help="The share of one district, beside --quota; as often as needed."),
    ] = None,
    cut: Annotated[
        float | None, typer.Option(min=0, max=1, help="One probability for all, in place of quotas.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who decides; the login name when omitted.")] = None,
    as_json: AsJson = False,
) -> None:
    """Decide from which probability on a household of the screening track counts as vulnerable."""
    from ml.artifacts import load_rows
    from ml.catalogue import champions
    from ml.promotion.policies import require_districts, set_policy
    from ml.promotion.rules import Rule

    if (quota is None) == (cut is None) or (cut is not None and district):
        raise typer.BadParameter("Name a --quota, with or without --district, or a --cut.")
    quotas = dict(_read_share(share) for share in district or [])
    rule = Rule(default_quota=quota, quotas=quotas) if cut is None else Rule(cut)
    with open_warehouse() as warehouse:
        model = champions(warehouse.database).get("screening")
        if model is None:
            raise NotFoundError("No model is trained yet.", code="ml.no_model", remedy="Train first: kyalo train.")
        rows = load_rows(warehouse.store, model)
        require_districts(rule, rows)
        with warehouse.database.transaction() as connection:
            policy = set_policy(connection, rule, model, rows, actor=by or getpass.getuser(), reason=reason)
    print_json(asdict(policy)) if as_json else _print_policy(policy)


def _read_share(text: str) -> tuple[str, float]:
    name, _, share = text.rpartition("=")
    try:
        value = float(share)
    except ValueError:
        value = -1.0
    if not name.strip() or not 0 <= value <= 1:
        raise typer.BadParameter(f"{text} is not NAME=SHARE, such as Kanungu=0.3.", param_hint="--district")
    return name.strip(), value


def _describe(policy: "Policy") -> str:
    """What a policy asks for, in a few words."""
    if policy.default_quota is None:
        return f"{policy.default_threshold:.2f} on, everywhere"
    others = "".join(f", {name} {share:.0%}" for name, share in policy.quotas.items())
    return f"{policy.default_quota:.0%} of each district{others}"


def _print_policy(policy: "Policy") -> None:
    from rich.table import Table

    model = f", thresholds of {policy.model_name} version {policy.model_version}" if policy.model_name else ""
    out.print(f"policy {policy.policy_version}: {_describe(policy)}{model}", highlight=False, soft_wrap=True)
    told = f"decided    {policy.decided_at:%Y-%m-%d %H:%M} by {policy.actor}: {policy.reason}"
    out.print(told, highlight=False, soft_wrap=True)
    if policy.effects:
        heads = ("households", "vulnerable", "threshold", "selected", "exclusion", "inclusion")
        table = Table("", *heads, "exclusion at 0.5", "inclusion at 0.5", box=None, pad_edge=False)
        for name, effect in policy.effects.items():
            measures = ("base_rate", "selected", "exclusion_error", "inclusion_error")
            rate, selected, *errors = (_percent(effect[measure]) for measure in measures)
            at_half = [_percent(effect[f"{measure}_at_half"]) for measure in ("exclusion_error", "inclusion_error")]
            threshold = "" if effect["threshold"] is None else f"{effect['threshold']:.3f}"
            table.add_row(name, f"{effect['households']:,.0f}", rate, threshold, selected, *errors, *at_half)
        out.print(table, highlight=False)
        out.print("Exclusion: vulnerable and not selected. Inclusion: selected and not vulnerable. Out of fold.")
    out.print("done: `kyalo run` decides by the policy that holds", highlight=False)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
