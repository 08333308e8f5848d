"""Shapes of the answers about households, for the API's documentation."""

from typing import Literal

from pydantic import BaseModel, Field, JsonValue

from ingest_api.schemas import RejectedRow
from ml.tracks import Track

EXAMPLE_HOUSEHOLDS: list[JsonValue] = [
    {
        "household_id": "KAN-BUG-JOH-M",
        "district": "Kanungu",
        "household_size": 6,
        "daily_meals": 2,
        "agricultural_land": 0.4,
        "phones_owned": 0,
        "has_latrine": True,
    }
]
EXAMPLE_ANSWERS: dict[str, JsonValue] = {
    "request_id": "019ab1c2-3d4e-7f50-8a6b-7c8d9e0f1a2b",
    "track": "screening",
    "model_name": "vulnerability_screening",
    "model_version": 3,
    "feature_set_version": "9f33febf73327c8c",
    "policy_version": 1,
    "predictions": [
        {
            "household_id": "KAN-BUG-JOH-M",
            "prediction": 1,
            "probability": 0.713482915,
            "probability_below_125": 0.402911837,
            "probability_below_215": 0.812004561,
            "predicted_status": "struggling",
            "risk_category": "high",
            "confidence": 0.713482915,
            "verdict": "undecided",
            "threshold": 0.5,
            "reasons": [
                {"feature": "agricultural_land_acres", "value": 0.4, "effect": 0.62},
                {"feature": "phones_owned", "value": 0, "effect": 0.31},
                {"feature": "has_latrine", "value": True, "effect": -0.11},
            ],
            "missing_features": 48,
        }
    ],
    "rejected_rows": [],
    "unknown_fields": {},
}


class Reason(BaseModel):
    """A feature that moved the score."""

    feature: str
    value: JsonValue = Field(description="What the household has; null where it was not said.")
    effect: float = Field(description="What it adds to the log odds of being vulnerable; negative speaks against it.")


class Prediction(BaseModel):
    """What the champion says of one household."""

    household_id: str
    prediction: Literal[0, 1] = Field(description="1: vulnerable, the probability reaches the threshold; 0: not.")
    probability: float = Field(ge=0, le=1, description="Of living on less than 1.77 USD a day, calibrated.")
    probability_below_125: float = Field(ge=0, le=1, description="Of less than 1.25 USD a day.")
    probability_below_215: float = Field(ge=0, le=1, description="Of less than 2.15 USD a day.")
    predicted_status: Literal["on_track", "at_risk", "struggling", "severely_struggling"] = Field(
        description="The status that is reached with a probability of at least a half, the poorest first."
    )
    risk_category: Literal["low", "medium", "high", "critical"] = Field(description="The same in the words of risk.")
    confidence: float = Field(ge=0.5, le=1, description="max(probability, 1 - probability).")
    verdict: Literal["vulnerable", "not_vulnerable", "undecided"] = Field(
        description="undecided: the answers do not rule out the other, verify in the field."
    )
    threshold: float = Field(ge=0, le=1, description="From which probability on the policy calls it vulnerable.")
    reasons: list[Reason] = Field(description="The three features that moved the score most.")
    missing_features: int = Field(ge=0, description="How many of the model's features have no value.")


class PredictionAnswers(BaseModel):
    """What the champion says of the households of a request, and what it was made with."""

    request_id: str = Field(description="Its record in ml.prediction_requests.")
    track: Track
    model_name: str
    model_version: int
    feature_set_version: str = Field(description="Hash of the SQL that made the features.")
    policy_version: int | None = Field(description="The policy of thresholds; null where there is none.")
    predictions: list[Prediction] = Field(description="One for each household that could be read, in their order.")
    rejected_rows: list[RejectedRow] = Field(description="What could not be read, with its place and its reason.")
    unknown_fields: dict[str, int] = Field(description="Fields that no form has, and how many households name them.")
