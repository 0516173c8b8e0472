"""The committed ledger, and what a broken one is told."""

import csv
import re
import shutil
from fractions import Fraction

import polars as pl
import pytest

from analysis import paths, programmes
from analysis.claims import implied, ledger, narrowing, relations
from analysis.claims.check import check
from analysis.claims.expressions import evaluate, parse
from analysis.claims.printed import Margins
from analysis.claims.units import PERCENT
from analysis.faults import FaultsError


@pytest.fixture(scope="module")
def reported():
    return ledger.load()


@pytest.fixture(scope="module")
def verdicts(reported):
    return relations.judge(reported)


def test_sizes_asked_for(reported):
    """At least 180 statements, 100 relations, five sources and 76 systems."""
    assert reported.claims.height >= 180
    assert reported.relations.height >= 100
    assert reported.sources.height == 5
    assert programmes.load().systems.height == 76


def test_no_sentence_is_stored(reported):
    longest = reported.claims["printed"].str.len_chars().max()
    assert longest <= 20
    assert not reported.claims["printed"].str.contains("[。,;]").any()


@pytest.mark.parametrize(
    ("relation", "low", "high"),
    [
        # 2,766,000 within half a thousand below and one thousand above, over 1,357 workers
        ("R009", 2765500 / 1357, 2767000 / 1357),
        ("R051", 4873 / 1339, 4873 / 1339),
        ("R084", 6799 / 1833, 6799 / 1833),
        ("R042", 764 / 247, 764 / 247),
        ("R058", 43, 43),
        # 300,000 within half of ten thousand below and ten thousand above, over 43 households
        ("R059", 295000 / 43, 310000 / 43),
    ],
)
def test_derived_quantities_by_hand(verdicts, relation, low, high):
    found = relations.by_id(verdicts)[relation].interval
    assert float(found.low.value) == pytest.approx(low, rel=1e-12)
    assert float(found.high.value) == pytest.approx(high, rel=1e-12)


def test_verdicts_by_hand(verdicts):
    """Read off the articles: 764 persons at 1.5万 against 1146万; 729.7 mu of 370 mu; 9 and 9."""
    found = relations.by_id(verdicts)
    assert found["R040"].verdict == "consistent"
    assert found["R077"].verdict == "reading rejected"
    assert found["R020"].verdict == "reading stands"
    assert found["R004"].verdict == "not computable"
    assert "person_times" in found["R004"].reason


def test_every_verdict_is_computed(reported):
    """No file holds a verdict: the words do not occur as cells of any ledger file."""
    for file in (paths.data() / "claims").glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as handle:
            cells = {cell.strip() for row in csv.reader(handle) for cell in row}
        assert not cells & set(relations.VERDICTS), file.name


def test_random_members_never_contradict_a_verdict(reported, verdicts):
    """Independent of the interval code: put random allowed numbers in and look at the sign."""
    import random
    from fractions import Fraction

    random.seed(1)
    contradictions = []
    for verdict in verdicts:
        expression = parse(verdict.expression)
        if (
            not expression.comparison
            or verdict.interval is None
            or "distinct" in verdict.expression
        ):
            continue
        for _ in range(20):
            values = {
                name: _member(reported.operands[name].interval, random, Fraction)
                for name in verdict.claims
            }
            left, right = (eval(compile_side(side), {}, dict(values)) for side in sides(verdict))
            holds = {
                "==": left == right,
                "<=": left <= right,
                "<": left < right,
                ">=": left >= right,
                ">": left > right,
            }[expression.comparison]
            if verdict.verdict == "certain" and not holds:
                contradictions.append(verdict.id)
            if verdict.verdict in ("impossible", "inconsistent", "reading rejected") and holds:
                contradictions.append(verdict.id)
    assert not contradictions


def sides(verdict):
    return re.split(r"==|<=|>=|<|>", verdict.expression)


def compile_side(text):
    return compile(text.strip(), "relation", "eval")


