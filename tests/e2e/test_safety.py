# SPDX-License-Identifier: GPL-3.0-or-later
"""What looks like an accident deletes nothing: exit status 2, and all else is done."""
import contextlib
import os
import re
import shutil
import threading

import pytest

from channel import contents

PART = 1
STOPPED = 2
OTHER = {"local": "remote", "remote": "local"}


@pytest.fixture
def pair(channel, corpus):
    """Even: 40 messages in INBOX, five in Work."""
    channel.inbox, channel.work = corpus.messages(40, "plain"), corpus.messages(5, "plain")
    channel.remote.add("INBOX", *channel.inbox)
    channel.remote.create("Work")
    channel.remote.add("Work", *channel.work)
    channel.sync()
    return channel


@pytest.mark.parametrize("side", ["local", "remote"])
def test_an_emptied_mailbox_empties_nothing(pair, corpus, side):
    """FAULTS 10, 24: the server, too, may have lost all its mail."""
    new = corpus.message()
    pair.side(side).remove_all("INBOX")
    pair.side(side).add("Work", new)
    process = pair.sync(status=STOPPED)
    other = pair.side(OTHER[side]).state()
    assert other[("INBOX",)] == contents(*pair.inbox)
    assert other[("Work",)] == contents(*pair.work, new), "the rest is done"
    assert "INBOX" in process.err and "40" in process.err
    pair.sync(status=STOPPED)
    assert pair.side(OTHER[side]).state()[("INBOX",)] == contents(*pair.inbox)


@pytest.mark.parametrize("layout,other", [("tree", "maildir++"), ("maildir++", "tree")])
def test_another_layout_empties_nothing(make_channel, corpus, layout, other):
    """FAULTS 10: all mailboxes would look gone, and what allows deletions would delete them on the server."""
    channel = make_channel()
    mail = corpus.messages(3, "plain")
    channel.remote.create("Work")
    channel.remote.add("INBOX", *mail)
    channel.layout = layout
    channel.sync()
    before = channel.disk()
    channel.layout = other
    for command in ("plan", "sync", "sync --allow-deletions"):
        assert f"layout {layout} has it" in channel.run(command, status=STOPPED).err
    assert channel.disk() == before
    channel.sync("--adopt")
    channel.sync()
    assert channel.remote.state() == {("INBOX",): contents(*mail), ("Work",): []}


@pytest.mark.parametrize("side", ["local", "remote"])
@pytest.mark.parametrize("count,status", [(20, 0), (21, STOPPED)])
def test_more_deletions_than_allowed(pair, side, count, status):
    """FAULTS 10, 24: more than half of 40 and more than 20: at the limit, and one above it."""
    pair.side(side).remove("INBOX", *pair.inbox[:count])
    pair.sync(status=status)
    kept = pair.inbox if status else pair.inbox[count:]
    assert pair.side(OTHER[side]).state()[("INBOX",)] == contents(*kept)


@pytest.mark.parametrize("side", ["local", "remote"])
@pytest.mark.parametrize("how", ["configuration", "option"])
def test_what_was_refused_can_be_allowed(pair, side, how):
    pair.side(side).remove("INBOX", *pair.inbox[:30])
    process = pair.sync(status=STOPPED)
    assert "--allow-deletions" in process.err
    if how == "configuration":
        pair.keys["safety"] = {"deletions": "100%"}
    pair.sync(*["--allow-deletions"] if how == "option" else [])
    assert pair.state()[("INBOX",)] == contents(*pair.inbox[30:])


def test_what_is_allowed_is_allowed_for_the_mailbox_named(pair):
    for mailbox in ("INBOX", "Work"):
        pair.local.remove_all(mailbox)
    pair.sync(status=STOPPED)
    pair.sync("--allow-deletions", "test/Work")
    state = pair.remote.state()
    assert (state[("INBOX",)], state[("Work",)]) == (contents(*pair.inbox), [])


def test_what_was_refused_can_be_taken_back(pair):
    """Somebody moved the files elsewhere; the user puts them back: as if nothing had been."""
    gone = [pair.local.paths("INBOX", message)[0] for message in pair.inbox[:30]]
    for number, path in enumerate(gone):
        os.rename(path, f"{pair.directory}/{number}")
    pair.sync(status=STOPPED)
    for number, path in enumerate(gone):
        os.rename(f"{pair.directory}/{number}", path)
    pair.sync()
    assert pair.state()[("INBOX",)] == contents(*pair.inbox)


def test_flags_still_go_over_in_a_refused_mailbox(pair):
    pair.local.remove("INBOX", *pair.inbox[1:])
    pair.local.set_flags("INBOX", pair.inbox[0], "F")
    pair.sync(status=STOPPED)
    assert pair.remote.state()[("INBOX",)] == contents(pair.inbox[0].with_flags("F"), *pair.inbox[1:])


