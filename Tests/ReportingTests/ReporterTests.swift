import Foundation
import HTTP
import Logging
import Posix
import Support
import TLS
import Testing
import Units
import Web

@testable import Reporting

@Suite("A reporter")
struct ReporterTests {
    @Test("makes an event of an error, with what was logged before, and nothing in it that is nobody's business")
    func event() async throws {
        try await inLab { lab in
            lab.reporter.direct(to: lab.dsn())
            let log = lab.log.heard { entry in
                lab.reporter.note(entry, route: "GET /api/v1/senders", organization: "01ARZ3NDEKTSV4RRFFQ69G5FAV")
            }
            log.info("too little to tell")
            log.notice("a sender came", ["remote": "192.0.2.77:4000", "mail": "alice@example.org"])
            log.part("api").error(
                "a request failed", ["error": "no way to rtmp://u:pw@a.example.org/live/k3y", "password": "hunter2", "count": 3])
            let got = try await eventually(within: .seconds(10), "it has come") { lab.got.first }
            #expect(got.path == "/base/api/4/envelope/" && got.headers["content-type"] == "application/x-sentry-envelope")
            #expect(got.headers["x-sentry-auth"] == "Sentry sentry_version=7, sentry_client=strata/9.9, sentry_key=abc123")
            let lines = got.body.split(separator: "\n", omittingEmptySubsequences: false)
            let (head, item, event) = (try object(lines[0]), try object(lines[1]), try object(lines[2]))
            #expect(lines.count == 3 && item["length"] as? Int == lines[2].utf8.count && item["type"] as? String == "event")
            #expect(head["event_id"] as? String == event["event_id"] as? String && (event["event_id"] as? String)?.count == 32)
            #expect(
                event["release"] as? String == "strata@9.9" && event["environment"] as? String == "test"
                    && event["level"] as? String == "error")
            #expect(
                event["tags"] as? [String: String] == [
                    "deployment_id": "d1", "org_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "component": "test.api", "route": "GET /api/v1/senders",
                ])
            let raised = try #require(((event["exception"] as? [String: Any])?["values"] as? [[String: Any]])?.first)
            #expect(raised["type"] as? String == "a request failed")
            #expect((raised["value"] as? String)?.hasPrefix("no way to rtmp://[secret]") == true)
            let frame = ((raised["stacktrace"] as? [String: Any])?["frames"] as? [[String: Any]])?.first
            #expect(frame?["filename"] as? String == "ReportingTests/ReporterTests.swift")
            #expect(event["extra"] as? [String: String] == ["password": "[secret]", "count": "3"])
            let crumbs = try #require((event["breadcrumbs"] as? [String: Any])?["values"] as? [[String: Any]])
            #expect(crumbs.map { $0["message"] as? String } == ["a sender came"])
            for hidden in ["alice", "192.0.2.77", "u:pw", "k3y", "hunter2", "abc123"] { #expect(!got.body.contains(hidden), "\(hidden)") }
        }
    }

    @Test("goes to the vendor, to the owner, to both or to none, and elsewhere from the next event on")
    func directed() async throws {
        try await inLab(vendor: "vendor1") { lab in
            lab.report("a")
            try await eventually(within: .seconds(10), "the vendor has it") { lab.keys("a") == ["vendor1"] }
            lab.reporter.direct(to: lab.dsn("own1"))
            lab.report("b")
            try await eventually(within: .seconds(10), "both have it") { lab.keys("b") == ["own1", "vendor1"] && lab.taken == [1, 2] }
            lab.reporter.direct(to: lab.dsn("own2"))
            lab.report("c")
            try await eventually(within: .seconds(10), "the other one has it") {
                lab.keys("c") == ["own2", "vendor1"] && lab.taken == [2, 3]
            }
            lab.reporter.direct(to: nil)
            lab.report("d")
            try await eventually(within: .seconds(10), "the vendor alone has it") { lab.keys("d") == ["vendor1"] && lab.taken == [2, 4] }
            #expect(lab.reporter.accounts.map(\.tracker) == ["own", "vendor"])
        }
    }

    @Test("sends nothing to whom the guard forbids or whom it does not believe, or in the clear; one that is silent holds up nobody")
    func refused() async throws {
        for (allowed, isTrusted, isTLS, words) in [
            (false, true, true, "which is loopback"), (true, false, true, "not trusted"), (false, true, false, "which is loopback"),
        ] {
            try await inLab(isAllowed: allowed, isTrusted: isTrusted) { lab in
                lab.reporter.direct(to: lab.dsn(isTLS: isTLS))
                lab.report("a")
                let line = try await eventually(within: .seconds(10), "it is told") { lab.lines.first }
                #expect(line.contains(words) && line.contains("\"warning\"") && !line.contains("abc123"), "\(line)")
                #expect(lab.got.isEmpty)
            }
        }
        // Of an address that the guard lets pass, e.g. a public one.
        try await inLab(isAllowed: false, isAdmitted: true) { lab in
            lab.reporter.direct(to: lab.dsn(isTLS: false))
            lab.report("a")
            let line = try await eventually(within: .seconds(10), "it is told") { lab.lines.first }
            #expect(line.contains("nothing in the clear") && lab.got.isEmpty, "\(line)")
            lab.reporter.direct(to: lab.dsn())
            lab.report("b")
            try await eventually(within: .seconds(10), "it has come") { lab.keys("b") == ["abc123"] }
        }
        try await inLab(vendor: "never") { lab in
            lab.reporter.direct(to: lab.dsn())
            let began = Instant.now
            for number in 0..<50 { lab.report("\(number)") }
            #expect(Instant.now - began < .seconds(2), "nobody waits to report")
            try await eventually(within: .seconds(20), "the own one has all") { lab.got.filter { $0.key == "abc123" }.count == 50 }
            #expect(lab.reporter.accounts[1].taken == 0 && lab.reporter.accounts[1].waiting == 50)
        }
    }

    private func object(_ text: Substring) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }
}

