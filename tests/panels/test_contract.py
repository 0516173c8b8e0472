"""The contract: every rule refuses what it should, the account adds up, writing is atomic.

Expected values by hand.
"""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from analysis import folders
from analysis.faults import FaultsError
from analysis.panels import dictionary, package, panel, schemas
from analysis.panels.account import Account
from analysis.panels.digest import TableDigest
from analysis.panels.model import simulate


def table(name: str, rows: list[dict[str, object]]) -> pl.LazyFrame:
    kinds = {c: kind for c, kind in schemas.polars_schema(name).items() if c in rows[0]}
    return schemas.conform(pl.DataFrame(rows, schema_overrides=kinds).lazy(), name)


def small() -> panel.Panel:
    """Two households in one village, two periods; one loss, one incomplete row."""
    home = {
        "village": "v1",
        "size_baseline": 4,
        "weight": 1.0,
        "weight_type": "none",
        "stratum": "all",
    }
    money = {"wage": 10, "business": -5, "property": 0, "transfer": 1, "complete": True}
    return panel.Panel(
        name="two households",
        tier="yours",
        households=table("households", [{"household": h, **home} for h in ("a", "b")]),
        villages=table("villages", [{"village": "v1", "county": "c1"}]),
        income=table(
            "income",
            [
                {"household": "a", "period": 2012, **money},
                {"household": "a", "period": 2013, **money},
                {"household": "b", "period": 2012, **money, "wage": None, "complete": False},
            ],
        ),
        participation=table(
            "participation",
            [
                {
                    "programme": "training",
                    "unit_level": "household",
                    "unit": "a",
                    "first_period": 2013,
                },
                {
                    "programme": "dividend",
                    "unit_level": "village",
                    "unit": "v1",
                    "first_period": 2012,
                    "dose": 3.5,
                    "dose_unit": "yuan/persons",
                },
            ],
        ),
        account=Account(4, 3, {"not seen": 1}),
    )


def change(name: str, **values: object) -> panel.Panel:
    """Change columns of the first row of a table."""
    good = small()
    first = pl.int_range(pl.len()) == 0
    kinds = schemas.polars_schema(name)
    frame = good.table(name).with_columns(
        pl.when(first)
        .then(pl.lit(value, dtype=kinds[column]))
        .otherwise(pl.col(column))
        .alias(column)
        for column, value in values.items()
    )
    return replace(good, **{name: frame})


def test_a_panel_that_fits_has_no_fault() -> None:
    assert panel.check(small()) == ()


@pytest.mark.parametrize(
    ("name", "values", "column", "problem"),
    [
        ("income", {"wage": -1}, "wage", "too small"),
        ("income", {"members_present": 0}, "members_present", "too small"),
        ("income", {"members_present": -2}, "members_present", "too small"),
        ("income", {"business": schemas.LARGEST_FEN + 1}, "business", "too large"),
        ("income", {"period": 0}, "period", "too small"),
        ("income", {"property": None}, "household, period", "complete means"),
        ("income", {"complete": False}, "household, period", "complete means"),
        ("income", {"household": "b"}, "household, period", "more than once"),
        ("income", {"household": "z"}, "household", "not in households"),
        ("households", {"village": "v9"}, "village", "not in villages"),
        ("households", {"household": None}, "household", "empty"),
        ("households", {"household": "b"}, "household", "more than once"),
        ("households", {"size_baseline": 0}, "size_baseline", "too small"),
        ("households", {"weight": 0.0}, "weight", "too small"),
        ("households", {"weight": 2.0}, "household", "weights without a type"),
        ("households", {"workers_baseline": 5}, "household", "more workers than members"),
        ("villages", {"remoteness_km": -1.0}, "remoteness_km", "too small"),
        ("participation", {"programme": "No such"}, "programme", "required form"),
        ("participation", {"unit": "z"}, "unit", "not in households"),
        ("participation", {"unit": "v1"}, "unit", "not in households"),
        ("participation", {"first_period": 2014}, "first_period", "after the last period"),
        ("participation", {"dose": 1.0}, "programme, unit_level, unit", "a dose has no unit"),
    ],
)
def test_each_rule_refuses(name: str, values: dict[str, object], column: str, problem: str) -> None:
    found = [f for f in panel.check(change(name, **values)) if f.column == column]
    assert any(problem in fault.problem for fault in found), panel.check(change(name, **values))


def test_losses_and_paid_transfers_are_legal() -> None:
    assert panel.check(change("income", business=-9_000_000, transfer=-50, property=-1)) == ()


def test_the_account_is_held_against_the_table() -> None:
    wrong = replace(small(), account=Account(4, 4))
    assert [f.column for f in panel.check(wrong)] == ["account"]


def test_unknown_columns_are_faults_and_covariates_are_not() -> None:
    good = small()
    extra = replace(good, households=good.households.with_columns(x_height=pl.lit(1)))
    assert panel.check(extra) == ()
    unknown = replace(good, households=good.households.with_columns(height=pl.lit(1)))
    assert [f.problem for f in panel.check(unknown)] == ["unknown column"]
    typed = replace(good, income=good.income.with_columns(pl.col("wage").cast(pl.Float64)))
    assert [f.problem for f in panel.check(typed)] == ["the column is Float64"]


def test_total_is_missing_where_a_source_is() -> None:
    assert small().income.select(schemas.total()).collect()["total"].to_list() == [6, 6, None]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    panel.write(small(), tmp_path / "p")
    back = panel.read(tmp_path / "p")
    assert panel.check(back) == ()
    assert (back.tier, back.account, back.price_year) == ("yours", small().account, None)
    for name in schemas.TABLES:
        assert back.table(name).collect().height == small().table(name).collect().height
    again = panel.read_manifest(tmp_path / "p")["tables"]
    panel.write(back, tmp_path / "q")
    assert panel.read_manifest(tmp_path / "q")["tables"] == again