@pytest.mark.parametrize("how", ["gone", "empty", "emptied folders"])
def test_an_unmounted_tree_deletes_nothing(pair, how):
    """FAULTS 10"""
    before = pair.remote.state()
    shutil.rmtree(pair.local_root)
    if how != "gone":
        os.mkdir(pair.local_root)
    if how == "emptied folders":
        for name in ("INBOX", "Work"):
            pair.local.create(name)
    pair.sync(status=STOPPED)
    assert pair.remote.state() == before
    pair.sync(status=STOPPED)
    assert pair.remote.state() == before


@pytest.mark.parametrize("side", ["local", "remote"])
def test_one_file_left_is_as_good_as_none(pair, side):
    """FAULTS 10, and quietly."""
    pair.side(side).remove("INBOX", *pair.inbox[1:])
    for _ in range(2):
        process = pair.sync("-q", status=STOPPED)
        assert "39" in process.err
        assert pair.side(OTHER[side]).state()[("INBOX",)] == contents(*pair.inbox)


@pytest.mark.parametrize("how", ["away", "elsewhere", "mailbox"])
def test_a_symlink_that_leads_elsewhere_deletes_nothing(pair, how):
    """FAULTS 10: the root, which may be one, and a mailbox, which may not."""
    place = pair.local.directory("Work") if how == "mailbox" else pair.local_root
    real, before = f"{pair.directory}/real", pair.remote.state()
    os.rename(place, real)
    os.symlink(real, place)
    if how != "mailbox":
        pair.sync()
        if how == "away":
            os.rename(real, f"{real}.away")
        else:
            os.unlink(place)
            os.mkdir(f"{pair.directory}/empty")
            os.symlink(f"{pair.directory}/empty", place)
    for _ in range(2):
        pair.sync(status=STOPPED)
        assert pair.remote.state() == before
    if how == "away":
        os.rename(f"{real}.away", real)
    else:
        os.unlink(place)
        os.rename(real, place)
    pair.sync()
    assert pair.state() == before


@pytest.mark.parametrize("state", ["known", "lost"])
@pytest.mark.parametrize("layout", ["tree", "maildir++"])
@pytest.mark.parametrize("part", ["cur", "new"])
def test_half_a_mailbox_is_neither_gone_nor_empty(channel, corpus, part, layout, state):
    """Trees are copied without their empty directories: what is left was doubled, or held to be gone."""
    channel.layout = layout
    work = corpus.messages(2, "plain", flags="S" if part == "new" else "")
    channel.remote.create("Work")
    channel.remote.add("Work", *work)
    channel.sync()
    missing = f"{channel.local.directory('Work')}/{part}"
    os.rmdir(missing)
    if state == "lost":
        shutil.rmtree(channel.state_directory)
    for arguments in ((), ("--allow-deletions",)):
        assert f"test/Work: mailbox Work: its directory {part} is missing" in channel.sync(*arguments, status=1).err
    assert channel.remote.state()[("Work",)] == contents(*work)
    os.mkdir(missing, 0o700)
    channel.sync()
    assert channel.state()[("Work",)] == contents(*work)


@pytest.mark.parametrize("side", ["local", "remote"])
def test_to_adopt_deletes_nothing(pair, side):
    """Also where nothing is wrong with the tree: who took away too much gets it back."""
    before = pair.state()
    pair.side(side).remove("INBOX", pair.inbox[0])
    pair.sync("--adopt")
    assert pair.state() == before


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_a_lost_tree_can_be_begun_anew(pair, how):
    """The user says that the tree is this one now: everything comes back, nothing is deleted."""
    shutil.rmtree(pair.local_root)
    if how == "empty":
        os.mkdir(pair.local_root)
    process = pair.sync(status=STOPPED)
    assert "--adopt" in process.err
    pair.sync("--adopt")
    assert pair.state() == {("INBOX",): contents(*pair.inbox), ("Work",): contents(*pair.work)}
    pair.sync()


def test_a_foreign_tree_is_not_taken_for_ours(pair, make_channel, corpus):
    """Another channel's tree is mounted in the place of ours."""
    other = make_channel()
    other.remote.add("INBOX", *corpus.messages(3))
    other.sync()
    before = pair.remote.state()
    shutil.rmtree(pair.local_root)
    shutil.copytree(other.local_root, pair.local_root)
    pair.sync(status=STOPPED)
    assert pair.remote.state() == before


@pytest.mark.parametrize("side", ["local", "remote"])
def test_a_vanished_mailbox_deletes_nothing(pair, side):
    if side == "local":
        shutil.rmtree(pair.local.directory("Work"))
    else:
        pair.remote.delete_mailbox("Work")
    pair.sync(status=STOPPED)
    assert pair.side(OTHER[side]).state()[("Work",)] == contents(*pair.work)


def test_both_sides_emptied_is_no_alarm(pair):
    for side in ("local", "remote"):
        pair.side(side).remove_all("INBOX")
    pair.sync()
    assert pair.state()[("INBOX",)] == []


