import Crypto
import FoundationEssentials
import HTTP
import Identity
import Posix
import Releases
import Units
import Updating
import Web
import Wire

/// Control as the updater speaks to it: one connection for each question, over any link that reaches it.
struct ControlLine: Sendable {
    private let loop: Loop
    private let proxy: ClientOptions.Proxy?

    /// Why there is no answer, for people.
    struct Fault: Error, Hashable, CustomStringConvertible {
        let description: String
    }

    private static let connectTime = Duration.seconds(15)
    /// A part of 256 KiB over a line of 32 kbit/s.
    private static let answerTime = Duration.seconds(90)

    /// Of an answer that says why there is no file.
    private static let refusalBytes = 4096

    init(loop: Loop, proxy: ClientOptions.Proxy?) {
        self.loop = loop
        self.proxy = proxy
    }

    /// - Parameter link: the only interface that is used; nil: as the routing table says.
    private func made(for identity: DeviceIdentity, over link: String?, bodyLimit: Int = 0) -> Client {
        var options = ClientOptions()
        options.trust = identity.trust
        options.timeFloor = identity.timeFloor
        options.proxy = proxy
        options.bindToDevice = link
        options.connectTimeout = Self.connectTime
        options.responseTimeout = Self.answerTime
        options.bodyLimit = bodyLimit
        return Client(loop: loop, options: options)
    }

    /// Says what the board has, and hears what it is to do.
    func ask(_ report: UpdateReport, as identity: DeviceIdentity, over link: String?) async throws -> UpdateOrder {
        let socket = try await made(for: identity, over: link).webSocket(identity.server.updatesURL)
        let limit = Task { [loop] in
            // try?: cancelled at the end of the conversation.
            guard (try? await loop.sleep(for: Self.answerTime)) != nil else { return }
            socket.abort()
        }
        defer { limit.cancel() }
        let challenge = try await receive(Challenge.self, socket)
        guard challenge.version == WireLimits.version else { throw Fault(description: "control speaks another version") }
        let proof = try Proof.answering(challenge, identity: identity, exporter: socket.tlsExporter)
        try await socket.send(String(decoding: JSONEncoder().encode(proof), as: UTF8.self))
        try await socket.send(String(decoding: JSONEncoder().encode(report), as: UTF8.self))
        let order = try await receive(UpdateOrder.self, socket)
        await socket.close(.normal, within: .seconds(2))
        return order
    }

    private func receive<Body: Decodable>(_: Body.Type, _ socket: WebSocket) async throws -> Body {
        guard case .text(let text)? = try await socket.receive() else {
            let reason = (socket.closeReason ?? "").bounded(to: 200)
            throw Fault(description: reason.isEmpty ? "control closed the connection" : "control refuses: \(reason)")
        }
        return try JSONDecoder().decode(Body.self, from: Data(text.utf8))
    }

    /// A signed text, as it is published.
    ///
    /// - Returns: nil where control does not have it.
    func text(_ name: String, as identity: DeviceIdentity, over link: String?) async throws -> SignedText? {
        let client = made(for: identity, over: link, bodyLimit: SignedText.byteLimit)
        let answer = try await client.request(.get, identity.server.releaseURL(name))
        switch answer.status.code {
        case 200: return try SignedText(bytes: answer.body)
        case 404: return nil
        default: throw Fault(description: "control answers \(answer.status.code) for '\(name)'")
        }
    }

    /// What a part of a file came to.
    enum Part: Sendable {
        /// From the beginning of what was asked for; may be fewer.
        case bytes([UInt8])
        case gone
    }

    /// A part of a file, which control names by its digest (RFC 9110, 14).
    func part(_ range: Range<Int>, of file: ReleaseFile, as identity: DeviceIdentity, over link: String?) async throws -> Part {
        let name = Hex.encode(file.digest)
        let headers: Headers = ["Range": "bytes=\(range.lowerBound)-\(range.upperBound - 1)", "If-Range": "\"\(name)\""]
        let client = made(for: identity, over: link, bodyLimit: range.count + Self.refusalBytes)
        let answer = try await client.request(.get, identity.server.releaseURL(name), headers: headers)
        switch answer.status.code {
        case 206:
            let place = "bytes \(range.lowerBound)-\(range.lowerBound + answer.body.count - 1)/"
            guard (1...range.count).contains(answer.body.count), answer.headers["Content-Range"]?.hasPrefix(place) == true else {
                throw Fault(description: "control sends another part than was asked for")
            }
            return .bytes(answer.body)
        // All of it is the part, where the file is small.
        case 200 where range.lowerBound == 0 && (1...range.count).contains(answer.body.count): return .bytes(answer.body)
        // What is there is shorter than what was signed.
        case 404, 416: return .gone
        default: throw Fault(description: "control answers \(answer.status.code)")
        }
    }
}
