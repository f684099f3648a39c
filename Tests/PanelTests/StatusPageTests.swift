import Foundation
import HTTP
import Posix
import Testing
import Web
import Wire

@testable import Panel

@Suite struct StatusPageTests {
    private static let now = Instant(nanoseconds: 100_000_000_000)

    private static func status(_ standing: BoardStatus.Standing, secondsAgo: Int64 = 1) -> BoardStatus {
        var status = BoardStatus(version: "1.4.0", standing: standing, atNanoseconds: now.nanoseconds - secondsAgo * 1_000_000_000)
        status.name = "Van 1"
        status.server = "https://live.example.org"
        return status
    }

    @Test("a board that reaches its server is well, and shows its links, its modem's signal and its inputs")
    func well() {
        var status = Self.status(.enrolled)
        status.isControlReached = true
        status.links = [
            Link(name: "eth0", kind: .ethernet, state: .down, addresses: [], mtu: 1500),
            Link(name: "wwan0", kind: .cellular, state: .up, addresses: ["10.1.2.3"], mtu: 1500),
        ]
        var modem = ModemTelemetry(id: "1", link: "wwan0", model: "EM7455", state: .connected, sim: .ready)
        (modem.network, modem.technology, modem.signalPercent, modem.rssiDbm) = ("Example", "LTE", 61, -70.5)
        status.modems = [modem]
        status.inputs = ["Camera"]
        let page = StatusPage(status, at: Self.now)
        #expect(page.isWell)
        #expect(
            page.lines == [
                "STRATA 1.4.0   Van 1", "", "Server     https://live.example.org: reached", "", "Links      eth0        down",
                "           wwan0       10.1.2.3", "Modems     EM7455      connected, Example LTE, signal 61 %, -70 dBm", "",
                "Inputs     Camera",
            ])
    }

    @Test("what is wrong is said: no link, no server, a refused token, a slow clock, an agent that says nothing")
    func wrong() {
        var status = Self.status(.enrolling)
        status.reason = "no answer from https://live.example.org: unreachable"
        status.clockLag = 1_700_000_000
        let text = StatusPage(status, at: Self.now).lines.joined(separator: "\n")
        #expect(text.contains("enrolling, not reached yet") && text.contains("no answer from") && text.contains("Links      none"))
        #expect(text.contains("Clock      wrong: at least 1700000000 s slow"))
        let refused = StatusPage(Self.status(.refused), at: Self.now)
        #expect(!refused.isWell && refused.lines.contains { $0.contains("refused the token") })
        var late = Self.status(.enrolled, secondsAgo: 60)
        late.isControlReached = true
        let page = StatusPage(late, at: Self.now)
        #expect(!page.isWell && page.lines.contains { $0.contains("said nothing for 60 s") })
        #expect(StatusPage(nil, at: Self.now).lines.contains { $0.contains("The agent does not run") })
    }

    @Test("no line is longer than a console's, and no name of anybody's steers it")
    func bounded() {
        var status = Self.status(.enrolled)
        status.name = "\u{1B}[2Jred"
        status.reason = String(repeating: "x", count: 300) + " " + String(repeating: "word ", count: 60)
        status.inputs = Array(repeating: "A camera with a long name", count: 30)
        let lines = StatusPage(status, at: Self.now).lines
        #expect(lines.allSatisfy { $0.count <= 79 && $0.isPlainLine })
        #expect(lines.joined().filter { $0 == "x" }.count >= 300)
    }

    @Test("a figure that is none ends no page")
    func absurd() {
        var status = Self.status(.enrolled)
        var modem = ModemTelemetry(id: "1", link: "wwan0", model: "EM7455", state: .connected, sim: .ready)
        modem.rssiDbm = 1e300
        status.modems = [modem]
        let lines = StatusPage(status, at: Self.now).lines
        #expect(lines.contains { $0.hasPrefix("Modems     EM7455") } && !lines.contains { $0.contains("dBm") })
    }

    @Test("a browser gets the page by the board's address, and nothing else is there")
    func site() {
        let page = StatusPage(Self.status(.enrolled), at: Self.now)
        func status(_ method: HTTP.Method = .get, _ path: String = "/", host: String? = "10.55.0.1:8080") -> Int {
            StatusSite.answer(method, path, host: host, page).status.code
        }
        #expect(status() == 200 && status(.head) == 200 && status(host: "10.55.0.1") == 200)
        #expect(status(.get, "/status.json") == 404 && status(.post) == 405)
        for host in [nil, "", "evil.example", "10.55.0.1.evil.example", "localhost:8080"] { #expect(status(host: host) == 403) }
        let answer = StatusSite.answer(.get, "/", host: "10.55.0.1", page)
        #expect(answer.headers["Cache-Control"] == "no-store" && answer.headers["Content-Type"] == "text/plain; charset=utf-8")
    }

    @Test("the page is on its own interface, where there is one of that name")
    func interface() async throws {
        let loop = try Loop(name: "page")
        let file = StatusFile(in: "/nonexistent")
        let site = StatusSite(on: "lo", port: 0, file, loop: loop)
        let port = try await site.start()
        let answer = try await Client(loop: loop).request(.get, "http://127.0.0.1:\(port)/")
        #expect(answer.status.code == 200 && String(decoding: answer.body, as: UTF8.self).contains("The agent does not run"))
        await site.stop()
        // No name at all would be every interface.
        for name in ["none0", "", "lo" + String(repeating: "0", count: 14)] {
            await #expect(throws: SystemError.self, "'\(name)'") {
                _ = try await StatusSite(on: name, port: 0, file, loop: loop).start()
            }
        }
        loop.stop()
    }

    @Test("the file is read by nobody else, and one that is cut is none")
    func file() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/strata-panel-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = StatusFile(in: folder)
        #expect(file.read() == nil)
        let status = Self.status(.enrolled)
        try file.write(status)
        try file.write(status)
        #expect(file.read() == status)
        #expect(try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int == 0o600)
        try Data("{\"version\":".utf8).write(to: URL(fileURLWithPath: file.path))
        #expect(file.read() == nil)
    }
}

extension String {
    fileprivate var isPlainLine: Bool { !unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) } }
}
