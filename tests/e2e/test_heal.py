# SPDX-License-Identifier: GPL-3.0-or-later
"""What both sides hold is not sent again: first run on filled sides, lost journal, new UIDVALIDITY."""
import glob
import os
import re
import shutil
import time

import pytest

from channel import contents

BODY_ASKED = re.compile(rb"BODY\.PEEK\[\]|BODY\[\]|RFC822(\s|\))|\bAPPEND\b")


@pytest.fixture
def mail(corpus):
    """What both sides hold: with copies, equal Message-IDs and none at all among it."""
    return corpus.messages(150) + corpus.messages(6, "same-message-id") + corpus.messages(6, "no-message-id")


def heavy(messages):
    return sum(len(message.body) for message in messages)


def test_two_filled_sides_pair(channel, plain_line, mail):
    channel.local.fill({"INBOX": mail})
    channel.remote.add("INBOX", *mail)
    channel.sync()
    assert channel.state()[("INBOX",)] == contents(*mail)
    # Those that only their content tells apart may be fetched to look; the bulk stays where it is.
    assert plain_line.total("up") + plain_line.total("down") < heavy(mail) / 4
    assert b"APPEND" not in plain_line.said("up")


def test_two_filled_sides_send_only_what_lacks(channel, plain_line, mail, corpus):
    here, there = corpus.messages(5, "plain"), corpus.messages(5, "plain")
    channel.local.fill({"INBOX": mail + here})
    channel.remote.add("INBOX", *mail, *there)
    channel.sync()
    assert channel.state()[("INBOX",)] == contents(*mail, *here, *there)
    assert plain_line.said("up").count(b"APPEND") <= len(here)


def test_two_filled_sides_merge_flags(channel, mail):
    """No journal says who changed what: the flags of both are kept, none is lost."""
    plain = [message.with_flags("") for message in mail if b"Message-ID" in message.body][:20]
    channel.local.fill({"INBOX": [message.with_flags("S") for message in plain]})
    channel.remote.add("INBOX", *[message.with_flags("F") for message in plain])
    channel.sync()
    assert channel.state()[("INBOX",)] == contents(*[message.with_flags("FS") for message in plain])


@pytest.fixture
def pair(channel, plain_line, mail):
    channel.remote.create("Work")
    channel.remote.add("Work", *mail[:5])
    channel.remote.add("INBOX", *mail)
    channel.sync()
    plain_line.reset_counts()
    return channel


def test_a_lost_journal_heals(pair, plain_line, mail, corpus):
    new = corpus.message("plain")
    shutil.rmtree(f"{pair.directory}/state")
    pair.local.add("INBOX", new)
    pair.sync()
    assert pair.state() == {("INBOX",): contents(*mail, new), ("Work",): contents(*mail[:5])}
    assert plain_line.total("up") + plain_line.total("down") < heavy(mail) / 4
    assert plain_line.said("up").count(b"APPEND") <= 1


def test_a_deletion_without_a_journal_comes_back(pair, mail):
    """Without a journal nobody knows that it was a deletion: better too much than too little."""
    pair.local.remove("INBOX", mail[0])
    pair.remote.remove("INBOX", mail[1])
    shutil.rmtree(f"{pair.directory}/state")
    pair.sync()
    assert pair.state()[("INBOX",)] == contents(*mail)


def journals(channel):
    return [path for path in glob.glob(f"{channel.state_directory}/**", recursive=True)
            if os.path.isfile(path) and os.path.getsize(path) > 200]


def damage_journals(channel, how):
    for path in journals(channel):
        with open(path, "r+b") as file:
            content = file.read()
            file.seek(0)
            file.truncate()
            half = len(content) // 2
            file.write({"half": content[:half], "torn line": content[:-7], "empty": b"",
                        "zeros": content[:-100] + bytes(100),
                        "one byte": content[:half] + b"?" + content[half + 1:]}[how])


@pytest.mark.parametrize("damage", ["half", "torn line", "zeros", "empty"])
def test_a_damaged_journal_heals(pair, mail, corpus, damage):
    assert journals(pair)
    damage_journals(pair, damage)
    new = corpus.message("plain")
    pair.remote.add("INBOX", new)
    for _ in range(2):
        pair.sync()
        assert pair.state() == {("INBOX",): contents(*mail, new), ("Work",): contents(*mail[:5])}


