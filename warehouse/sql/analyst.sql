-- name: note_small_groups
-- Of the parts of a total that is shown, the smallest are hidden until they are five households together: then they are
-- two parts at least, and none of them follows from the others.
with
households as (
    select
        district,
        coalesce(cluster, 'unknown') as cluster,
        village
    from marts.dim_households
),

districts as (
    select
        district,
        count(*) as households
    from households
    group by district
),

hidden_districts as (
    select district
    from (
        select
            district,
            households < 5
            or (
                min(households) over () < 5
                and sum(households) over (by_size rows unbounded preceding exclude current row) < 5
            ) as is_hidden
        from districts
        window by_size as (order by households, district)
    ) as judged
    where is_hidden
),

clusters as (
    select
        district,
        cluster,
        count(*) as households
    from households
    group by
        district,
        cluster
),

hidden_clusters as (
    select
        district,
        cluster
    from (
        select
            district,
            cluster,
            households < 5
            or district in (select hidden_districts.district from hidden_districts)
            or (
                min(households) over (partition by district) < 5
                and sum(households) over (by_size rows unbounded preceding exclude current row) < 5
            ) as is_hidden
        from clusters
        window by_size as (partition by district order by households, cluster)
    ) as judged
    where is_hidden
),

villages as (
    select
        district,
        min(cluster) as cluster,
        village,
        count(*) as households,
        bool_or(
            (district, cluster) in (select hidden_clusters.district, hidden_clusters.cluster from hidden_clusters)
        ) as is_within
    from households
    where village is not null
    group by
        district,
        village
),

hidden_villages as (
    select
        district,
        village
    from (
        select
            district,
            village,
            households < 5
            or is_within
            or (
                min(households) over (partition by district, cluster) < 5
                and sum(households) over (by_size rows unbounded preceding exclude current row) < 5
            ) as is_hidden
        from villages
        window by_size as (partition by district, cluster order by households, village)
    ) as judged
    where is_hidden
),

hidden as materialized (
    select
        district,
        '' as cluster,
        '' as village
    from hidden_districts
    union all
    select
        district,
        cluster,
        ''
    from hidden_clusters
    union all
    select
        district,
        '',
        village
    from hidden_villages
),

shown_again as (
    delete from ops.small_groups
    where (district, cluster, village) not in (select hidden.district, hidden.cluster, hidden.village from hidden)
)

insert into ops.small_groups (district, cluster, village)
select
    district,
    cluster,
    village
from hidden
on conflict do nothing;

-- name: tables_without_policies
select
    pg_class.relname as table_name
from pg_class
inner join pg_attribute on pg_class.oid = pg_attribute.attrelid and pg_attribute.attname = 'district'
where
    pg_class.relnamespace = to_regnamespace('marts')
    and pg_class.relkind = 'r'
    and not pg_class.relrowsecurity
    and pg_class.relname in (select published_tables.table_name from ops.published_tables);

-- name: protect_table
alter table {table} enable row level security;

-- name: protect_table_from_owner
alter table {table} force row level security;

-- name: policy_of_views
-- Views read with the rights of their owner, yet as the one who asks. The dashboard reads them for analysts.
create policy districts_of_partner on {table}
to kyalo_transformer
using (
    (
        select
            pg_has_role('kyalo_analyst', 'usage')
            or pg_has_role('kyalo_dashboard', 'usage')
            or pg_has_role('kyalo_transformer', 'usage')
    )
    or district in (
        select partner_districts.district
        from ops.partner_districts
        where partner_districts.role_name = current_user
    )
);

-- name: policy_of_readers
create policy everybody_but_partners on {table}
for select
to public
using (not pg_has_role('kyalo_partner', 'usage'));

-- name: views_of_table
select distinct reader.relname as view_name
from pg_depend
inner join pg_rewrite on pg_depend.objid = pg_rewrite.oid and pg_depend.classid = 'pg_rewrite'::regclass
inner join pg_class as reader on pg_rewrite.ev_class = reader.oid
where
    pg_depend.refobjid = to_regclass(%(table)s)
    and reader.relnamespace = to_regnamespace('analyst')
    and reader.relname in (select published_views.view_name from ops.published_views);

-- name: standing_views
select
    published_views.view_name,
    published_views.definition_hash
from ops.published_views
where to_regclass('analyst.' || quote_ident(published_views.view_name)) is not null;

-- name: forget_view
delete from ops.published_views
where view_name = %(view)s;

-- name: note_view
insert into ops.published_views (view_name, definition_hash)
values (%(view)s, %(hash)s);

-- name: descriptions_of_columns
select
    format('comment on column analyst.%%I.%%I is %%L', %(view)s::text, shown.attname, described.description) as statement
from pg_attribute as shown
inner join pg_attribute as origin
    on
        shown.attname = origin.attname
        and origin.attrelid = to_regclass('marts.' || quote_ident(%(view)s))
inner join pg_description as described
    on
        origin.attrelid = described.objoid
        and origin.attnum = described.objsubid
        and described.classoid = 'pg_class'::regclass
where shown.attrelid = to_regclass('analyst.' || quote_ident(%(view)s)) and shown.attnum > 0;
