import Crypto
import Foundation
import Posix
import Support
import Testing
import Units
import Web
import Wire

/// What is thrown at the web server itself, while others go on working.
@Suite(.serialized, .unlessStolen)
struct WebAttackTests {
    @Test("thousands of connections that say too little are cut in time, and others are answered meanwhile", .row("CTL-10"))
    func slowLoris() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            // From three addresses 300 each: heads that never end, bodies that dribble, and nothing at all.
            let script = """
                import resource, selectors, socket, sys, time
                resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
                port, began, opened, refused, longest = int(sys.argv[1]), time.monotonic(), {}, 0, 0
                chooser = selectors.DefaultSelector()
                body = b"POST /api/v1/auth/login HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: application/json\\r\\nContent-Length: 100000\\r\\n\\r\\n{"
                for number in range(900):
                    kind = number % 3
                    s = socket.create_connection(("127.0.0.1", port), source_address=(f"127.0.0.{kind + 2}", 0))
                    try:
                        if kind < 2: s.send(body if kind else b"GET / HTTP/1.1\\r\\nHost: x\\r\\nX-Slow: ")
                    except OSError: pass
                    s.setblocking(False)
                    opened[s] = (kind, time.monotonic())
                    chooser.register(s, selectors.EVENT_READ)
                print("open", flush=True)
                dribble = time.monotonic()
                closed = [[], [], []]
                while opened and time.monotonic() - began < 13:
                    for key, _ in chooser.select(0.2):
                        s = key.fileobj
                        try: data = s.recv(65536)
                        except OSError: data = b""
                        if data: continue
                        kind, at = opened.pop(s)
                        closed[kind].append(time.monotonic() - at)
                        chooser.unregister(s); s.close()
                    if time.monotonic() - dribble > 1:
                        dribble = time.monotonic()
                        for s, (kind, _) in list(opened.items()):
                            if kind < 2:
                                try: s.send(b"a")
                                except OSError: pass
                for kind in range(3):
                    early = sum(1 for t in closed[kind] if t < 5)
                    print(kind, len(closed[kind]), early, round(max(closed[kind], default=0), 1), flush=True)
                """
            async let attack = runTool("python3", ["-c", script, String(desk.installation.pagePort)])
            let began = Instant.now
            var slowest = Duration.zero
            while Instant.now - began < .seconds(12) {
                let asked = Instant.now
                #expect(try await owner.get("/senders").status == 200)
                slowest = max(slowest, Instant.now - asked)
                try await Task.sleep(for: .milliseconds(100))
            }
            measured("slow loris: an answer for somebody else took at most", slowest)
            #expect(slowest < .seconds(1))
            let lines = try await attack.text.split(separator: "\n").dropFirst().map { $0.split(separator: " ").compactMap { Double($0) } }
            measured("slow loris: kind, closed, of them at once, longest in s", "\(lines)")
            try #require(lines.count == 3)
            for line in lines {
                // Of each address 256 were let in, and the other 44 were not.
                #expect((44...50).contains(line[2]), "\(line)")
            }
            // What sent no whole head is gone after 10 s; a body that dribbles has 30 s, and is the cap's.
            for kind in [0, 2] { #expect(lines[kind][1] == 300 && lines[kind][3] < 12, "\(lines[kind])") }
            #expect(try await desk.visitor().get("/health").status == 200)
        }
    }

    @Test("a board that floods is held back at its own pace, and nobody else notices")
    func flood() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let board = try await desk.board(of: owner)
            let socket = try await board.connect()
            try await eventually(within: .seconds(5), "the board is online") {
                try await owner.get("/senders/\(board.identity.device)").object()["online"] as? Bool == true
            }
            let feed = try await owner.watch()
            let seen = Guarded(0)
            let watching = Task {
                while case .text(let text)? = try await feed.receive() { if text.contains("\"telemetry/") { seen.withLock { $0 += 1 } } }
            }
            let pid = try desk.installation.program("control").pid
            let before = try residentKilobytes(of: pid)
            let sample = AgentTelemetry(
                atMs: 1,
                links: (0..<200).map {
                    LinkTelemetry(name: "l\($0)", state: .live, sent: .kilobits(1), rttMs: 1, loss: 0, weight: 1, retransmittedPackets: 0)
                }, pipeline: nil)
            let flooding = Task { for _ in 0..<5000 { try await socket.send(AgentMessage.telemetry(sample)) } }
            defer {
                flooding.cancel()
                watching.cancel()
            }
            let began = Instant.now
            var slowest = Duration.zero
            while Instant.now - began < .seconds(4) {
                let asked = Instant.now
                #expect(try await owner.get("/auth/me").status == 200)
                slowest = max(slowest, Instant.now - asked)
                try await Task.sleep(for: .milliseconds(50))
            }
            let (count, grown) = (seen.withLock { $0 }, try residentKilobytes(of: pid) - before)
            measured("flood: samples heard in 4 s, kB grown", "\(count), \(grown)")
            measured("flood: an answer for somebody else took at most", slowest)
            // 250 at once, then 50 a second.
            #expect((50...500).contains(count))
            #expect(slowest < .seconds(1))
            #expect(grown < 60_000)
        }
    }

    @Test("no shape of a request slips a second one past a proxy", .row("CTL-10"))
    func smuggling() async throws {
        try await atFrontDesk { desk in
            let port = try FreePorts.tcp()
            let folder = desk.stage.folder.path
            let configuration = try desk.stage.folder.write(
                """
                daemon off; master_process off; pid \(folder)/nginx.pid; error_log \(folder)/nginx.log;
                events {}
                http {
                  access_log off; client_body_temp_path \(folder)/b; proxy_temp_path \(folder)/p; fastcgi_temp_path \(folder)/f;
                  uwsgi_temp_path \(folder)/u; scgi_temp_path \(folder)/s; ignore_invalid_headers off; underscores_in_headers on;
                  upstream control { server 127.0.0.1:\(desk.installation.pagePort); keepalive 1; }
                  server { listen 127.0.0.1:\(port);
                    location / { proxy_pass http://control; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_request_buffering off; } }
                }
                """, to: "front.conf")
            try desk.stage.start("nginx", ["-c", configuration, "-e", "\(folder)/nginx.log"])
            let script = """
                import socket, sys
                port = int(sys.argv[1])
                inner = "GET /api/v1/smuggled HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"
                post = "POST /api/v1/auth/login HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: application/json\\r\\n"
                chunk = f"{len(inner):x}\\r\\n{inner}\\r\\n0\\r\\n\\r\\n"
                shapes = [
                    post + f"Content-Length: {5 + len(inner)}\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n" + inner,
                    post + f"Content-Length: 4\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n" + chunk,
                    post + f"Content-Length: 0\\r\\nContent-Length: {len(inner)}\\r\\n\\r\\n" + inner,
                    post + f"Content-Length: +0\\r\\n\\r\\n" + inner,
                    post + f"Content-Length : {len(inner)}\\r\\n\\r\\n" + inner,
                    post + f"Content_Length: {len(inner)}\\r\\nContent-Length: 0\\r\\n\\r\\n" + inner,
                    post + "GET /api/v1/smuggled HTTP/1.1: x\\r\\nContent-Length: 0\\r\\n\\r\\n",
                    post + "X: y\\rTransfer-Encoding: chunked\\r\\nContent-Length: 0\\r\\n\\r\\n" + chunk,
                    "GET /api/v1/nothing HTTP/1.1\\r\\nHost: x\\r\\nUpgrade: h2c\\r\\nConnection: Upgrade, HTTP2-Settings\\r\\nHTTP2-Settings: AAAA\\r\\n\\r\\n",
                    post + "Expect: 100-continue\\r\\nExpect: 100-continue\\r\\nContent-Length: 0\\r\\n\\r\\n" + inner,
                    "GET http://evil/api/v1/nothing HTTP/1.1\\r\\nHost: x\\r\\nHost: evil\\r\\n\\r\\n",
                ] + [post + f"Content-Length: 4\\r\\n{te}\\r\\n\\r\\n" + chunk for te in [
                    "Transfer-Encoding: xchunked", "Transfer-Encoding : chunked", "Transfer-Encoding: chunked, identity", "Transfer-Encoding:\\x0bchunked",
                    "Transfer-Encoding: \\"chunked\\"", "Transfer_Encoding: chunked", "Transfer-Encoding: identity\\r\\nTransfer-Encoding: chunked",
                    "Transfer-Encoding:\\r\\n chunked", " Transfer-Encoding: chunked", "Foo: bar\\nTransfer-Encoding: chunked"]]
                def ask(text, wait=1):
                    s = socket.create_connection(("127.0.0.1", port)); s.settimeout(wait); s.sendall(text.encode("latin-1"))
                    data = b""
                    try:
                        while True:
                            part = s.recv(65536)
                            if not part: break
                            data += part
                    except OSError: pass
                    s.close()
                    return data.decode("latin-1")
                for number, shape in enumerate(shapes):
                    ask(shape, 0.25)
                    for _ in range(2):
                        answer = ask("GET /health HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
                        if not answer.startswith("HTTP/1.1 200") or '"status":"ok"' not in answer or "smuggled" in answer:
                            print("poisoned by", number, repr(answer[:200]))
                print(len(shapes), "shapes")
                """
            try await eventually(within: .seconds(5), "the proxy answers") {
                try await runTool("curl", ["-s", "http://127.0.0.1:\(port)/health"], mayFail: true).text.contains("ok")
            }
            let said = try await runTool("python3", ["-c", script, String(port)]).text
            #expect(said == "21 shapes\n", "\(said)")
            // Nor does any of them stay with control itself.
            let direct = try await runTool("python3", ["-c", script, String(desk.installation.pagePort)]).text
            #expect(direct == "21 shapes\n", "\(direct)")
            #expect(!(try desk.said.contains("a request failed")))
        }
    }

    @Test("certificates are read again under load without a request lost, and TLS is never negotiated anew", .row("SEC-15"))
    func tls() async throws {
        try await atFrontDesk { desk in
            let place = String(desk.installation.origin.dropFirst("https://".count))
            let options = try RawBoard.options(at: desk)
            let isOver = Guarded(false)
            let counts = Guarded((good: 0, bad: [String]()))
            let workers = (0..<3).map { _ in
                Task {
                    while !isOver.withLock({ $0 }) {
                        do {
                            let answer = try await Client(loop: desk.loop, options: options).request(
                                .get, desk.installation.origin + "/health")
                            counts.withLock { $0.good += answer.status.code == 200 ? 1 : 0 }
                        } catch {
                            counts.withLock { $0.bad.append("\(error)") }
                        }
                    }
                }
            }
            let control = try desk.installation.program("control")
            let chain = desk.stage.folder["authority/chain.pem"]
            let good = try Data(contentsOf: URL(fileURLWithPath: chain))
            for round in 1...10 {
                let mark = control.lines.count
                if round == 5 { try Data("junk".utf8).write(to: URL(fileURLWithPath: chain)) }
                control.signal(SIGHUP)
                try await control.line(
                    containing: round == 5 ? "the old ones stay" : "certificates read again", from: mark, within: .seconds(5))
                if round == 5 { try good.write(to: URL(fileURLWithPath: chain)) }
                try await Task.sleep(for: .milliseconds(50))
            }
            let renegotiation = try await runTool(
                "sh", ["-c", "(sleep 0.5; echo R; sleep 1) | openssl s_client -connect \(place) -tls1_2 2>&1"], mayFail: true)
            #expect(renegotiation.text.contains("RENEGOTIATING"), "\(renegotiation.text.suffix(500))")
            #expect(
                renegotiation.text.contains("no renegotiation") || renegotiation.text.contains("no_renegotiation"),
                "\(renegotiation.text.suffix(800))")
            isOver.withLock { $0 = true }
            for worker in workers { await worker.value }
            let result = counts.withLock { $0 }
            measured("certificates: requests over ten reloads", "\(result.good) answered, \(result.bad.count) lost")
            #expect(result.bad.isEmpty && result.good > 50, "\(result.bad.prefix(3))")
        }
    }

    @Test("secrets and what boards say are never compressed, and a bomb on a page's socket ends that socket")
    func compression() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let long = String(repeating: "\u{1F600}", count: 100)
            // As many bytes as a name may have with its 50 characters.
            let name = "Ad" + String(repeating: "\u{1F600}\u{1F601}", count: 24)
            let address = "u@" + String(repeating: "one-of-many-parts-of-a-host-whose-name-is-long.", count: 5) + "example.org"
            let user = #"{"email":"\#(address)","displayName":"\#(name)","role":"member","password":"a long password"}"#
            #expect(try await owner.post("/users", user).status == 201)
            for _ in 0..<4 { #expect(try await desk.token(of: owner, name: long).count > 20) }
            let listed = try await owner.send("GET", "/enrollment-tokens", headers: [("Accept-Encoding", "gzip")])
            #expect(listed.headers["content-encoding"] == "gzip", "what holds no secret is compressed: \(listed.headers)")
            let body = #"{"email":"\#(address)","password":"a long password"}"#
            let entered = try await desk.visitor().send("POST", "/auth/login", body, headers: [("Accept-Encoding", "gzip")])
            #expect(entered.status == 200 && entered.headers["content-encoding"] == nil)
            #expect(entered.body.count >= 1024, "an answer as small as this is never compressed: \(entered.body.count)")
            #expect(entered.headers["cache-control"] == "no-store")

            func handshake(_ path: String) async throws -> String {
                let fields = [
                    "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
                    "Sec-WebSocket-Extensions: permessage-deflate",
                ]
                let words = fields.flatMap { ["-H", $0] } + ["\(desk.server)/api/v1\(path)"]
                return try await runTool("curl", ["-s", "-i", "-N", "-m", "1", "-o", "-"] + words, mayFail: true).text.lowercased()
            }
            let device = try await handshake("/devices/connect")
            #expect(device.contains(" 101 ") && !device.contains("sec-websocket-extensions"), "\(device.prefix(400))")
            let ticket = try await owner.post("/auth/ticket").text("ticket")
            let page = try await handshake("/live?ticket=\(ticket)")
            #expect(page.contains("server_no_context_takeover") && page.contains("client_no_context_takeover"), "\(page.prefix(400))")

            let pid = try desk.installation.program("control").pid
            let before = try residentKilobytes(of: pid)
            let script = """
                import os, socket, struct, sys, zlib
                s = socket.create_connection(("127.0.0.1", int(sys.argv[1]))); s.settimeout(10)
                s.sendall((f"GET /api/v1/live?ticket={sys.argv[2]} HTTP/1.1\\r\\nHost: 127.0.0.1:{sys.argv[1]}\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n"
                    "Sec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\\r\\nSec-WebSocket-Extensions: permessage-deflate\\r\\n\\r\\n").encode())
                data = b""
                while b"\\r\\n\\r\\n" not in data: data += s.recv(4096)
                packer = zlib.compressobj(9, zlib.DEFLATED, -15)
                bomb = packer.compress(bytes(200_000_000)) + packer.flush(zlib.Z_SYNC_FLUSH)
                bomb = bomb[:-4]
                s.sendall(bytes([0xC1, 0xFF]) + struct.pack(">Q", len(bomb)) + bytes(4) + bomb)
                data = data.split(b"\\r\\n\\r\\n", 1)[1]
                try:
                    while part := s.recv(65536): data += part
                except OSError: pass
                print(len(bomb), struct.unpack(">H", data[data.rindex(0x88) + 2:][:2])[0])
                """
            let fresh = try await owner.post("/auth/ticket").text("ticket")
            let said = try await runTool("python3", ["-c", script, String(desk.installation.pagePort), fresh]).text
            let grown = try residentKilobytes(of: pid) - before
            measured("a bomb of 200 MB: its bytes and the code it was closed with, kB grown", "\(said.dropLast()), \(grown)")
            #expect(said.hasSuffix(" 1009\n") && grown < 20_000, "\(said)")
            #expect(try await owner.get("/auth/me").status == 200)
        }
    }
}
