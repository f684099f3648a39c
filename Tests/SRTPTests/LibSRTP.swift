import CSRTP
import Crypto
import Testing

/// A session of libsrtp2 in one direction.
final class LibSRTP {
    enum Direction {
        case sending
        case receiving
    }

    struct Refusal: Error { let status: UInt32 }

    private var session: srtp_t?

    private static let isReady: Bool = srtp_init() == srtp_err_status_ok

    init(_ profile: SRTPProfile, key: [UInt8], salt: [UInt8], _ direction: Direction) throws {
        #expect(Self.isReady)
        var policy = srtp_policy_t()
        switch profile {
        case .gcm:
            srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
            srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp)
        case .counter:
            srtp_crypto_policy_set_rtp_default(&policy.rtp)
            srtp_crypto_policy_set_rtcp_default(&policy.rtcp)
        }
        policy.ssrc = srtp_ssrc_t(type: direction == .sending ? ssrc_any_outbound : ssrc_any_inbound, value: 0)
        // The network holds back over more numbers than its own window has.
        policy.window_size = 4096
        policy.allow_repeat_tx = 1
        var master = key + salt
        let status = master.withUnsafeMutableBufferPointer { master in
            policy.key = master.baseAddress
            return srtp_create(&session, &policy)
        }
        guard status == srtp_err_status_ok else { throw Refusal(status: status.rawValue) }
    }

    deinit { srtp_dealloc(session) }

    func protect(_ packet: [UInt8]) throws -> [UInt8] { try work(packet) { srtp_protect(session, $0, $1) } }
    func unprotect(_ packet: [UInt8]) throws -> [UInt8] { try work(packet) { srtp_unprotect(session, $0, $1) } }
    func protectControl(_ packet: [UInt8]) throws -> [UInt8] { try work(packet) { srtp_protect_rtcp(session, $0, $1) } }
    func unprotectControl(_ packet: [UInt8]) throws -> [UInt8] { try work(packet) { srtp_unprotect_rtcp(session, $0, $1) } }

    private func work(
        _ packet: [UInt8], _ call: (UnsafeMutableRawPointer, UnsafeMutablePointer<CInt>) -> srtp_err_status_t
    ) throws -> [UInt8] {
        // It wants whole words, and 144 bytes of room (SRTP_MAX_TRAILER_LEN).
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: packet.count + 160, alignment: 8)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: packet)
        var count = CInt(packet.count)
        let status = call(try #require(buffer.baseAddress), &count)
        guard status == srtp_err_status_ok else { throw Refusal(status: status.rawValue) }
        return Array(buffer[..<Int(count)])
    }
}
