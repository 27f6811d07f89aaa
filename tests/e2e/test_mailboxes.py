# SPDX-License-Identifier: GPL-3.0-or-later
"""Mailboxes that are deleted on one side: they go on the other where nothing is lost by it."""
import os
import shutil

import pytest

from channel import contents

STOPPED = 2
OTHER = {"local": "remote", "remote": "local"}
PLAIN = "IMAP4rev1"
SERVERS = [{}, {"capability": PLAIN}]


@pytest.fixture(params=SERVERS, ids=["full", "plain"])
def pair(request, make_channel, servers, corpus):
    """Even: three messages in INBOX, five in Work, none in Empty, two in Work/deep."""
    channel = make_channel(server=servers(**request.param))
    channel.inbox, channel.work, channel.deep = (corpus.messages(count, "plain") for count in (3, 5, 2))
    channel.remote.fill({"INBOX": channel.inbox, "Work": channel.work, "Empty": [], "Work/deep": channel.deep})
    channel.sync()
    channel.whole = channel.state()
    return channel


def delete(channel, side, mailbox):
    """As a mail program does: what is below it stays."""
    if side == "remote":
        channel.close()  # Dovecot ends sessions in which a deleted mailbox is open
        channel.remote.delete_mailbox(mailbox)
        return
    directory = channel.local.directory(mailbox)
    for part in ("cur", "new", "tmp"):
        shutil.rmtree(os.path.join(directory, part))
    if not os.listdir(directory):
        os.rmdir(directory)


def journals(channel):
    return sorted(name for name in os.listdir(channel.state_directory) if name.endswith(".journal"))


def assert_even_without(channel, *mailboxes):
    """And the next run has nothing to do."""
    left = {mailbox: found for mailbox, found in channel.whole.items() if "/".join(mailbox) not in mailboxes}
    assert channel.state() == left
    before = channel.disk()
    channel.sync()
    assert channel.state() == left
    assert channel.disk() == before
    assert len(journals(channel)) == len(left)


@pytest.mark.parametrize("side", ["local", "remote"])
def test_an_empty_mailbox_goes(pair, side):
    delete(pair, side, "Empty")
    directory = os.path.join(pair.local_root, "Empty")
    process = pair.run("plan", "-v")
    assert "B4" in process.out and "delete" in process.out
    assert pair.side(OTHER[side]).state()[("Empty",)] == [], "a plan changes nothing"
    figures = pair.summary()
    assert figures[OTHER[side]]["deleted"] == 1
    assert not os.path.exists(directory)
    assert_even_without(pair, "Empty")


@pytest.mark.parametrize("side", ["local", "remote"])
def test_one_with_messages_is_a_question(pair, side):
    delete(pair, side, "Work/deep")
    process = pair.sync(status=STOPPED)
    assert "Work/deep" in process.err and "--allow-deletions" in process.err
    assert pair.side(OTHER[side]).state() == pair.whole
    pair.sync("--allow-deletions", "test/Work/deep")
    assert_even_without(pair, "Work/deep")


@pytest.mark.parametrize("side", ["local", "remote"])
def test_those_below_it_stay(pair, side):
    delete(pair, side, "Work")
    pair.sync("--allow-deletions", "test/Work")
    assert_even_without(pair, "Work")
    delete(pair, side, "Work/deep")
    pair.sync("--allow-deletions", "test/Work/deep")
    assert_even_without(pair, "Work", "Work/deep")
    assert side == "local" or not os.path.exists(os.path.join(pair.local_root, "Work"))


@pytest.mark.parametrize("side", ["local", "remote"])
def test_parent_and_child_at_once(pair, side):
    delete(pair, side, "Work/deep")
    delete(pair, side, "Work")
    pair.sync(status=STOPPED)
    assert pair.side(OTHER[side]).state() == pair.whole
    pair.sync("--allow-deletions")
    assert_even_without(pair, "Work", "Work/deep")


