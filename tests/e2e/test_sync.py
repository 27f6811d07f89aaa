# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed on one side reaches the other: messages, flags, deletions, mailboxes."""
import itertools

import pytest

from channel import contents
from corpus import KINDS, Message

SIDES = ["local", "remote"]
OTHER = {"local": "remote", "remote": "local"}


@pytest.fixture
def pair(channel, corpus):
    """A channel that is even, with one message of each kind in INBOX."""
    channel.messages = [corpus.message(kind, flags="") for kind in KINDS]
    channel.remote.add("INBOX", *channel.messages)
    channel.sync()
    return channel


def test_first_pull(channel, corpus):
    boxes = {"INBOX": corpus.messages(60), "Lists/even": corpus.messages(20), "Lists": corpus.messages(3)}
    for name in list(boxes)[1:]:
        channel.remote.create(name)
    for name, messages in boxes.items():
        channel.remote.add(name, *messages)
    channel.sync()
    assert channel.state() == {("INBOX",): contents(*boxes["INBOX"]),
                               ("Lists",): contents(*boxes["Lists"]),
                               ("Lists", "even"): contents(*boxes["Lists/even"])}


def test_first_push(channel, corpus):
    boxes = {"INBOX": corpus.messages(60), "Lists/even": corpus.messages(20), "Lists": corpus.messages(3)}
    channel.local.fill(boxes)
    channel.sync()
    assert channel.state() == {("INBOX",): contents(*boxes["INBOX"]),
                               ("Lists",): contents(*boxes["Lists"]),
                               ("Lists", "even"): contents(*boxes["Lists/even"])}


@pytest.mark.parametrize("side", SIDES)
def test_nothing_at_all(channel, side):
    if side == "local":
        channel.local.create("INBOX")
    channel.sync()
    assert channel.state() == {("INBOX",): []}


@pytest.mark.parametrize("side", SIDES)
def test_new_messages(pair, corpus, side):
    new = corpus.messages(10)
    pair.side(side).add("INBOX", *new)
    pair.sync()
    assert pair.state() == {("INBOX",): contents(*pair.messages, *new)}


def test_new_messages_on_both_sides_at_once(pair, corpus):
    here, there = corpus.messages(5), corpus.messages(5)
    pair.local.add("INBOX", *here)
    pair.remote.add("INBOX", *there)
    pair.sync()
    assert pair.state() == {("INBOX",): contents(*pair.messages, *here, *there)}


def test_equal_copies_stay_as_many_as_they_are(pair, corpus):
    message = corpus.message("copy", flags="S")
    held = sum(row[0] == message.digest for row in pair.state()[("INBOX",)])
    pair.local.add("INBOX", message, message)
    pair.remote.add("INBOX", message)
    pair.sync()
    before = pair.state()
    assert sum(row[0] == message.digest for row in before[("INBOX",)]) - held in (2, 3)
    pair.sync()
    assert pair.state() == before


def test_unseen_messages_are_delivered_to_new(channel, corpus):
    seen, unseen, flagged = (corpus.message("plain", flags=flags) for flags in ("S", "", "F"))
    channel.remote.add("INBOX", seen, unseen, flagged)
    channel.sync()
    place = {message: channel.local.paths("INBOX", message)[0].split("/")[-2]
             for message in (seen, unseen, flagged)}
    assert place == {seen: "cur", unseen: "new", flagged: "cur"}
    for message in (seen, unseen, flagged):
        name = channel.local.paths("INBOX", message)[0].rsplit("/", 1)[1]
        assert f",S={len(message.body.replace(chr(13).encode(), b''))}," in name
        assert f",W={len(message.body)}" in name


@pytest.mark.parametrize("flag", "DFPRST")
@pytest.mark.parametrize("side", SIDES)
def test_each_flag_is_set_and_unset(pair, side, flag):
    message, *rest = pair.messages
    pair.side(side).set_flags("INBOX", message, flag)
    pair.sync()
    assert pair.state() == {("INBOX",): contents(message.with_flags(flag), *rest)}
    pair.side(side).set_flags("INBOX", message, "")
    pair.sync()
    assert pair.state() == {("INBOX",): contents(message, *rest)}


def test_flags_merge_one_by_one(pair):
    """Per flag, what changed goes over: all combinations of a flag's change here and there."""
    letters = "DFPRS"
    message, *rest = pair.messages
    for base, here, there in itertools.islice(itertools.product(["", "FS", "DPR"], ["", "F", "DS"], ["R", "PS"]), 18):
        for side in SIDES:
            pair.side(side).set_flags("INBOX", message, base)
        pair.sync()
        pair.local.set_flags("INBOX", message, here)
        pair.remote.set_flags("INBOX", message, there)
        pair.sync()
        merged = "".join(flag for flag in letters if (
            (flag in here) if (flag in here) != (flag in base) else (flag in there)))
        assert pair.state() == {("INBOX",): contents(message.with_flags(merged), *rest)}, (base, here, there)


