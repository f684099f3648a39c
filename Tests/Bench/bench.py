"""What the benches share: processes that end with the bench, their processor time and memory, and figures as JSON lines."""
import atexit
import ctypes
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import xml.etree.ElementTree

TICKS = os.sysconf("SC_CLK_TCK")
CLIP = os.environ.get("STRATA_TEST_CLIP", "")
PROGRAMS = os.environ.get("STRATA_PROGRAMS", "")


class Stage:
    """A folder and processes; all of it is gone when the bench ends, also when it fails."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="st-bench-")
        self.running = []
        self.endings = []
        atexit.register(self.clear)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit("bench: ended by a signal"))
        ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: receivers outlive the pool that started them, and become ours

    def start(self, name, *command, stdin=subprocess.DEVNULL):
        """Starts a program with its output in <folder>/<name>.log; the kernel kills it if the bench dies."""
        log = open(f"{self.folder}/{name}.log", "ab")
        process = subprocess.Popen([str(word) for word in command], stdin=stdin, stdout=log, stderr=log, cwd=self.folder, preexec_fn=die_with_parent)
        self.running.append(process)
        return process

    def log(self, name):
        with open(f"{self.folder}/{name}.log", errors="replace") as file:
            return file.read()[-2000:]

    def stop(self, *processes):
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self.running.remove(process)

    def at_end(self, action):
        """What is done after all processes have ended."""
        self.endings.append(action)

    def clear(self):
        for process in self.running:
            process.kill()
        for process in self.running:
            process.wait()
        self.running = []
        for action in self.endings:
            action()
        self.endings = []
        while left := children():
            for pid in left:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        shutil.rmtree(self.folder, ignore_errors=True)


def children():
    """Source: proc(5). A bench starts processes from its first thread only, and orphans come to that one as well."""
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return [int(child) for child in file.read().split()]


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG; the bench has one thread


def free_port(kind=socket.SOCK_DGRAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def processor_seconds(pid):
    """User and system time of a process and its threads. Source: proc(5), fields 14 and 15."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def thread_seconds(pid):
    """Time on a processor of each thread of a process, {tid: (name, seconds)}. Source: sched-stats, nanoseconds in the first field."""
    threads = {}
    for tid in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{tid}/comm") as name, open(f"/proc/{pid}/task/{tid}/schedstat") as file:
                threads[tid] = (name.read().strip(), int(file.read().split()[0]) / 1e9)
        except OSError:
            pass  # it ended meanwhile
    return threads


def resident_mb(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(next(line for line in file if line.startswith("VmRSS")).split()[1]) / 1024


def own_mb(pid):
    """What no other process has a share in: without the pages of libraries that one more process of the kind gets for nothing."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith(("Private_Clean", "Private_Dirty"))) / 1024


def idle_seconds():
    with open("/proc/stat") as file:
        fields = file.readline().split()
    return (int(fields[4]) + int(fields[5])) / TICKS


def windows(processes, count, seconds):
    """Processor use in % of a core over windows, by name: {"ours": [2.1, 2.0, ...]}."""
    use = {name: [] for name in processes}
    for _ in range(count):
        before, began = {name: processor_seconds(process.pid) for name, process in processes.items()}, time.monotonic()
        time.sleep(seconds)
        passed = time.monotonic() - began
        for name, process in processes.items():
            use[name].append((processor_seconds(process.pid) - before[name]) / passed * 100)
    return use


def figure(bench, case, metric, values, unit, peer=None, of=statistics.median):
    """Prints the median, or what else is asked for, of one or more values with their spread."""
    values = values if isinstance(values, list) else [values]
    print(json.dumps({
        "bench": bench, "case": case, "metric": metric, "value": round(of(values), 3), "unit": unit, "peer": peer,
        "spread": [round(min(values), 3), round(max(values), 3)]}), flush=True)


def wait_for(what, condition, seconds=15):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"bench: not within {seconds} s: {what}")
        time.sleep(0.1)


class Platform:
    """nginx with RTMP, which takes streams and throws them away."""

    def __init__(self, stage):
        self.rtmp, self.http = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM)
        folder = tempfile.mkdtemp(prefix="nginx-", dir=stage.folder)
        os.makedirs(f"{folder}/logs")
        with open(f"{folder}/nginx.conf", "w") as file:
            file.write(f"""
                {"user root;" if os.geteuid() == 0 else ""}
                daemon off; master_process off; pid {folder}/pid; error_log stderr error;
                load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
                events {{ worker_connections 1024; }}
                rtmp {{ server {{ listen 127.0.0.1:{self.rtmp}; chunk_size 4096; application live {{ live on; }} }} }}
                http {{ access_log off; server {{ listen 127.0.0.1:{self.http}; location /stat {{ rtmp_stat all; }} }} }}
            """)
        self.process = stage.start("nginx", "nginx", "-p", folder, "-c", f"{folder}/nginx.conf", "-e", "stderr")
        wait_for("nginx answers", lambda: self.publishers() is not None)

    def publishers(self):
        """How many streams are published; the answer says it of the stream and of its client."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/stat", timeout=2) as answer:
                return len(xml.etree.ElementTree.fromstring(answer.read()).findall(".//stream/publishing"))
        except OSError:
            return None

    def processor_seconds(self):
        return processor_seconds(self.process.pid)