@pytest.mark.parametrize("torn", [b"half a rec", b"=", bytes(100)], ids=["record", "byte", "zeros"])
def test_a_torn_tail_is_cut_back_and_reported(pair, plain_line, mail, torn):
    """FAULTS 8: what a stop left behind the last commit is told, once, with the file and the place, and goes."""
    paths = journals(pair)
    whole = {}
    for path in paths:
        with open(path, "r+b") as file:
            whole[path] = file.read()
            file.write(torn)
    said = pair.run("status").err
    assert said.count(": read up to the last commit") == len(said.splitlines()) == len(paths), "and nothing is cut"
    process = pair.sync()
    told = re.findall(r"journal (\S+): unfinished after byte (\d+) of (\d+): cut back to the last commit", process.err)
    assert len(process.err.splitlines()) == len(told) == len(paths)
    assert {(os.path.basename(name), int(at), int(size)) for name, at, size in told} == {
        (os.path.basename(path), len(content), len(content) + len(torn)) for path, content in whole.items()}
    for path, content in whole.items():
        with open(path, "rb") as file:
            assert file.read().startswith(content) and not content.endswith(torn)
    assert pair.state() == {("INBOX",): contents(*mail), ("Work",): contents(*mail[:5])}
    assert pair.sync().err == ""
    assert not re.search(BODY_ASKED, plain_line.said("up")), "nothing was matched anew"


def test_a_journal_damaged_in_the_middle_is_set_aside(pair, plain_line, mail, corpus):
    """FAULTS 8: what follows upon the damage may be true or not. Nothing of it is believed, nothing is deleted."""
    new, earlier = corpus.messages(2, "plain")
    pair.remote.add("INBOX", earlier)
    pair.sync()  # a second transaction: else the damage would look like a torn tail
    plain_line.reset_counts()
    pair.local.remove("INBOX", mail[0])
    pair.local.add("INBOX", new)
    pair.remote.remove("INBOX", mail[1])
    damage_journals(pair, "one byte")
    plan = pair.run("plan", status=1)
    assert "INBOX" in plan.err and "damaged at line" in plan.err and "move the file away" in plan.err
    assert not glob.glob(f"{pair.state_directory}/*.damaged-*"), "a plan changes nothing"
    said = pair.sync().err
    assert said.count("\n") == 1 and "mailbox INBOX: its journal was damaged and is set aside" in said
    want = {("INBOX",): contents(*mail, new, earlier), ("Work",): contents(*mail[:5])}
    assert pair.state() == want
    assert plain_line.said("up").count(b"APPEND") <= 2
    assert len(glob.glob(f"{pair.state_directory}/INBOX.journal.damaged-*")) == 1
    assert pair.sync().err == ""
    assert pair.state() == want


@pytest.mark.parametrize("whose", ["mailbox", "channel", "version"])
def test_a_journal_of_another_is_refused(pair, make_channel, mail, whose):
    """FAULTS 8: it may be there by a mistake that its owner would want back: the text says how to go on."""
    if whose == "mailbox":
        shutil.copy(f"{pair.state_directory}/Work.journal", f"{pair.state_directory}/INBOX.journal")
    elif whose == "channel":
        other = make_channel(name="other")
        other.remote.add("INBOX", *mail[:3])
        other.sync()
        shutil.copy(f"{other.state_directory}/INBOX.journal", f"{pair.state_directory}/INBOX.journal")
    else:
        with open(f"{pair.state_directory}/INBOX.journal", "r+b") as file:
            file.seek(len("evenmail-journal "))
            file.write(b"2")
    before = pair.state()
    pair.local.remove("INBOX", mail[0])
    here = pair.local.state()
    said = pair.sync(status=1).err
    assert "INBOX.journal" in said and "move the file away" in said
    assert (pair.local.state(), pair.remote.state()) == (here, before)
    os.rename(f"{pair.state_directory}/INBOX.journal", f"{pair.directory}/away")
    pair.sync()
    assert pair.state() == before


