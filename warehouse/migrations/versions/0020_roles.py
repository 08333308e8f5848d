"""The roles that processes and analysts work as."""

from alembic import op
from sqlalchemy.exc import ProgrammingError

from warehouse.errors import ConfigurationError

revision = "0020_roles"
down_revision = "0019_prediction_range"
branch_labels = None
depends_on = None

ROLES = "kyalo_loader", "kyalo_transformer", "kyalo_scorer", "kyalo_analyst", "kyalo_partner", "kyalo_custodian"

# Roles belong to the server, not to the database: another warehouse there may be making them at this moment.
ROLE = """
do $$
begin
    if to_regrole('{role}') is null then
        begin
            create role {role} nologin;
        exception
            when duplicate_object or unique_violation then null;
        end;
    end if;
    if not (pg_has_role(current_user, '{role}', 'set') and pg_has_role(current_user, '{role}', 'usage')) then
        grant {role} to current_user;
    end if;
end;
$$;
"""

# What dbt has made until now was the migrator's; what it makes from now on is its role's. What others made there stays
# theirs.
OWNER = """
do $$
declare
    owned record;
begin
    for owned in
        select format('grant usage, create on schema %I to {role}', nspname) as statement
        from pg_namespace
        where nspname in ({schemas}) and pg_get_userbyid(nspowner) <> {role_name}
        union all
        select format(
            'alter %s %I.%I owner to {role}',
            case pg_class.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end,
            pg_namespace.nspname,
            pg_class.relname
        )
        from pg_class
        inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
        where
            pg_namespace.nspname in ({schemas})
            and pg_class.relkind in ('r', 'v', 'm', 'p')
            and pg_get_userbyid(pg_class.relowner) = current_user
        union all
        select format('alter function %s owner to {role}', pg_proc.oid::regprocedure)
        from pg_proc
        inner join pg_namespace on pg_proc.pronamespace = pg_namespace.oid
        where pg_namespace.nspname in ({schemas}) and pg_get_userbyid(pg_proc.proowner) = current_user
    loop
        execute owned.statement;
    end loop;
end;
$$;
"""

UPGRADE = """
create schema if not exists staging authorization kyalo_transformer;
create schema if not exists validated authorization kyalo_transformer;
create schema if not exists features authorization kyalo_transformer;
create schema if not exists marts_next authorization kyalo_transformer;
create schema if not exists analyst authorization kyalo_transformer;

create table ops.partner_districts (
    role_name text not null,
    district text not null,
    added_at timestamptz not null default now(),
    primary key (role_name, district)
);
comment on table ops.partner_districts is 'One row for each district that a partner sees the rows of.';
comment on column ops.partner_districts.role_name is 'The role that the partner signs in as.';
comment on column ops.partner_districts.district is 'The district, as the marts write it.';
comment on column ops.partner_districts.added_at is 'Since when.';

create table ops.pseudonym_key (
    is_only boolean primary key default true check (is_only),
    inner_key bytea not null,
    outer_key bytea not null
);
comment on table ops.pseudonym_key is 'The key, in one row, of the pseudonyms that analysts see households by.';
comment on column ops.pseudonym_key.is_only is 'That there is one key.';
comment on column ops.pseudonym_key.inner_key is 'What is hashed before a household''s identifier.';
comment on column ops.pseudonym_key.outer_key is 'What is hashed before the first hash.';
insert into ops.pseudonym_key (inner_key, outer_key)
select
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

create table ops.small_groups (
    district text not null,
    cluster text not null default '',
    village text not null default '',
    primary key (district, cluster, village)
);
comment on table ops.small_groups is
    'One row for each district, cluster and village that reports and household rows must not tell apart for analysts.';
comment on column ops.small_groups.district is 'The district.';
comment on column ops.small_groups.cluster is 'The cluster; empty where the row is about a district or a village.';
comment on column ops.small_groups.village is 'The village; empty where the row is about a district or a cluster.';

create table ops.published_views (
    view_name text primary key,
    definition_hash text not null,
    published_at timestamptz not null default now()
);
comment on table ops.published_views is 'One row for each view of the schema analyst that a publication made.';
comment on column ops.published_views.view_name is 'The view, without its schema.';
comment on column ops.published_views.definition_hash is 'Hash of the text that it was made of.';
comment on column ops.published_views.published_at is 'When it was made.';

"""

DOWNGRADE = """
drop schema analyst cascade;
drop table ops.partner_districts, ops.pseudonym_key, ops.small_groups, ops.published_views;
do $$
begin
    execute format('reassign owned by kyalo_transformer to %I', current_user);
end;
$$;
drop owned by kyalo_loader, kyalo_transformer, kyalo_scorer, kyalo_analyst, kyalo_partner, kyalo_custodian;
"""
SCHEMAS = "staging", "validated", "features", "marts_next", "marts"


def upgrade() -> None:
    """Create the roles, give to dbt's what dbt makes, and make what analysts and partners are known by.

    What each role may do is granted after every migration: see `warehouse/grants.csv`.
    """
    _make_roles()
    schemas = ", ".join(f"'{schema}'" for schema in SCHEMAS)
    statement = OWNER.format(role="kyalo_transformer", role_name="'kyalo_transformer'", schemas=schemas)
    op.execute(statement)
    op.execute(UPGRADE)


def downgrade() -> None:
    """Give to the migrator what dbt made; other warehouses of the server may use the roles."""
    op.execute(DOWNGRADE)


def _make_roles() -> None:
    """Create the roles that there are not, and let the migrator take them on."""
    try:
        with op.get_bind().begin_nested():
            for role in ROLES:
                op.execute(ROLE.format(role=role))
    except ProgrammingError as error:
        migrator: str = op.get_bind().exec_driver_sql("select current_user").scalar_one()
        raise ConfigurationError(
            f"Processes work as the roles {', '.join(ROLES)}, which {migrator} may not create or take on.",
            code="database.no_roles",
            remedy="Let an administrator of the server say, for each of them: create role NAME nologin;"
            f' grant NAME to "{migrator}".',
        ) from error
