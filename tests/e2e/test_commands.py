# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands, their options and exit statuses."""
import contextlib
import json
import os
import pty
import re
import subprocess
import threading

import pytest

from channel import contents, write_private

USAGE, CONFIGURATION, LOCAL_IO = 64, 78, 74


def run(evenmail, *arguments, **environment):
    return subprocess.run([evenmail, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, env={**os.environ, **environment})


def test_version_and_help(evenmail):
    version = run(evenmail, "--version")
    assert version.returncode == 0 and re.match(r"evenmail \d+\.\d+\.\d+", version.stdout)
    usage = run(evenmail, "--help")
    assert usage.returncode == 0 and "sync" in usage.stdout and "plan" in usage.stdout


@pytest.mark.parametrize("arguments", [["--no-such-option"], ["no-such-command"], ["sync", "--no-such-option"],
                                       ["sync", "-c"]], ids=" ".join)
def test_usage_errors(evenmail, arguments):
    done = run(evenmail, *arguments)
    assert done.returncode == USAGE and done.stderr and not done.stdout


def test_unknown_channel(pair):
    process = pair.run("sync", "nosuch", status=None)
    assert process.returncode in (USAGE, CONFIGURATION) and "nosuch" in process.err


def test_sync_is_the_default(channel, corpus):
    channel.remote.add("INBOX", message := corpus.message())
    channel.write_config()
    done = subprocess.run([channel.evenmail, "-c", channel.config_file], env=channel.environment(), check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    assert channel.state()[("INBOX",)] == contents(message)


def test_configuration_is_found(channel, corpus):
    channel.remote.add("INBOX", message := corpus.message())
    channel.write_config()
    os.makedirs(f"{channel.directory}/config/evenmail")
    os.rename(channel.config_file, f"{channel.directory}/config/evenmail/config.yaml")
    done = subprocess.run([channel.evenmail, "sync"], env=channel.environment(), check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    assert channel.state()[("INBOX",)] == contents(message)


@pytest.mark.parametrize("text,words", [
    ("channels:\n  a:\n    remote: {hst: x}\n", ["3:", "host"]),
    ("channels:\n  a:\n    remote: {host: [}\n", ["3:"]),
    ("chanels: {}\n", ["1:", "channels"]),
    ("channels:\n  a:\n    remote: {host: x, user: u, password: p, tls: maybe}\n    local: {path: /tmp/x}\n",
     ["3:", "implicit"]),
    ("", [])])
def test_configuration_errors_say_where(channel, text, words):
    write_private(channel.config_file, text)
    done = subprocess.run([channel.evenmail, "sync", "-c", channel.config_file], env=channel.environment(),
                          check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == CONFIGURATION
    assert all(word in done.stderr for word in words), done.stderr


def test_no_configuration(channel):
    done = subprocess.run([channel.evenmail, "sync", "-c", f"{channel.directory}/none"], env=channel.environment(),
                          check=False, stderr=subprocess.PIPE, text=True)
    assert done.returncode == CONFIGURATION and "none" in done.stderr


@pytest.mark.parametrize("command", ["plan", "sync --dry-run"])
def test_plan_changes_nothing(pair, corpus, command):
    pair.remote.add("INBOX", corpus.message())
    pair.local.add("INBOX", corpus.message())
    pair.local.set_flags("INBOX", pair.messages[0], "F")
    pair.remote.remove("INBOX", pair.messages[1])
    pair.local.create("Fresh")
    disk, remote = pair.disk(), pair.remote.state()
    process = pair.run(command)
    assert "INBOX" in process.out and "Fresh" in process.out
    assert pair.disk() == disk and pair.remote.state() == remote


def test_plan_speaks_of_what_is_to_come(channel, corpus):
    """And of no bytes that it does not know: no file is read for a plan."""
    channel.local.create("Fresh")
    channel.local.add("Fresh", corpus.message())
    said = channel.run("plan").out
    assert "remote: mailbox to create, 1 to copy" in said
    assert "1 to copy there, 0 to flag" in said


def test_plan_of_a_first_run_changes_nothing(channel, corpus):
    channel.remote.add("INBOX", corpus.message())
    channel.run("plan")
    assert not channel.local.mailboxes()


def test_plan_and_sync_say_the_same(pair, corpus):
    pair.remote.add("INBOX", *corpus.messages(4))
    pair.local.add("INBOX", *corpus.messages(2))
    planned, done = pair.summary("plan"), pair.summary("sync")
    same = set(planned) & set(done) - {"event", "seconds", "bytes", "dry-run", "dry_run", "command"}
    assert same and {key: planned[key] for key in same} == {key: done[key] for key in same}


def test_json_lines(pair, corpus):
    pair.remote.add("INBOX", corpus.message())
    process = pair.run("sync", "--json")
    events = [json.loads(line) for line in process.out.splitlines()]
    assert all(isinstance(event, dict) and "event" in event for event in events)
    assert events[-1]["event"] == "summary" and sum(event["event"] == "summary" for event in events) == 1


def test_a_good_run_is_silent(pair, corpus):
    pair.remote.add("INBOX", corpus.message())
    process = pair.sync()
    assert (process.out, process.err) == ("", "")


def test_verbose_says_what_is_done(pair, corpus):
    pair.remote.add("INBOX", corpus.message())
    process = pair.run("sync", "-v")
    assert "INBOX" in process.out + process.err


def test_quiet_still_says_what_fails(channel):
    channel.remote_keys["password"] = "wrong"
    process = channel.run("sync", "-q", status=77)
    assert process.err and not process.out


def test_check(channel):
    process = channel.run("check")
    said = process.out + process.err
    assert "QRESYNC" in said and "LIST-STATUS" in said
    assert re.search(r"^  server +Dovecot$", said, re.M) and "new UIDs" in said
    assert channel.server.password not in said
    assert not channel.local.mailboxes()


def test_status(pair, corpus):
    process = pair.run("status")
    assert re.search(r"INBOX\b.*\b3\b", process.out)
    assert "changed here" not in process.out
    pair.local.add("INBOX", corpus.message())
    before = pair.disk()
    assert "changed here" in pair.run("status").out
    assert pair.run("status", "test/INBOX").out
    said = pair.run("status", "test/Inboxes", status=64)
    assert "mailbox Inboxes" in said.err and not said.out
    assert pair.disk() == before


def run_on_terminal(channel, *arguments):
    """Runs a sync whose stderr is a terminal; returns what was drawn there."""
    channel.write_config()
    master, terminal = pty.openpty()
    done = subprocess.run(channel.argv("sync", *arguments), env=channel.environment(TERM="xterm"), check=False,
                          stdout=subprocess.DEVNULL, stderr=terminal)
    os.close(terminal)
    drawn = b""
    with contextlib.suppress(OSError), open(master, "rb", buffering=0) as file:
        while piece := file.read(4096):
            drawn += piece
    assert done.returncode == 0, drawn
    return drawn.decode()


def test_progress_is_drawn_on_a_terminal(channel, corpus):
    channel.remote.add("INBOX", *corpus.messages(30))
    drawn = run_on_terminal(channel)
    assert "of 30 messages" in drawn
    assert drawn.endswith("\r\x1b[K"), "and cleared at the end"


@pytest.mark.parametrize("option", ["--no-progress", "--quiet"])
def test_no_progress(channel, corpus, option):
    channel.remote.add("INBOX", *corpus.messages(30))
    assert run_on_terminal(channel, option) == ""


def test_the_hook_runs_when_something_changed_locally(pair, corpus):
    pair.keys["hooks"] = {"after": 'echo "$EVENMAIL_CHANNEL" >>hooked'}
    told = f"{pair.directory}/hooked"

    def runs():
        with contextlib.suppress(FileNotFoundError), open(told, encoding="ascii") as file:
            return file.read().splitlines()
        return []

    pair.remote.create("Work")
    pair.remote.add("INBOX", corpus.message())
    pair.sync()
    assert runs() == ["test"]
    pair.sync()
    pair.local.add("INBOX", corpus.message())
    pair.sync()
    assert runs() == ["test"], "what only the server got is no reason"
    pair.remote.move("INBOX", "Work", pair.messages[0])
    pair.sync()
    assert runs() == ["test", "test"], "a file that moved is one"
    pair.remote.set_flags("INBOX", pair.messages[1], "F")
    pair.run("plan")
    assert runs() == ["test", "test"], "a plan changes nothing"


def test_a_hook_that_fails(pair, corpus):
    pair.keys["hooks"] = {"after": "exit 3"}
    pair.remote.add("INBOX", corpus.message())
    assert "hook" in pair.sync(status=1).err
    pair.state()


def test_journal(pair):
    process = pair.run("journal")
    assert "INBOX" in process.out
    for message in pair.messages:
        assert message.digest in process.out
        unique = os.path.basename(pair.local.paths("INBOX", message)[0]).split(":2,")[0]
        assert unique in process.out


def test_journal_of_a_channel_that_never_ran(channel):
    channel.run("journal")


def test_another_run_holds_the_lock(channel, plain_line):
    """A run hangs in the middle; the next does not wait for it."""
    hangs, goes_on = threading.Event(), threading.Event()

    def hang(direction, data):
        if direction == "up" and b"LIST" in data:
            hangs.set()
            goes_on.wait(30)
        return data

    plain_line.alter = hang
    process = channel.start()
    assert hangs.wait(20)
    channel.sync(status=75)
    goes_on.set()
    process.communicate()
    assert process.returncode == 0


def test_local_directory_cannot_be_made(channel, corpus):
    channel.remote.add("INBOX", corpus.message())
    write_private(f"{channel.directory}/file", "")
    channel.local_root = f"{channel.directory}/file/mail"
    channel.sync(status=LOCAL_IO)


def test_one_channel_fails_the_other_is_done(make_channel, corpus, tmp_path):
    good = make_channel(name="good", directory=tmp_path / "both")
    bad = make_channel(name="bad", directory=tmp_path / "both")
    bad.remote_keys["password"] = "wrong"
    bad.local_root = str(tmp_path / "elsewhere")
    good.remote.add("INBOX", message := corpus.message())
    bad.write_config(good)
    done = subprocess.run([good.evenmail, "sync", "-c", bad.config_file], env=good.environment(), check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 77 and "bad" in done.stderr
    assert good.state()[("INBOX",)] == contents(message)


@pytest.mark.parametrize("command", ["watch", "verify", "init", "import x"])
def test_what_comes_later_says_so(pair, command):
    process = pair.run(command, status=None)
    assert process.returncode in (USAGE, 0, CONFIGURATION)
    assert process.returncode == 0 or process.err
