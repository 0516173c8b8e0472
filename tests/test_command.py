"""The command: what it prints, and with which exit code it ends."""

import json

import pytest
from typer.testing import CliRunner

from analysis import cli, paths

runner = CliRunner()


def test_claims_check_prints_counts_verdicts_and_every_inconsistency():
    done = runner.invoke(cli.app, ["claims", "check"])
    assert done.exit_code == 0
    assert "227 claims" in done.stdout
    assert "R077" in done.stdout


def test_claims_check_as_json():
    done = runner.invoke(cli.app, ["claims", "check", "--json"])
    assert done.exit_code == 0
    report = json.loads(done.stdout)
    assert report["n_relations"] == sum(report["by_verdict"].values())


def test_a_schema_error_ends_with_exit_code_1_and_one_line_a_fault(
    tmp_path, copy_of_project, monkeypatch, capsys
):
    root = copy_of_project(tmp_path / "project")
    file = root / "data" / "claims" / "claims.csv"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(",persons,", ",people,", 1), encoding="utf-8")
    monkeypatch.setenv("ANALYSIS_ROOT", str(root))
    monkeypatch.setattr("sys.argv", ["analysis", "claims", "check"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert "data/claims/claims.csv:" in said
    assert "unknown unit people" in said
    assert "Traceback" not in said


def test_a_finding_is_printed_and_an_unknown_one_is_an_error():
    from analysis import findings

    first = findings.read_csv(paths.root() / "reports" / "findings.csv")[0]
    known = runner.invoke(cli.app, ["finding", str(first["id"])])
    assert known.exit_code == 0
    assert str(first["function"]) in known.stdout.replace("\n", "")
    assert runner.invoke(cli.app, ["finding", "no_such_finding"]).exit_code == 1


def test_doctor_lists_what_the_machine_has():
    done = runner.invoke(cli.app, ["doctor"])
    assert "Python" in done.stdout


def test_no_site_to_check_is_one_clear_line(tmp_path, copy_of_project, monkeypatch, capsys):
    root = copy_of_project(tmp_path / "project")
    monkeypatch.setenv("ANALYSIS_ROOT", str(root))
    monkeypatch.setattr("sys.argv", ["analysis", "site", "check"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert "make report" in capsys.readouterr().err


def test_the_committed_findings_are_those_of_the_pages():
    """Every id that a page prints through a variable is in the committed file."""
    import re

    from analysis import findings

    known = {str(r["id"]) for r in findings.read_csv(paths.root() / "reports" / "findings.csv")}
    for page in [*paths.root().glob("*.qmd"), *paths.root().glob("pages/**/*.qmd")]:
        used = re.findall(r"var finding\.(\w+)", page.read_text(encoding="utf-8"))
        assert set(used) <= known, page.name


def test_the_truth_of_a_simulated_panel_is_printed(tmp_path):
    panel = str(tmp_path / "panel")
    sizes = ["--households", "600", "--villages", "24", "--variant", "spillover"]
    assert runner.invoke(cli.app, ["simulate", "--out", panel, *sizes]).exit_code == 0
    done = runner.invoke(cli.app, ["truth", panel, "--programme", "cooperative"])
    assert done.exit_code == 0 and "event_time_overall" in done.stdout
    wrong = runner.invoke(cli.app, ["truth", panel, "--programme", "nothing"])
    assert wrong.exit_code == 2 and "cooperative" in wrong.output