def test_an_older_journal_heals(pair, mail, corpus):
    """The home directory was restored from a backup, the mail was not."""
    shutil.copytree(f"{pair.directory}/state", f"{pair.directory}/backup")
    new, newer = corpus.messages(2, "plain")
    pair.remote.add("INBOX", new)
    pair.local.add("INBOX", newer)
    pair.remote.remove("INBOX", mail[0])
    pair.sync()
    shutil.rmtree(f"{pair.directory}/state")
    os.rename(f"{pair.directory}/backup", f"{pair.directory}/state")
    for _ in range(2):
        pair.sync()
        assert pair.state()[("INBOX",)] == contents(*mail[1:], new, newer)


def new_uidvalidity(channel, mailbox):
    """As a server does that was moved: all messages there, under other UIDs."""
    before = channel.remote.uidvalidity(mailbox)
    channel.close()
    folder = "Maildir" if mailbox == "INBOX" else f"Maildir/.{mailbox}"
    root = f"{channel.server.home(channel.user)}/{folder}"
    for path in glob.glob(f"{root}/dovecot-uidlist") + glob.glob(f"{root}/dovecot.index*"):
        os.unlink(path)
    for path in glob.glob(f"{channel.server.home(channel.user)}/Maildir/dovecot.list.index*"):
        os.unlink(path)
    # Other UIDs, too: Dovecot numbers by file name.
    after = channel.remote.uidvalidity(mailbox)
    assert after != before


@pytest.mark.parametrize("mailbox", ["INBOX", "Work"])
def test_a_changed_uidvalidity_heals(pair, plain_line, mail, corpus, mailbox):
    """FAULTS 23: matched anew, nothing is deleted or doubled, and only what is new is sent."""
    time.sleep(1.1)  # Dovecot takes the seconds of the clock
    new_uidvalidity(pair, mailbox)
    new = corpus.message("plain")
    pair.local.add(mailbox, new)
    pair.sync()
    want = {("INBOX",): contents(*mail), ("Work",): contents(*mail[:5])}
    want[(mailbox,)] = sorted([*want[(mailbox,)], new.state])
    assert pair.state() == want
    assert plain_line.total("down") < heavy(mail) / 4
    pair.remote.remove(mailbox, mail[0])
    pair.sync()
    want[(mailbox,)].remove(mail[0].state)
    assert pair.state() == want


@pytest.mark.parametrize("deletions", ["expunge", "trash"])
def test_what_was_moved_before_a_changed_uidvalidity_is_there_once(channel, corpus, deletions):
    """FAULTS 23: an account that was moved to another server; users had moved messages on both sides since the last run."""
    channel.keys["deletions"] = {"local": deletions, "remote": deletions}
    known = [message for message in corpus.messages(40, "plain") if b"Message-ID" in message.body]
    held = {"INBOX": known[:10], "Work": known[10:20]}
    channel.remote.fill(held)
    channel.sync()
    inbox, work = held["INBOX"], held["Work"]
    channel.local.move("INBOX", "Work", *inbox[:2])
    channel.local.move("INBOX", "Work", inbox[2], fresh_names=True)
    channel.local.set_flags("Work", inbox[0], "F")
    channel.remote.move("INBOX", "Work", *inbox[3:5])
    channel.remote.move("Work", "INBOX", work[0])
    time.sleep(1.1)  # Dovecot takes the seconds of the clock
    for mailbox in held:
        new_uidvalidity(channel, mailbox)
    channel.sync()
    channel.sync()
    want = {("INBOX",): contents(*inbox[5:], work[0]),
            ("Work",): contents(inbox[0].with_flags("F"), *inbox[1:5], *work[1:])}
    assert {name: state for name, state in channel.state().items() if state} == want
    before = channel.disk()
    channel.sync()
    assert channel.disk() == before, "and the next run has nothing to do"


def restore_server(channel, backup):
    root = f"{channel.server.home(channel.user)}/Maildir"
    channel.close()
    shutil.rmtree(root)
    shutil.copytree(backup, root)
    channel.server.give_to_owner(root)


