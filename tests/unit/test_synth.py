"""Made-up surveys: the same every time, in the export's shape, with sums that hold and dirt at its rates."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.synth import HEADERS, NAMES, SynthSummary, write_surveys
from orchestration.synth.dirt import MANY_ACRES, MANY_RADIOS, REFUSED_PHONES, RESEND_RATE, STRAY_CHARACTER
from orchestration.synth.fit import dump_parameters, fit_parameters
from orchestration.synth.money import PER_DAY, SUMS, USD_PER_UGX
from orchestration.synth.observe import read_export
from orchestration.synth.parameters import load_parameters
from orchestration.synth.villages import plan_villages
from orchestration.synth.writer import VILLAGES_AT_A_TIME
from warehouse.errors import ConfigurationError, UnreadableFileError

SAMPLE = Path(__file__).parents[2] / "orchestration" / "sample_data" / "household_survey.csv"
SAMPLE_HOUSEHOLDS = 1_500
HOUSEHOLDS = 6_000
BASE_RATES = {"Kanungu": 0.215, "Mitooma": 0.511, "Rubanda": 0.503, "Rukungiri": 0.463}


@pytest.fixture(scope="module")
def soiled(tmp_path_factory: pytest.TempPathFactory) -> tuple[SynthSummary, pd.DataFrame]:
    """A file with dirt: its summary, and every cell as text."""
    path = tmp_path_factory.mktemp("synth") / "soiled.csv"
    return write_surveys(path, HOUSEHOLDS), _text(path)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[SynthSummary, pd.DataFrame]:
    """The same households without dirt."""
    path = tmp_path_factory.mktemp("synth") / "clean.csv"
    return write_surveys(path, HOUSEHOLDS, clean=True), _text(path)


def _text(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.columns = pd.Index(NAMES)
    return frame


def _poor(frame: pd.DataFrame) -> "pd.Series[bool]":
    return frame["income_consumption_residues_per_day"].astype(float) < 1.77


def test_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_surveys(tmp_path / name, 300, seed=7)
    write_surveys(tmp_path / "other", 300, seed=8)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one").read_bytes() != (tmp_path / "other").read_bytes()


def test_parts_written_in_parallel_stand_in_order(tmp_path: Path) -> None:
    households = 26 * (2 * VILLAGES_AT_A_TIME + 10)
    summary = write_surveys(tmp_path / "one", households)
    write_surveys(tmp_path / "two", households)
    assert summary.villages > 2 * VILLAGES_AT_A_TIME
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert not _text(tmp_path / "one").drop_duplicates()["household_id"].str.upper().duplicated().mean() > 0.013


def test_bundled_sample_is_what_the_generator_makes(tmp_path: Path) -> None:
    write_surveys(tmp_path / "sample.csv", SAMPLE_HOUSEHOLDS)
    assert (tmp_path / "sample.csv").read_bytes() == SAMPLE.read_bytes()


def test_headers_are_the_exports(tmp_path: Path) -> None:
    write_surveys(tmp_path / "few.csv", 3)
    header = (tmp_path / "few.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert tuple(header) == HEADERS
    assert len(HEADERS) == 75
    assert len(set(NAMES)) == 75
    assert [name for name in HEADERS if HEADERS.count(name) > 1] == ["VSLA_Profits"] * 2 + ["Assets"] * 2


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(households=st.integers(1, 400), seed=st.integers(0, 2**32), clean=st.booleans())
def test_sums_hold_and_nothing_is_negative(tmp_path: Path, households: int, seed: int, clean: bool) -> None:
    summary = write_surveys(tmp_path / "survey.csv", households, seed=seed, clean=clean)
    frame = read_export(tmp_path / "survey.csv")
    assert len(frame) == summary.rows == households + summary.resends
    for name, added, taken in SUMS:
        expected = frame[list(added)].sum(axis=1) - frame[list(taken)].sum(axis=1)
        np.testing.assert_allclose(frame[name], expected, rtol=1e-9, atol=1e-9)
    for name, whole in PER_DAY.items():
        np.testing.assert_allclose(frame[name] * 365, frame[whole], rtol=1e-12)
    money = frame[list(NAMES[NAMES.index("vsla_profits_ugx") : NAMES.index("head_sex")])]
    assert (money >= 0).all(axis=None)


def test_dollars_are_shillings_at_the_exports_rate(clean: tuple[SynthSummary, pd.DataFrame]) -> None:
    frame = clean[1]
    assert pytest.approx(4463.18, abs=0.005) == 1 / USD_PER_UGX
    for kind in ("vsla_profits", "assets"):
        shillings, dollars = (frame[f"{kind}_{unit}"].astype(float) for unit in ("ugx", "usd"))
        np.testing.assert_allclose(shillings * USD_PER_UGX, dollars)
    assert (frame["assets_usd"] == frame["livestock_asset_value"]).all()


def test_what_is_sold_is_never_more_than_there_is(clean: tuple[SynthSummary, pd.DataFrame]) -> None:
    frame = clean[1]
    for income, value in (
        ("vegetable_income", "vegetable_value"),
        ("season1_crop_income", "season1_agricultural_value"),
        ("season2_crop_income", "season2_agricultural_value"),
        ("perennial_crop_income", "perennial_agricultural_value"),
        ("livestock_income", "livestock_consumed_value"),
    ):
        assert (frame[income].astype(float) <= frame[value].astype(float) + 1e-9).all()


def test_answers_follow_from_each_other(clean: tuple[SynthSummary, pd.DataFrame]) -> None:
    frame = clean[1]
    number = frame.drop(columns=["district", "cluster", "village", "household_id", "loan_sources"]).apply(
        pd.to_numeric, errors="coerce"
    )
    assert ((number["formal_employment_income"] > 0) == (number["salaried_workers"] > 0)).all()
    assert (number["has_casual_work"] >= (number["casual_labour_income"] > 0)).all()
    assert (number["in_savings_group"] >= (number["vsla_profits_ugx"] > 0)).all()
    assert (number["has_tippy_tap"] >= number["has_soap_or_ash"]).all()
    assert (number["has_perennial_cropping"] == (number["perennial_crops_grown"] > 0)).all()
    assert (frame.loc[number["has_perennial_cropping"] == 0, "banana_diseases"] == "").all()


def test_dirt_comes_at_its_rates(soiled: tuple[SynthSummary, pd.DataFrame]) -> None:
    summary, frame = soiled
    rates = load_parameters().rates
    assert len(frame) == summary.rows
    assert frame.duplicated().sum() == summary.resends == round(RESEND_RATE * HOUSEHOLDS)
    households = frame.drop_duplicates()
    assert households["household_id"].duplicated().sum() == summary.collisions
    assert summary.collisions / HOUSEHOLDS == pytest.approx(rates["collision"], rel=0.2)
    assert (households["agricultural_land_acres"] == "").mean() == pytest.approx(rates["land_blank"], rel=0.05)
    assert (households["business_count"] == "").mean() == pytest.approx(rates["business_blank"], rel=0.05)
    careless = households["household_id"] != households["household_id"].str.upper()
    assert careless.mean() == pytest.approx(rates["mixed_case"], rel=0.05)
    for name, value in (
        ("agricultural_land_acres", MANY_ACRES),
        ("radios_owned", MANY_RADIOS),
        ("phones_owned", REFUSED_PHONES),
    ):
        assert 1 <= (pd.to_numeric(households[name]) == value).sum() <= 5
    assert 1 <= (households["business_count"] == STRAY_CHARACTER).sum() == summary.stray_characters
    assert (households["fertilizer_type"] == "99").mean() == pytest.approx(0.55, abs=0.05)
    assert households["loan_sources"].str.contains("97").any()


def test_collisions_are_different_households_of_one_village(soiled: tuple[SynthSummary, pd.DataFrame]) -> None:
    households = soiled[1].drop_duplicates()
    sharing = households[households["household_id"].duplicated(keep=False)]
    assert (sharing.groupby("household_id")["village"].nunique() == 1).all()


def test_resends_come_after_what_they_repeat(soiled: tuple[SynthSummary, pd.DataFrame]) -> None:
    frame = soiled[1]
    gaps = [rows[1] - rows[0] for rows in frame[frame.duplicated(keep=False)].groupby(list(NAMES)).indices.values()]
    assert len(gaps) == soiled[0].resends
    assert min(gaps) >= 1


def test_clean_files_have_no_dirt(clean: tuple[SynthSummary, pd.DataFrame]) -> None:
    summary, frame = clean
    assert len(frame) == summary.households == HOUSEHOLDS
    dirt = {"collisions", "resends", "mixed_case", "blanks", "sentinels", "implausible", "stray_characters"}
    assert not any(count for name, count in asdict(summary).items() if name in dirt)
    assert frame["household_id"].is_unique
    assert frame["household_id"].str.fullmatch(r"[A-Z]{3}-\d{3}-[A-Z]{3}-\d{3,4}").all()
    blank = {name for name in NAMES if (frame[name] == "").any()}
    assert blank == {"loan_sources", "fertilizer_type", "organic_pesticide_expenditure_ugx", "banana_diseases"}
    assert not frame["loan_sources"].str.contains("9").any()
    assert pd.to_numeric(frame["agricultural_land_acres"]).max() <= 20


def test_villages_nest_in_clusters_and_clusters_in_districts(clean: tuple[SynthSummary, pd.DataFrame]) -> None:
    summary, frame = clean
    assert frame["village"].nunique() == summary.villages == pytest.approx(HOUSEHOLDS / 25.6, abs=1)
    assert (frame.groupby("village")["cluster"].nunique() == 1).all()
    assert (frame.groupby("cluster")["district"].nunique() == 1).all()
    assert frame.groupby("cluster")["village"].nunique().mean() == pytest.approx(6.8, abs=0.5)
    sizes = frame.groupby("village").size()
    assert sizes.min() >= 14
    assert sizes.max() <= 36


def test_poverty_differs_by_district_and_village(clean: tuple[SynthSummary, pd.DataFrame]) -> None:
    frame = clean[1]
    poor = _poor(frame)
    assert poor.groupby(frame["district"]).mean().to_dict() == pytest.approx(BASE_RATES, abs=0.05)
    shares = poor.groupby(frame["village"]).agg(["mean", "size"])
    chance = (poor.mean() * (1 - poor.mean()) / shares["size"]).mean()
    assert shares["mean"].var() > 2 * chance


@pytest.mark.parametrize("households", [1, 2, 25, 26, 39, 1_000_000])
def test_villages_hold_exactly_the_households_asked_for(households: int) -> None:
    parameters = load_parameters()
    villages = plan_villages(parameters, parameters.districts, households, np.random.default_rng(1))
    assert villages.households.sum() == households
    assert villages.households.min() >= 1
    assert len(set(villages.number.tolist())) == len(villages)


def test_only_the_districts_named_are_drawn(tmp_path: Path) -> None:
    write_surveys(tmp_path / "two.csv", 400, districts=["Rubanda", "Kanungu"])
    assert set(_text(tmp_path / "two.csv")["district"]) == {"Kanungu", "Rubanda"}


@pytest.mark.parametrize(("households", "districts"), [(0, None), (10, ["Atlantis"])])
def test_senseless_wishes_are_refused(tmp_path: Path, households: int, districts: list[str] | None) -> None:
    with pytest.raises(ConfigurationError):
        write_surveys(tmp_path / "never.csv", households, districts=districts)
    assert not (tmp_path / "never.csv").exists()


def test_a_fit_finds_again_what_the_file_was_drawn_from(tmp_path: Path) -> None:
    write_surveys(tmp_path / "drawn.csv", HOUSEHOLDS)
    (tmp_path / "fitted.json").write_text(dump_parameters(fit_parameters(read_export(tmp_path / "drawn.csv"))))
    drawn, fitted = load_parameters(), load_parameters(tmp_path / "fitted.json")
    assert [district.name for district in fitted.districts] == [district.name for district in drawn.districts]
    assert fitted.rates == pytest.approx(drawn.rates, rel=0.25)
    assert fitted.village_size == pytest.approx(drawn.village_size, abs=2)
    within = [parameters.within @ parameters.within for parameters in (drawn, fitted)]
    assert np.corrcoef(within[0].ravel(), within[1].ravel())[0, 1] > 0.95


def test_a_fit_refuses_another_form(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("District,Village\nKanungu,1\n")
    with pytest.raises(UnreadableFileError, match="2 columns"):
        read_export(tmp_path / "other.csv")
