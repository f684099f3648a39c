import Crypto
import Foundation
import HTTP
import Posix
import Testing
import Units
import Web
import Wire

@testable import Identity

/// A server that answers enrollments as the closure says, over TLS with a CA of its own.
private final class PlayedControl: Sendable {
    let loop: Loop
    let server: Server
    let address: SocketAddress
    let authority: CertificateAuthority
    let folder: String
    let requests = Guarded<[EnrollRequest]>([])

    init(_ answer: @escaping @Sendable (EnrollRequest, Int) -> Response) async throws {
        folder = "/tmp/st-enroll-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        mkdir(folder, 0o700)
        loop = try Loop(name: "control")
        let now = unixMilliseconds() / 1000
        authority = try CertificateAuthority.make(name: "test", at: now)
        let leaf = try authority.issue(for: ["127.0.0.1"], at: now)
        try KeyFile.write(leaf.chainPEM, to: folder + "/chain.pem")
        try KeyFile.write(leaf.privateKeyPEM, to: folder + "/key.pem")
        let listener = Listener(.loopback(port: 0), certificate: CertificateFiles(chain: folder + "/chain.pem", key: folder + "/key.pem"))
        server = Server(
            configuration: ServerConfiguration(listeners: [listener]), loops: [loop],
            handler: { [requests] request in
                guard request.path == "/api/v1/enroll", request.method == .post,
                    let body = try? await request.body.collect(upTo: 10_000),
                    let enroll = try? JSONDecoder().decode(EnrollRequest.self, from: Data(body))
                else { return Response(.badRequest) }
                let count = requests.withLock { all in
                    all.append(enroll)
                    return all.count
                }
                return answer(enroll, count)
            })
        address = try await server.start()[0]
    }

    /// A token for this server, or for another one.
    func tokenFile(pin: [UInt8]? = nil) throws -> String {
        let id = EnrollmentTokenID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!
        let digest = try pin ?? fingerprint(ofPEM: authority.certificatePEM)
        let token = EnrollmentToken.make(id: id, authority: .pinned(sha256: digest))
        try KeyFile.write(token.text.revealed + "\n", to: folder + "/token")
        return folder + "/token"
    }

    func enrollment(pin: [UInt8]? = nil, waits: Int = 2) throws -> Enrollment {
        try Enrollment(
            server: "https://\(address)", tokenFile: tokenFile(pin: pin), stateFolder: folder + "/state", loop: loop,
            waits: Array(repeating: .milliseconds(1), count: waits))
    }

    func stop() async {
        await server.shutdown(grace: .zero)
        loop.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }
}

@Suite("Enrollment", .timeLimit(.minutes(1)))
struct EnrollmentTests {
    private static func accept(_ request: EnrollRequest) -> Response {
        let response = EnrollResponse(
            device: DeviceID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!, organization: OrganizationID("01ARZ3NDEKTSV4RRFFQ69G5FAW")!, name: request.name
        )
        return .json(Array((try? JSONEncoder().encode(response)) ?? Data()), status: .created)
    }

    private static func problem(_ status: Int, _ name: String) -> Response {
        Response(Status(code: status), body: .bytes(Array("{\"type\":\"https://strata.invalid/problems/\(name)\"}".utf8)))
    }

    @Test("a token becomes an identity, and is kept")
    func redeemed() async throws {
        let control = try await PlayedControl { request, _ in Self.accept(request) }
        let identity = try await control.enrollment().redeem(kind: .pool, name: "host 1")
        #expect(identity.name == "host 1" && identity.kind == .pool && identity.server.text == "https://\(control.address)")
        #expect(try DeviceIdentity.load(state: control.folder + "/state")?.device == identity.device)
        await control.stop()
    }

    @Test("an enrolled machine is asked for again: what stands is kept")
    func stands() async throws {
        let control = try await PlayedControl { request, count in
            count == 1 ? Self.accept(request) : Self.problem(409, "enrolled-already")
        }
        let identity = try await control.enrollment().redeem(kind: .sender, name: "board")
        let again = try await control.enrollment().redeem(kind: .sender, name: "board")
        #expect(again.device == identity.device && again.key.seed == identity.key.seed)
        #expect(control.requests.withLock { Set($0.map(\.publicKey)).count } == 1)
        await control.stop()
    }

