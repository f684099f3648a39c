import Foundation
import Posix
import Support
import Testing
import Units
import Wire

/// A site that lets nothing out but through its HTTP proxy, and a server that lets nobody in but through nginx.
@Suite(.serialized, .unlessStolen)
struct ProxyTests {
    @Test("board and shell reach control through an HTTP proxy, and the board is gone when the proxy is")
    func proxy() async throws {
        try await atFrontDesk { desk in
            let port = try FreePorts.tcp()
            let secure = try #require(Int(desk.installation.origin.split(separator: ":").last ?? ""))
            try desk.stage.folder.write(
                "Port \(port)\nListen 127.0.0.1\nTimeout 60\nConnectPort \(secure)\nLogLevel Info\n", to: "tinyproxy.conf")
            let proxy = try await start(desk)
            let address = "http://127.0.0.1:\(port)"

            // The shell: it asks for the owner's list of boards.
            let shell = try desk.stage.start(
                "strata-provision",
                [
                    "--server", desk.installation.origin, "--ca", desk.stage.folder["authority/ca.pem"], "--session",
                    desk.stage.folder["proxied.json"], "login", "--email", "owner@example.org", "--password-file",
                    desk.stage.folder["password"],
                ], environment: ["HTTPS_PROXY": address])
            #expect(try await shell.end(within: .seconds(10)) == 0, "\(shell.tail)")
            #expect(tunnels(proxy) == 1)

            // The board, at its enrollment and after it.
            let token = desk.stage.folder["board.token"]
            _ = try await desk.installation.provision(["token", "create", "--kind", "sender", "--output", token])
            let configuration = try desk.stage.folder.write(
                """
                [server]
                proxy = "\(address)"
                [folders]
                runtime = "\(try desk.stage.folder.makeFolder("board.run"))"
                state = "\(try desk.stage.folder.makeFolder("board.state"))"
                [log]
                level = "info"
                """, to: "board.conf")
            let enrollment = try desk.stage.start(
                "strata-agent",
                ["enroll", "--server", desk.installation.origin, "--token-file", token, "--config", configuration, "--name", "board"])
            #expect(try await enrollment.end(within: .seconds(10)) == 0, "\(enrollment.tail)")
            #expect(tunnels(proxy) == 2)
            let board = try desk.stage.start("strata-agent", ["--config", configuration])
            try await board.line(containing: "connected to control", within: .seconds(10))
            #expect(tunnels(proxy) >= 3)

            // No other way was taken: without the proxy there is none.
            let owner = try await desk.owner()
            try await eventually(within: .seconds(5), "the board is online") { try await isOnline(owner) }
            try await proxy.kill9()
            try await board.line(containing: "connection to control lost", within: .seconds(5))
            try await eventually(within: .seconds(5), "the board is offline") { try await !isOnline(owner) }
            try await Task.sleep(for: .seconds(1))
            #expect(try await !isOnline(owner), "it found another way")
            try await start(desk)
            try await eventually(within: .seconds(10), "the board is back") { try await isOnline(owner) }
        }
    }

    @Test(
        "behind nginx a board and a page are served by HTTPS and WSS, and counted by where they come from, whatever they say of it",
        .row("CTL-19"))
    func reverseProxy() async throws {
        let port = try FreePorts.tcp()
        try await atFrontDesk({
            $0.proxyPort = port
            $0.openPerMinute = 40
        }) { desk in
            let proxy = try await ReverseProxy(
                on: desk.stage, port: port, page: desk.installation.pagePort, authority: desk.stage.folder["authority"])
            let device = try #require(DeviceID(try await desk.installation.enrollSender("board")))
            let board = try await desk.installation.startSender("board")
            let line = try await board.line(containing: "connected to control", within: .seconds(5))
            #expect(line.contains("127.0.0.1:\(port)"), "\(line)")
            let page = try Browser(server: "https://127.0.0.1:\(port)")
            try page.trust(desk.stage.folder["authority/ca.pem"])
            try await page.signIn(email: "owner@example.org", password: desk.installation.ownerPassword)
            page.watch()
            defer { page.close() }
            try await eventually(within: .seconds(5), "the page sees the board, by its WebSocket") {
                try page.sender(device)?.online == true
            }
            try await countedByAddress(desk, port)
            // There is no other way to either.
            try await proxy.stop()
            try await board.line(containing: "connection to control lost", within: .seconds(5))
        }
    }

    private func countedByAddress(_ desk: FrontDesk, _ port: Int) async throws {
        let proxied = "https://127.0.0.1:\(port)"
        func statuses(_ from: String, _ count: Int = 1, forging: String? = nil, at server: String? = nil) async throws -> [String] {
            let forged = forging.map { ["-H", "X-Forwarded-For: \($0)"] } ?? []
            let answer = try await runTool(
                "curl",
                ["-s", "--cacert", desk.stage.folder["authority/ca.pem"], "--interface", from, "-o", "/dev/null", "-w", "%{http_code}\n"]
                    + forged + ["\(server ?? proxied)/api/v1/setup?[1-\(count)]"], mayFail: true)
            return answer.text.split(separator: "\n").map(String.init)
        }
        let (busy, other) = ("127.0.0.2", "127.0.0.3")
        let many = try await statuses(busy, 60)
        #expect(many.first == "200" && many.last == "429", "\(many)")
        // Another one is not held to account for it, and the busy one is none by saying so: not to nginx, and not past it.
        #expect(try await statuses(other) == ["200"])
        #expect(try await statuses(busy, forging: other) == ["429"])
        #expect(try await statuses(busy, forging: other, at: desk.server) == ["429"])
        // What is written down of a session is the same.
        let body = #"{"email":"owner@example.org","password":"\#(desk.installation.ownerPassword)"}"#
        _ = try await runTool(
            "curl",
            [
                "-sf", "--cacert", desk.stage.folder["authority/ca.pem"], "--interface", other, "-H", "X-Forwarded-For: 198.51.100.9", "-H",
                "Content-Type: application/json", "-d", body, "\(proxied)/api/v1/auth/login",
            ])
        let owner = try await desk.owner()
        let addresses = try await owner.get("/auth/sessions").items().compactMap { $0["address"] as? String }
        #expect(addresses.contains(other) && !addresses.contains("198.51.100.9"), "\(addresses)")
    }

    @discardableResult
    private func start(_ desk: FrontDesk) async throws -> RunningProgram {
        let proxy = try desk.stage.start("/usr/bin/tinyproxy", ["-d", "-c", desk.stage.folder["tinyproxy.conf"]])
        try await proxy.line(containing: "Accepting connections", within: .seconds(5))
        return proxy
    }

    private func isOnline(_ owner: Visitor) async throws -> Bool {
        try await owner.get("/senders").items().contains { $0["online"] as? Bool == true }
    }

    /// How many tunnels the proxy was asked for.
    private func tunnels(_ proxy: RunningProgram) -> Int { proxy.lines.count { $0.contains(": CONNECT ") } }
}
