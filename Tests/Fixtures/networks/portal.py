"""A stand-in for a network with a sign-in page: a small real HTTP server that answers whatever it is asked for.

    /usr/bin/python3 portal.py ADDRESS PORT STATE [CERTIFICATE KEY]

STATE is a JSON file that tests write, read for each question: `status`, `location` and `body`. With a certificate it speaks TLS, as a network does
that answers in everybody's place. Each question is a line on stdout with all its fields.
"""
import http.server
import json
import ssl
import sys


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        state = json.load(open(sys.argv[3]))
        print(self.command, self.path, json.dumps(dict(self.headers)), flush=True)
        body = state.get("body", "<html>sign in</html>").encode()
        self.send_response(state.get("status", 302))
        if "location" in state:
            # As UTF-8, whatever it is.
            self._headers_buffer.append(b"Location: " + state["location"].encode() + b"\r\n")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


with Server((sys.argv[1], int(sys.argv[2])), Page) as server:
    if len(sys.argv) > 4:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[4], sys.argv[5])
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print("listening", flush=True)
    server.serve_forever()