def _member(interval, random, fraction):
    low = interval.low.value if interval.low.value is not None else interval.high.value - 1000
    high = interval.high.value if interval.high.value is not None else low * 2 + 1000
    if low == high:
        return low
    return low + (high - low) * fraction(random.randint(1, 99), 100)


def test_every_claim_says_what_it_supports(reported):
    figures = implied.implied(reported)
    supports = implied.support(reported, figures)
    assert supports.height == reported.claims.height
    assert supports["supports"].null_count() == 0
    said = dict(supports.select("id", "supports").iter_rows())
    for figure in figures:
        for name in figure.claims:
            if name in said:
                assert figure.id in said[name]


def test_a_programme_without_a_figure_says_why(reported):
    table = implied.by_programme(reported, implied.implied(reported))
    assert (table["figures"] != "").eq(table["without"] == "").all()


def test_shares_use_the_official_figure(reported):
    placed = implied.by_id(implied.implied(reported))["I01"]
    assert float(placed.share.low.value) == pytest.approx(2765500 / 1357 / 12951, rel=1e-12)


def test_report_of_the_check(reported, verdicts):
    report = check()
    assert report.n_claims == reported.claims.height
    assert sum(report.by_verdict.values()) == report.n_relations == len(verdicts)
    assert "R077" in {row["id"] for row in report.rejected}
    assert len(report.inconsistencies) == sum(
        report.by_verdict.get(verdict, 0) for verdict in ("inconsistent", "impossible")
    )


# ------------------------------------------------------------------------- broken ledgers


@pytest.fixture
def folder(tmp_path):
    copy = tmp_path / "claims"
    shutil.copytree(paths.data() / "claims", copy)
    return copy


def edit(folder, name, row, column, value):
    change(folder, name, lambda rows: rows[row].update({column: value}))


def edit_where(folder, name, key, cells):
    change(folder, name, lambda rows: next(r for r in rows if r["id"] == key).update(cells))


def change(folder, name, how):
    file = folder / f"{name}.csv"
    with file.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    how(rows)
    with file.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize(
    ("name", "row", "column", "value", "message"),
    [
        ("claims", 0, "unit", "people", r"claims\.csv:2 \[unit\] 'people': unknown unit people"),
        ("claims", 1, "kind", "guess", r"claims\.csv:3 \[kind\] 'guess': not in the vocabulary"),
        ("claims", 2, "value", "abc", r"claims\.csv:4 \[value\] 'abc': the text does not have"),
        ("claims", 2, "value", "27", r"claims\.csv:4 \[value\] '27': the phrase 26家 says 26"),
        (
            "claims",
            3,
            "id",
            "S0_001",
            r"claims\.csv:5 \[id\] 'S0_001': the key occurs more than once",
        ),
        (
            "claims",
            4,
            "period_start",
            "2019-13-01",
            r"claims\.csv:6 \[period_start\] '2019-13-01': the cell has the wrong type",
        ),
        (
            "claims",
            4,
            "period_end",
            "2001-01-01",
            r"claims\.csv:6: the period ends before it starts",
        ),
        ("claims", 5, "source", "S9", r"claims\.csv:7"),
        (
            "claims",
            5,
            "programme",
            "magic",
            r"claims\.csv:7 \[programme\] 'magic': unknown programme",
        ),
        ("claims", 6, "counted", "", r"claims\.csv:8 \[counted\]: the cell is empty"),
        (
            "claims",
            6,
            "paragraph",
            "0",
            r"claims\.csv:8 \[paragraph\] '0': the number is too small",
        ),
        ("claims", 7, "printed", "一" * 21, r"claims\.csv:9"),
        ("sources", 3, "date_note", "", r"sources\.csv:5: an inferred date needs a note"),
        (
            "relations",
            4,
            "assumes",
            "luck",
            r"relations\.csv:6 \[assumes\] 'luck': unknown assumes luck",
        ),
        (
            "relations",
            0,
            "role",
            "proof",
            r"relations\.csv:2 \[role\] 'proof': not in the vocabulary",
        ),
        (
            "implied",
            0,
            "official",
            "O_none",
            r"implied\.csv:2 \[official\] 'O_none': unknown official",
        ),
    ],
)
def test_a_broken_row_names_file_row_column_and_value(folder, name, row, column, value, message):
    edit(folder, name, row, column, value)
    with pytest.raises(FaultsError, match=message):
        ledger.load(folder)


