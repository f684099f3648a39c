"""A whole Strata for a bench: control, a pool and a sender in a field of emulated links, set up as ci/installation does it."""
import json
import os
import random
import socket
import subprocess
import urllib.error
import urllib.request

from bench import PROGRAMS, free_port, wait_for

PASSWORD = "correct horse battery staple"


class Field:
    """A network namespace with a modem for each shape; `inside` comes before a command that runs there."""

    def __init__(self, stage, shapes):
        with open(f"{stage.folder}/network.log", "ab") as log:
            # It ends with its stdin, however this process ends, and takes the namespaces down; Ctrl-C must not do that first.
            self.process = subprocess.Popen(
                [f"{PROGRAMS}/strata-lab", "network", *(json.dumps(shape) for shape in shapes)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log, start_new_session=True)
        stage.at_end(self.remove)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"bench: no network: {stage.log('network')}")
        ready = json.loads(line)
        self.cloud = ready["cloud"]
        self.interfaces, self.addresses = ready["interfaces"], ready["addresses"]
        self.near = [address.rsplit(".", 1)[0] + ".1" for address in self.addresses]  # this machine's on each link
        self.inside = ["ip", "netns", "exec", ready["namespace"]]

    def state(self):
        self.process.stdin.write(b"state\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def remove(self):
        self.process.stdin.close()
        self.process.wait(10)


def sent_bytes(pid, interfaces):
    """What left by these interfaces of the namespace that a process lives in. Source: proc(5), net/dev."""
    with open(f"/proc/{pid}/net/dev") as file:
        rows = dict(line.split(":", 1) for line in file if ":" in line)
    return sum(int(rows[f"{name:>6}"].split()[8]) for name in interfaces)


def free_range(count=20):
    """The first of some UDP ports in a row, below those that the system gives out by itself."""
    while True:
        first = random.randrange(20000, 32000)
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
        try:
            for number, probe in enumerate(sockets):
                probe.bind(("0.0.0.0", first + number))
            return first
        except OSError:
            pass
        finally:
            for probe in sockets:
                probe.close()


class Installation:
    """Control, its owner, a pool and one enrolled sender, which `start_sender` starts."""

    def __init__(self, stage, field):
        self.stage, self.field, self.sender, self.agent = stage, field, None, None
        self.page, tls = (free_port(socket.SOCK_STREAM) for _ in range(2))
        self.origin = f"https://{field.cloud}:{tls}"
        for name in ("run", "pool", "recordings", "sender", "sender.run"):
            os.makedirs(self.path(name), mode=0o700)
        self.provision("authority", "issue", "--host", field.cloud, "--directory", self.path("authority"))
        self.write("password", PASSWORD)
        self.start_control(tls)
        self.provision(
            "register", "--setup-secret-file", self.path("control/setup-secret"), "--organization", "Bench", "--slug", "bench", "--email",
            "owner@example.org", "--name", "Owner", "--password-file", self.path("password"))
        self.token = self.call("POST", "/auth/login", {"email": "owner@example.org", "password": PASSWORD})["accessToken"]
        self.start_pool()
        self.configure_sender()
        self.enroll("strata-agent", "sender", *field.inside)

    def start_control(self, tls):
        self.write("control.conf", f"""
            [server]
            listen = ["127.0.0.1:{self.page}"]
            listen_tls = ["{self.field.cloud}:{tls}"]
            certificate = "{self.path("authority/chain.pem")}"
            private_key = "{self.path("authority/key.pem")}"
            authority = "{self.path("authority/ca.pem")}"
            origins = ["{self.origin}", "http://127.0.0.1:{self.page}"]
            [storage]
            state = "{self.path("control")}"
            [limits]
            general_per_minute = 100000
            [outbound]
            allow = ["127.0.0.0/8"]
        """)
        self.control = self.stage.start("control", f"{PROGRAMS}/strata-control", "--config", self.path("control.conf"))
        wait_for("control answers", self.is_healthy, 20)

    def is_healthy(self):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.page}/health", timeout=2).status == 200
        except OSError:
            return False

    def start_pool(self):
        first = free_range()
        self.write("pool.conf", f"""
            [host]
            public_addresses = ["{self.field.cloud}"]
            bind = ["{self.field.cloud}"]
            first_port = {first}
            last_port = {first + 19}
            [folders]
            runtime = "{self.path("run")}"
            state = "{self.path("pool")}"
            recordings = "{self.path("recordings")}"
            [outbound]
            allow = ["127.0.0.0/8"]
        """)
        self.enroll("strata-pool", "pool", more=["--operator-token-file", self.path("control/operator-token")])
        self.pool = self.stage.start("pool", f"{PROGRAMS}/strata-pool", "--config", self.path("pool.conf"))
        wait_for("the pool is online", lambda: any(host["online"] for host in self.call("GET", "/pool")["items"]), 20)

    def configure_sender(self, more=""):
        """The agent's own configuration file, which it reads when it starts."""
        links = json.dumps(self.field.interfaces)
        self.write("sender.conf", f'''
            [folders]
            runtime = "{self.path("sender.run")}"
            state = "{self.path("sender")}"
            [links]
            allow = {links}
            {more}
        ''')

    def start_sender(self):
        """Starts the agent and waits until it is online with all its links; returns its process."""
        self.agent = self.stage.start("sender", *self.field.inside, f"{PROGRAMS}/strata-agent", "--config", self.path("sender.conf"))
        wait_for("the sender is online with its links", self.is_sender_ready, 20)
        return self.agent

    def is_sender_ready(self):
        for sender in self.call("GET", "/senders")["items"]:
            if sender["online"] and sum(link["state"] == "up" for link in sender["inventory"]["links"]) == len(self.field.interfaces):
                self.sender = sender["id"]
                return True
        return False

    def enroll(self, program, kind, *inside, more=()):
        token = self.path(f"{kind}.token")
        self.provision("token", "create", "--kind", kind, *more, "--output", token)
        run(*inside, f"{PROGRAMS}/{program}", "enroll", "--server", self.origin, "--token-file", token, "--config", self.path(f"{kind}.conf"),
            "--name", kind)

    def add_destination(self, url, key):
        self.write("key", key)
        return json.loads(self.provision("destination", "add", "--name", key, "--url", url, "--secret-file", self.path("key")))["id"]

    def configure_broadcasts(self, toml):
        """What control keeps for the sender: its encoder's settings."""
        self.write("broadcast.toml", toml)
        answer = json.loads(self.provision("sender", "configure", self.sender, "--file", self.path("broadcast.toml")))
        if answer["result"] != "applied":
            raise SystemExit(f"bench: the sender's configuration: {answer}")

    def start_broadcast(self, destination):
        return self.call("POST", "/broadcasts", {"sender": self.sender, "destinations": [destination]})["id"]

    def broadcast(self, id):
        return self.call("GET", f"/broadcasts/{id}")

    def stop_broadcast(self, id):
        self.call("POST", f"/broadcasts/{id}/stop")
        wait_for("the broadcast has ended", lambda: self.broadcast(id)["state"] == "ended")

    def call(self, method, path, body=None):
        """A request of the owner's to the API."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.token}"} if path != "/auth/login" else {})
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.page}/api/v1{path}", json.dumps(body).encode() if body else None, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise SystemExit(f"bench: {method} {path}: {error.code} {error.read().decode()}") from error

    def metric(self, name):
        """The sum of a figure of /metrics."""
        with open(self.path("control/operator-token")) as file:
            token = file.read().strip()
        request = urllib.request.Request(f"http://127.0.0.1:{self.page}/metrics", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))

    def provision(self, *words):
        return run(f"{PROGRAMS}/strata-provision", "--server", f"http://127.0.0.1:{self.page}", "--session", self.path("session.json"), *words)

    def path(self, name):
        return f"{self.stage.folder}/{name}"

    def write(self, name, text):
        with open(self.path(name), "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(text)


def run(*command):
    """Runs a command to its end; returns its stdout."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise SystemExit(f"bench: {' '.join(command[:3])}: {done.stderr}")
    return done.stdout
