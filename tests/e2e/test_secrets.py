# SPDX-License-Identifier: GPL-3.0-or-later
"""What others could see, leave in the way or have read: secrets, modes, links, hostile configurations."""
import base64
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile

import pytest

from channel import contents, write_private

LOCAL, CONFIG, UNEVEN = 74, 78, 1
STRANGER = 12345
NOBODY = 65534
PYTHON = sys.executable

# What a child of evenmail's sees: of its ancestor of that name, and of itself.
LOOK = r"""
import json, os, resource, sys

def read(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode("latin-1")
    except PermissionError:
        return "hidden"

pid = os.getppid()
while read(f"/proc/{pid}/comm").strip() != "evenmail":
    pid = int(read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()[1])
seen = {"argv": read(f"/proc/{pid}/cmdline"), "environment": read(f"/proc/{pid}/environ"),
        "own argv": read("/proc/self/cmdline"), "own environment": read("/proc/self/environ"),
        "owner": os.stat(f"/proc/{pid}/environ").st_uid, "core": read(f"/proc/{pid}/limits").split("core file size")[1].split()[:2],
        "stdin": os.readlink("/proc/self/fd/0"),
        "descriptors": sorted(int(fd) for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}"))}
with open(sys.argv[1], "w") as file:
    json.dump(seen, file)
"""


def write_look(directory):
    path = os.path.join(directory, "look.py")
    with open(path, "w") as file:
        file.write(LOOK)
    return path


def spellings(user, secret):
    """A secret as it is and as logins send it."""
    texts = [secret, f"\0{user}\0{secret}", f"user={user}\1auth=Bearer {secret}\1\1"]
    return [secret] + [base64.b64encode(text.encode()).decode().rstrip("=") for text in texts]


def files_below(directory):
    for parent, _, names in os.walk(directory):
        yield from (os.path.join(parent, name) for name in names)


@pytest.fixture
def pair(channel, corpus):
    """Even, with mail on both sides."""
    channel.there, channel.here = corpus.messages(3, "plain"), corpus.message()
    channel.remote.add("INBOX", *channel.there)
    channel.sync()
    channel.local.add("INBOX", channel.here)
    channel.sync()
    channel.all = contents(*channel.there, channel.here)
    return channel


def test_a_secret_is_seen_by_nobody(channel, corpus, tmp_path):
    """FAULTS 46: in no argv, no environment of ours or of children, no output at -vv and no file; none of
    our descriptors is a child's, and its input is empty."""
    look, secret = write_look(tmp_path), channel.server.password
    kept = tmp_path / "kept"
    write_private(str(kept), secret + "\n")
    del channel.remote_keys["password"]
    channel.remote_keys["password-command"] = f"{PYTHON} {look} {channel.directory}/asked; cat {kept}"
    channel.keys["connections"] = 2
    channel.keys["hooks"] = {"after": f"{PYTHON} {look} {channel.directory}/hooked"}
    channel.remote.add("INBOX", *corpus.messages(2))
    process = channel.run("sync", "-vv")
    hidden = spellings(channel.user, secret)
    assert "LIST" in process.err, "the protocol is shown at -vv"
    assert not [text for text in hidden if text in process.out + process.err]
    for name in ("asked", "hooked"):
        with open(os.path.join(channel.directory, name)) as file:
            seen = json.load(file)
        assert not [text for text in hidden if text in json.dumps(seen)]
        assert seen["stdin"] == "/dev/null"
        assert seen["descriptors"] == [0, 1, 2]
        assert seen["core"] == ["0", "0"]
    for path in files_below(channel.directory):
        with open(path, "rb") as file:
            held = file.read().decode("latin-1")
        assert not [text for text in hidden if text in held], path


