"""What schemathesis needs to know of the API's bodies."""

from typing import Any

import schemathesis


@schemathesis.serializer("application/jsonl")
def write_lines(ctx: schemathesis.SerializationContext, value: Any) -> bytes:
    """JSON lines are text to the document, and sent as they are."""
    return str(value).encode("utf-8", "surrogatepass")
