"""A stand-in for a HiLink stick's pages, in place of hardware: a small real HTTP server.

    /usr/bin/python3 hilink.py ADDRESS PORT STATE

It speaks as firmware 22 to 11.0 of the E3372h does: a session and a token by SesTokInfo, error 125002 without the one and 125003 without the
other, flat XML with `&#40;` for `(`, and connections that stay open whatever the client asks for. STATE is a JSON file that tests
write, read for each question: `pages` (values by page), `login` (pages that want one), `silent`, `foreign` (an HTML page for everything) and
`boot` (another one has no sessions yet). Each question is a line on stdout.
"""
import html
import http.server
import json
import secrets
import sys
import time

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


class Stick:
    boot, sessions, serial = None, {}, secrets.token_hex(4)


def document(root, values):
    text = lambda value: html.escape(str(value), quote=False).replace("(", "&#40;").replace(")", "&#41;")
    return DECLARATION + f"<{root}>\n" + "".join(f"<{name}>{text(value)}</{name}>\n" for name, value in values.items()) + f"</{root}>\n"


def error(code):
    return document("error", {"code": code, "message": ""})


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "IPWEBS/1.4.0", ""

    def answer(self, order=None):
        state = json.load(open(sys.argv[3]))
        if state.get("boot") != Stick.boot:
            Stick.boot, Stick.sessions = state.get("boot"), {}
        print(self.command, self.path, order or "", flush=True)
        while state.get("silent"):
            time.sleep(1)
        if state.get("foreign"):
            return "<html><body>hello</body></html>"
        cookie = (self.headers.get("Cookie") or "").removeprefix("SessionID=")
        page = self.path.removeprefix("/api/")
        if page == "webserver/SesTokInfo":
            cookie, token = secrets.token_urlsafe(96), secrets.token_urlsafe(24)
            Stick.sessions = dict(list(Stick.sessions.items())[-2:] + [(cookie, token)])
            return document("response", {"SesInfo": "SessionID=" + cookie, "TokInfo": token})
        if cookie not in Stick.sessions:
            return error(125002)
        if page in state.get("login", []):
            return error(100003)
        if order is not None:
            token, Stick.sessions[cookie] = Stick.sessions[cookie], None
            if token is None or self.headers.get("__RequestVerificationToken") != token:
                return error(125003)
            return DECLARATION + "<response>OK</response>"
        if page not in state["pages"]:
            return error(100002)
        return document("response", state["pages"][page])

    def send(self, text):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        # Whoever reads to the end of the connection waits for ever.
        self.close_connection = False

    def do_GET(self):
        self.send(self.answer())

    def do_POST(self):
        self.send(self.answer(self.rfile.read(int(self.headers["Content-Length"])).decode()))

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


with Server((sys.argv[1], int(sys.argv[2])), Page) as server:
    print("listening", flush=True)
    server.serve_forever()