def test_many_flags_at_once(channel, corpus):
    messages = corpus.messages(64, "plain", flags="")
    channel.remote.add("INBOX", *messages)
    channel.sync()
    wanted = [message.with_flags("".join(flag for bit, flag in enumerate("DFPRS") if number >> bit & 1))
              for number, message in enumerate(messages)]
    for number, message in enumerate(wanted):
        channel.side(SIDES[number % 2]).set_flags("INBOX", message, message.flags)
    channel.sync()
    assert channel.state() == {("INBOX",): contents(*wanted)}


@pytest.mark.parametrize("side", SIDES)
def test_deletions(pair, side):
    gone, *rest = pair.messages
    pair.side(side).remove("INBOX", gone)
    pair.sync()
    assert pair.state() == {("INBOX",): contents(*rest)}


@pytest.mark.parametrize("side", SIDES)
def test_deleted_here_and_flagged_there_is_deleted(pair, side):
    gone, *rest = pair.messages
    pair.side(side).remove("INBOX", gone)
    pair.side(OTHER[side]).set_flags("INBOX", gone, "F")
    pair.sync()
    assert pair.state() == {("INBOX",): contents(*rest)}


def test_deleted_on_both_sides(pair):
    gone, *rest = pair.messages
    for side in SIDES:
        pair.side(side).remove("INBOX", gone)
    pair.sync()
    assert pair.state() == {("INBOX",): contents(*rest)}


@pytest.mark.parametrize("side", SIDES)
def test_deletions_go_to_the_trash(pair, side):
    """Where a side is to keep its deleted messages in its trash, the other learns of them there."""
    pair.remote.create("Trash")
    pair.keys["deletions"] = {OTHER[side]: "trash"}
    pair.sync()
    gone, *rest = pair.messages
    pair.side(side).remove("INBOX", gone)
    pair.sync()
    there = pair.side(OTHER[side]).state()
    assert there[("INBOX",)] == contents(*rest)
    assert [state[0] for state in there[("Trash",)]] == [gone.digest]
    pair.sync()
    end = pair.state()
    assert end[("INBOX",)] == contents(*rest)
    assert [state[0] for state in end[("Trash",)]] == [gone.digest]


@pytest.mark.parametrize("side", SIDES)
def test_deletions_are_kept(pair, side):
    pair.keys["deletions"] = {OTHER[side]: "keep"}
    gone, *rest = pair.messages
    pair.side(side).remove("INBOX", gone)
    for _ in range(2):
        pair.sync()
        assert pair.side(side).state() == {("INBOX",): contents(*rest)}
        assert pair.side(OTHER[side]).state() == {("INBOX",): contents(*pair.messages)}


@pytest.mark.parametrize("side", SIDES)
def test_deleted_is_marked_alone_for_others(pair, corpus, side):
    """Messages that the server's user has marked \\Deleted are not taken along by our expunge."""
    marked, gone, *rest = pair.messages
    pair.remote.set_flags("INBOX", marked, "T")
    pair.sync()
    pair.side(side).remove("INBOX", gone)
    pair.sync()
    assert pair.state() == {("INBOX",): contents(marked.with_flags("T"), *rest)}


@pytest.mark.parametrize("side", SIDES)
def test_new_mailboxes(pair, corpus, side):
    deep = corpus.messages(3)
    for name in ("Work", "Work/2024/May", "Empty"):
        pair.side(side).create(name)
    pair.side(side).add("Work/2024/May", *deep)
    pair.sync()
    state = pair.state()
    assert state[("Work", "2024", "May")] == contents(*deep)
    assert state[("Work",)] == state[("Empty",)] == []


ODD_NAMES = [("Entwürfe",), ("日本語", "𝄞"), ("a.b",), ("with blanks  in it",), ("100%",), ("%41",), ("A&B",),
             ("&",), ("cur",), ("x", "new", "tmp"), (".hidden",), ("..",), ("...",), ("x", "..", "y"), ("~tilde",), ("quote\"d",),
             ("back\\slash",), ("star*",), ("(list) {5}",), ("INBOXED",), ("inbox", "below"), ("-c",), ("a:2,S",),
             ("x" * 60, "y" * 60)]