def test_all_faults_come_together(folder):
    edit(folder, "claims", 0, "kind", "guess")
    edit(folder, "claims", 9, "unit", "")
    edit(folder, "sources", 0, "date", "yesterday")
    with pytest.raises(FaultsError) as caught:
        ledger.load(folder)
    assert len(caught.value.faults) == 3


def test_faults_of_cells_and_of_references_come_together(folder):
    edit(folder, "claims", 0, "channel", "wages")
    edit(folder, "claims", 1, "programme", "paired")
    edit(folder, "claims", 2, "bound", "more_than")
    with pytest.raises(FaultsError) as caught:
        ledger.load(folder)
    assert [fault.column for fault in caught.value.faults] == ["channel", "programme", "bound"]


def test_a_rounded_official_figure_is_an_interval(reported):
    """3.48 billion printed to ten million: half a step below, one step above, by hand."""
    interval = reported.operands["O_labour_revenue_tibet_2019"].interval
    assert (interval.low.value, interval.high.value) == (3_475_000_000, 3_490_000_000)
    assert reported.operands["O_poverty_line_2020"].interval.low.assumed


def test_missing_and_unknown_columns(folder):
    file = folder / "units.csv"
    file.write_text(
        file.read_text(encoding="utf-8").replace("unit,", "units,", 1), encoding="utf-8"
    )
    with pytest.raises(FaultsError) as caught:
        ledger.load(folder)
    said = str(caught.value)
    assert "[units]: unknown column" in said
    assert "[unit]: column missing" in said


def test_a_missing_file_a_torn_row_and_a_wrong_encoding(folder):
    (folder / "constants.csv").unlink()
    units = folder / "units.csv"
    units.write_text(units.read_text(encoding="utf-8") + "acre,\n", encoding="utf-8")
    (folder / "official.csv").write_bytes("名称,值\n".encode("gb18030"))
    with pytest.raises(FaultsError) as caught:
        ledger.load(folder)
    said = str(caught.value)
    assert "constants.csv: the file is missing" in said
    assert "2 cells where the header has 3" in said
    assert "official.csv: not UTF-8" in said


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("expression", "S0_068 * 12", "the number 12 has no name"),
        ("expression", "S0_999 / S0_068", "unknown S0_999"),
        ("expression", "S0_068 <= S0_069", "a derived quantity has no comparison"),
        ("expression", "S0_068 + ", "not an expression"),
        ("unit", "yuan", "declare that unit"),
    ],
)
def test_a_broken_relation_is_named(folder, column, value, message):
    edit(folder, "relations", 0, column, value)
    with pytest.raises(FaultsError, match=message):
        relations.judge(ledger.load(folder))


def test_person_times_read_as_persons_need_an_assumption(folder):
    edit(folder, "relations", 4, "assumption", "")
    with pytest.raises(FaultsError, match="say so in the assumption"):
        relations.judge(ledger.load(folder))


def test_an_implied_figure_in_the_wrong_unit_or_year_is_refused(folder):
    edit(folder, "implied", 0, "basis", "per_household")
    edit(folder, "implied", 5, "official", "O_rural_tibet_2017")
    with pytest.raises(FaultsError) as caught:
        implied.implied(ledger.load(folder))
    said = str(caught.value)
    assert "make it yuan/households" in said
    assert "O_rural_tibet_2017 is of 2017" in said