def test_an_emptied_trash_is_no_alarm(channel, corpus):
    channel.remote.create("Trash")
    channel.remote.add("Trash", *corpus.messages(30, "plain"))
    channel.sync()
    channel.local.remove_all("Trash")
    channel.sync()
    assert channel.state()[("Trash",)] == []


def test_the_plan_says_so_before(pair):
    pair.local.remove_all("INBOX")
    before = pair.remote.state()
    process = pair.run("plan", status=None)
    assert "INBOX" in process.out + process.err and "40" in process.out + process.err
    assert pair.remote.state() == before


def test_a_symlink_is_not_followed_out_of_the_tree(pair, tmp_path):
    """A message file that is a link to something private is not uploaded; a FIFO does not block."""
    secret = tmp_path / "private"
    secret.write_text("private\n")
    inbox = pair.local.directory("INBOX")
    os.symlink(secret, os.path.join(inbox, "cur", "1.M1P1.link:2,S"))
    os.mkfifo(os.path.join(inbox, "new", "1.M2P1.fifo"))
    pair.sync(status=None)
    assert pair.remote.state()[("INBOX",)] == contents(*pair.inbox)


@pytest.fixture
def replaced(tmp_path):
    """Context of a file that something else is in the place of: a link to its like, as "jdupes -l" leaves it."""
    @contextlib.contextmanager
    def replace(path, what="symbolic link"):
        aside = tmp_path / "aside"
        os.rename(path, aside)
        if what == "symbolic link":
            os.symlink(aside, path)
        else:
            os.mkdir(path)
        yield
        (os.unlink if what == "symbolic link" else os.rmdir)(path)
        os.rename(aside, path)

    return replace


@pytest.mark.parametrize("what,deletions", [("symbolic link", "expunge"), ("symbolic link", "trash"),
                                            ("directory", "expunge")])
def test_a_message_file_that_is_none_any_more_is_not_deleted(pair, corpus, replaced, what, deletions):
    """The mailbox waits and says why, the others go on; what is gone when nothing is in its place is deleted."""
    pair.keys["deletions"] = {"remote": deletions}
    path, new = pair.local.paths("INBOX", pair.inbox[0])[0], corpus.message("plain")
    pair.remote.add("Work", new)
    said = f"the file of message {os.path.basename(path).partition(':2,')[0]} is a {what} now"
    with replaced(path, what):
        for arguments in ([], ["--allow-deletions"]):
            process = pair.sync(*arguments, status=PART)
            assert f"mailbox INBOX: {said}" in process.err and f"remove the {what}" in process.err
            assert pair.remote.state() == {("INBOX",): contents(*pair.inbox), ("Work",): contents(*pair.work, new)}
        assert pair.local.paths("Work", new)
        assert said in pair.run("plan", status=None).err
        found = pair.run("verify", "--repair", "--json", status=PART).out
        assert found.count('"finding":"file-') == found.count('"finding":"file-unreadable"') == 1 and said in found
    pair.sync()
    assert pair.state()[("INBOX",)] == contents(*pair.inbox)
    with replaced(path, what):
        pair.sync(status=PART)
    os.unlink(path)
    pair.sync()
    for side in ("local", "remote"):
        assert pair.side(side).state()[("INBOX",)] == contents(*pair.inbox[1:])
    assert pair.remote.state().get(("Trash",), []) == contents(*pair.inbox[:deletions == "trash"])


def test_a_file_on_its_way_that_is_none_any_more_is_not_deleted(pair, corpus, plain_line, replaced):
    """A stopped run sent it, and did not hear of that: the journal has no pair yet."""
    new, sent = corpus.message("plain"), threading.Event()

    def alter(direction, data):
        if direction == "down" and b"APPENDUID" in data:
            sent.set()
        return b"" if sent.is_set() else data

    pair.local.add("INBOX", new)
    path = pair.local.paths("INBOX", new)[0]
    plain_line.alter = alter
    process = pair.start()
    assert sent.wait(60), "nothing was sent"
    process.kill()
    process.communicate()
    plain_line.alter = None
    with replaced(path):
        assert "is a symbolic link now" in pair.sync(status=PART).err
        assert pair.remote.state()[("INBOX",)] == contents(*pair.inbox, new)
    pair.sync()
    assert pair.state()[("INBOX",)] == contents(*pair.inbox, new)


def test_inbox_is_no_trash_whatever_the_server_says(pair, plain_line):
    """What goes from the trash is asked about by nobody."""
    def alter(direction, data):
        if direction == "up":
            return data
        return re.sub(rb'\* LIST \(([^)]*)\) ("."|NIL) "?INBOX"?', rb"* LIST (\1 \\Trash \\Junk) \2 INBOX", data)
    plain_line.alter = alter
    pair.remote.remove_all("INBOX")
    pair.sync(status=STOPPED)
    assert pair.local.state()[("INBOX",)] == contents(*pair.inbox)
