# SPDX-License-Identifier: GPL-3.0-or-later
"""One channel between a test's user and a test's directory, and evenmail to run on it."""
import json
import os
import resource
import signal
import subprocess

from local import Local
from remote import Remote

SYNC_SECONDS = 120
# A sanitizer's report must not be taken for an exit status of evenmail's.
SANITIZER_STATUS = 99


class Ended(Exception):
    """evenmail ended otherwise than the test expected."""


class Channel:
    """Change `remote_keys`, `local_keys` and `keys` at will; each run writes the configuration anew."""

    def __init__(self, evenmail, server, user, directory, port=None, name="test"):
        self.evenmail = evenmail
        self.server = server
        self.user = user
        self.directory = str(directory)
        self.name = name
        self.layout = "tree"
        self.local_root = f"{self.directory}/mail"
        self.remote_keys = {"host": "localhost", "port": port or server.imaps_port, "tls": "implicit",
                            "ca-file": server.ca_file, "user": user, "password": server.password}
        self.local_keys = {}
        self.keys = {}
        self._remote = None

    @property
    def config_file(self):
        return f"{self.directory}/config.yaml"

    @property
    def state_directory(self):
        return f"{self.directory}/state/evenmail/{self.name}"

    @property
    def local(self):
        return Local(self.local_root, self.layout)

    @property
    def remote(self):
        if self._remote is None:
            self._remote = Remote(self.server, self.user)
        return self._remote

    def side(self, name):
        return {"local": self.local, "remote": self.remote}[name]

    def close(self):
        if self._remote is not None:
            self._remote.close()
            self._remote = None

    def use_plain(self, port=None):
        """Goes without TLS, so that a proxy's transcript can be read."""
        self.remote_keys["tls"] = "none"
        self.remote_keys["port"] = port or self.server.imap_port
        self.remote_keys.pop("ca-file", None)

    def settings(self):
        return {"remote": self.remote_keys,
                "local": {"path": self.local_root, "layout": self.layout, **self.local_keys}, **self.keys}

    def write_config(self, *others):
        """Writes this channel, and others beside it, into one configuration, at one stroke: a run may read it."""
        channels = {channel.name: channel.settings() for channel in (self, *others)}
        write_private(f"{self.config_file}.new", "\n".join(yaml_lines({"channels": channels})) + "\n")
        os.replace(f"{self.config_file}.new", self.config_file)

    def environment(self, **more):
        return {"PATH": os.environ["PATH"], "HOME": self.directory, "LANG": "C.UTF-8",
                "XDG_STATE_HOME": f"{self.directory}/state", "XDG_CONFIG_HOME": f"{self.directory}/config",
                "ASAN_OPTIONS": f"exitcode={SANITIZER_STATUS}:detect_leaks=1",
                "TSAN_OPTIONS": f"exitcode={SANITIZER_STATUS}:halt_on_error=1",
                "UBSAN_OPTIONS": f"exitcode={SANITIZER_STATUS}:print_stacktrace=1", **more}

    def argv(self, command, *arguments):
        return [self.evenmail, *command.split(), "-c", self.config_file, *arguments]

    def start(self, command="sync", *arguments, most_bytes=None, **more):
        """Starts evenmail and does not wait for it; most_bytes is how large a file may become."""
        self.write_config()

        def limit():
            # SIGXFSZ would end it; ignored, a write fails with EFBIG as a full disk's does.
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

        # With a function to call before the program it would be fork(), which copies all of Python's pages.
        return subprocess.Popen(self.argv(command, *arguments), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.environment(**more), cwd=self.directory,
                                preexec_fn=None if most_bytes is None else limit)

    def run(self, command="sync", *arguments, status=0, **more):
        """Runs evenmail to its end, which must have that exit status."""
        process = self.start(command, *arguments, **more)
        try:
            process.out, process.err = process.communicate(timeout=SYNC_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.out, process.err = process.communicate()
            raise Ended(f"evenmail {command} hangs:\n{process.out}{process.err}") from None
        if status is not None and process.returncode != status:
            raise Ended(f"evenmail {command} ended with {process.returncode}, not {status}:\n"
                        f"{process.out[-4000:]}{process.err[-8000:]}")
        if process.returncode == SANITIZER_STATUS or process.returncode < 0:
            raise Ended(f"evenmail {command} broke ({process.returncode}):\n{process.err[-8000:]}")
        return process

    def sync(self, *arguments, status=0):
        return self.run("sync", *arguments, status=status)

    def summary(self, command="sync", *arguments, status=0):
        """The last line of what --json prints."""
        lines = self.run(command, "--json", *arguments, status=status).out.splitlines()
        events = [json.loads(line) for line in lines]
        assert events and events[-1]["event"] == "summary"
        return events[-1]

    def state(self):
        """What both sides hold, which must be the same."""
        local, remote = self.local.state(), self.remote.state()
        assert local == remote, "the sides are not even: " + describe_difference(local, remote)
        return local

    def disk(self):
        """Everything on disk that a run could have written: {path: (inode, size, mtime, mode)}.

        But for the lock, which names its holder.
        """
        found = {}
        for top in (self.local_root, f"{self.directory}/state"):
            for parent, folders, names in os.walk(top):
                for name in (*folders, *(name for name in names if name != "lock")):
                    path = os.path.join(parent, name)
                    status = os.lstat(path)
                    found[path] = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode)
        return found


def describe_difference(local, remote):
    parts = [f"mailboxes only local {sorted(set(local) - set(remote))},"
             f" only remote {sorted(set(remote) - set(local))}"]
    for mailbox in sorted(set(local) & set(remote)):
        only_local = sorted(set(local[mailbox]) - set(remote[mailbox]))
        only_remote = sorted(set(remote[mailbox]) - set(local[mailbox]))
        if local[mailbox] != remote[mailbox]:
            parts.append(f"{mailbox}: {len(local[mailbox])} local, {len(remote[mailbox])} remote,"
                         f" only local {only_local[:3]}, only remote {only_remote[:3]}")
    return "; ".join(parts)


def contents(*messages):
    """What a mailbox that holds these messages shows as its state."""
    return sorted(message.state for message in messages)


def write_private(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def yaml_lines(value, indent=""):
    """Block style, as people write it; scalars as JSON, which YAML reads alike."""
    for key, entry in value.items():
        if isinstance(entry, dict) and entry:
            yield f"{indent}{key}:"
            yield from yaml_lines(entry, indent + "  ")
        elif isinstance(entry, (list, dict)):
            yield f"{indent}{key}: {json.dumps(entry)}"
        else:
            text = entry if isinstance(entry, str) and entry.isalnum() and entry[0].isalpha() else json.dumps(entry)
            yield f"{indent}{key}: {text}"
