import Crypto
import Foundation
import HTTP
import Logging
import Posix
import Store
import Support
import TLS
import Testing
import Units
import Web

@testable import Webhooks

@Suite("A courier")
struct CourierTests {
    @Test("tells a receiver that it believes, and says what it is; an answer may be long and is not read")
    func taken() async throws {
        for path in ["/", "/long"] {
            try await inOffice { office in
                let delivery = try await office.attempt(office.https + path)
                #expect(delivery.state == .processed && delivery.status == 200 && delivery.error == nil && delivery.attempts == 1)
                let got = try #require(office.got.first)
                #expect(got.method == .post && got.headers["content-type"] == "application/json")
                #expect(got.headers["webhook-id"] == delivery.event.text && got.headers["user-agent"] == "Strata/9.9")
                let shown = try await office.deliveries.find(delivery.id)
                #expect(shown.payload == String(decoding: got.body, as: UTF8.self))
                let seconds = try #require(got.headers["webhook-timestamp"].flatMap { Int64($0) })
                let expected = WebhookSignature.headers(
                    id: delivery.event.text, unixSeconds: seconds, body: try #require(shown.payload), secrets: [try office.secret()])
                for (name, value) in expected { #expect(got.headers[name] == value) }
            }
        }
    }

    @Test("does not take for taken what is refused, sent elsewhere, or not answered in time")
    func failed() async throws {
        for (path, status, words) in [
            ("/500", 500, "it answered 500"), ("/302", 302, "it answered 302"), ("/never", nil, "timed out"), ("/cut", nil, "broken"),
        ] as [(String, Int?, String)] {
            try await inOffice { office in
                let delivery = try await office.attempt(office.https + path)
                #expect(delivery.state == .failed && delivery.status == status, "\(path): \(delivery)")
                #expect(delivery.error?.hasPrefix(words) == true, "\(path): \(delivery.error ?? "")")
                #expect(office.got.map(\.path) == [path], "a redirect is not followed")
            }
        }
    }

    @Test("sends nothing to whom it does not believe, where the guard forbids it, or in the clear over the public net")
    func refused() async throws {
        try await inOffice(isTrusted: false) { office in
            let delivery = try await office.attempt(office.https)
            #expect(delivery.state == .failed && delivery.error?.hasPrefix("not trusted") == true, "\(delivery)")
            #expect(office.got.isEmpty)
        }
        try await inOffice(allowing: []) { office in
            let delivery = try await office.attempt(office.https)
            #expect(delivery.error?.hasPrefix("127.0.0.1 leads to 127.0.0.1, which is loopback") == true, "\(delivery)")
            #expect(office.got.isEmpty)
        }
        // Of an address that the guard lets pass, e.g. a public one.
        try await inOffice(allowing: [], admitting: true) { office in
            #expect(try await office.attempt(office.https).state == .processed)
            let delivery = try await office.attempt(office.http)
            #expect(delivery.state == .failed && delivery.error?.contains("nothing in the clear") == true, "\(delivery)")
            #expect(office.got.count == 1)
        }
        try await inOffice { office in
            let delivery = try await office.attempt(office.http)
            #expect(delivery.state == .processed)
        }
    }

    @Test("asks no more where it is told that nobody is there for good")
    func gone() async throws {
        try await inOffice { office in
            let delivery = try await office.attempt(office.https + "/410")
            #expect(delivery.state == .retryExhausted && delivery.status == 410)
            let webhook = try await office.webhooks.find(delivery.webhook)
            #expect(!webhook.active && webhook.failingSince != nil)
        }
    }

    @Test("brings each webhook its events in their order, whatever others take", .timeLimit(.minutes(1)))
    func sideBySide() async throws {
        try await inOffice { office in
            let slow = try await office.webhook(office.https + "/never", [.destinationCreated])
            _ = try await office.webhook(office.https + "/fast", [.destinationCreated])
            let run = Task { await office.courier.run(holder: "test") }
            defer { run.cancel() }
            for number in 0..<20 { try await office.happen("\(number)") }
            let bodies = try await eventually(within: .seconds(30), "the fast one has all") {
                let bodies = office.got.filter { $0.path == "/fast" }.map(\.body)
                return bodies.count >= 20 ? bodies : nil
            }
            let sequences = try bodies.map { body in
                try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])["sequence"] as? Int
            }
            #expect(sequences == Array(1...20))
            let waiting = try await office.deliveries.newest(of: slow.id)
            #expect(waiting.count == 20 && !waiting.contains { $0.state == .processed })
            run.cancel()
            await run.value
        }
    }
}

/// A store, a receiver that answers by the path it is asked for, and what carries events from the one to the other.
private final class Office: Sendable {
    struct Got: Sendable {
        let method: HTTP.Method
        let path: String
        let headers: Headers
        let body: [UInt8]
    }

