"""What the benches of rooms share: control with one worker, Janus beside it, and the load that comes into both by each one's own signalling.

All of it is on one address of this machine that is no loopback one, because Janus takes none; what goes there stays within the machine.
"""
import glob
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request

from bench import PROGRAMS, free_port, processor_seconds, wait_for
from control import Control, Load

PACKETS, BYTES = 300, 1100  # of each publisher in a second, and of each payload: 2.6 Mbit/s
ROOMS_OF_JANUS = 40


def own_address():
    said = subprocess.run(["ip", "-j", "-4", "addr", "show", "scope", "global", "up"], capture_output=True, text=True, check=True).stdout
    for interface in json.loads(said):
        for address in interface.get("addr_info", []):
            return address["local"]
    raise SystemExit("bench: this machine has no address but loopback ones, which Janus does not take")


class Strata:
    """Control with one worker for rooms; `pid` is the worker's."""

    peer, kind = None, "strata"

    def __init__(self, stage, address, name="rooms"):
        self.stage, self.address, self.known = stage, address, []
        runtime = f"{stage.folder}/{name}.run"
        os.mkdir(runtime, 0o700)
        self.control = Control(stage, name, 1, more=f"""
            [rooms]
            workers = 1
            port = 0
            bind = ["{address}"]
            program = "{PROGRAMS}/strata-sfu"
            runtime = "{runtime}"
        """)
        self.url = f"http://127.0.0.1:{self.control.page}"
        wait_for("a worker for rooms runs", lambda: self.worker() is not None)
        self.pid = self.worker()

    def worker(self):
        """Source: proc(5): children stand beside the thread that has started them."""
        for file in glob.glob(f"/proc/{self.control.process.pid}/task/*/children"):
            try:
                with open(file) as names:
                    children = names.read().split()
            except OSError:
                continue  # the thread has ended
            for child in children:
                with open(f"/proc/{child}/comm") as name:
                    if name.read().strip() == "strata-sfu":
                        return int(child)
        return None

    def room(self, number):
        """The room of this number, with passes to it; it is made where it is not there."""
        while len(self.known) <= number:
            owner = self.control.owners[0]
            room = self.control.call(owner, "POST", "/rooms", {"name": f"Room {len(self.known)}"})["id"]
            passes = {use: self.control.call(owner, "POST", f"/rooms/{room}/passes", {"use": use})["token"] for use in ("publish", "play")}
            self.known.append({"id": room} | passes)
        return self.known[number]

    def pids(self):
        return [self.pid, self.control.process.pid]

    def end(self):
        # It outlives its control by design; before that it would be started again.
        worker = self.worker()
        self.control.stop()
        if worker is not None:
            os.kill(worker, signal.SIGTERM)


