# SPDX-License-Identifier: GPL-3.0-or-later
"""What the configuration forbids does not happen: pull and push, patterns, one way, backup."""
import pathlib
import re
import signal
import subprocess
import time

import pytest

from channel import contents, write_private

ALL = ["new", "flags", "deletions", "mailboxes"]
# What would change a server; SELECT is here since it may clear \Recent, and allows the rest.
WRITING = re.compile(rb"^\S+ (UID )?(SELECT|STORE|APPEND|EXPUNGE|CREATE|DELETE|RENAME|MOVE|COPY|CLOSE|SUBSCRIBE)\b",
                     re.I | re.M)
EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "config" / "migration.yaml"
DIRECTIONS = {"pull": ("remote", "local"), "push": ("local", "remote")}


@pytest.fixture
def changed(channel, corpus):
    """Even, and then one change of each kind on the side that a direction starts from."""

    def change(direction):
        source, _ = DIRECTIONS[direction]
        kept, flagged, gone, new = corpus.messages(4, "plain", flags="")
        channel.remote.add("INBOX", kept, flagged, gone)
        channel.sync()
        side = channel.side(source)
        side.set_flags("INBOX", flagged, "F")
        side.remove("INBOX", gone)
        side.add("INBOX", new)
        side.create("Fresh")
        return kept, flagged, gone, new

    return change


@pytest.mark.parametrize("absent", ALL)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_each_change_can_be_forbidden(channel, changed, direction, absent):
    kept, flagged, gone, new = changed(direction)
    channel.keys[direction] = [key for key in ALL if key != absent]
    source, target = (channel.side(name) for name in DIRECTIONS[direction])
    before = source.state()
    for _ in range(2):
        channel.sync()
        want = [kept, flagged if absent == "flags" else flagged.with_flags("F")]
        want += [gone] if absent == "deletions" else []
        want += [new] if absent != "new" else []
        state = target.state()
        assert state[("INBOX",)] == contents(*want)
        assert (("Fresh",) in state) == (absent != "mailboxes")
        assert source.state() == before, "what is forbidden is not undone at its source either"


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_what_was_forbidden_goes_over_once_it_is_allowed(channel, changed, direction):
    """But for deletions: what was kept once stays, until its own side's user deletes it."""
    kept, flagged, gone, new = changed(direction)
    channel.keys[direction] = []
    channel.sync()
    channel.keys[direction] = ALL
    channel.sync()
    source, target = (channel.side(name).state() for name in DIRECTIONS[direction])
    assert source[("INBOX",)] == contents(kept, flagged.with_flags("F"), new)
    assert target[("INBOX",)] == contents(kept, flagged.with_flags("F"), new, gone)
    assert source[("Fresh",)] == target[("Fresh",)] == []


def one_of_each_change(channel, corpus, kept, flagged, gone):
    """Changes made locally, which must not reach the server."""
    channel.local.set_flags("INBOX", flagged, "F")
    channel.local.remove("INBOX", gone)
    channel.local.add("INBOX", corpus.message())
    channel.local.create("Fresh")


def test_one_way_only_examines(channel, plain_line, corpus):
    channel.keys["push"] = []
    channel.remote.create("Work")
    kept, flagged, gone = corpus.messages(3, "plain", flags="")
    channel.remote.add("INBOX", kept, flagged, gone)
    channel.sync()
    one_of_each_change(channel, corpus, kept, flagged, gone)
    before = channel.remote.state()
    channel.sync()
    assert channel.remote.state() == before
    said = plain_line.said("up")
    assert re.search(rb"^\S+ EXAMINE\b", said, re.M), "the transcript shows what was opened"
    assert not WRITING.search(said), WRITING.search(said)


def test_backup_is_one_way_and_deletes_nothing(channel, plain_line, corpus):
    first, second = corpus.messages(2, "plain", flags="")
    channel.remote.add("INBOX", first, second)
    channel.run("backup")
    assert channel.local.state() == channel.remote.state()
    channel.remote.remove("INBOX", first)
    third = corpus.message()
    channel.remote.add("INBOX", third)
    channel.local.add("INBOX", mine := corpus.message())
    before = channel.remote.state()
    for _ in range(2):
        channel.run("backup")
        assert channel.local.state()[("INBOX",)] == contents(first, second, third, mine)
    assert channel.remote.state() == before
    assert not WRITING.search(plain_line.said("up"))


