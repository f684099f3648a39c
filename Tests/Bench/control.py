#!/usr/bin/env python3
"""Control with boards and pages by the hundred, beside Node's ws that fans out the same, and its start on a database that is large.

Boards are simulated by `LoadMain` (`Tests/Load`), which is on the same processors: its share is told apart, and a window in which it was
late itself (p99 of its boards' beats) is void: it is told, counts in nothing, and another one takes its place. Each board has a control connection
of its own, over TLS and proven by its Ed25519 identity, and sends a sample each second as a board does that is live over four modems. Each page has a
WebSocket over TLS, opened by a ticket, and is told of its organisation's boards: there are 20 organisations with 10 pages each. Boards keep to one
sample a second, though control asks those that somebody watches for five.

  200_agents, 2000_agents    pages take compressed messages, as browsers do; the peer compresses as well. Measured after half a minute: by then each board
                             has told all that comes now and then. Meanwhile somebody reads by the API and another one writes
  2000_agents_plain          neither compresses
  growth                     what a message to a page costs at 2,000 boards, by what it costs at 200: 1 is linear
  start                      10,000 senders, a million rows of audit log, events and broadcasts' recorders; nothing of the database is in the machine's
                             memory. `first_read` is when the API has answered a signed-in user, `listening` when the server answers at all

The identities lie in the database before control starts: enrolling them by the API is held back to 30 a minute, by design.
A sample's age is from the board's sending to the page's receiving, by one clock; one that never came is as old as the wait for it, three seconds.

--quick          shorter windows, after five seconds
--cases=A,B      only these
--threads=N      of control's web server, in place of its standard
"""
import http.client
import itertools
import json
import os
import random
import resource
import socket
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

from base64 import urlsafe_b64decode
from bench import PROGRAMS, Stage, die_with_parent, figure, free_port, processor_seconds, resident_mb, wait_for
from installation import PASSWORD, run
from web import HERE, announced

ORGANIZATIONS, PAGES_EACH = 20, 10
VOID_MS = 25  # p99 of the load's own lateness from which a window is void: a tenth of what an age may be
MOST_WINDOWS = 3  # for each that is asked for
START_SENDERS, START_ROWS, STARTS = 10_000, 1_000_000, 5
CASES = ("200_agents", "2000_agents", "2000_agents_plain", "start")
INVENTORY = json.dumps({
    "links": [{"name": "wwan0", "kind": "cellular", "state": "up", "addresses": ["192.0.2.2"], "mtu": 1500}],
    "inputs": [{"id": "test", "kind": "test", "name": "Test picture", "media": "both", "modes": []}],
    "encoders": [{"id": "x264", "codec": "h264", "hardware": False}]})


