# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark runs, and sees what is wrong; what it measures is asserted nowhere."""
import json
import subprocess
import sys
import xml.etree.ElementTree

import pytest

from conftest import ROOT

sys.path.append(str(ROOT / "tests" / "bench"))
from report import make_report  # noqa: E402
from works import describe_work, make_works  # noqa: E402

WORKS = ["pull-20ms", "reflag", "push"]


def run_bench(evenmail, out, *works):
    only = [argument for work in works for argument in ("--only", work)]
    done = subprocess.run([ROOT / "tests" / "bench" / "run", "--quick", "--scale", "1000", "--tools", "",
                           "--evenmail", evenmail, "--out", out, *only],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False)
    return done.returncode, done.stdout


def read_rows(out):
    with open(out / "results.jsonl", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_measures_what_is_right(evenmail, tmp_path):
    status, said = run_bench(evenmail, tmp_path, *WORKS)
    assert status == 0, said
    about, *rows = read_rows(tmp_path)
    assert {(row["work"], row["tool"]) for row in rows} == {(work, tool) for work in WORKS
                                                             for tool in ("evenmail", "limit")}
    for row in rows:
        assert row["seconds"] > 0 and row["up"] > 0 and row["down"] > 0 and row["turns"] > 0, row
    assert about["seed"] and "dovecot" in about["versions"]
    chart = xml.etree.ElementTree.parse(tmp_path / "results.svg").getroot()
    bars = [bar for bar in chart.iter("{http://www.w3.org/2000/svg}rect") if bar.get("rx") == "1.5"]
    assert len(bars) == len(rows)
    assert "first push" in (tmp_path / "results.txt").read_text()


def test_sees_that_nothing_was_done(tmp_path):
    status, said = run_bench("/bin/true", tmp_path, "pull")
    assert status == 1, said
    assert [row["wrong"] for row in read_rows(tmp_path)[1:] if row["tool"] == "evenmail"] == [
        "0 of 40 messages, 20 mailboxes missing, 40 messages missing, 0 extra"]
    assert "* pull: evenmail: 0 of 40 messages" in said


def report(directory, scale, *rows):
    """What the report says of goals; a row is (work, tool, seconds, error)."""
    about = {"machine": {"cores": 2, "cpu": "none", "kernel": "0", "load": [0]}, "date": "2026-01-01", "versions": {},
             "seed": 1, "scale": scale, "works": [describe_work(work) for work in make_works(scale)]}
    rows = [{"work": work, "tool": tool, "seconds": seconds, "user": 0.01, "up": 500, "down": 499, "peak_kib": 40 << 10,
             "error": error, "wrong": None} for work, tool, seconds, error in rows]
    (directory / "results.jsonl").write_text("\n".join(map(json.dumps, [about, *rows])))
    said = make_report(directory).splitlines()
    return [line for line in said if line.startswith(("met ", "MISSED"))], said


@pytest.mark.parametrize("ours,theirs,error,wanted", [
    (0.4, 0.8, None, "met    reflag: 0.50 of mbsync's time, goal 0.526 (0.40 s, goal 0.2)"),
    (0.1, 0.18, None, "MISSED reflag: 0.56 of mbsync's time, goal 0.526 (0.10 s, goal 0.2)"),
    (0.3, 0.1, "status 1", "MISSED reflag: 0.30 s, goal 0.2"),
    (0.1, None, None, "met    reflag: 0.10 s, goal 0.2")])
def test_goals_are_shares_of_mbsyncs_time(tmp_path, ours, theirs, error, wanted):
    """Of the same run; seconds decide where it did not do the work."""
    rows = [("reflag", "evenmail", ours, None), ("reflag", "mbsync", theirs, error)][:1 if theirs is None else 2]
    assert report(tmp_path, 1, *rows)[0] == [wanted, "met    reflag: 1.00 KB, goal 40"]


def test_other_goals(tmp_path):
    rows = [("pull-100k", "evenmail", 6.0, None), ("pull-100k", "mbsync", 50.0, None), ("noop-100k", "evenmail", 1, None)]
    assert report(tmp_path, 1, *rows)[0] == ["met    pull-100k: 0.12 of mbsync's time, goal 0.125",
                                             "MISSED pull-100k: 40.0 MiB peak, goal 30.5",
                                             "met    noop-100k: 0.01 s of CPU, goal 0.03",
                                             "met    noop-100k: 1.00 KB, goal 1"]


def test_a_part_of_the_mail_meets_no_goal(tmp_path):
    rows = [("pull", "evenmail", 1.0, None), ("pull", "mbsync", 1.0, None)]
    goals, said = report(tmp_path, 50, *rows)
    assert goals == []
    assert "Nothing is held against the goals: they are for all the mail, not 1/50 of it." in said


def test_a_failure_meets_no_goal(tmp_path):
    goals, said = report(tmp_path, 1, ("reflag", "evenmail", 0.1, "status 1"))
    assert goals == [] and "! reflag: evenmail: status 1" in said


def test_measures_growth(evenmail, tmp_path):
    done = subprocess.run([ROOT / "tests" / "bench" / "scale", "--messages", "200", "--mailboxes", "3", "--repeat", "1",
                           "--evenmail", evenmail, "--out", tmp_path],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout
    with open(tmp_path / "scale.jsonl", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file][1:]
    assert [(row["kind"], row["step"]) for row in rows] == [
        *(("messages", step) for step in ("first pull", "no change", "1 new", "100 flags each")),
        *(("mailboxes", step) for step in ("first pull", "no change", "1 new"))]
    assert "200 messages" in (tmp_path / "scale.txt").read_text()