    let courier: Courier
    let http: String
    let https: String
    private let store: ControlStore
    private let scope: OrganizationScope
    private let server: Server
    private let loops: [Loop]
    private let certificate: PlatformCertificate
    private let requests: Guarded<[Got]>
    private let kept = Guarded<Secret?>(nil)

    init(allowing ranges: [AddressRange], admitting: Bool, isTrusted: Bool) async throws {
        let requests = Guarded<[Got]>([])
        self.requests = requests
        certificate = try await PlatformCertificate()
        loops = try ["receiver", "courier"].map { try Loop(name: $0) }
        let any = try #require(SocketAddress("127.0.0.1", port: 0))
        let files = CertificateFiles(chain: certificate.chain, key: certificate.key)
        server = Server(
            configuration: ServerConfiguration(listeners: [Listener(any), Listener(any, certificate: files)]), loops: [loops[0]]
        ) { request in await Office.answer(request, requests) }
        let addresses = try await server.start()
        (http, https) = ("http://\(addresses[0])", "https://\(addresses[1])")
        store = try await ControlStore.open(.memory, keyring: Keyring(), platformVersion: "1")
        let owner = try NewUser(email: "o@example.org", displayName: "Owner", passwordHash: Secret("x"))
        let (organization, _) = try await store.organizations.create(name: "First", slug: "first", owner: owner, by: .operator)
        scope = OrganizationScope(organization.id, by: .system)
        var options = ClientOptions()
        if isTrusted { options.trust = .anchors([Array(try Data(contentsOf: URL(fileURLWithPath: certificate.authority)))]) }
        let outbound = OutboundGuard(allowing: ranges)
        let lookups =
            admitting
            ? Lookups { host, port in
                guard let address = SocketAddress(host, port: port) else {
                    return .failure(.unresolvable(host: host, reason: "no address"))
                }
                return .success(address)
            } : Lookups(outbound)
        courier = Courier(
            store, lookups: lookups, outbound: outbound, loop: loops[1], options: options, limit: .seconds(2), version: "9.9",
            log: Log("test", threshold: .error))
    }

    func stop() async throws {
        await server.shutdown(grace: .zero)
        try await store.close()
        for loop in loops { loop.stop() }
    }

    /// What came, in its order.
    var got: [Got] { requests.withLock { $0 } }
    var webhooks: StoredWebhooks { store.webhooks(in: scope) }
    var deliveries: Deliveries { store.deliveries(in: scope) }
    func secret() throws -> Secret { try #require(kept.withLock { $0 }) }

    private static func answer(_ request: Request, _ requests: Guarded<[Got]>) async -> Response {
        // try?: what cannot be read is empty, which no test expects.
        let body = (try? await request.body.collect(upTo: 1 << 20)) ?? []
        requests.withLock { $0.append(Got(method: request.method, path: request.path, headers: request.headers, body: body)) }
        switch request.path {
        case "/never":
            // try?: it ends with the server.
            try? await Task.sleep(for: .seconds(120))
            return Response(.ok)
        case "/cut": return Response(.ok, body: .stream(length: 100) { _ in throw CancellationError() })
        case "/long": return Response(.ok, body: .bytes([UInt8](repeating: 0, count: 1 << 20)))
        case "/302": return Response(Status(code: 302), headers: ["Location": "/elsewhere"])
        case let path: return Response(Status(code: Int(path.dropFirst()) ?? 200))
        }
    }

    func webhook(_ url: String, _ actions: [AuditAction]) async throws -> Webhook {
        let kinds = actions.compactMap { EventKind(rawValue: $0.rawValue) }
        let fields = try WebhookFields(url: url, description: "ours", kinds: kinds.isEmpty ? [.webhookTest] : kinds, active: true)
        let made = try await webhooks.create(fields)
        kept.withLock { $0 = made.secret?.secret }
        return made
    }

    /// Something that is told.
    func happen(_ name: String) async throws {
        let endpoint = try #require(DestinationEndpoint.preset(.twitch))
        _ = try await store.destinations(in: scope).create(name: name, endpoint: endpoint, secret: Secret("k3y"))
    }

    /// One attempt at a new webhook of that address.
    func attempt(_ url: String) async throws -> Store.Delivery {
        let delivery = try await webhooks.test(try await webhook(url, []).id)
        let job = try #require(try await store.jobs.claim(.only(EventOutbox.kind), holder: "a", for: .seconds(60), limit: 1).first)
        // try?: how it ended is what the delivery says.
        _ = try? await courier.deliver(job)
        return try await deliveries.find(delivery.id)
    }
}

/// Runs a body with an office, and clears it whatever happens.
private func inOffice(
    allowing ranges: [String] = ["127.0.0.0/8"], admitting: Bool = false, isTrusted: Bool = true, _ body: (Office) async throws -> Void
) async throws {
    let office = try await Office(allowing: ranges.compactMap(AddressRange.init), admitting: admitting, isTrusted: isTrusted)
    do { try await body(office) } catch {
        try await office.stop()
        throw error
    }
    try await office.stop()
}