@pytest.mark.parametrize("side", ["local", "remote"])
def test_new_mail_keeps_it(pair, corpus, side):
    """Whoever deleted it has not seen that: it comes back, with what is new and nothing else."""
    new = corpus.message("plain")
    delete(pair, side, "Work/deep")
    pair.side(OTHER[side]).add("Work/deep", new)
    pair.sync(status=STOPPED)
    assert pair.side(OTHER[side]).state()[("Work", "deep")] == contents(*pair.deep, new)
    pair.sync("--allow-deletions", "test/Work/deep", status=None)
    assert pair.side(OTHER[side]).state()[("Work", "deep")] == contents(new)
    pair.sync()
    assert pair.state()[("Work", "deep")] == contents(new)


@pytest.mark.parametrize("side", ["local", "remote"])
def test_new_mail_in_an_empty_one_keeps_it(pair, corpus, side):
    new = corpus.message("plain")
    delete(pair, side, "Empty")
    pair.side(OTHER[side]).add("Empty", new)
    pair.sync()
    assert pair.state() == {**pair.whole, ("Empty",): contents(new)}


@pytest.mark.parametrize("side", ["local", "remote"])
def test_flags_changed_since_are_a_question_too(pair, side):
    delete(pair, side, "Work/deep")
    pair.side(OTHER[side]).set_flags("Work/deep", pair.deep[0], "FRS")
    pair.sync(status=STOPPED)
    assert pair.side(OTHER[side]).state()[("Work", "deep")] == contents(pair.deep[0].with_flags("FRS"), pair.deep[1])


@pytest.mark.parametrize("side", ["local", "remote"])
def test_gone_on_both_sides_is_forgotten(pair, corpus, side):
    for each in ("local", "remote"):
        delete(pair, each, "Empty")
        delete(pair, each, "Work/deep")
    pair.sync()
    assert_even_without(pair, "Empty", "Work/deep")
    new = corpus.message("plain")
    pair.side(side).create("Empty")
    pair.side(side).create("Work/deep")
    pair.side(side).add("Work/deep", new)
    pair.sync()
    assert pair.state() == {**pair.whole, ("Work", "deep"): contents(new)}


@pytest.mark.parametrize("keys", [{"push": ["new", "flags", "deletions"]}, {"push": ["new", "flags", "mailboxes"]},
                                  {"deletions": {"remote": "keep"}}], ids=["no mailboxes", "no deletions", "keep"])
def test_not_where_it_is_not_allowed(pair, keys):
    pair.keys.update(keys)
    pair.sync()
    delete(pair, "local", "Empty")
    pair.sync()
    assert pair.state() == pair.whole, "it is made again"
    delete(pair, "local", "Work/deep")
    pair.sync(status=None)
    assert pair.remote.state() == pair.whole


@pytest.mark.parametrize("side", ["local", "remote"])
def test_messages_go_to_the_trash_first(pair, side):
    pair.keys["deletions"] = {OTHER[side]: "trash"}
    delete(pair, side, "Work/deep")
    pair.sync("--allow-deletions", "test/Work/deep")
    pair.sync()
    state = pair.state()
    assert ("Work", "deep") not in state
    assert state[("Trash",)] == contents(*pair.deep)


def test_inbox_never_goes(pair):
    pair.local.remove_all("INBOX")
    pair.sync("--allow-deletions", "test/INBOX")
    shutil.rmtree(pair.local.directory("INBOX"))
    pair.sync()
    assert pair.state() == {**pair.whole, ("INBOX",): []}


def test_inbox_renamed_on_the_disk(pair, corpus):
    """There is always an INBOX: what was in it moves on the server, and it is made anew here."""
    new = corpus.message("plain")
    os.rename(pair.local.directory("INBOX"), os.path.join(pair.local_root, "Old"))
    pair.remote.add("INBOX", new)
    assert pair.summary()["remote"]["moved"] == len(pair.inbox)
    assert pair.state() == {**pair.whole, ("INBOX",): contents(new), ("Old",): contents(*pair.inbox)}
    before = pair.disk()
    pair.sync()
    assert pair.disk() == before


