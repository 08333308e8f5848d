"""Answers as the API gives them, for its documentation.

They join the document when it is made: FastAPI would leave out whatever is null.
"""

from pydantic import JsonValue

Example = dict[str, JsonValue]
SURVEY_RECEIPT: Example = {
    "status": "success",
    "ingestion_id": "ing_20261123_000001",
    "outcome": "stored",
    "message": "Survey data received and queued for processing",
    "estimated_processing_time": "20-25 seconds",
}
FILE_RECEIPT: Example = {
    "status": "success",
    "ingestion_id": "ing_20261123_000002",
    "file_info": {"filename": "kanungu_november.csv", "size_bytes": 48_213, "estimated_records": 120},
    "message": "File received and queued for processing",
    "duplicate_of": None,
    "estimated_processing_time": "20-25 seconds",
}
REJECTED_ROW: Example = {"row_number": 17, "reason_code": "row.no_household_id", "message": "household_id is blank."}
BATCH_RECEIPT: Example = {
    "status": "success",
    "ingestion_id": "ing_20261123_000003",
    "balance": {"received": 40, "stored": 37, "duplicate": 2, "rejected": 1, "conflict": 0},
    "rejected_rows": [REJECTED_ROW],
    "personal_fields": [],
    "unknown_fields": {"roof_colour": 12},
    "duplicate_of": None,
}
INGESTION_STATUS: Example = {
    "ingestion_id": "ing_20261123_000002",
    "status": "completed",
    "progress": {
        "total_records": 120,
        "landed_records": 120,
        "processed_records": 120,
        "valid_records": 112,
        "failed_records": 6,
        "held_records": 0,
        "processing_time_seconds": 0.412,
    },
    "results": {"predictions_generated": 112, "vulnerable_households": 31, "quality_score": 94.9},
    "balance": {"received": 120, "stored": 117, "duplicate": 2, "rejected": 1, "conflict": 0},
    "duplicate_of": None,
    "rejected_rows": [REJECTED_ROW],
    "personal_fields": [],
    "unknown_fields": {"roof_colour": 12},
    "notices": [],
    "error_code": None,
    "error_message": None,
}
QUARANTINED_SUBMISSION: Example = {
    "submission_id": "content:0123456789abcdef0123456789abcdef",
    "ingestion_id": "ing_20261123_000002",
    "row_number": 17,
    "household_id": "KAN-BUG-JOH-M",
    "survey_round": "2026",
    "district": "Kanungu",
    "village": "Bugongi",
    "status": "open",
    "awaits_build": False,
    "failed_rules": ["household_size_in_range"],
    "reasons": [
        {
            "rule": "household_size_in_range",
            "dimension": "validity",
            "columns": ["household_size"],
            "values": {"household_size": 66},
            "message": "household_size is outside 1 to 40.",
        }
    ],
    "corrected_by": None,
    "last_decision_id": None,
    "decided_by": None,
    "decision_reason": None,
    "age_days": 3,
    "received_at": "2026-11-20T09:14:02Z",
    "decided_at": None,
}
HELD_BATCH: Example = {
    "ingestion_id": "ing_20261123_000007",
    "filename": "kanungu_november.csv",
    "client": "kanungu-office",
    "submissions": 120,
    "rejected_submissions": 55,
    "status": "held",
    "last_decision_id": None,
    "decided_by": None,
    "decision_reason": None,
    "received_at": "2026-11-23T08:00:00Z",
    "decided_at": None,
}
DECISION: Example = {
    "decision_id": 12,
    "submission_id": "content:0123456789abcdef0123456789abcdef",
    "ingestion_id": None,
    "decision": "release",
    "rules": ["household_size_in_range"],
    "corrected_by": None,
    "decided_by": "kanungu-office",
    "decided_at": "2026-11-23T09:30:00Z",
    "reason": "The enumerator confirmed it by phone.",
}
QUARANTINE: Example = {
    "counts": {"open": 1, "released": 0, "corrected": 2, "discarded": 0},
    "submissions": [QUARANTINED_SUBMISSION],
    "batches": [HELD_BATCH],
}
SUBMISSION_DETAILS: Example = {
    "submission": QUARANTINED_SUBMISSION,
    "answers": {"household_id": "KAN-BUG-JOH-M", "district": "Kanungu", "household_size": "66"},
    "decisions": [],
}
REVEALED_HOUSEHOLD: Example = {
    "household_id": "HH12345",
    "submissions": [
        {
            "form": "household_survey",
            "submission_id": "tablet-7-0042",
            "ingestion_id": "ing_20261123_000001",
            "received_at": "2026-11-23T09:00:00Z",
            "answers": {"respondent_name": "A. Respondent", "phone_number": "0700 000000"},
        }
    ],
}
EXAMPLES = {
    "BatchReceipt": BATCH_RECEIPT,
    "Decision": DECISION,
    "FileReceipt": FILE_RECEIPT,
    "IngestionStatus": INGESTION_STATUS,
    "Quarantine": QUARANTINE,
    "RevealedHousehold": REVEALED_HOUSEHOLD,
    "SubmissionDetails": SUBMISSION_DETAILS,
    "SurveyReceipt": SURVEY_RECEIPT,
}
