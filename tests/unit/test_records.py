"""How a row becomes a submission: its identity and its content's hash."""

from hypothesis import given
from hypothesis import strategies as st

from ingest_api.layouts import Layout
from ingest_api.records import Rejection, Submission
from warehouse.contract import load_contract

CONTRACT = load_contract("household_survey")
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


def submission(headers: list[str], cells: list[str]) -> Submission:
    checked = Layout(CONTRACT, headers).submission(2, cells)
    assert isinstance(checked, Submission)
    return checked


@given(
    answers=st.dictionaries(st.sampled_from([*CONTRACT.names[4:40], "roof", "door"]), texts, max_size=12),
    seed=st.randoms(),
)
def test_hash_depends_on_answers_not_on_the_order_of_columns(answers: dict[str, str], seed: object) -> None:
    given_order = [("household_id", "A-1"), *answers.items()]
    shuffled = list(given_order)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = (submission([h for h, _ in pairs], [c for _, c in pairs]) for pairs in (given_order, shuffled))
    assert first.content_hash == second.content_hash


@given(
    answers=st.dictionaries(
        st.sampled_from(CONTRACT.names), st.text("aZ0\u00e9. ", max_size=300).map(str.strip), min_size=1
    ),
    seed=st.randoms(),
    in_order=st.booleans(),
)
def test_plain_line_is_stored_as_its_cells_are(answers: dict[str, str], seed: object, in_order: bool) -> None:
    headers = sorted({"household_id", *answers}, key=CONTRACT.names.index)
    if not in_order:
        seed.shuffle(headers)  # type: ignore[attr-defined]
    cells = [answers.get(name, "A-1") for name in headers]
    layout = Layout(CONTRACT, headers)
    assert layout.plain_submission(2, ",".join(cells)) == layout.submission(2, cells)


@given(value=texts, other=texts)
def test_another_answer_is_another_hash(value: str, other: str) -> None:
    hashes = {submission(["household_id", "district"], ["A-1", text]).content_hash for text in (value, other)}
    assert len(hashes) == (1 if value.strip() == other.strip() else 2)


def test_blank_and_absent_answers_are_alike() -> None:
    with_blank = submission(["household_id", "district", "village"], ["A-1", "Kanungu", " "])
    assert with_blank.content_hash == submission(["household_id", "district"], ["A-1", "Kanungu"]).content_hash


def test_values_do_not_run_into_each_other() -> None:
    first = submission(["household_id", "district", "village"], ["A-1", "x", "y"])
    second = submission(["household_id", "district", "village"], ["A-1", "x\x1fvillage=y", ""])
    assert first.content_hash != second.content_hash


def test_identity_is_the_clients_where_there_is_one() -> None:
    assert submission(["household_id", "submission_id"], ["A-1", " uuid:7 "]).key == "uuid:7"
    assert submission(["household_id", "submission_id"], ["A-1", ""]).key.startswith("content:")


def test_row_without_household_is_rejected() -> None:
    checked = Layout(CONTRACT, ["household_id", "district"]).submission(9, ["\t", "Kanungu"])
    assert isinstance(checked, Rejection)
    assert (checked.number, checked.code) == (9, "row.no_household_id")
