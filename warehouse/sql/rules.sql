-- name: has_rules
select to_regclass('marts.dim_quality_rules') is not null;

-- name: knows_rule
select
    exists (select from marts.dim_quality_rules where rule_id = %(rule)s)
    or exists (select from validated.int_quarantined_submissions where %(rule)s = any(failed_rules));
