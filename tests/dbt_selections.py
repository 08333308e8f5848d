"""What of the dbt project a test builds, where that is not all of it."""

WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
WITHOUT_TESTS = ("--exclude-resource-type", "test", *WITHOUT_UNIT_TESTS)
GATES = ("gate_batch", "gate_held", "gate_rejected", "gate_completeness")
NO_TESTS_BUT_GATES = ("--select", "resource_type:model", *GATES, "--indirect-selection", "empty")
