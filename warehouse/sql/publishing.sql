-- name: take_role
-- The views of analysts read with the rights of whoever makes them.
set local role kyalo_transformer;

-- name: lock_publishing
select pg_advisory_xact_lock(hashtextextended('kyalo.publish', 0));

-- name: built_tables
select table_name
from information_schema.tables
where
    table_schema = 'marts_next'
    and table_type = 'BASE TABLE'
    and table_name not like '%%\_\_dbt\_%%'
order by table_name;

-- name: tables_no_longer_built
delete from ops.published_tables
where table_name <> all(%(tables)s)
returning table_name;

-- name: note_tables
insert into ops.published_tables (table_name)
select unnest(%(tables)s::text[])
on conflict do nothing;

-- name: has_same_columns
with
columns as (
    select
        attrelid,
        array_agg(attname || ' ' || atttypid::regtype || ' ' || attnotnull order by attnum) as described
    from pg_attribute
    where attrelid in (to_regclass(%(built)s), to_regclass(%(published)s)) and attnum > 0 and not attisdropped
    group by attrelid
)

select true as has_same_columns
from columns
group by described
having count(*) = 2;

-- name: key_columns
select pg_attribute.attname as name
from pg_index
inner join pg_attribute
    on
        pg_index.indrelid = pg_attribute.attrelid
        and pg_attribute.attnum = any(pg_index.indkey)
where
    pg_index.indexrelid = (
        select indexrelid
        from pg_index
        where indrelid = %(built)s::regclass and indisunique and indpred is null and indexprs is null
        order by indisprimary desc, indnatts, indexrelid
        limit 1
    )
order by pg_attribute.attnum;

-- name: index_definitions
select replace(pg_get_indexdef(indexrelid), ' ON marts_next.', ' ON marts.') as statement
from pg_index
where indrelid = %(built)s::regclass
order by indexrelid;

-- name: new_descriptions
with
described as (
    select
        pg_attribute.attrelid,
        format('column %%s.%%I', %(published)s::text, pg_attribute.attname) as thing,
        col_description(pg_attribute.attrelid, pg_attribute.attnum) as description
    from pg_attribute
    where
        pg_attribute.attrelid in (%(built)s::regclass, %(published)s::regclass)
        and pg_attribute.attnum > 0
        and not pg_attribute.attisdropped
    union all
    select
        relations.relation,
        format('table %%s', %(published)s::text),
        obj_description(relations.relation, 'pg_class')
    from unnest(array[%(built)s::regclass, %(published)s::regclass]) as relations (relation)
)

select format('comment on %%s is %%L', built.thing, built.description) as statement
from described as built
inner join described as published on built.thing = published.thing
where
    built.attrelid = %(built)s::regclass
    and published.attrelid = %(published)s::regclass
    and built.description is distinct from published.description;

-- name: note_ingestions
insert into ops.published_ingestions (ingestion_id)
select ingestion_id
from marts_next.rpt_ingestions
on conflict do nothing;
