-- name: known_districts
select district
from marts.rpt_district_summary
order by district;

-- name: has_districts
select to_regclass('marts.rpt_district_summary') is not null as has_districts;

-- name: find_role
select
    pg_roles.rolname as role_name,
    coalesce(pg_auth_members.member is not null, false) as is_partner
from pg_roles
left join pg_auth_members
    on pg_roles.oid = pg_auth_members.member and pg_auth_members.roleid = to_regrole('kyalo_partner')
where pg_roles.rolname = %(role)s;

-- name: add_districts
insert into ops.partner_districts (role_name, district)
select
    %(role)s,
    unnest(%(districts)s::text[])
on conflict do nothing;

-- name: forget_districts
delete from ops.partner_districts
where role_name = %(role)s
returning district;

-- name: list_partners
select
    role_name,
    array_agg(district order by district) as districts,
    min(added_at) as added_at
from ops.partner_districts
group by role_name
order by role_name;

-- name: end_sessions
select count(pg_terminate_backend(pid)) as ended
from pg_stat_activity
where usename = %(role)s;
