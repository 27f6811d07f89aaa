# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark runs, and sees what is wrong; what it measures is asserted nowhere."""
import json
import subprocess
import xml.etree.ElementTree

from conftest import ROOT

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
