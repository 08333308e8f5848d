-- name: differing_grants
with
wanted as (
    select distinct
        role,
        schema,
        "table" as relation,
        verb,
        "column" as attribute
    from jsonb_to_recordset(%(grants)s) as granted (role text, schema text, "table" text, verb text, "column" text)
),

relations as (
    select
        pg_class.oid,
        pg_class.relkind,
        pg_class.relacl,
        pg_namespace.nspname::text as schema,
        pg_class.relname::text as relation,
        pg_get_userbyid(pg_class.relowner)::text as owner
    from pg_class
    inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
    where pg_namespace.nspname = any(%(schemas)s) and pg_class.relkind in ('r', 'v', 'm', 'p', 'S')
),

roles as (
    select
        oid,
        rolname::text as role
    from pg_roles
    where rolname = any(%(roles)s)
),

wanted_on_relations as (
    select
        relations.oid,
        wanted.role,
        wanted.verb,
        wanted.attribute
    from wanted
    inner join relations
        on
            wanted.schema = relations.schema
            and (wanted.relation = relations.relation or (wanted.relation = '*' and relations.relkind <> 'S'))
            and wanted.role <> relations.owner
    where
        wanted.attribute is null
        or exists (
            select 1
            from pg_attribute
            where
                pg_attribute.attrelid = relations.oid
                and pg_attribute.attname = wanted.attribute
                and not pg_attribute.attisdropped
        )
),

present_on_relations as (
    select
        relations.oid,
        roles.role,
        lower(present.privilege_type) as verb,
        null::text as attribute
    from relations
    cross join aclexplode(relations.relacl) as present
    inner join roles on present.grantee = roles.oid and roles.role <> relations.owner
    union all
    select
        relations.oid,
        roles.role,
        lower(present.privilege_type),
        pg_attribute.attname::text
    from relations
    inner join pg_attribute on relations.oid = pg_attribute.attrelid and pg_attribute.attacl is not null
    cross join aclexplode(pg_attribute.attacl) as present
    inner join roles on present.grantee = roles.oid and roles.role <> relations.owner
),

wanted_on_schemas as (
    select distinct
        pg_namespace.oid,
        wanted.role
    from wanted
    inner join pg_namespace on wanted.schema = pg_namespace.nspname
    where wanted.role <> pg_get_userbyid(pg_namespace.nspowner)
),

present_on_schemas as (
    select
        pg_namespace.oid,
        roles.role,
        lower(present.privilege_type) as verb
    from pg_namespace
    cross join aclexplode(pg_namespace.nspacl) as present
    inner join roles on present.grantee = roles.oid and roles.role <> pg_get_userbyid(pg_namespace.nspowner)
    where
        pg_namespace.nspname = any(%(schemas)s)
        and not (roles.role = 'kyalo_transformer' and pg_namespace.nspname = any(%(dbt_schemas)s))
),

differing as (
    select
        'grant' as act,
        missing.*
    from (select * from wanted_on_relations except select * from present_on_relations) as missing
    union all
    select
        'revoke' as act,
        surplus.*
    from (select * from present_on_relations except select * from wanted_on_relations) as surplus
)

select
    format(
        '%%s %%s%%s on %%s %%I.%%I %%s %%I',
        differing.act,
        differing.verb,
        '(' || quote_ident(differing.attribute) || ')',
        case when relations.relkind = 'S' then 'sequence' else 'table' end,
        relations.schema,
        relations.relation,
        case differing.act when 'grant' then 'to' else 'from' end,
        differing.role
    ) as statement
from differing
inner join relations on differing.oid = relations.oid
union all
select format('grant usage on schema %%s to %%I', missing.oid::regnamespace, missing.role)
from (select oid, role, 'usage' from wanted_on_schemas except select oid, role, verb from present_on_schemas) as missing
union all
select format('revoke %%s on schema %%s from %%I', surplus.verb, surplus.oid::regnamespace, surplus.role)
from (select oid, role, verb from present_on_schemas except select oid, role, 'usage' from wanted_on_schemas) as surplus
order by statement;