@pytest.mark.parametrize("apart", [False, True], ids=["in one run", "runs apart"])
def test_what_is_back_is_kept_once(channel, corpus, apart):
    """Out of the bin, or moved away and back: it has another UID, and a backup has it already."""
    deleted, moved, other = corpus.messages(3, "plain", flags="S")
    channel.remote.fill({"INBOX": [deleted, moved, other], "Work": []})
    channel.run("backup")
    channel.remote.remove("INBOX", deleted)
    channel.remote.move("INBOX", "Work", moved)
    if apart:
        channel.run("backup")
    channel.remote.add("INBOX", deleted.with_flags("FS"))
    channel.remote.move("Work", "INBOX", moved)
    for _ in range(2):
        channel.run("backup")
        assert channel.local.state() == {("INBOX",): contents(deleted.with_flags("FS"), moved, other),
                                         ("Work",): contents(moved) if apart else []}


def test_what_is_back_here_is_not_sent_twice(channel, corpus):
    """Where the server keeps what is deleted here: under a new name, as a mail program gives."""
    message = corpus.message("plain", flags="S")
    channel.keys["deletions"] = {"remote": "keep"}
    channel.remote.add("INBOX", message)
    channel.sync()
    channel.local.remove("INBOX", message)
    channel.sync()
    channel.local.add("INBOX", message)
    for _ in range(2):
        channel.sync()
        assert channel.state()[("INBOX",)] == contents(message)


@pytest.mark.parametrize("patterns,taken", [
    (["*"], {"INBOX", "Junk", "Archive/2019", "Archive/2020/May", "Archive"}),
    (["*", "!Junk", "!Archive/20*"], {"INBOX", "Archive"}),
    (["*", "!Archive/%"], {"INBOX", "Junk", "Archive", "Archive/2020/May"}),
    (["INBOX", "Archive/*", "!Archive/2019"], {"INBOX", "Archive/2020/May"}),
    (["*", "!*", "inbox"], {"INBOX"})], ids=["all", "some", "one level", "below", "again"])
@pytest.mark.parametrize("side", ["local", "remote"])
def test_patterns(channel, corpus, side, patterns, taken):
    names = ["INBOX", "Junk", "Archive", "Archive/2019", "Archive/2020/May"]
    messages = dict(zip(names, corpus.messages(len(names))))
    for name in names:
        if side == "local" or name != "INBOX":
            channel.side(side).create(name)
        channel.side(side).add(name, messages[name])
    channel.keys["mailboxes"] = patterns
    channel.sync()
    other = channel.side("remote" if side == "local" else "local").state()
    assert {name for name in names if other.get(tuple(name.split("/")))} == taken


def test_one_mailbox_by_argument(channel, corpus):
    channel.remote.create("Work")
    for name in ("INBOX", "Work"):
        channel.remote.add(name, corpus.message())
    channel.sync("test/Work")
    state = channel.local.state()
    assert len(state[("Work",)]) == 1 and not state.get(("INBOX",))