def test_a_server_restored_from_a_backup_heals(pair, plain_line, mail, corpus):
    """FAULTS 25: UIDNEXT and HIGHESTMODSEQ went back: what came since is given back to it, and nothing that is here comes again."""
    pair.close()
    backup = shutil.copytree(f"{pair.server.home(pair.user)}/Maildir", f"{pair.directory}/backup")
    later, here = corpus.messages(5, "plain"), corpus.messages(2, "plain")
    flagged = next(message for message in mail if b"Message-ID" in message.body and "F" not in message.flags)
    pair.remote.add("INBOX", *later)
    pair.sync()
    restore_server(pair, backup)
    pair.local.set_flags("INBOX", flagged, "F")
    pair.local.add("INBOX", *here)
    plain_line.reset_counts()
    said = pair.sync().err
    assert [line for line in said.splitlines() if "INBOX" in line] == said.splitlines() and said.count("\n") == 1
    assert "restored from a backup" in said and "is deleted or doubled" in said
    assert plain_line.said("up").count(b"APPEND") <= len(later + here)
    assert plain_line.total("down") < heavy(mail) / 4
    rest = [message for message in mail if message is not flagged]
    want = {("INBOX",): contents(*rest, flagged.with_flags("F"), *later, *here), ("Work",): contents(*mail[:5])}
    assert pair.state() == want
    assert pair.sync().err == ""
    assert pair.state() == want


PLAIN = "IMAP4rev1"


@pytest.fixture(params=[None, PLAIN], ids=["all", "plain"])
def aged(request, make_channel, servers, corpus):
    """The server is restored as it was before it took the later two of the messages that both sides hold."""
    channel = make_channel(server=servers(capability=request.param)) if request.param else make_channel()
    channel.old, channel.later = corpus.messages(6, "plain"), corpus.messages(2, "plain")
    channel.remote.fill({"INBOX": channel.old})
    channel.sync()
    channel.close()
    backup = shutil.copytree(f"{channel.server.home(channel.user)}/Maildir", f"{channel.directory}/backup")
    channel.remote.add("INBOX", *channel.later)
    channel.sync()
    restore_server(channel, backup)
    return channel


@pytest.mark.parametrize("count", [3, 5])
def test_uids_that_were_used_again_heal(aged, corpus, count):
    """Neither UIDNEXT nor HIGHESTMODSEQ tell, for the server took more new mail than it had lost."""
    between = corpus.messages(count, "plain")
    aged.remote.add("INBOX", *between)
    said = aged.sync().err
    assert said.count("\n") == 1 and "INBOX: the server gave UIDs to other messages" in said
    assert aged.state() == {("INBOX",): contents(*aged.old, *aged.later, *between)}
    assert aged.sync().err == ""
    assert aged.state() == {("INBOX",): contents(*aged.old, *aged.later, *between)}


def test_a_deletion_spares_the_message_that_has_its_uid_now(aged, corpus):
    between = corpus.messages(5, "plain")
    aged.remote.add("INBOX", *between)
    aged.local.remove("INBOX", *aged.later)
    aged.sync()
    assert aged.state() == {("INBOX",): contents(*aged.old, *between)}


def test_a_flag_spares_the_message_that_has_its_uid_now(aged, corpus):
    between = corpus.messages(5, "plain", flags="")
    aged.remote.add("INBOX", *between)
    aged.remote.remove("INBOX", between[1])  # the newest that we know is gone again
    aged.local.set_flags("INBOX", aged.later[0], "FS")
    aged.sync()
    assert aged.state() == {("INBOX",): contents(
        *aged.old, aged.later[0].with_flags("FS"), aged.later[1], between[0], *between[2:])}


def test_another_date_alone_is_no_other_message(channel, plain_line, corpus):
    """Some servers do not keep the date that they are given: the Message-ID decides."""
    messages = corpus.messages(6, "plain")
    channel.remote.fill({"INBOX": messages})
    channel.sync()
    channel.close()
    root = f"{channel.server.home(channel.user)}/Maildir"
    for path in glob.glob(f"{root}/dovecot.index.cache"):
        os.unlink(path)
    for path in glob.glob(f"{root}/cur/*"):
        os.utime(path, (10 ** 9, 10 ** 9))
    new = corpus.message("plain")
    channel.remote.add("INBOX", new)
    plain_line.reset_counts()
    assert channel.sync().err == ""
    assert plain_line.said("up").count(b"HEADER.FIELDS") == 1
    assert len(channel.local.state()[("INBOX",)]) == len(channel.remote.state()[("INBOX",)]) == 7


def test_a_new_uidvalidity_is_one_line(pair):
    time.sleep(1.1)
    new_uidvalidity(pair, "Work")
    said = pair.sync().err
    assert said.count("\n") == 1 and "Work: the server gave it a new UIDVALIDITY; its 5 messages" in said
