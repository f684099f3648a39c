import CSRTP
import Crypto
import Glibc
import SRTP

// Our SRTP beside libsrtp2, for packets of 1,200 bytes on one thread: `SRTPBench [packets]`. Rounds of both take turns; printed is the
// median of nine, by processor time, so that others' work on the machine counts as little as it can.
private let packets = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 100_000
private let rounds = 9
private let packetBytes = 1200

private typealias Work = (UnsafeMutableRawBufferPointer, Int) -> Int

private func nanoseconds() -> UInt64 {
    var moment = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &moment)
    return UInt64(moment.tv_sec) * 1_000_000_000 + UInt64(moment.tv_nsec)
}

/// A packet with the number, in the buffer's first 1,200 bytes.
private func fill(_ buffer: UnsafeMutableRawBufferPointer, _ number: Int) {
    buffer[0] = 0x80
    buffer[1] = 0x60
    buffer[2] = UInt8(truncatingIfNeeded: number >> 8)
    buffer[3] = UInt8(truncatingIfNeeded: number)
}

/// - Returns: nanoseconds for each packet, to protect and to open it.
private func measured(_ protect: Work, _ unprotect: Work) -> (Double, Double) {
    let batch = 500
    let buffers = (0..<batch).map { _ in UnsafeMutableRawBufferPointer.allocate(byteCount: packetBytes + 160, alignment: 16) }
    defer { buffers.forEach { $0.deallocate() } }
    for buffer in buffers { buffer.initializeMemory(as: UInt8.self, repeating: 0) }
    var (sealing, opening): (UInt64, UInt64) = (0, 0)
    var counts = [Int](repeating: 0, count: batch)
    for start in stride(from: 0, to: packets, by: batch) {
        for (offset, buffer) in buffers.enumerated() { fill(buffer, start + offset) }
        let begin = nanoseconds()
        for index in 0..<batch { counts[index] = protect(buffers[index], packetBytes) }
        let middle = nanoseconds()
        for index in 0..<batch { counts[index] = unprotect(buffers[index], counts[index]) }
        sealing += middle - begin
        opening += nanoseconds() - middle
        precondition(counts.allSatisfy { $0 == packetBytes }, "each packet comes back")
    }
    let total = Double((packets + batch - 1) / batch * batch)
    return (Double(sealing) / total, Double(opening) / total)
}

private func ours(_ profile: SRTPProfile, _ material: [UInt8]) -> (Double, Double) {
    guard let client = SRTPKeys(profile, exported: material, role: .client),
        let server = SRTPKeys(profile, exported: material, role: .server)
    else { fatalError("no keys") }
    let (sender, receiver) = (SRTPSender(client), SRTPReceiver(server))
    // What is refused comes back as no packet, which ends the program.
    return measured(
        { buffer, count in (try? sender.protect(buffer, count, .first)) ?? 0 },
        { buffer, count in (try? receiver.unprotect(buffer, count)) ?? 0 })
}

private func theirs(_ profile: SRTPProfile, _ material: [UInt8]) -> (Double, Double) {
    let sessions = [ssrc_any_outbound, ssrc_any_inbound].map { direction -> srtp_t? in
        var policy = srtp_policy_t()
        switch profile {
        case .gcm:
            srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
            srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp)
        case .counter:
            srtp_crypto_policy_set_rtp_default(&policy.rtp)
            srtp_crypto_policy_set_rtcp_default(&policy.rtcp)
        }
        policy.ssrc = srtp_ssrc_t(type: direction, value: 0)
        policy.window_size = 2048
        var master = Array(material.prefix(profile.keyBytes + profile.saltBytes))
        var session: srtp_t?
        master.withUnsafeMutableBufferPointer { master in
            policy.key = master.baseAddress
            precondition(srtp_create(&session, &policy) == srtp_err_status_ok, "libsrtp2 takes the policy")
        }
        return session
    }
    defer { sessions.forEach { srtp_dealloc($0) } }
    return measured(
        { buffer, count in
            var length = CInt(count)
            return srtp_protect(sessions[0], buffer.baseAddress, &length) == srtp_err_status_ok ? Int(length) : 0
        },
        { buffer, count in
            var length = CInt(count)
            return srtp_unprotect(sessions[1], buffer.baseAddress, &length) == srtp_err_status_ok ? Int(length) : 0
        })
}

precondition(srtp_init() == srtp_err_status_ok, "libsrtp2 begins")
for profile in SRTPProfile.allCases {
    let material = (0..<profile.exportedBytes).map { UInt8($0) }
    var own: [(Double, Double)] = []
    var other: [(Double, Double)] = []
    for _ in 0..<rounds {
        own.append(ours(profile, material))
        other.append(theirs(profile, material))
    }
    for (name, results) in [("ours", own), ("libsrtp2", other)] {
        let (sealing, opening) = (results.map(\.0).sorted()[rounds / 2], results.map(\.1).sorted()[rounds / 2])
        print(
            "\(profile) \(name): protect \(Int(sealing)) ns (\(Int(1e9 / sealing)) packets/s),",
            "unprotect \(Int(opening)) ns (\(Int(1e9 / opening)) packets/s)")
    }
}
