import Foundation
import Posix
import Support
import Testing
import Units
import Wire

/// A site that lets nothing out but through its HTTP proxy.
@Suite(.serialized)
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
