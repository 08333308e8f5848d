-- name: personal_of_row
select token
from raw.personal
where ingestion_id = %(ingestion_id)s and row_number = %(row_number)s;

-- name: personal_of_household
select
    survey.submission_key,
    survey.ingestion_id,
    survey.row_number,
    survey.received_at,
    personal.token
from {raw_table} as survey
left join raw.personal as personal
    on
        survey.ingestion_id = personal.ingestion_id
        and survey.row_number = personal.row_number
where upper(btrim(survey.{identifier})) = upper(btrim(%(household_id)s));