def test_the_process_leaves_no_core_and_has_no_reader(evenmail, tmp_path):
    """FAULTS 46: of a process that may not be dumped the files in /proc are root's, whoever runs it."""
    directory = tempfile.mkdtemp(prefix="evenmail-nobody.", dir="/tmp")
    as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    program = shutil.copy(evenmail, os.path.join(directory, "evenmail"))
    config = os.path.join(directory, "config.yaml")
    command = f"{PYTHON} {write_look(directory)} {directory}/asked; exit 1"
    write_private(config, "channels:\n  a:\n    remote: {host: localhost, port: 9, user: u, password-command: "
                  f"\"{command}\"}}\n    local: {{path: {directory}/mail}}\n")
    try:
        if as_nobody:
            for path in [directory, *files_below(directory)]:
                os.chown(path, NOBODY, NOBODY)
        try:
            subprocess.run([program, "check", "-c", config], cwd=directory, timeout=120, stdin=subprocess.DEVNULL,
                           capture_output=True, check=False, env={"PATH": os.environ["PATH"], "HOME": directory},
                           **as_nobody)
        except PermissionError:
            pytest.skip("root here may not become another user")
        with open(os.path.join(directory, "asked")) as file:
            seen = json.load(file)
        assert seen["owner"] == 0
        assert seen["core"] == ["0", "0"]
    finally:
        shutil.rmtree(directory)


def test_all_is_for_the_user_alone(channel, corpus):
    """FAULTS 47: whatever the umask, files are 0600 and directories 0700."""
    channel.remote.add("INBOX", corpus.message(flags="FS"))
    channel.remote.create("Some/where")
    mask = os.umask(0)
    try:
        channel.sync()
        channel.remote.add("Some/where", *corpus.messages(2))
        channel.sync()
    finally:
        os.umask(mask)
    looked_at = 0
    for root in (channel.local_root, f"{channel.directory}/state"):
        for parent, _, names in os.walk(root):
            assert stat.S_IMODE(os.lstat(parent).st_mode) == 0o700, parent
            for path in (os.path.join(parent, name) for name in names):
                assert stat.S_IMODE(os.lstat(path).st_mode) == 0o600, path
                looked_at += 1
    assert looked_at > 5