class Janus:
    """Janus of Debian with its plugin videoroom and nothing else, on ports of its own, and a certificate that it makes itself."""

    peer, kind = "janus", "janus"

    def __init__(self, stage, address):
        self.stage, self.address = stage, address
        self.folder = f"{stage.folder}/janus"
        os.mkdir(self.folder)
        port = free_port(socket.SOCK_STREAM)
        # A thread for each handle, which is Janus' own way, or as many as there are cores: those cost less with handles by the hundred.
        # Lite, as ours is: whoever comes looks for the path. No timeout: the load does not poll for events once it is in.
        self.write("janus.jcfg", f"""
            general: {{
                configs_folder = "{self.folder}"
                debug_level = 2
                debug_colors = false
                session_timeout = 0
                event_loops = {os.cpu_count()}
            }}
            certificates: {{ dtls_ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256" }}
            media: {{ ipv6 = false }}
            nat: {{
                ice_lite = true
                ice_enforce_list = "{address}"
            }}
            plugins: {{ disable = "{self.others("plugins", "libjanus_videoroom.so")}" }}
            transports: {{ disable = "{self.others("transports", "libjanus_http.so")}" }}
            loggers: {{ disable = "{self.others("loggers", "")}" }}
            events: {{ broadcast = false }}
        """)
        self.write("janus.transport.http.jcfg", f"""
            general: {{
                json = "compact"
                base_path = "/janus"
                http = true
                port = {port}
                ip = "127.0.0.1"
                https = false
            }}
            admin: {{ admin_http = false }}
        """)
        self.write("janus.plugin.videoroom.jcfg", "general: { }\n" + "".join(f"""
            room-{self.room(number)["id"]}: {{
                description = "Room {number}"
                publishers = 8
                bitrate = 0
                fir_freq = 0
                videocodec = "vp8"
                record = false
            }}
        """ for number in range(ROOMS_OF_JANUS)))
        self.url = f"http://127.0.0.1:{port}/janus"
        self.process = stage.start("janus", "janus", f"--configs-folder={self.folder}")
        self.pid = self.process.pid
        wait_for("Janus answers", self.answers, 20)

    @staticmethod
    def others(kind, own):
        names = {os.path.basename(file) for file in glob.glob(f"/usr/lib/*/janus/{kind}/*.so")}
        return ",".join(sorted(names - {own}))

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w") as file:
            file.write(text)

    def answers(self):
        if self.process.poll() is not None:
            raise SystemExit(f"bench: Janus has ended: {self.stage.log('janus')}")
        try:
            return urllib.request.urlopen(f"{self.url}/info", timeout=2).status == 200
        except OSError:
            return False

    def room(self, number):
        return {"id": str(1001 + number), "publish": "", "play": ""}

    def end(self):
        self.stage.stop(self.process)


class Crowd:
    """The load of one server: who is in which of its rooms, and what they get."""

    def __init__(self, stage, server, packets=PACKETS, burst=1):
        self.stage, self.server, self.packets, self.burst = stage, server, packets, burst
        self.load = Load(stage, f"load-{server.kind}-{time.monotonic_ns()}", "RoomLoadMain")

    def plan(self, rooms, at_once=16, feedback="none", seconds=None):
        """- rooms: of each its number, and how many publishers and players come into it."""
        file = f"{self.stage.folder}/{self.load.name}.json"
        with open(file, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
            json.dump({
                "server": self.server.kind, "url": self.server.url, "bind": self.server.address, "packets": self.packets, "bytes": BYTES,
                "burst": self.burst, "feedback": feedback, "atOnce": at_once, "seconds": seconds, "rooms": [
                    self.server.room(number) | {"publishers": publishers, "players": players} for number, publishers, players in rooms]}, out)
        return file

    def open(self, rooms, **how):
        return self.load.ask(f"open {self.plan(rooms, **how)}")

    def churn(self, rooms, seconds):
        return self.load.ask(f"churn {self.plan(rooms, seconds=seconds)}")

    def leave(self, count=0):
        """The newest of the players; without a number everybody."""
        return self.load.ask(f"leave {count}")

    def measure(self, seconds):
        """A window, with what it cost both sides, in % of a core."""
        pids = {"cpu": self.server.pid, "load_cpu": self.load.process.pid}
        before, began, dropped = {name: processor_seconds(pid) for name, pid in pids.items()}, time.monotonic(), dropped_datagrams(self.load.process.pid)
        window = self.load.ask(f"measure {seconds}")
        passed = time.monotonic() - began
        window["dropped"] = dropped_datagrams(self.load.process.pid) - dropped
        for name, pid in pids.items():
            window[name] = (processor_seconds(pid) - before[name]) / passed * 100
        window["rate"] = window["came"] / passed
        window["loss"] = window["lost"] / max(window["lost"] + window["came"], 1) * 100
        window["cpu_per_packet"] = window["cpu"] / 100 / window["rate"] * 1e6 if window["rate"] else 0.0
        return window

    def end(self):
        self.stage.stop(self.load.process)


def dropped_datagrams(pid):
    """What arrived for a process' UDP sockets and found no room. Source: proc(5), net/udp, by the sockets' inodes."""
    own = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue  # it was closed meanwhile
        if target.startswith("socket:["):
            own.add(target[8:-1])
    with open("/proc/net/udp") as file:
        rows = [line.split() for line in file.readlines()[1:]]
    return sum(int(row[12]) for row in rows if row[9] in own)