/// A tracker of ours that takes what it gets, one that never answers beside it, and a reporter. It stands for Sentry or GlitchTip, which
/// Debian does not have: what it is held to is their documentation.
private final class Lab: Sendable {
    struct Got: Sendable {
        let path: String
        let headers: Headers
        let body: String

        var key: String { headers["x-sentry-auth"]?.components(separatedBy: "sentry_key=").last ?? "" }
    }

    let reporter: Reporter
    let log: Log
    private let places: (plain: SocketAddress, secured: SocketAddress)
    private let server: Server
    private let loops: [Loop]
    private let certificate: PlatformCertificate
    private let requests: Guarded<[Got]>
    private let written: Guarded<[String]>
    private let running = Guarded<Task<Void, Never>?>(nil)

    init(vendor: String?, isAllowed: Bool, isAdmitted: Bool, isTrusted: Bool) async throws {
        let (requests, written) = (Guarded<[Got]>([]), Guarded<[String]>([]))
        (self.requests, self.written) = (requests, written)
        certificate = try await PlatformCertificate()
        loops = try ["tracker", "reporter"].map { try Loop(name: $0) }
        let any = try #require(SocketAddress("127.0.0.1", port: 0))
        let files = CertificateFiles(chain: certificate.chain, key: certificate.key)
        server = Server(
            configuration: ServerConfiguration(listeners: [Listener(any), Listener(any, certificate: files)]), loops: [loops[0]]
        ) { request in
            // try?: what cannot be read is empty, which no test expects.
            let body = (try? await request.body.collect(upTo: 1 << 20)) ?? []
            let got = Got(path: request.path, headers: request.headers, body: String(decoding: body, as: UTF8.self))
            requests.withLock { $0.append(got) }
            // try?: it ends with the server.
            if got.key == "never" { try? await Task.sleep(for: .seconds(60)) }
            return Response(.ok)
        }
        let addresses = try await server.start()
        places = (addresses[0], addresses[1])
        log = Log("test", threshold: .warning) { line in written.withLock { $0.append(line) } }
        var options = ClientOptions()
        if isTrusted { options.trust = .anchors([Array(try Data(contentsOf: URL(fileURLWithPath: certificate.authority)))]) }
        let outbound = OutboundGuard(allowing: isAllowed ? ["127.0.0.0/8"].compactMap(AddressRange.init) : [])
        let lookups =
            isAdmitted
            ? Lookups { host, port in
                guard let address = SocketAddress(host, port: port) else {
                    return .failure(.unresolvable(host: host, reason: "no address"))
                }
                return .success(address)
            } : Lookups(outbound)
        reporter = Reporter(
            Deployment(id: "d1", version: "9.9", environment: "test"),
            vendor: vendor.flatMap { DSN("https://\($0)@\(addresses[1])/base/4") },
            lookups: lookups, outbound: outbound, loop: loops[1], options: options, log: log)
        let task = Task { [reporter] in await reporter.run() }
        running.withLock { $0 = task }
    }

    func stop() async {
        let task = running.withLock { $0 }
        task?.cancel()
        await task?.value
        await server.shutdown(grace: .zero)
        for loop in loops { loop.stop() }
    }

    func dsn(_ key: String = "abc123", isTLS: Bool = true) -> DSN? {
        DSN(isTLS ? "https://\(key)@\(places.secured)/base/4" : "http://\(key)@\(places.plain)/base/4")
    }

    var got: [Got] { requests.withLock { $0 } }
    var lines: [String] { written.withLock { $0 } }

    /// Of the own one, and of the vendor's.
    var taken: [Int] { reporter.accounts.map(\.taken) }

    func report(_ message: String) { reporter.report(ErrorEvent(at: unixMilliseconds(), component: "test", message: message)) }

    /// Who has got an event, by their keys.
    func keys(_ message: String) -> [String] { got.filter { $0.body.contains("\"type\":\"\(message)\"") }.map(\.key).sorted() }
}

/// Runs a body with a lab, and clears it whatever happens.
private func inLab(
    vendor: String? = nil, isAllowed: Bool = true, isAdmitted: Bool = false, isTrusted: Bool = true, _ body: (Lab) async throws -> Void
) async throws {
    let lab = try await Lab(vendor: vendor, isAllowed: isAllowed, isAdmitted: isAdmitted, isTrusted: isTrusted)
    do { try await body(lab) } catch {
        await lab.stop()
        throw error
    }
    await lab.stop()
}