class Control:
    """strata-control alone, with organisations and their owners; `more` are further sections of its configuration."""

    def __init__(self, stage, name, organizations, threads=None, more=""):
        self.stage, self.name = stage, name
        self.folder = f"{stage.folder}/{name}"
        os.mkdir(self.folder, 0o700)
        self.page, self.tls = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM)
        self.origin = f"https://127.0.0.1:{self.tls}"
        self.provision("authority", "issue", "--host", "127.0.0.1", "--directory", self.path("authority"))
        # Boards and pages all come from one address here: that of a proxy is not counted.
        self.write("control.conf", f"""
            [server]
            listen = ["127.0.0.1:{self.page}"]
            listen_tls = ["127.0.0.1:{self.tls}"]
            certificate = "{self.path("authority/chain.pem")}"
            private_key = "{self.path("authority/key.pem")}"
            authority = "{self.path("authority/ca.pem")}"
            origins = ["{self.origin}", "http://127.0.0.1:{self.page}"]
            trusted_proxies = ["127.0.0.1"]
            {f"threads = {threads}" if threads else ""}
            [storage]
            state = "{self.path("state")}"
            [limits]
            general_per_minute = 1000000
            open_per_minute = 1000000
            {more}
        """)
        self.write("password", PASSWORD)
        self.start()
        self.provision(
            "register", "--setup-secret-file", self.path("state/setup-secret"), "--organization", "Bench 0", "--slug", "bench-0", "--email",
            "owner@bench-0.org", "--name", "Owner", "--password-file", self.path("password"))
        with open(self.path("state/operator-token")) as file:
            self.operator = file.read().strip()
        for number in range(1, organizations):
            slug = f"bench-{number}"
            self.call(self.operator, "POST", "/operator/organizations", {
                "name": f"Bench {number}", "slug": slug, "ownerEmail": f"owner@{slug}.org", "ownerDisplayName": "Owner", "ownerPassword": PASSWORD})
        self.owners = [self.sign_in(f"owner@bench-{number}.org") for number in range(organizations)]
        self.organizations = [self.call(owner, "GET", "/organization")["id"] for owner in self.owners]

    def start(self):
        self.process = self.stage.start(self.name, f"{PROGRAMS}/strata-control", "--config", self.path("control.conf"))
        wait_for("control answers", self.is_healthy, 20)

    def stop(self):
        self.stage.stop(self.process)

    def is_healthy(self):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.page}/health", timeout=2).status == 200
        except OSError:
            return False

    def sign_in(self, email):
        return self.call(None, "POST", "/auth/login", {"email": email, "password": PASSWORD})["accessToken"]

    def call(self, token, method, path, body=None):
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.page}/api/v1{path}", json.dumps(body).encode() if body else None, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise SystemExit(f"bench: {method} {path}: {error.code} {error.read().decode()}") from error

    def online(self):
        """How many boards control has."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.page}/metrics", headers={"Authorization": f"Bearer {self.operator}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        return sum(int(float(line.split()[1])) for line in lines if line.startswith("control_senders_online "))

    def database(self):
        """While control is stopped."""
        database = sqlite3.connect(self.path("state/strata.db"))
        database.execute("PRAGMA synchronous = OFF")
        return database

    def add_boards(self, identities):
        """Enrolls boards behind control's back, dealt out to the organisations in turn."""
        self.stop()
        database, now = self.database(), int(time.time() * 1000)
        database.executemany(
            "INSERT INTO devices (id, organization, kind, name, public_key, created_at) VALUES (?, ?, 'sender', ?, ?, ?)",
            ((identity["device"], self.organizations[number % len(self.organizations)], f"board {number}", decoded(identity["publicKey"]), now)
             for number, identity in enumerate(identities)))
        database.commit()
        database.close()
        self.start()

    def provision(self, *words):
        return run(f"{PROGRAMS}/strata-provision", "--server", f"http://127.0.0.1:{self.page}", "--session", self.path("session.json"), *words)

    def path(self, name):
        return f"{self.folder}/{name}"

    def write(self, name, text):
        with open(self.path(name), "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(text)


def decoded(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Load:
    """A program that makes the load: takes a line, answers with one."""

    def __init__(self, stage, name, program="LoadMain"):
        self.stage, self.name = stage, name
        with open(f"{stage.folder}/{name}.log", "ab") as log:
            self.process = subprocess.Popen(
                [f"{PROGRAMS}/{program}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, preexec_fn=die_with_parent)
        stage.running.append(self.process)

    def ask(self, words):
        self.process.stdin.write(f"{words}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"bench: the load ended at '{words}': {self.stage.log(self.name)}")
        return json.loads(line)

    def open(self, plan):
        file = f"{self.stage.folder}/{self.name}.json"
        with open(file, "w") as out:
            json.dump({"origin": None, "boards": [], "pages": [], "deflate": False} | plan, out)
        os.chmod(file, 0o600)
        self.ask(f"open {file}")


class Caller(threading.Thread):
    """Somebody who uses the API: one request after the other over one connection, with a pause between. Starts no process."""

    def __init__(self, control, token, pause, requests):
        super().__init__(daemon=True)
        self.control, self.token, self.pause, self.requests = control, token, pause, requests
        self.taken, self.last, self.fault, self.is_over = [], None, None, False
        self.start()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.control.page, timeout=30)
        try:
            for request in self.requests(self):
                if self.is_over:
                    return
                time.sleep(self.pause)
                self.last = self.send(connection, *request)
        except (OSError, RuntimeError, http.client.HTTPException) as fault:
            self.fault = f"{type(fault).__name__}: {fault}"
        finally:
            connection.close()

    def send(self, connection, method, path, body=None):
        began = time.monotonic()
        connection.request(method, f"/api/v1{path}", json.dumps(body) if body else None, {
            "Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        self.taken.append((time.monotonic() - began) * 1000)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]}")
        return json.loads(text) if text else None

    def begin(self):
        self.taken = []

    def take(self):
        """Milliseconds of each answer since `begin`."""
        if self.fault or not self.taken:
            raise SystemExit(f"bench: the API: {self.fault or 'nothing was answered'}")
        return self.taken


def reads(caller):
    """What pages read when they are opened."""
    yield "GET", "/senders"
    sender = caller.last["items"][0]["id"]
    for path in itertools.cycle(("/senders", f"/senders/{sender}", "/broadcasts", "/destinations", "/auth/me", "/audit", "/organization/settings")):
        yield "GET", path


def writes(caller):
    """What is acknowledged once it is on the disk: a destination comes, changes and goes."""
    for number in itertools.count():
        body = {"name": f"platform {number}", "preset": "twitch", "secret": "bench"}
        yield "POST", "/destinations", body
        path = f"/destinations/{caller.last['id']}"
        yield "PUT", path, body | {"name": f"platform {number}, renamed"}
        yield "DELETE", path


def p99(values):
    return sorted(values)[-(-len(values) * 99 // 100) - 1] if values else 0.0


class Fanning:
    """A server under its load, window by window."""

    def __init__(self, bench, process, load, callers=()):
        self.bench, self.process, self.load, self.callers = bench, process, load, callers

    def windows(self):
        """As many that hold as are asked for, and the lateness of each that is void."""
        held, void = [], []
        while len(held) < self.bench.count and len(held) + len(void) < MOST_WINDOWS * self.bench.count:
            window = self.window()
            late = window["load"]["lateMs"]["p99"]
            void.append(late) if late > VOID_MS else held.append(window)
        return held, void

    def window(self):
        for caller in self.callers:
            caller.begin()
        began, ours, theirs = time.monotonic(), processor_seconds(self.process.pid), processor_seconds(self.load.process.pid)
        load = self.load.ask(f"measure {self.bench.seconds}")
        passed = time.monotonic() - began
        if load["lost"]:
            raise SystemExit(f"bench: {load['lost']} connections were lost; the last: {load.get('lastReason')}")
        window = {
            "load": load, "cpu": (processor_seconds(self.process.pid) - ours) / passed * 100,
            "load_cpu": (processor_seconds(self.load.process.pid) - theirs) / passed * 100, "memory": resident_mb(self.process.pid),
            "calls": [caller.take() for caller in self.callers]}
        # The load goes on all the while.
        window["cpu_per_message"] = window["cpu"] / 100 / (load["came"] / self.bench.seconds) * 1e6 if load["came"] else 0.0
        return window

    def tell(self, case, peer=None):
        """Prints the figures; returns the median cost of a message to a page, in microseconds; None where too few windows held."""
        held, void = self.windows()
        figure("control", case, "void_windows", [len(void)], "windows", peer)
        if void:
            figure("control", case, "load_late_in_void_windows", void, "ms", peer)
        if len(held) < self.bench.count:
            # Without figures each target of the case is missed.
            print(f"bench: {case}: in {len(void)} windows the load was late, {len(held)} held, {self.bench.count} are asked for", file=sys.stderr)
            return None
        each = lambda read: [read(window) for window in held]
        for metric, name in (("age_p50", "p50"), ("age_p99", "p99"), ("age_max", "max")):
            figure("control", case, metric, each(lambda window: window["load"]["ageMs"][name]), "ms", peer)
        figure("control", case, "sent", each(lambda window: window["load"]["sent"] / self.bench.seconds), "1/s", peer)
        figure("control", case, "told", each(lambda window: window["load"]["came"] / self.bench.seconds), "1/s", peer)
        figure("control", case, "delivered", each(lambda window: window["load"]["came"] / max(window["load"]["expected"], 1) * 100), "%", peer)
        figure("control", case, "pictures", each(lambda window: window["load"]["pictures"]), "pictures", peer)
        figure("control", case, "dropped", each(lambda window: window["load"]["dropped"]), "samples", peer)
        figure("control", case, "cpu", each(lambda window: window["cpu"]), "% of a core", peer)
        figure("control", case, "cpu_per_message", each(lambda window: window["cpu_per_message"]), "us", peer)
        figure("control", case, "memory", each(lambda window: window["memory"]), "MB", peer)
        figure("control", case, "load_cpu", each(lambda window: window["load_cpu"]), "% of a core", peer)
        figure("control", case, "load_late_p99", each(lambda window: window["load"]["lateMs"]["p99"]), "ms", peer)
        for number, kind in enumerate(("read", "write")[:len(self.callers)]):
            figure("control", case, f"{kind}_p50", each(lambda window: statistics.median(window["calls"][number] or [0.0])), "ms", peer)
            figure("control", case, f"{kind}_p99", each(lambda window: p99(window["calls"][number])), "ms", peer)
            figure("control", case, f"{kind}s", each(lambda window: len(window["calls"][number])), "requests", peer)
        return statistics.median(window["cpu_per_message"] for window in held)


class Bench:
    def __init__(self, words):
        options = dict(word.removeprefix("--").partition("=")[::2] for word in words)
        unknown = set(options) - {"quick", "cases", "threads"}
        if unknown:
            sys.exit(f"bench: no option --{unknown.pop()}")
        self.cases = [name for name in options.get("cases", "").split(",") if name] or list(CASES)
        for name in self.cases:
            if name not in CASES:
                sys.exit(f"bench: no case '{name}'; there are {', '.join(CASES)}")
        self.threads = options.get("threads")
        self.is_quick = "quick" in options
        self.count, self.seconds = (1, 10) if self.is_quick else (3, 20)
        self.stage, self.costs = Stage(), {}

    def run(self):
        for case in self.cases:
            if case == "start":
                self.start()
            else:
                self.fan_out(case, int(case.split("_")[0]), case.endswith("_plain"))
        if {"200_agents", "2000_agents"} <= self.costs.keys():
            figure("control", "growth", "cpu_per_message", self.costs["2000_agents"] / self.costs["200_agents"], "times that at 200")

    def fan_out(self, case, boards, is_plain):
        control, load = Control(self.stage, f"control-{case}", ORGANIZATIONS, self.threads), Load(self.stage, f"load-{case}")
        identities = load.ask(f"identities {boards}")
        control.add_boards(identities)
        authority = control.path("authority/ca.pem")
        load.open({"origin": control.origin, "authority": authority, "boards": [
            {"url": f"wss://127.0.0.1:{control.tls}/api/v1/devices/connect", "device": identity["device"], "seed": identity["seed"],
             "pages": PAGES_EACH} for identity in identities]})
        wait_for("all boards are online", lambda: control.online() == boards, 60)
        tickets = [control.call(owner, "POST", "/auth/ticket")["ticket"] for owner in control.owners for _ in range(PAGES_EACH)]
        load.open({"authority": authority, "deflate": not is_plain, "pages": [
            f"wss://127.0.0.1:{control.tls}/api/v1/live?ticket={ticket}" for ticket in tickets]})
        time.sleep(5 if self.is_quick else 30)
        callers = [Caller(control, control.owners[0], 0.05, reads), Caller(control, control.owners[1], 0.1, writes)]
        time.sleep(2)
        cost = Fanning(self, control.process, load, callers).tell(case)
        if cost:
            self.costs[case] = cost
        for caller in callers:
            caller.is_over = True
        for caller in callers:
            caller.join(30)
        self.stage.stop(load.process, control.process)
        self.beside(case, identities, control, is_plain)

    def beside(self, case, identities, control, is_plain):
        """The same fan-out by ws: the same boards, samples and pages, and the same certificate."""
        name = f"ws-{case}"
        node = self.stage.start(
            name, "node", f"{HERE}/sockets.js", "fan-out", control.path("authority/chain.pem"), control.path("authority/key.pem"),
            *([] if is_plain else ["deflate"]))
        port, load = announced(self.stage, name), Load(self.stage, f"load-{name}")
        authority = control.path("authority/ca.pem")
        load.open({"authority": authority, "deflate": not is_plain, "boards": [
            {"url": f"wss://127.0.0.1:{port}/boards?organization={number % ORGANIZATIONS}&device={identity['device']}", "pages": PAGES_EACH}
            for number, identity in enumerate(identities)], "pages": [
                f"wss://127.0.0.1:{port}/pages?organization={number % ORGANIZATIONS}" for number in range(ORGANIZATIONS * PAGES_EACH)]})
        time.sleep(5)
        Fanning(self, node, load).tell(case, "ws")
        self.stage.stop(load.process, node)

    def start(self):
        control = Control(self.stage, "control-start", 10, self.threads)
        control.stop()
        fill(control)
        took = {"listening": [], "first_read": []}
        for _ in range(1 if self.is_quick else STARTS):
            forget(control.path("state/strata.db"))
            began = time.monotonic()
            control.process = self.stage.start("control-start", f"{PROGRAMS}/strata-control", "--config", control.path("control.conf"))
            while not control.is_healthy():
                if control.process.poll() is not None or time.monotonic() - began > 60:
                    raise SystemExit(f"bench: control does not start: {self.stage.log('control-start')}")
                time.sleep(0.005)
            took["listening"].append(time.monotonic() - began)
            control.call(control.owners[0], "GET", "/audit")
            took["first_read"].append(time.monotonic() - began)
            senders = len(control.call(control.owners[0], "GET", "/senders")["items"])
            if senders != START_SENDERS // 10:
                raise SystemExit(f"bench: {senders} senders of an organisation")
            control.stop()
        for metric, seconds in took.items():
            figure("control", "start", metric, seconds, "s")
        figure("control", "start", "database", os.path.getsize(control.path("state/strata.db")) / 1e6, "MB")


def ulid(random_bits, at):
    """Source: github.com/ulid/spec."""
    number, text = at << 80 | random_bits.getrandbits(80), ""
    for _ in range(26):
        number, text = number >> 5, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[number & 31] + text
    return text


def fill(control):
    """Senders, and the rows of a year: half of the audit log, a quarter of events that webhooks were told, a quarter of broadcasts' recorders."""
    bits, now = random.Random(1), int(time.time() * 1000)
    organizations = control.organizations
    # Within what is kept: half an hour and the last 29 days, the newest last.
    moments = lambda count: (now - 1_800_000 - (count - number) * (29 * 86_400_000 // count) for number in range(count))
    senders = [(ulid(bits, now), organizations[number % len(organizations)]) for number in range(START_SENDERS)]
    database = control.database()
    database.executemany(
        "INSERT INTO devices (id, organization, kind, name, public_key, created_at, first_connected_at, last_seen_at, software_version, inventory)"
        " VALUES (?, ?, 'sender', ?, ?, ?, ?, ?, '0.1.0', ?)",
        ((id, organization, f"board {number}", bits.randbytes(32), now, now, now, INVENTORY)
         for number, (id, organization) in enumerate(senders)))
    database.executemany(
        "INSERT INTO audit (id, at, organization, author_kind, author, address, action, subject, detail)"
        " VALUES (?, ?, ?, 'user', ?, '192.0.2.7', 'destination.created', ?, 'Our platform')",
        ((ulid(bits, at), at, organizations[number % len(organizations)], ulid(bits, at), ulid(bits, at))
         for number, at in enumerate(moments(START_ROWS // 2))))
    database.executemany(
        "INSERT INTO events (id, organization, kind, at, data) VALUES (?, ?, 'sender.online', ?, ?)",
        ((ulid(bits, at), senders[number % START_SENDERS][1], at,
          json.dumps({"name": "truck", "sender": senders[number % START_SENDERS][0], "version": "0.1.0"}))
         for number, at in enumerate(moments(START_ROWS // 4))))
    broadcasts = [(ulid(bits, at), *senders[number], at) for number, at in enumerate(moments(START_SENDERS // 4))]
    database.executemany(
        "INSERT INTO broadcasts (id, organization, sender, state, document, created_at, ended_at) VALUES (?, ?, ?, 'ended', '{}', ?, ?)",
        ((id, organization, sender, at, at + 600_000) for id, sender, organization, at in broadcasts))
    database.executemany(
        "INSERT INTO flight_records (organization, broadcast, source, run, number, at, text) VALUES (?, ?, 'sender', 1, ?, ?, ?)",
        ((organization, id, number, at + number * 5000, json.dumps({"number": number, "atMs": at + number * 5000, "kind": "link"}))
         for id, _, organization, at in broadcasts for number in range(START_ROWS // START_SENDERS)))
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    rows = sum(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("audit", "events", "flight_records"))
    database.close()
    if rows < START_ROWS:
        raise SystemExit(f"bench: only {rows} rows")


def forget(path):
    """Takes a file out of the machine's memory, as after a boot."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (20_000, 20_000))
    Bench(sys.argv[1:]).run()
