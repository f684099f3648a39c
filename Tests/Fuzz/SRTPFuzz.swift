import Crypto
import SRTP

/// Keys that fuzzing knows, so that what it makes gets past the authentication.
private func keys(_ profile: SRTPProfile, _ role: SRTPKeys.Role) -> SRTPKeys? {
    SRTPKeys(profile, exported: (0..<profile.exportedBytes).map { UInt8($0) }, role: role)
}

/// A packet as it came, by a peer with or without keys, and the same bytes as the plain packet of one with keys: what is let in is what
/// was protected, once, and nothing else makes a receiver know a source.
package func fuzzSRTP(_ bytes: [UInt8]) -> String? {
    for profile in SRTPProfile.allCases {
        guard let sending = keys(profile, .client), let receiving = keys(profile, .server) else { return "no keys" }
        if let fault = fuzzProtected(bytes, sending, receiving) ?? fuzzPlain(bytes, sending, receiving) { return fault }
    }
    return nil
}

private func fuzzProtected(_ bytes: [UInt8], _ sending: SRTPKeys, _ receiving: SRTPKeys) -> String? {
    let receiver = SRTPReceiver(receiving)
    let media = worked(bytes, room: 0) { buffer, count throws(SRTPError) in try receiver.unprotect(buffer, count) }
    let control = worked(bytes, room: 0) { buffer, count throws(SRTPError) in try receiver.unprotectControl(buffer, count) }
    if media == nil, control == nil { return receiver.sources == 0 ? nil : "a source without an authentic packet" }
    guard let media else { return nil }
    let sender = SRTPSender(sending)
    let again = worked(media, room: sender.mediaOverhead) { buffer, count throws(SRTPError) in try sender.protect(buffer, count, .first) }
    return again == bytes ? nil : "a packet that is other bytes when it is protected again"
}

private func fuzzPlain(_ bytes: [UInt8], _ sending: SRTPKeys, _ receiving: SRTPKeys) -> String? {
    let (sender, receiver) = (SRTPSender(sending), SRTPReceiver(receiving))
    let media = worked(bytes, room: sender.mediaOverhead) { buffer, count throws(SRTPError) in try sender.protect(buffer, count, .first) }
    if let media {
        let plain = worked(media, room: 0) { buffer, count throws(SRTPError) in try receiver.unprotect(buffer, count) }
        if plain != bytes { return "a packet that is not what was protected" }
        let second = worked(media, room: 0) { buffer, count throws(SRTPError) in try receiver.unprotect(buffer, count) }
        if second != nil { return "a packet that is let in twice" }
    }
    let control = worked(bytes, room: sender.controlOverhead) { buffer, count throws(SRTPError) in
        try sender.protectControl(buffer, count)
    }
    if let control {
        let plain = worked(control, room: 0) { buffer, count throws(SRTPError) in try receiver.unprotectControl(buffer, count) }
        if plain != bytes { return "a compound that is not what was protected" }
    }
    return nil
}

/// nil where it was refused.
private func worked(
    _ packet: [UInt8], room: Int, _ work: (UnsafeMutableRawBufferPointer, Int) throws(SRTPError) -> Int
) -> [UInt8]? {
    var buffer = packet + [UInt8](repeating: 0, count: room)
    // Why it was refused is the unit tests' matter.
    guard let count = try? buffer.withUnsafeMutableBytes({ try work($0, packet.count) }) else { return nil }
    return Array(buffer[..<count])
}
