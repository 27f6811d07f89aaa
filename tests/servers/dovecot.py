#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private Dovecot 2.3 on loopback, in a directory of its own.

From Python (`with Dovecot(separator=".") as server: ...`) or from the shell:

    dovecot.py start DIR [--separator .] [--prefix INBOX.] [--mail sdbox] [--capability "..."]
    dovecot.py stop DIR

start returns when the server answers, and prints what one needs to reach it as JSON (also kept in
DIR/server.json). Any user name logs in with the password, or with the token over XOAUTH2 and
OAUTHBEARER; a user's mail lies in DIR/mail/USER. Any number of servers may run at once.

Started by root the server keeps Dovecot's own users and the mail belongs to "mail"; started by
anybody else it runs wholly as that user.
"""
import argparse
import getpass
import grp
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PASSWORD = "correct-horse-7"
TOKEN = "ya29.opaque-token-for-tests"
START_SECONDS = 60
STOP_SECONDS = 3

# What a server of plain RFC 3501 offers; Dovecot still honours the rest, so a test looks into the
# transcript for commands that such a server would not know.
PLAIN_IMAP = "IMAP4rev1"

MAIL_LOCATIONS = {
    "maildir": "maildir:~/Maildir",
    "maildir-fs": "maildir:~/Maildir:LAYOUT=fs",
    "sdbox": "sdbox:~/sdbox",
}

CONFIG = """\
protocols = imap
listen = 127.0.0.1
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/log
auth_verbose = yes
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
disable_plaintext_auth = {tls_only}
ssl = yes
ssl_cert = <{dir}/tls/server.pem
ssl_key = <{dir}/tls/server.key
ssl_min_protocol = TLSv1.2
{users}
passdb {{
  driver = static
  mechanisms = plain login
  args = password={password}
}}
passdb {{
  driver = static
  mechanisms = xoauth2 oauthbearer
  args = password={token}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/mail/%u allow_all_users=yes
}}
first_valid_uid = 1
first_valid_gid = 0
mail_location = {mail_location}
mail_fsync = never
mail_max_userip_connections = 1000
{settings}
{plugins}
{shared}
namespace inbox {{
  inbox = yes
  separator = {separator}
  prefix = {prefix}
  mailbox Trash {{
    special_use = \\Trash
  }}
  mailbox Sent {{
    special_use = \\Sent
  }}
  mailbox Junk {{
    special_use = \\Junk
  }}
}}
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = {imaps_port}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 200
  service_count = 50
}}
service auth {{
  client_limit = 2000
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
protocol imap {{
  {capability}
  {deflate}
}}
"""


SHARED = """\
namespace shared {{
  type = public
  separator = {separator}
  prefix = Shared{separator}
  location = maildir:{dir}/mail/shared
  mailbox Trash {{
    special_use = \\Trash
  }}
  subscriptions = no
}}
"""


class ServerError(Exception):
    """The server could not be started or stopped."""


def find_free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def run(*argv, **kwargs):
    """Runs a program to its end and returns its output; what it says goes into the error."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **kwargs)
    if done.returncode != 0:
        raise ServerError(f"{' '.join(argv)}: {done.stdout.decode(errors='replace').strip()}")
    return done.stdout


def find_program(name):
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        raise ServerError(f"{name} is missing (Debian: apt-get install dovecot-imapd openssl)")
    return path


def make_ca(directory, name):
    """Makes a CA of which nobody has heard; returns the path of its certificate."""
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-days", "2", "-subj", f"/CN=evenmail test {name}",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        "-keyout", f"{directory}/{name}.key", "-out", f"{directory}/{name}.pem")
    return f"{directory}/{name}.pem"


def make_certificate(directory, ca, name, alt_names, made="now", subject="evenmail test server"):
    """
    Makes directory/name.pem and name.key for alt_names ("DNS:x,IP:y"; "": none), signed by that CA.

    It is good for two days, which begin at `made`, as faketime takes it ("-10 days").
    """
    extensions = f"{directory}/{name}.ext"
    with open(extensions, "w", encoding="ascii") as file:
        file.write(f"subjectAltName={alt_names}\n" if alt_names else "")
        file.write("extendedKeyUsage=serverAuth\n")
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-subj", f"/CN={subject}", "-keyout", f"{directory}/{name}.key",
        "-out", f"{directory}/{name}.csr")
    clock = () if made == "now" else ("faketime", made)
    run(*clock, "openssl", "x509", "-req", "-in", f"{directory}/{name}.csr", "-CA", f"{directory}/{ca}.pem",
        "-CAkey", f"{directory}/{ca}.key", "-set_serial", str(time.time_ns()), "-days", "2",
        "-extfile", extensions, "-out", f"{directory}/{name}.pem")


class Dovecot:
    """One server; directory None means a temporary one, which close() takes away."""

    def __init__(self, directory=None, mail="maildir", separator="/", prefix="", capability=None,
                 listescape=False, certificate_names="DNS:localhost,IP:127.0.0.1",
                 certificate_made="now", certificate_subject="evenmail test server", tls_only=False, deflate=False, shared=False, settings=""):
        self.temporary = directory is None
        # Sockets live below: their path must stay short of 108 bytes.
        self.dir = os.path.abspath(directory or tempfile.mkdtemp(prefix="evenmail-dovecot-", dir="/tmp"))
        self.mail = mail
        self.separator = separator
        self.prefix = prefix
        self.capability = capability
        self.listescape = listescape
        self.certificate_names = certificate_names
        self.certificate_made = certificate_made
        self.certificate_subject = certificate_subject
        self.tls_only = tls_only
        self.deflate = deflate
        self.shared = shared
        self.settings = settings
        self.password = PASSWORD
        self.token = TOKEN
        self.host = "localhost"
        self.imap_port = None
        self.imaps_port = None
        self.owner = self._find_owner()

    @staticmethod
    def _find_owner():
        """Whose mail it is: nobody may serve mail as root."""
        return pwd.getpwnam("mail") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())

    @property
    def conf(self):
        return f"{self.dir}/dovecot.conf"

    @property
    def ca_file(self):
        return f"{self.dir}/tls/ca.pem"

    def home(self, user):
        return f"{self.dir}/mail/{user}"

    def start(self):
        """Starts the server and waits until it answers; a lost race for a port is run again."""
        for _ in range(5):
            self._write()
            said = self._launch()
            if said is None:
                self._await_greeting()
                return self
            if "Address already in use" not in said:
                raise ServerError(said)
            self.imap_port = self.imaps_port = None
        raise ServerError("no free port")

    def _launch(self):
        """Runs the master until it has gone to the background; returns what it said if it failed.

        Into a file: the server keeps its standard output, and a pipe would never end.
        """
        with open(f"{self.dir}/start.log", "w+", encoding="utf-8", errors="replace") as said:
            code = subprocess.call([find_program("dovecot"), "-c", self.conf], stdin=subprocess.DEVNULL,
                                   stdout=said, stderr=said, timeout=START_SECONDS)
            said.seek(0)
            return said.read() + self.log() if code != 0 else None

    def _write(self):
        for name in ("", "/mail", "/tls"):
            os.makedirs(self.dir + name, exist_ok=True)
        os.chmod(self.dir, 0o755)
        os.chmod(f"{self.dir}/mail", 0o755)
        os.chown(f"{self.dir}/mail", self.owner.pw_uid, self.owner.pw_gid)
        if not os.path.exists(f"{self.dir}/tls/server.pem"):
            make_ca(f"{self.dir}/tls", "ca")
            make_certificate(f"{self.dir}/tls", "ca", "server", self.certificate_names,
                             self.certificate_made, self.certificate_subject)
        self.imap_port = self.imap_port or find_free_port()
        self.imaps_port = self.imaps_port or find_free_port()
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write(self._config())
        with open(f"{self.dir}/server.json", "w", encoding="utf-8") as file:
            json.dump(self.describe(), file, indent=2)

    def _config(self):
        users = ""
        if os.geteuid() != 0:
            name = getpass.getuser()
            group = grp.getgrgid(os.getegid()).gr_name
            users = (f"default_internal_user = {name}\ndefault_login_user = {name}\n"
                     f"default_internal_group = {group}\n")
        return CONFIG.format(
            dir=self.dir, users=users, uid=self.owner.pw_uid, gid=self.owner.pw_gid,
            password=self.password, token=self.token, separator=self.separator,
            prefix=self.prefix, mail_location=MAIL_LOCATIONS[self.mail],
            settings=self.settings,
            plugins="mail_plugins = listescape" if self.listescape else "",
            tls_only="yes" if self.tls_only else "no",
            shared=SHARED.format(dir=self.dir, separator=self.separator) if self.shared else "",
            imap_port=self.imap_port, imaps_port=self.imaps_port,
            deflate="mail_plugins = $mail_plugins imap_zlib" if self.deflate else "",
            capability=f"imap_capability = {self.capability}" if self.capability else "")

    def _await_greeting(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.imap_port), 5) as sock:
                    sock.settimeout(30)
                    if sock.recv(4).startswith(b"* OK"):
                        return
            except OSError:
                pass
            if time.monotonic() > deadline:
                self.stop()
                raise ServerError(f"Dovecot does not answer; its log:\n{self.log()}")
            time.sleep(0.05)

    def describe(self):
        return {"dir": self.dir, "host": self.host, "imap_port": self.imap_port,
                "imaps_port": self.imaps_port, "ca_file": self.ca_file, "conf": self.conf,
                "password": self.password, "token": self.token}

    def log(self):
        try:
            with open(f"{self.dir}/log", encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def await_no_client(self):
        """Until the server has noticed that all of them left."""
        deadline = time.monotonic() + START_SECONDS
        while self.doveadm("-f", "flow", "who", "-1"):
            if time.monotonic() > deadline:
                raise ServerError("a client is still there")
            time.sleep(0.02)

    def stop(self):
        """Ends the master, which ends all the rest, and waits for it."""
        stop_master(self.dir)

    def close(self):
        self.stop()
        if self.temporary:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def doveadm(self, *argv, data=None):
        """Runs doveadm on this server; returns its output."""
        done = subprocess.run([find_program("doveadm"), "-c", self.conf, *argv], input=data,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise ServerError(f"doveadm {' '.join(argv)}: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def give_to_owner(self, path):
        """Makes the files below path the mail owner's, as the server's processes need."""
        for parent, _, names in os.walk(path):
            os.chown(parent, self.owner.pw_uid, self.owner.pw_gid)
            for name in names:
                os.chown(os.path.join(parent, name), self.owner.pw_uid, self.owner.pw_gid)


def stop_master(directory):
    """Ends the master of a directory and waits until it and all its children have gone.

    A child that serves an idle login can take a minute to notice; it is not waited for that long.
    """
    try:
        with open(f"{directory}/run/master.pid", encoding="ascii") as file:
            master = int(file.read())
        os.kill(master, signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError):
        return
    deadline = time.monotonic() + STOP_SECONDS
    while session_members(master):
        if time.monotonic() > deadline:
            kill_all(session_members(master))
        time.sleep(0.01)


def kill_all(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def session_members(leader):
    """The processes of a session, those left out that only wait to be reaped."""
    members = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                state, _parent, _group, session = file.read().rsplit(")", 1)[1].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(session) == leader and state != "Z":
            members.append(int(name))
    return members


def main():
    parser = argparse.ArgumentParser(description="starts and stops a private Dovecot")
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("start", help="start a server and print how to reach it")
    start.add_argument("dir")
    start.add_argument("--mail", choices=sorted(MAIL_LOCATIONS), default="maildir")
    start.add_argument("--separator", default="/")
    start.add_argument("--prefix", default="")
    start.add_argument("--capability", help="what the server says that it offers")
    start.add_argument("--listescape", action="store_true",
                       help="allow the separator's characters in mailbox names")
    start.add_argument("--deflate", action="store_true", help="offer COMPRESS=DEFLATE")
    stop = commands.add_parser("stop", help="stop the server of a directory")
    stop.add_argument("dir")
    args = parser.parse_args()
    try:
        if args.command == "stop":
            stop_master(os.path.abspath(args.dir))
        else:
            options = vars(args)
            del options["command"]
            server = Dovecot(options.pop("dir"), **options).start()
            print(json.dumps(server.describe(), indent=2))
    except ServerError as error:
        sys.exit(f"dovecot.py: {error}")


if __name__ == "__main__":
    main()
