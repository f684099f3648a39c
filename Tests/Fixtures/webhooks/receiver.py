"""A receiver of webhooks: verifies what it gets as Standard Webhooks 1.0.0 says, by itself, and prints each message as a line of JSON.

    /usr/bin/python3 receiver.py PORT STATE

STATE is a JSON file that tests write, read for each message: `secrets` with their prefix, the `status` to answer, a `location`, and the seconds to
`wait` before. A message that no secret signed is answered with 401.
"""
import base64
import hashlib
import hmac
import http.server
import json
import sys
import time


def signers(secrets, headers, body):
    """Which of the secrets signed it."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    given = [one.split(",", 1)[1] for one in headers["webhook-signature"].split(" ") if one.startswith("v1,")]
    result = []
    for index, secret in enumerate(secrets):
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        if any(hmac.compare_digest(expected, one) for one in given):
            result.append(index)
    return result


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        state = json.load(open(sys.argv[2]))
        body = self.rfile.read(int(self.headers["Content-Length"]))
        found = signers(state["secrets"], self.headers, body)
        fresh = abs(time.time() - int(self.headers["webhook-timestamp"])) < 300
        time.sleep(state.get("wait", 0))
        status = state.get("status", 200) if found and fresh else 401
        print(json.dumps({
            "path": self.path, "id": self.headers["webhook-id"], "type": self.headers["Content-Type"], "signers": found, "fresh": fresh,
            "answered": status, "body": body.decode(),
        }), flush=True)
        self.send_response(status)
        if "location" in state:
            self.send_header("Location", state["location"])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


with Server(("127.0.0.1", int(sys.argv[1])), Receiver) as server:
    print("listening", flush=True)
    server.serve_forever()
