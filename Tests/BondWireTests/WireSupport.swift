import Crypto
import Testing

@testable import BondWire

/// Bytes written as fields, each with its name: `hex(("kind", "10"), ...)`.
func hex(_ fields: (name: String, digits: String)...) -> [UInt8] {
    let digits = Array(fields.map(\.digits).joined().utf8)
    return stride(from: 0, to: digits.count - 1, by: 2).map { index in
        UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16)!
    }
}

/// Randoms that a test foretells: these in turn, then the real ones.
final class ScriptedRandom: @unchecked Sendable {
    // Sendable: a test calls it from one task.
    private var script: [[UInt8]]

    init(_ script: [[UInt8]]) { self.script = script }

    func next(_ count: Int) -> [UInt8] {
        guard let first = script.first, first.count == count else { return randomBytes(count) }
        script.removeFirst()
        return first
    }

    var crypto: BondCrypto {
        BondCrypto(random: { self.next($0) }, hmac: BondCrypto.openSSL.hmac, makeCipher: BondCrypto.openSSL.makeCipher)
    }
}

/// xorshift64*, so that a run can be repeated.
struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 2_685_821_657_736_338_717
    }
}

let crypto = BondCrypto.openSSL
let streamKey = StreamKey([UInt8](0..<32), crypto)!
let home: [UInt8] = [192, 0, 2, 7, 0x1b, 0x58]
let away: [UInt8] = [198, 51, 100, 9, 0x1b, 0x59]
let ms: Microseconds = 1000
let second: Microseconds = 1_000_000

func link(_ number: Int) -> LinkNumber { LinkNumber(number)! }

/// The bytes that a step sends back; nil for another step.
extension AcceptStep {
    var answer: [UInt8]? { if case .answer(let bytes) = self { bytes } else { nil } }
    var frame: AcceptedFrame? { if case .frame(let frame) = self { frame } else { nil } }
    var dropped: DropReason? { if case .dropped(let reason) = self { reason } else { nil } }
}

extension DialStep {
    var sent: [UInt8]? { if case .send(let bytes) = self { bytes } else { nil } }
    var link: SecureLink? { if case .open(let link) = self { link } else { nil } }
    var refusal: RefusalCode? { if case .refused(let code) = self { code } else { nil } }
}

extension Acceptor {
    init(at now: Microseconds = 0) { self.init(key: streamKey, crypto: crypto, at: now) }

    /// A whole handshake without loss.
    mutating func dialled(
        _ number: Int = 2, session: SessionID = SessionID(crypto), from source: [UInt8] = home, at now: Microseconds = 0
    ) throws -> SecureLink {
        var dialer = Dialer(key: streamKey, session: session, link: link(number), crypto: crypto)
        let retry = try #require(take(dialer.start(at: now), from: source, at: now).answer)
        let open = try #require(dialer.take(retry, at: now).sent)
        let accept = try #require(take(open, from: source, at: now).answer)
        return try #require(dialer.take(accept, at: now).link)
    }

    /// The same, and the first datagram, so that the link is live.
    mutating func live(
        _ number: Int = 2, session: SessionID = SessionID(crypto), from source: [UInt8] = home, at now: Microseconds = 0
    ) throws -> SecureLink {
        let secure = try dialled(number, session: session, from: source, at: now)
        let frame = try #require(take(secure.seal(.probe(bytes: 0), at: now).datagram, from: source, at: now).frame)
        #expect(frame.change == .opened || frame.change == .newSession)
        return secure
    }
}

/// Both ends of an association, without a handshake.
func pair(epochPackets: UInt64 = SecureLink.epochPackets) -> (sender: SecureLink, receiver: SecureLink) {
    let secret = AssociationSecret(
        streamKey, dialer: randomBytes(32), acceptor: randomBytes(32), session: SessionID(crypto), link: link(0), crypto: crypto)
    let number = ConnectionNumber(0x0a_bcde)
    return (
        SecureLink(connection: number, sealing: secret.up, opening: secret.down, crypto: crypto, epochPackets: epochPackets),
        SecureLink(connection: number, sealing: secret.down, opening: secret.up, crypto: crypto, epochPackets: epochPackets)
    )
}