def test_two_channels_on_one_tree_migrate(make_channel, servers, corpus, tmp_path):
    """From one account to another by way of one tree; in the middle of it both go on changing."""
    old = make_channel(name="old", directory=tmp_path / "both")
    new = make_channel(name="new", directory=tmp_path / "both", server=servers(separator=".", prefix="INBOX."))
    boxes = {"INBOX": corpus.messages(30), "Work/2024": corpus.messages(10)}
    old.remote.create("Work/2024")
    for name, messages in boxes.items():
        old.remote.add(name, *messages)

    def migrate():
        for one, other in ((old, new), (new, old)):
            one.write_config(other)
            argv = [one.evenmail, "sync", "-c", one.config_file, "old", "new"]
            done = subprocess.run(argv, env=one.environment(), stderr=subprocess.PIPE, text=True, check=False)
            assert done.returncode == 0, done.stderr
        assert old.state() == new.state()

    migrate()
    assert new.remote.state()[("Work", "2024")] == contents(*boxes["Work/2024"])
    assert new.remote.state()[("INBOX",)] == contents(*boxes["INBOX"])
    gone, flagged, *rest = boxes["INBOX"]
    old.remote.remove("INBOX", gone)
    new.remote.set_flags("INBOX", flagged, "F")
    fresh = corpus.message()
    old.remote.add("INBOX", fresh)
    migrate()
    migrate()
    assert new.remote.state()[("INBOX",)] == contents(flagged.with_flags("F"), *rest, fresh)


def write_example(old, new):
    """examples/config/migration.yaml with these two accounts in the place of its own."""
    text = EXAMPLE.read_text(encoding="utf-8").replace("~/Mail/alice", old.local_root)
    for channel in (old, new):
        server = f"host: localhost\n      port: {channel.remote_keys['port']}"
        server += f"\n      ca-file: {channel.server.ca_file}" if channel is new else "\n      tls: none"
        for theirs, ours in ((f"host: imap.{channel.name}.example", server),
                             (f"user: alice@{channel.name}.example", f"user: {channel.user}"),
                             (f"password-command: pass show mail/{channel.name}",
                              f"password: {channel.server.password}")):
            assert text.count(theirs) == 1
            text = text.replace(theirs, ours)
    write_private(old.config_file, text)


@pytest.fixture
def migration(make_channel, make_proxy, servers, corpus, tmp_path):
    """The example's two channels, the old account filled; its line can be read."""
    old = make_channel(name="old", directory=tmp_path / "both")
    new = make_channel(name="new", directory=tmp_path / "both", server=servers(separator=".", prefix="INBOX."))
    line = make_proxy(old.server.imap_port, record=True)
    old.use_plain(line.port)
    old.line = line
    boxes = {"INBOX": corpus.messages(60), "Work/2024": corpus.messages(30), "Junk": corpus.messages(2)}
    old.remote.fill(boxes)
    old.wanted = {tuple(name.split("/")): contents(*messages) for name, messages in boxes.items() if name != "Junk"}
    old.inbox = boxes["INBOX"]
    write_example(old, new)
    return old, new


def start_migration(old):
    return subprocess.Popen(old.argv("sync", "old", "new"), env=old.environment(), stderr=subprocess.PIPE, text=True)


def migrate(old):
    process = start_migration(old)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err


def filled(state):
    return {mailbox: found for mailbox, found in state.items() if found}


def test_the_example_of_a_migration_can_be_stopped_and_repeated(migration):
    """Killed on its way, it goes on; run again, it does nothing; the old account is only read."""
    old, new = migration
    before = old.remote.state()
    for wait in (0.1, 0.2, 0.3, 0.4, 0.5):
        process = start_migration(old)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    migrate(old)
    assert filled(new.remote.state()) == old.wanted
    disk = old.disk()
    migrate(old)
    assert filled(new.remote.state()) == old.wanted and old.disk() == disk
    assert old.remote.state() == before
    assert not WRITING.search(old.line.said("up"))


def test_the_example_of_a_migration_while_both_accounts_are_used(migration, corpus):
    """What comes to the old account follows; what is done in the new one stays as it is."""
    old, new = migration
    migrate(old)
    gone, read, deleted, flagged, *rest = old.inbox
    late = corpus.message()
    old.remote.add("INBOX", late)
    old.remote.remove("INBOX", gone)
    old.remote.set_flags("INBOX", read, "S")
    new.remote.remove("INBOX", deleted)
    new.remote.set_flags("INBOX", flagged, "F")
    before = old.remote.state()
    for _ in range(2):
        migrate(old)
        assert old.remote.state() == before
        assert new.remote.state()[("INBOX",)] == \
            contents(gone, read.with_flags("S"), flagged.with_flags("F"), *rest, late)