    @Test("a machine that was revoked is enrolled again with a new key, or not at all")
    func revoked() async throws {
        let control = try await PlayedControl { request, count in
            switch count {
            case 1, 4: Self.accept(request)
            case 3: Response(.forbidden, body: .bytes(Array("{\"detail\":\"expired\"}".utf8)))
            default: Self.problem(410, "revoked")
            }
        }
        let identity = try await control.enrollment().redeem(kind: .sender, name: "board")
        await #expect(throws: IdentityError.refused(status: 403, reason: "expired")) {
            try await control.enrollment().redeem(kind: .sender, name: "board")
        }
        #expect(try DeviceIdentity.load(state: control.folder + "/state") == nil)
        let again = try await control.enrollment().redeem(kind: .sender, name: "board")
        #expect(again.key.seed != identity.key.seed)
        #expect(try DeviceIdentity.load(state: control.folder + "/state")?.key.seed == again.key.seed)
        #expect(control.requests.withLock { requests in requests[1].publicKey != requests[2].publicKey })
        await control.stop()
    }

    @Test("before a machine becomes another one, what belonged to the one before goes; where that fails it stays who it was")
    func leaving() async throws {
        struct Stuck: Error {}
        let control = try await PlayedControl { request, count in
            [1, 4].contains(count) ? Self.accept(request) : Self.problem(410, "revoked")
        }
        let identity = try await control.enrollment().redeem(kind: .sender, name: "board")
        await #expect(throws: Stuck.self) { try await control.enrollment().redeem(kind: .sender, name: "board") { throw Stuck() } }
        #expect(try DeviceIdentity.load(state: control.folder + "/state")?.key.seed == identity.key.seed)
        let left = Guarded(false)
        let again = try await control.enrollment().redeem(kind: .sender, name: "board") { left.withLock { $0 = true } }
        #expect(left.withLock { $0 } && again.key.seed != identity.key.seed)
        await control.stop()
    }

    @Test("a list of servers is tried in its order, over each way, and kept")
    func servers() async throws {
        let control = try await PlayedControl { request, _ in Self.accept(request) }
        var way = Enrollment.Way()
        way.others = [try ServerOrigin("https://\(control.address)")]
        way.routes = { ["none0", nil] }
        let token = EnrollmentToken.make(
            id: EnrollmentTokenID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!,
            authority: .pinned(sha256: try fingerprint(ofPEM: control.authority.certificatePEM)))
        let away = try ServerOrigin("https://127.0.0.1:1")
        let enrollment = Enrollment(
            server: away, token: token, stateFolder: control.folder + "/state", loop: control.loop, way: way, waits: [])
        let identity = try await enrollment.redeem(kind: .sender, name: "board")
        #expect(identity.server.text == "https://\(control.address)" && identity.servers == [away] + way.others)
        let kept = try #require(try DeviceIdentity.load(state: control.folder + "/state"))
        #expect(kept.servers == identity.servers && kept.server == identity.server)
        #expect(kept.turned.server == away && kept.turned.turned.server == kept.server && kept.turned.servers == kept.servers)
        await control.stop()
    }

    @Test("a busy server is asked again with the same key")
    func retried() async throws {
        let control = try await PlayedControl { request, count in
            count < 3 ? Response(.unavailable) : Self.accept(request)
        }
        _ = try await control.enrollment().redeem(kind: .sender, name: "board")
        let requests = control.requests.withLock { $0 }
        #expect(requests.count == 3 && Set(requests.map(\.publicKey)).count == 1)
        await control.stop()
    }

    @Test("a refusal is told with the server's reason, and not repeated")
    func refused() async throws {
        let control = try await PlayedControl { _, _ in
            Response(.forbidden, body: .bytes(Array("{\"title\":\"no\",\"detail\":\"the token has expired\"}".utf8)))
        }
        await #expect(throws: IdentityError.refused(status: 403, reason: "the token has expired")) {
            try await control.enrollment().redeem(kind: .sender, name: "board")
        }
        #expect(control.requests.withLock { $0.count } == 1)
        #expect(try DeviceIdentity.load(state: control.folder + "/state") == nil)
        await control.stop()
    }

    @Test("a server whose CA is not the token's gets no token")
    func wrongServer() async throws {
        let control = try await PlayedControl { request, _ in Self.accept(request) }
        do {
            _ = try await control.enrollment(pin: randomBytes(32)).redeem(kind: .sender, name: "board")
            Issue.record("the token was sent")
        } catch IdentityError.untrusted {
        }
        #expect(control.requests.withLock { $0.isEmpty })
        await control.stop()
    }

    @Test("a server that is away is named after the last attempt")
    func away() async throws {
        let control = try await PlayedControl { _, _ in Response(.unavailable) }
        await #expect(throws: IdentityError.unreachable(server: "https://\(control.address)", reason: "HTTP 503")) {
            try await control.enrollment(waits: 1).redeem(kind: .sender, name: "board")
        }
        await control.stop()
    }

    @Test("token files that are open to others, missing or something else are refused")
    func tokenFiles() async throws {
        let control = try await PlayedControl { request, _ in Self.accept(request) }
        let file = try control.tokenFile()
        chmod(file, 0o644)
        for (path, text) in [(file, nil), (control.folder + "/none", nil), (control.folder + "/other", "hello")] {
            if let text { try KeyFile.write(text, to: path) }
            #expect(throws: IdentityError.self) {
                try Enrollment(server: "https://a", tokenFile: path, stateFolder: control.folder + "/state", loop: control.loop)
            }
        }
        await control.stop()
    }
}