def test_a_failed_write_leaves_the_panel_that_was_there(tmp_path: Path) -> None:
    panel.write(small(), tmp_path / "p")
    before = (tmp_path / "p" / panel.MANIFEST).read_bytes()
    with pytest.raises(RuntimeError), panel.staged(tmp_path / "p") as stage:
        (stage / "half").write_text("half")
        raise RuntimeError
    with pytest.raises(FaultsError):
        panel.write(change("income", wage=-1), tmp_path / "p")
    assert (tmp_path / "p" / panel.MANIFEST).read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["p"]


def test_another_panel_is_only_replaced_if_told(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    panel.write(small(), folder)
    before = (folder / panel.MANIFEST).read_bytes()
    panel.write(small(), folder)  # the same survey again
    for other in ({"name": "another"}, {"tier": "public"}, {"tier": "model", "twin": True}):
        with pytest.raises(FaultsError, match="would replace; choose a new folder, or say --rep"):
            panel.write(replace(small(), **other), folder)  # type: ignore[arg-type]
        assert (folder / panel.MANIFEST).read_bytes() == before
    with pytest.raises(FaultsError, match=r"holds .*\(yours\)"):
        simulate(folder, households=60, villages=4)
    assert (folder / panel.MANIFEST).read_bytes() == before
    simulate(folder, households=60, villages=4, replace=True)
    # What is simulated can be simulated again, hence replaced by another variant.
    simulate(folder, households=60, villages=4, variant="realistic")
    with pytest.raises(FaultsError, match="would replace"):
        panel.write(small(), folder)
    panel.write(small(), folder, replace=True)
    assert panel.read(folder).name == small().name


def test_a_panel_that_cannot_be_read_is_not_overwritten_either(tmp_path: Path) -> None:
    panel.write(small(), tmp_path / "p")
    (tmp_path / "p" / panel.MANIFEST).write_text("{")
    with pytest.raises(FaultsError, match="holds a panel that cannot be read"):
        panel.write(small(), tmp_path / "p")
    panel.write(small(), tmp_path / "p", replace=True)
    (tmp_path / "file").write_text("x")
    with pytest.raises(FaultsError, match="not a panel"):
        panel.write(small(), tmp_path / "file")


def test_a_folder_of_something_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(FaultsError, match="not a panel"):
        panel.write(small(), tmp_path / "thesis")


@pytest.mark.parametrize("content", [None, "{", "[]", '{"schema_version": 0}'])
def test_a_bad_manifest_is_a_fault(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / panel.MANIFEST).write_text(content)
    with pytest.raises(FaultsError):
        panel.read(tmp_path)


def test_a_missing_table_is_a_fault(tmp_path: Path) -> None:
    panel.write(small(), tmp_path / "p")
    (tmp_path / "p" / "income.parquet").unlink()
    with pytest.raises(FaultsError, match="income"):
        panel.read(tmp_path / "p")


def test_a_table_may_be_a_folder_of_parts(tmp_path: Path) -> None:
    panel.write(small(), tmp_path / "p")
    rows = pl.read_parquet(tmp_path / "p" / "income.parquet")
    (tmp_path / "p" / "income.parquet").unlink()
    (tmp_path / "p" / "income").mkdir()
    for number in range(3):
        rows[number : number + 1].write_parquet(tmp_path / "p/income" / f"part-{number:04}.parquet")
    manifest = tmp_path / "p" / panel.MANIFEST
    about = json.loads(manifest.read_text(encoding="utf-8")) | {
        "files": folders.seal(tmp_path / "p")
    }
    manifest.write_text(json.dumps(about), encoding="utf-8")
    assert panel.read(tmp_path / "p").income.collect().equals(rows)


def test_the_digest_sees_values_missing_values_names_and_order() -> None:
    def of(*frames: pl.DataFrame) -> str:
        running = TableDigest()
        for frame in frames:
            running.update(frame)
        return running.hexdigest()

    base = pl.DataFrame({"k": ["a", "b"], "n": [0, None]})
    others = [
        base.reverse(),
        base.rename({"n": "m"}),
        base.with_columns(n=pl.lit(0)),
        base.with_columns(n=pl.Series([None, 0])),
        base.with_columns(k=pl.Series(["ab", ""])),
        base[:1],
    ]
    assert of(base) == of(base[:1], base[1:])
    assert len({of(base), *map(of, others)}) == 7


def test_accounts_add_up() -> None:
    both = Account(5, 4, {"a": 1}) + Account(3, 1, {"a": 1, "b": 1})
    assert both == Account(8, 5, {"a": 2, "b": 1})
    with pytest.raises(ValueError, match="negative"):
        Account(3, 4, {"a": -1})


@pytest.mark.parametrize(
    "path", sorted(dictionary.outputs()), ids=lambda path: f"{path.parent.name}-{path.name}"
)
def test_generated_files_are_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == dictionary.outputs()[path], (
        "write it again: python -m analysis.panels.dictionary"
    )


def test_every_column_is_described_with_its_unit() -> None:
    fields = [f for r in package.of_contract()["resources"] for f in r["schema"]["fields"]]
    assert len(fields) == sum(len(s.columns()) for s in schemas.TABLES.values())
    assert all(field["description"] and field["unit"] for field in fields)
    json.dumps(fields)