@pytest.mark.parametrize("name", ODD_NAMES, ids="/".join)
@pytest.mark.parametrize("layout", ["tree", "maildir++"])
def test_odd_names_from_the_server(make_channel, servers, corpus, name, layout):
    channel = make_channel(server=servers(mail="sdbox", listescape=True))
    channel.layout = layout
    message = corpus.message(flags="S")
    channel.remote.create(name)
    channel.remote.add(name, message)
    channel.sync()
    if name[0] == "inbox":
        name = ("INBOX", *name[1:])
    state = channel.state()
    assert state[name] == contents(message)
    channel.sync()
    assert channel.state() == state
    new = corpus.message(flags="S")
    channel.local.add(name, new)
    channel.sync()
    assert channel.state()[name] == contents(message, new)


@pytest.mark.parametrize("name", [("a/b",), ("100%2F",), ("a", "b/c")], ids=str)
def test_slashes_within_names(make_channel, servers, corpus, name):
    """A server with another separator may have a '/' in a name: one mailbox, not two."""
    channel = make_channel(server=servers(separator=".", listescape=True))
    message = corpus.message()
    channel.remote.create(name)
    channel.remote.add(name, message)
    channel.sync()
    state = channel.state()
    assert state[name] == contents(message)
    channel.sync()
    assert channel.state() == state


@pytest.mark.parametrize("name", ["Entwürfe", "日本語/𝄞", "with blanks  in it", "100%", "A&B", "x/y/z"])
def test_odd_names_from_the_disk(channel, corpus, name):
    message = corpus.message()
    channel.local.fill({"INBOX": [], name: [message]})
    channel.sync()
    assert channel.state()[tuple(name.split("/"))] == contents(message)


@pytest.mark.parametrize("options", [{"separator": "."}, {"separator": ".", "prefix": "INBOX."},
                                     {"mail": "sdbox"}, {"mail": "maildir-fs"}], ids=str)
def test_namespaces_and_storages(make_channel, servers, corpus, options):
    channel = make_channel(server=servers(**options))
    boxes = {"INBOX": corpus.messages(4), "Work/2024": corpus.messages(4)}
    channel.remote.create("Work/2024")
    for name, messages in boxes.items():
        channel.remote.add(name, *messages)
    mine = corpus.messages(2)
    channel.local.fill({"Home/garden": mine})
    channel.sync()
    assert channel.state()[("Home", "garden")] == contents(*mine)
    assert channel.state()[("Work", "2024")] == contents(*boxes["Work/2024"])
    assert channel.state()[("INBOX",)] == contents(*boxes["INBOX"])


def test_shared_mailboxes(make_channel, servers, corpus):
    """What the account sees of others comes only where it is meant, and then stays."""
    channel = make_channel(server=servers(shared=True))
    team, mine, later = (corpus.messages(2) for _ in range(3))
    channel.remote.create("Shared/team")
    channel.remote.create("Shared/other")
    channel.remote.create("Mine")
    channel.remote.add("Shared/team", *team)
    channel.remote.add("Mine", *mine)
    said = channel.run("sync", "-v").err
    assert "2 mailboxes of other users, or shared ones, are left out" in said
    assert set(channel.local.state()) == {("INBOX",), ("Mine",)}
    channel.keys["mailboxes"] = ["*", "Shared/t*"]
    channel.run("sync")
    assert set(channel.local.state()) == {("INBOX",), ("Mine",), ("Shared", "team")}
    assert channel.local.state()[("Shared", "team")] == contents(*team)
    channel.keys["mailboxes"] = ["*"]
    channel.remote.add("Shared/team", *later)
    channel.run("sync")
    assert channel.local.state()[("Shared", "team")] == contents(*team, *later)


@pytest.mark.parametrize("layout", ["tree", "maildir++"])
def test_layouts(make_channel, corpus, layout):
    channel = make_channel()
    channel.layout = layout
    here, there, inbox = (corpus.messages(3) for _ in range(3))
    channel.local.fill({"INBOX": inbox, "Here/below": here})
    channel.remote.create("There/below")
    channel.remote.add("There/below", *there)
    channel.sync()
    state = channel.state()
    assert state[("INBOX",)] == contents(*inbox)
    assert state[("Here", "below")] == contents(*here)
    assert state[("There", "below")] == contents(*there)


def test_content_with_bare_line_ends_survives(channel):
    """A bare CR would not come back from a file of bare LFs: stored byte by byte."""
    message = Message(b"From: a@example.org\r\n\r\nbare \r carriage\r\rreturns\r\n", "S")
    channel.remote.add("INBOX", message)
    held = channel.remote.state()
    channel.sync()
    assert channel.state() == held


def test_private_modes(pair):
    modes = {path: mode & 0o777 for path, (_, _, _, mode) in pair.disk().items()}
    assert modes and all(mode in (0o700, 0o600) for mode in modes.values()), modes
    assert not pair.local.litter()