# ---------------------------------------------------------------------------- verdict rules


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(1, 2, "inconsistent"), (-1, 1, "consistent"), (0, 0, "consistent"), (-2, -1, "inconsistent")],
)
def test_equality_of_bounded_sides(low, high, expected):
    from analysis.claims.intervals import Interval

    between = Interval.between(low, high)
    assert relations.equality(between, between) == expected


def test_an_infinite_side_never_yields_consistent():
    from analysis.claims.intervals import INFINITE, End, Interval

    for low in (-5, -1, 0):
        wide = Interval(End(__import__("fractions").Fraction(low)), INFINITE)
        assert relations.equality(wide, wide) == "borderline"


def test_an_assumed_end_makes_a_meeting_borderline_unless_the_printed_number_meets():
    from fractions import Fraction

    from analysis.claims.intervals import End, Interval

    nearly = Interval(End(Fraction(-2), assumed=True), End(Fraction(3), is_open=True))
    assert relations.equality(nearly, Interval.point(3)) == "borderline"
    assert relations.equality(nearly, Interval.point(0)) == "consistent"


def test_an_end_that_is_assumed_makes_no_bound_certain_or_impossible():
    """−3 to an assumed −1 may be above zero after all; the printed end would be certain."""
    from fractions import Fraction

    from analysis.claims.intervals import End, Interval

    low, high = Fraction(-3), Fraction(-1)
    for comparison in ("<=", "<"):
        printed = Interval(End(low), End(high))
        assert relations.order(printed, comparison) == "certain"
        assert relations.order(-printed, comparison) == "impossible"
        top = Interval(End(low), End(high, assumed=True))
        assert relations.order(top, comparison) == "possible"
        assert relations.order(-top, comparison) == "possible"
        bottom = Interval(End(low, assumed=True), End(high))
        assert relations.order(bottom, comparison) == "certain"


def test_an_assumed_upper_end_is_drawn_back_to_the_printed_one():
    from fractions import Fraction

    from analysis.claims.intervals import End, Interval

    about = Interval(End(Fraction(18)), End(Fraction(20), assumed=True))
    assert relations._draw_back(about) == Interval.point(18)
    assert relations._draw_back(-about) == Interval.point(-18)
    both = Interval(End(Fraction(18), assumed=True), End(Fraction(20), assumed=True))
    assert relations._draw_back(both) == Interval.point(19)


def test_evaluating_twice_gives_the_same(reported, verdicts):
    narrower = narrowing.narrowed_operands(reported)
    for verdict in verdicts:
        if verdict.interval is not None:
            tests = verdict.role in ("identity", "bound")
            operands = reported.operands if tests else narrower
            assert evaluate(parse(verdict.expression), operands) == verdict.interval


def test_an_identity_that_fails_is_an_inconsistency(folder):
    """764 persons at 1.5万 cannot make 1246万: the product ends below 1222.4万, by hand."""
    edit_where(folder, "claims", "S3_030", {"value": "12460000", "printed": "1246万元"})
    report = check(folder)
    assert "R040" in {row["id"] for row in report.inconsistencies}


def test_a_share_is_at_most_the_whole(reported):
    share = reported.operands["S1_025"].interval
    assert (float(share.low.value), float(share.high.value)) == (0.995, 1.0)


def test_figures_in_per_cent_are_shares():
    """12.5 per cent, rounded or cut at its last digit, is 0.1245 to 0.126; 5 per cent are 1/20."""
    row = {"unit": PERCENT, "step": "0.1", "value": "12.5", "bound": "exact"}
    found = ledger._official_interval(row, Margins(Fraction(1, 10), Fraction(1, 10)))
    assert (found.low.value, found.high.value) == (Fraction(1245, 10_000), Fraction(126, 1000))
    constants = pl.DataFrame({"id": ["nearly_margin"], "value": ["5"], "unit": [PERCENT]})
    assert ledger._margin(constants, "nearly") == Fraction(1, 20)
