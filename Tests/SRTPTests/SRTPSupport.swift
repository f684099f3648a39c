import Crypto
import Testing

@testable import SRTP

/// Bytes written as fields, each with its name: `hex(("kind", "10"), ...)`.
func hex(_ fields: (name: String, digits: String)...) -> [UInt8] {
    let digits = Array(fields.map(\.digits).joined().utf8.filter { $0 != UInt8(ascii: " ") })
    return stride(from: 0, to: digits.count - 1, by: 2).map { index in
        UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16)!
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

    mutating func chance(_ percent: Int) -> Bool { Int(next() % 100) < percent }
    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 32) } }
}

/// An RTP packet: with contributing sources and an extension where they are asked for.
func rtp(source: UInt32 = 0x1234_5678, _ sequence: UInt16, payload: [UInt8], sources: Int = 0, extensionWords: Int? = nil) -> [UInt8] {
    var packet: [UInt8] = [0x80 | UInt8(sources) | (extensionWords == nil ? 0 : 0x10), 0x60]
    packet += [UInt8(sequence >> 8), UInt8(sequence & 0xff), 0, 0, 0x0b, 0xb8]
    packet += (0..<4).map { UInt8(truncatingIfNeeded: source >> (24 - 8 * UInt32($0))) }
    packet += [UInt8](repeating: 0xcc, count: 4 * sources)
    if let extensionWords { packet += [0xbe, 0xde, 0, UInt8(extensionWords)] + [UInt8](repeating: 0x10, count: 4 * extensionWords) }
    return packet + payload
}

/// A receiver report without blocks, and what else is to be in the compound.
func rtcp(source: UInt32 = 0x1234_5678, rest: [UInt8] = []) -> [UInt8] {
    [0x80, 0xc9, 0, 1] + (0..<4).map { UInt8(truncatingIfNeeded: source >> (24 - 8 * UInt32($0))) } + rest
}

func keys(_ profile: SRTPProfile, _ role: SRTPKeys.Role = .client, seed: UInt8 = 1) -> SRTPKeys {
    SRTPKeys(profile, exported: (0..<profile.exportedBytes).map { UInt8(truncatingIfNeeded: $0 * 7) &+ seed }, role: role)!
}

/// The two ends of one direction: the client sends.
func pair(_ profile: SRTPProfile, limit: Int = 256) -> (SRTPSender, SRTPReceiver) {
    (SRTPSender(keys(profile), limit: limit), SRTPReceiver(keys(profile, .server), limit: limit))
}

/// Over arrays, with room for what is added.
extension SRTPSender {
    func protect(_ packet: [UInt8], _ occasion: Occasion = .first, room: Int = 32) throws -> [UInt8] {
        try worked(packet, room) { buffer, count throws(SRTPError) in try protect(buffer, count, occasion) }
    }

    func protectControl(_ packet: [UInt8], room: Int = 32) throws -> [UInt8] {
        try worked(packet, room) { buffer, count throws(SRTPError) in try protectControl(buffer, count) }
    }

    func protect(header: [UInt8], payload: [UInt8], _ occasion: Occasion = .first, room: Int = 2048) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0xee, count: room)
        let count = try header.withUnsafeBytes { header in
            try payload.withUnsafeBytes { payload in
                try buffer.withUnsafeMutableBytes { try protect(header: header, payload: payload, into: $0, occasion) }
            }
        }
        return Array(buffer[..<count])
    }
}

extension SRTPReceiver {
    func unprotect(_ packet: [UInt8]) throws -> [UInt8] {
        try worked(packet, 0) { buffer, count throws(SRTPError) in try unprotect(buffer, count) }
    }

    func unprotectControl(_ packet: [UInt8]) throws -> [UInt8] {
        try worked(packet, 0) { buffer, count throws(SRTPError) in try unprotectControl(buffer, count) }
    }
}

private func worked(
    _ packet: [UInt8], _ room: Int, _ work: (UnsafeMutableRawBufferPointer, Int) throws(SRTPError) -> Int
) throws -> [UInt8] {
    var buffer = packet + [UInt8](repeating: 0xee, count: room)
    let count = try buffer.withUnsafeMutableBytes { try work($0, packet.count) }
    return Array(buffer[..<count])
}