def test_inbox_renamed_on_the_disk_with_less_in_it(pair):
    """What was deleted besides is a question: INBOX is never gone by itself."""
    pair.local.remove("INBOX", pair.inbox[0])
    os.rename(pair.local.directory("INBOX"), os.path.join(pair.local_root, "Old"))
    assert "INBOX" in pair.sync(status=STOPPED).err
    assert pair.remote.state()[("INBOX",)] == contents(pair.inbox[0])


def test_inbox_renamed_on_the_server(pair, corpus):
    """RFC 9051: its messages get another mailbox, and INBOX stays. One is not known again there, and is sent."""
    odd = corpus.message("no-message-id")
    pair.remote.add("INBOX", odd)
    pair.sync()
    pair.remote.create("Old")
    pair.remote.move("INBOX", "Old", *pair.inbox, odd)
    assert pair.summary()["local"]["moved"] == len(pair.inbox)
    assert pair.state() == {**pair.whole, ("INBOX",): [], ("Old",): contents(*pair.inbox, odd)}


def test_without_an_inbox_nothing_goes(pair):
    """A tree without INBOX is not what it was."""
    for mailbox in ("INBOX", "Empty"):
        shutil.rmtree(pair.local.directory(mailbox))
    pair.sync(status=STOPPED)
    assert pair.remote.state() == pair.whole


@pytest.mark.parametrize("side", ["local", "remote"])
def test_all_messages_moved_elsewhere(pair, side):
    """Nothing is deleted by that, so nobody is asked."""
    pair.side(side).move("Work/deep", "Work", *pair.deep)
    delete(pair, side, "Work/deep")
    pair.sync()
    pair.whole[("Work",)] = contents(*pair.work, *pair.deep)
    assert_even_without(pair, "Work/deep")


def test_other_files_keep_the_directory(pair):
    kept = os.path.join(pair.local.directory("Empty"), "notes.txt")
    with open(kept, "w", encoding="ascii") as file:
        file.write("mine\n")
    delete(pair, "remote", "Empty")
    pair.sync()
    assert os.listdir(os.path.dirname(kept)) == ["notes.txt"]
    assert_even_without(pair, "Empty")


def test_maildirplusplus(make_channel, corpus):
    channel = make_channel()
    channel.layout = "maildir++"
    channel.remote.fill({"INBOX": corpus.messages(2), "Work": [], "Work/deep": []})
    channel.sync()
    channel.whole = channel.state()
    channel.remote.delete_mailbox("Work")
    channel.sync()
    assert_even_without(channel, "Work")
    shutil.rmtree(channel.local.directory("Work/deep"))
    channel.sync()
    assert_even_without(channel, "Work", "Work/deep")


@pytest.mark.parametrize("side", ["local", "remote"])
def test_a_renamed_mailbox_is_not_sent_again(channel, plain_line, corpus, side):
    """Its messages are moved there, and what they left goes without a question."""
    work = corpus.messages(30, "plain")
    channel.remote.fill({"INBOX": [], "Work": work})
    channel.sync()
    if side == "local":
        os.rename(channel.local.directory("Work"), os.path.join(channel.local_root, "Renamed"))
    else:
        channel.remote.rename_mailbox("Work", "Renamed")
    plain_line.reset_counts()
    channel.sync()
    said = plain_line.said("up")
    assert b"APPEND" not in said and b"BODY.PEEK[]" not in said
    assert channel.state() == {("INBOX",): [], ("Renamed",): contents(*work)}


def test_a_local_mailbox_where_the_server_has_only_a_name(channel, corpus):
    """\\Noselect: the name becomes a mailbox, and its mail is no less even than other mail."""
    channel.remote.fill({"INBOX": [], "Work/deep": corpus.messages(1)})
    channel.sync()
    work = corpus.messages(2, "plain")
    for part in ("cur", "new", "tmp"):
        os.mkdir(os.path.join(channel.local_root, "Work", part), 0o700)
    channel.local.add("Work", *work)
    channel.sync()
    assert channel.state()[("Work",)] == contents(*work)
