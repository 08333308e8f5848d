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
        "processing_time_seconds": 0.412,
    },
    "results": {"predictions_generated": 112, "vulnerable_households": 31, "quality_score": 94.9},
    "balance": {"received": 120, "stored": 117, "duplicate": 2, "rejected": 1, "conflict": 0},
    "duplicate_of": None,
    "rejected_rows": [REJECTED_ROW],
    "unknown_fields": {"roof_colour": 12},
    "notices": [],
    "error_code": None,
    "error_message": None,
}
EXAMPLES = {
    "BatchReceipt": BATCH_RECEIPT,
    "FileReceipt": FILE_RECEIPT,
    "IngestionStatus": INGESTION_STATUS,
    "SurveyReceipt": SURVEY_RECEIPT,
}
