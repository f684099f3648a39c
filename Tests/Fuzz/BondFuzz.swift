import BondWire
import Crypto
import RISTFlow

private let crypto = BondCrypto.openSSL
/// A key that fuzzing knows, so that what it makes gets past the authentication.
private let key = StreamKey([UInt8](0..<32), crypto)

/// With randoms that a corpus can know: a dialler's answers repeat them.
private let fixed = BondCrypto(
    random: { [UInt8](repeating: 0xc1, count: $0) }, hmac: crypto.hmac, makeCipher: crypto.makeCipher)

/// A message of the handshake, and the same with a good code behind it: without the code it moves nobody; with it, the acceptor
/// answers with no more than it got, and nobody has a link.
package func fuzzHandshake(_ bytes: [UInt8]) -> String? {
    guard let key, let link = LinkNumber(2), let session = SessionID([UInt8](repeating: 0xa1, count: 16)) else { return "no key" }
    let signed = key.signing(bytes, crypto)
    let isSigned = bytes.count > 16 && key.signing(Array(bytes.dropLast(16)), crypto) == bytes
    for (input, isGood) in [(bytes, isSigned), (signed, true)] {
        var acceptor = Acceptor(key: key, crypto: fixed, at: 0)
        switch acceptor.take(input, from: [1], at: 0) {
        case .answer(let answer):
            if !isGood { return "an answer to what is not authentic" }
            if answer.count > input.count { return "an answer longer than its question" }
            if !acceptor.links.isEmpty { return "a link without a datagram" }
        case .frame: return "a frame without an association"
        case .dropped: break
        }
        var dialer = Dialer(key: key, session: session, link: link, crypto: fixed)
        _ = dialer.start(at: 0)
        switch dialer.take(input, at: 0) {
        case .nothing: break
        case .open: return "a link without an accept"
        case .send, .refused: if !isGood { return "a dialler moved by what is not authentic" }
        }
    }
    return nil
}

/// The inside of a sealed datagram as a sender with a good key could make it, and the same bytes as a datagram without one.
package func fuzzSealed(_ bytes: [UInt8]) -> String? {
    guard let key else { return "no key" }
    var acceptor = Acceptor(key: key, crypto: crypto, at: 0)
    guard case .dropped = acceptor.take([0x40] + bytes, from: [1], at: 0) else { return "a sealed datagram was let in without a key" }
    guard let frame = Frame(encoded: bytes) else { return nil }
    switch frame {
    // The padding may be any bytes, and a report may be written in more than one way.
    case .probe(let count): return frame.encoded.count == bytes.count && count > bytes.count ? nil : "a probe of another size"
    case .report: return Frame(encoded: frame.encoded) != nil ? nil : "a report that does not read back"
    default: return frame.encoded == bytes ? nil : "a frame that is other bytes again"
    }
}

/// A report: bounded, and the same when it is written and read again.
package func fuzzReport(_ bytes: [UInt8]) -> String? {
    guard case .report(let report)? = Frame(encoded: [3] + bytes) else { return nil }
    let arrivals = report.links.flatMap(\.arrivals)
    if arrivals.count > bytes.count { return "more arrivals than bytes" }
    if arrivals.contains(where: { !(0...report.sentAt).contains($0.at) }) { return "an arrival outside of the receiver's time" }
    let again = Frame.report(report).encoded
    if again.count > Report.byteLimit + 1 { return "a report over its limit" }
    guard case .report(let second)? = Frame(encoded: again) else { return "a report that does not read back" }
    if bytes.count <= Report.byteLimit - LinkNumber.limit, again.count <= bytes.count,
        second.links.map(\.arrivals.count) != report.links.map(\.arrivals.count)
    {
        return "arrivals lost, though there was room"
    }
    return Frame.report(second).encoded == again ? nil : "a report that changes each time"
}

/// RTP packets through the flow's receiver: each input byte pair steers the clock, the rest are packets of 16 bytes.
package func fuzzRTP(_ bytes: [UInt8]) -> String? {
    if let packet = RTPPacket(bytes) {
        var written = packet.bytes
        written[1] |= bytes[1] & 0x80
        if written != bytes { return "a packet that is other bytes again" }
    }
    var receiver = FlowReceiver(latency: 500_000)
    var now: Microseconds = 0
    var taken: UInt64 = 0
    for start in stride(from: 0, to: bytes.count - 15, by: 16) {
        now += Microseconds(bytes[start]) * 10_000
        if bytes[start + 1] == 0xff {
            receiver.setPlayout(Microseconds(Int8(bitPattern: bytes[start + 2])) << Microseconds(bytes[start + 3] & 63))
        }
        var header: [UInt8] = [0x80, RTPPacket.payloadType]
        header += bytes[start + 2..<start + 8]
        header += [0, 0, 0, 2 | bytes[start + 8] & 1]
        guard let packet = RTPPacket(header + Array(bytes[start + 9..<start + 16])) else { return "a plain packet was refused" }
        receiver.take(packet, at: now)
        taken += 1
        _ = receiver.release(until: now)
        if receiver.nacks(at: now).count > FlowReceiver.nackLimit { return "more asked for than is allowed" }
    }
    let counters = receiver.counters
    let known = counters.delivered + counters.duplicates + counters.late + counters.strays + counters.overflowed
    return known + UInt64(receiver.heldBytes / 7) == taken ? nil : "packets that nobody knows of"
}

/// An RTCP compound: what was read is read again from what is written of it.
package func fuzzRTCP(_ bytes: [UInt8]) -> String? {
    guard let packets = RTCPPacket.decode(bytes) else { return nil }
    if packets.count > bytes.count / 8 { return "more packets than there are bytes for" }
    let again = packets.isEmpty ? [] : RTCPPacket.decode(RTCPPacket.encode(packets, source: 1))
    return again == packets ? nil : "packets that are others when they are written and read"
}
