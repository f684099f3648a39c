#!/usr/bin/env python3
"""The web server beside nginx (HTTPS) and Node's ws (WebSockets over TLS): each has one thread, and the same load in turns."""
import os
import re
import resource
import subprocess

from bench import PROGRAMS, Stage, figure, free_port, processor_seconds, resident_mb, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS, SECONDS, IDLE = 5, 3, 5000
# Debian's own place of Node's modules, where another Node is installed in front of Debian's.
os.environ.setdefault("NODE_PATH", "/usr/share/nodejs")


def certificate(stage):
    chain, key = f"{stage.folder}/chain.pem", f"{stage.folder}/key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-keyout", key, "-out", chain], check=True, stderr=subprocess.DEVNULL)
    return chain, key


def announced(stage, name):
    """The port that a program prints first."""
    wait_for(f"{name} listens", lambda: re.match(r"\d+\n", stage.log(name)))
    return int(stage.log(name).split()[0])


def nginx(stage, chain, key):
    port = free_port()
    with open(f"{stage.folder}/nginx.conf", "w") as file:
        file.write(f"""
            daemon off; master_process off; pid {stage.folder}/nginx.pid; error_log stderr error;
            events {{ worker_connections 1024; }}
            http {{
                access_log off; keepalive_requests 1000000000; default_type text/plain;
                server {{
                    listen 127.0.0.1:{port} ssl; ssl_certificate {chain}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3;
                    location / {{ return 200 "{'x' * 1000}"; }}
                }}
            }}
        """)
    process = stage.start("nginx", "nginx", "-p", stage.folder, "-c", f"{stage.folder}/nginx.conf", "-e", "stderr")
    wait_for("nginx answers", lambda: subprocess.run(["curl", "-sk", f"https://127.0.0.1:{port}/"], capture_output=True).returncode == 0)
    return process, port


def requests(port, *options):
    """Runs the load; the number of requests that were answered with 200."""
    said = subprocess.run(["wrk", "-t1", "-c64", f"-d{SECONDS}s", *options, f"https://127.0.0.1:{port}/hello"], capture_output=True,
                          text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said and "connect 0, read 0, write 0" not in said:
        raise SystemExit(f"bench: the load met faults:\n{said}")
    return int(re.search(r"(\d+) requests in", said).group(1))


def trips(port):
    said = subprocess.run(["node", f"{HERE}/sockets.js", "trips", str(port), "64", str(SECONDS)], capture_output=True, text=True, check=True)
    return int(said.stdout)


def in_turns(case, servers, load, metric, per_second):
    """CPU of each server for one unit of the load, and units for each CPU second."""
    costs = {peer: [] for peer in servers}
    for _ in range(ROUNDS):
        for peer, (process, port) in servers.items():
            before = processor_seconds(process.pid)
            done = load(port)
            costs[peer].append((processor_seconds(process.pid) - before) / done * 1e6)
    for peer, values in costs.items():
        figure("web", case, metric, values, "us", peer)
        figure("web", case, per_second, [1e6 / value for value in values], "1/s of CPU", peer)


def idle(stage, servers):
    for peer, (process, port) in servers.items():
        before = resident_mb(process.pid)
        name = f"idle-{peer}"
        load = stage.start(name, "node", f"{HERE}/sockets.js", "idle", port, IDLE)
        wait_for(f"{IDLE} sockets are open", lambda: "open" in stage.log(name) or load.poll() is not None, 120)
        if load.poll() is not None:
            raise SystemExit(f"bench: {stage.log(name)}")
        figure("web", "idle_wss", "memory", (resident_mb(process.pid) - before) * 1024 / IDLE, "kB", peer)
        stage.stop(load)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (20_000, 20_000))
    stage = Stage()
    chain, key = certificate(stage)
    ours = stage.start("ours", f"{PROGRAMS}/WebBench", chain, key)
    node = stage.start("node", "node", f"{HERE}/sockets.js", "serve", chain, key)
    ours, node, nginx = (ours, announced(stage, "ours")), (node, announced(stage, "node")), nginx(stage, chain, key)
    in_turns("https", {None: ours, "nginx": nginx}, requests, "cpu_per_request", "requests")
    in_turns("https_new_connection", {None: ours, "nginx": nginx}, lambda port: requests(port, "-H", "Connection: close"),
             "cpu_per_request", "requests")
    in_turns("wss", {None: ours, "ws": node}, trips, "cpu_per_round_trip", "round_trips")
    idle(stage, {None: ours, "ws": node})