@pytest.mark.parametrize("whose", ["mail", "state/evenmail/test"])
def test_what_belongs_to_another_is_refused(pair, whose):
    """FAULTS 47: a tree or a state directory of somebody else's is not worked on."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    pair.remote.remove("INBOX", pair.there[0])
    os.chown(os.path.join(pair.directory, whose), STRANGER, STRANGER)
    process = pair.sync(status=LOCAL)
    assert f"belongs to another user (uid {STRANGER})" in process.err
    assert pair.local.state()[("INBOX",)] == pair.all


@pytest.mark.parametrize("name,status", [("lock", LOCAL), ("channel", LOCAL), ("INBOX.journal", UNEVEN),
                                         (".channel.tmp", 0), (".INBOX.journal.tmp", 0), ("", LOCAL)])
def test_no_link_in_the_state_directory_is_followed(pair, corpus, tmp_path, name, status):
    """FAULTS 47: neither read nor written through; "" is the directory itself."""
    victim, place = tmp_path / "victim", os.path.join(pair.state_directory, name).rstrip("/")
    if os.path.lexists(place):
        os.rename(place, victim)
    else:
        victim.write_text("another's\n")
    os.symlink(victim, place)
    before = {path: (os.stat(path).st_mtime_ns, os.stat(path).st_size) for path in files_below(tmp_path)
              if "/victim" in path}
    before[str(victim)] = (os.stat(victim).st_mtime_ns, os.stat(victim).st_size)
    new = corpus.message()
    pair.remote.add("INBOX", new)
    pair.sync(status=status)
    for path, figures in before.items():
        assert (os.stat(path).st_mtime_ns, os.stat(path).st_size) == figures, path
    assert pair.remote.state()[("INBOX",)] == sorted(pair.all + contents(new))


def make_link(path, private):
    os.symlink(private, path)


def make_broken_link(path, private):
    os.symlink(f"{private}.none", path)


def make_fifo(path, _):
    os.mkfifo(path, 0o600)


def make_socket(path, _):
    # A socket's path is short; a directory of pytest's is not.
    here = os.getcwd()
    os.chdir(os.path.dirname(path))
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(os.path.basename(path))
    finally:
        os.chdir(here)


def make_device(path, _):
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))  # zero, which never ends
    except PermissionError:
        pytest.skip("root here may make no device")


def make_directory(path, private):
    os.mkdir(path)
    shutil.copy(private, path)


@pytest.mark.parametrize("where", ["cur", "new"])
@pytest.mark.parametrize("make", [make_link, make_broken_link, make_fifo, make_socket, make_device, make_directory])
def test_what_is_no_file_is_no_message(pair, tmp_path, make, where):
    """FAULTS 15: nothing private is uploaded, nothing blocks or is read for ever, nothing is taken away."""
    private = tmp_path / "private"
    private.write_text("From: a@b\n\nprivate\n")
    path = os.path.join(pair.local.directory("INBOX"), where, "1.M1P1.strange" + (":2,S" if where == "cur" else ""))
    pair.local.set_flags("INBOX", pair.here, "F")
    make(path, str(private))
    pair.run("sync", status=None)
    pair.run("sync", status=None)
    assert [content for content, *_ in pair.remote.state()[("INBOX",)]] == [content for content, *_ in pair.all]
    assert os.path.lexists(path)


@pytest.mark.parametrize("name", ["cur", "new", "tmp"])
def test_a_directory_that_leads_away_is_not_followed(pair, corpus, tmp_path, name):
    """FAULTS 15: cur -> /etc is an error of that mailbox; there nothing is read, written or deleted."""
    away, inside = tmp_path / "away", os.path.join(pair.local.directory("INBOX"), name)
    os.rename(inside, away)
    os.symlink(away, inside)
    (away / "1.M1P1.private").write_text("From: a@b\n\nprivate\n")
    before = sorted(os.listdir(away))
    pair.remote.remove("INBOX", pair.there[0])
    new = corpus.message()
    pair.remote.add("INBOX", new)
    assert pair.run("sync", status=None).returncode != 0
    assert sorted(os.listdir(away)) == before
    assert pair.remote.state()[("INBOX",)] == contents(*pair.there[1:], pair.here, new)


def write_bomb(path, _):
    """Each anchor names the one before ten times."""
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    write_private(path, "\n".join(lines) + "\n")


def write_depth(path, _):
    write_private(path, "channels: " + "[" * 100000 + "\n")


def write_length(path, text):
    write_private(path, text)
    os.truncate(path, 1 << 30)


def write_nul(path, text):
    write_private(path, text.replace("user", "us\0er", 1))


def write_unknown(path, text):
    write_private(path, text.replace("user:", "usr:", 1))


def write_for_all(path, text):
    write_private(path, text)
    os.chmod(path, 0o666)


def write_for_group(path, text):
    write_private(path, text)
    os.chmod(path, 0o620)


def write_secret_for_all(path, text):
    assert "password:" in text
    write_private(path, text)
    os.chmod(path, 0o644)


def write_as_fifo(path, _):
    os.remove(path)
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize("write", [write_bomb, write_depth, write_length, write_nul, write_unknown, write_for_all,
                                   write_for_group, write_secret_for_all, write_as_fifo])
def test_a_hostile_configuration_is_refused(channel, write):
    """FAULTS 45: with status 78 and a word about why, before anything is done; in bounded time and room."""
    channel.write_config()
    with open(channel.config_file) as file:
        write(channel.config_file, file.read())
    process = subprocess.run(channel.argv("sync"), env=channel.environment(), stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=120, check=False)
    assert process.returncode == CONFIG, process.stderr[-4000:]
    assert channel.config_file in process.stderr and len(process.stderr) < 2000
    assert channel.server.password not in process.stderr
    assert not os.path.exists(channel.local_root)


def test_another_users_configuration_is_refused(channel):
    """FAULTS 45: it names commands that are run."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    channel.write_config()
    os.chown(channel.config_file, STRANGER, STRANGER)
    process = subprocess.run(channel.argv("sync"), env=channel.environment(), capture_output=True, text=True,
                             timeout=120, check=False)
    assert process.returncode == CONFIG and "belongs to another user" in process.stderr
