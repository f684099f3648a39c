import BondWire
import Crypto
import ICE
import Posix
import STUN
import Testing

let ms: Microseconds = 1000
let second: Microseconds = 1_000_000

/// A path from a host of the documentation's network.
func path(_ host: Int = 7, port: Int = 40000, socket: UInt32 = 0) -> Path {
    Path(socket: socket, remote: SocketAddress("192.0.2.\(host)", port: port)!)
}

/// The other end of a session: a full agent's checks, and what may be wrong with them.
struct Peer {
    var session: SessionNumber
    var ours: Credentials
    var ufrag = "theirs"
    private var number: UInt64

    init(_ session: SessionNumber, _ ours: Credentials, from number: UInt64 = 0) {
        self.session = session
        self.ours = ours
        self.number = number
    }

    /// A session of an agent and its other end.
    init(in agent: inout LiteAgent, at now: Microseconds = 0) throws {
        self = try agent.opened(at: now)
        #expect(agent.learn(session, remoteUfrag: ufrag) == true)
    }

    enum Nomination { case nominating, asking }

    mutating func next() -> TransactionID {
        number += 1
        return TransactionID(high: UInt32(session.slot), low: number)
    }

    /// A check as RFC 8445 section 7.1 wants it, and what else `more` writes.
    mutating func check(
        _ nomination: Nomination = .nominating, username: String? = nil, password: String? = nil,
        _ more: (inout STUNWriter) -> Void = { _ in }
    ) -> [UInt8] {
        var writer = STUNWriter(.request, next())
        writer.append(.username, Array((username ?? "\(ours.ufrag):\(ufrag)").utf8))
        writer.append(.priority, 0x6e7f_1eff as UInt32)
        writer.append(.iceControlling, 0x0123_4567_89ab_cdef as UInt64)
        if nomination == .nominating { writer.append(.useCandidate) }
        more(&writer)
        return writer.finished(code(password ?? ours.password.revealed))
    }
}

/// OpenSSL's code under a password.
func code(_ password: String) -> IntegrityCode { STUNCrypto.openSSL.makeCode(Array(password.utf8)) }

extension LiteAgent {
    init(_ change: (inout Limits) -> Void = { _ in }) {
        var limits = Limits()
        change(&limits)
        self.init(.openSSL, limits: limits)
    }

    mutating func take(_ bytes: [UInt8], _ path: Path, at now: Microseconds = 0) -> Step { take(bytes.span, from: path, at: now) }

    /// A session whose other end's description has not come yet.
    mutating func opened(at now: Microseconds = 0) throws -> Peer {
        let opened = open(at: now)
        let (session, credentials) = try #require(opened)
        return Peer(session, credentials)
    }

    /// The other end of a session that was restarted, whose transactions are others than before.
    mutating func restarted(_ peer: Peer, from number: UInt64) throws -> Peer {
        let credentials = restart(peer.session)
        return Peer(peer.session, try #require(credentials), from: number)
    }
}

extension Step {
    var change: Change? { if case .checked(_, _, let change) = self { change } else { nil } }
    var session: SessionNumber? { if case .checked(let session, _, _) = self { session } else { nil } }
    var refusal: Refusal? { if case .refused(let refusal, _) = self { refusal } else { nil } }
    /// The number of an error answer.
    var error: Int? { answer.flatMap { STUNMessage($0)?.errorCode } }
}

/// Arrays in place of spans, which the macros of tests cannot pass on.
extension STUNMessage {
    init?(_ bytes: [UInt8]) { self.init(bytes.span) }
    func isAuthentic(_ bytes: [UInt8], _ code: IntegrityCode) -> Bool { isAuthentic(bytes.span, code) }
    func hasGoodFingerprint(_ bytes: [UInt8]) -> Bool { hasGoodFingerprint(bytes.span) }
    func mappedAddress(_ bytes: [UInt8]) -> MappedAddress? { mappedAddress(bytes.span) }
    func unknownAttributes(_ bytes: [UInt8], limit: Int) -> [UInt16] { unknownAttributes(bytes.span, limit: limit) }
}

extension StreamFrames {
    mutating func take(_ bytes: [UInt8], _ body: (Span<UInt8>) -> Void) -> Bool { take(bytes.span, body) }
}
