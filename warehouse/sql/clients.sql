-- name: add
insert into ops.clients (name, role, secret_hash, url_token_hash)
values (%(name)s, %(role)s, %(secret_hash)s, %(url_token_hash)s)
on conflict (name) do nothing
returning name;

-- name: all
select
    name,
    role,
    generation,
    secret_hash,
    url_token_hash,
    created_at,
    rotated_at,
    revoked_at,
    last_used_at
from ops.clients
order by name;

-- name: revoke
update ops.clients
set revoked_at = coalesce(revoked_at, now())
where name = %(name)s
returning name;

-- name: rotate
update ops.clients
set
    secret_hash = %(secret_hash)s,
    url_token_hash = case when url_token_hash is null and not %(with_url_token)s then null else %(url_token_hash)s end,
    generation = generation + 1,
    rotated_at = now()
where name = %(name)s and revoked_at is null
returning url_token_hash is not null;

-- name: note_use
update ops.clients
set last_used_at = now()
where name = any(%(names)s);
