package import BondWire
import COpenSSL
import Crypto
import Glibc

/// One DTLS connection over datagrams that its owner carries: it opens no socket and reads no clock of its own. Source: RFC 6347, RFC 5764.
///
/// Confined to its owner's thread. Cookies are not asked for: who gets here has proved by ICE that it is where it says it is.
///
/// OpenSSL's retransmission timer reads the wall clock (`gettimeofday`), and there is no way to give it another. So `deadline` is what that
/// timer has left, counted from the owner's clock and never more than `slowest`; if the wall clock jumps ahead, a flight goes out
/// early; if it jumps back, later, and `limit`, by the owner's clock, still ends the handshake.
package final class DTLSSession {
    package enum Role: Hashable, Sendable {
        case client
        case server
    }

    /// What a datagram of the handshake has at most: QUIC and WebRTC have shown that this passes everywhere.
    package static let datagramBytes = 1200
    /// What `send` takes at most: one record's content (RFC 6347 section 4.1).
    package static let messageBytes = 16_384
    /// A handshake takes so long at most.
    static let limit: Microseconds = 30_000_000
    /// Before the first retransmission. At 15 % loss, 60 ms doubling made the slowest of 16 joins take 383 ms in place of 1,665.
    static let fastest: Microseconds = 60_000
    /// Between two retransmissions; after twelve in a row OpenSSL gives up, which is then after 22 s.
    static let slowest: Microseconds = 3_000_000
    /// SSL_set_app_data's.
    static let expectedPeerIndex: CInt = 0

    private enum Phase {
        case idle
        /// Until when, at most.
        case handshake(Microseconds)
        case open
        case over
    }

    private let raw: OpaquePointer
    /// Owned by `raw`.
    private let input: OpaquePointer
    private let output: OpaquePointer
    private let context: DTLSContext
    private let mostBytes: Int
    /// Borrowed by `raw`.
    private let expected: ExpectedPeer
    private var phase = Phase.idle
    private var retransmission: Microseconds?
    /// Records that could not be authentic, and were left out.
    package private(set) var dropped = 0

    /// - Parameter peer: the fingerprints that signalling promised; none is nobody.
    package convenience init(_ context: DTLSContext, _ role: Role, peer: [CertificateFingerprint]) throws {
        try self.init(context, role, peer: peer, datagramBytes: Self.datagramBytes)
    }

    init(_ context: DTLSContext, _ role: Role, peer: [CertificateFingerprint], datagramBytes: Int) throws {
        ERR_clear_error()
        guard let raw = SSL_new(context.raw) else { throw TLSError.last("SSL_new") }
        guard let input = BIO_new(BIO_s_mem()), let output = BIO_new(BIO_s_mem()) else {
            SSL_free(raw)
            throw TLSError.last("BIO_new")
        }
        SSL_set_bio(raw, input, output)
        _ = strata_bio_never_ends(input)
        _ = strata_bio_never_ends(output)
        _ = strata_dtls_mtu(raw, datagramBytes)
        DTLS_set_timer_cb(raw) { _, last in
            last == 0 ? UInt32(DTLSSession.fastest) : min(last * 2, UInt32(DTLSSession.slowest))
        }
        switch role {
        case .client: SSL_set_connect_state(raw)
        case .server: SSL_set_accept_state(raw)
        }
        let expected = ExpectedPeer(peer)
        _ = SSL_set_ex_data(raw, Self.expectedPeerIndex, Unmanaged.passUnretained(expected).toOpaque())
        self.expected = expected
        self.raw = raw
        self.input = input
        self.output = output
        self.context = context
        mostBytes = datagramBytes
    }

    deinit { SSL_free(raw) }

    /// When `advance` must be called; nil where nothing is waited for.
    package var deadline: Microseconds? {
        guard case .handshake(let end) = phase else { return nil }
        return retransmission.map { min($0, end) } ?? end
    }

    /// Begins the handshake, as soon as there is a path: a client speaks, a server listens from now on.
    package func start(at now: Microseconds) -> [DTLSEvent] {
        guard case .idle = phase else { return [] }
        phase = .handshake(now + Self.limit)
        return goOn(now)
    }

    /// - Parameter datagram: from the peer's address, or from whoever forges that.
    package func take(_ datagram: [UInt8], at now: Microseconds) -> [DTLSEvent] {
        switch phase {
        case .idle, .over: return []
        case .handshake, .open: break
        }
        let records = DTLSRecord.sound(in: datagram)
        let bytes = records.reduce(into: 0) { $0 += $1.range.count }
        if bytes < datagram.count { dropped += 1 }
        guard bytes > 0 else { return [] }
        let sound = bytes == datagram.count ? datagram : records.flatMap { datagram[$0.range] }
        ERR_clear_error()
        guard BIO_write(input, sound, CInt(sound.count)) == CInt(sound.count) else { return fail(.refused(reason: "no memory")) }
        return goOn(now)
    }

    /// Sends again what was not answered, and gives up in the end.
    package func advance(to now: Microseconds) -> [DTLSEvent] {
        guard case .handshake(let end) = phase else { return [] }
        guard now < end else { return fail(.timedOut) }
        guard let retransmission, now >= retransmission else { return [] }
        ERR_clear_error()
        guard strata_dtls_handle_timeout(raw) >= 0 else { return fail(.timedOut) }
        arm(now)
        return flush()
    }

    /// Sends a message in one datagram, as far as the session is open.
    /// - Parameter bytes: 1 to `messageBytes`.
    package func send(_ bytes: [UInt8]) -> [DTLSEvent] {
        guard case .open = phase, (1...Self.messageBytes).contains(bytes.count) else { return [] }
        ERR_clear_error()
        let count = SSL_write(raw, bytes, CInt(bytes.count))
        guard count == CInt(bytes.count) else { return fail(.refused(reason: TLSError.last("SSL_write").description)) }
        return flush()
    }

    /// Ends the session; the peer is told where there is one (close_notify).
    package func close() -> [DTLSEvent] {
        if case .over = phase { return [] }
        defer { phase = .over }
        guard case .open = phase else { return [] }
        return shutDown()
    }

    private func goOn(_ now: Microseconds) -> [DTLSEvent] {
        ERR_clear_error()
        var events: [DTLSEvent] = []
        if case .handshake = phase {
            let code = SSL_do_handshake(raw)
            if code != 1 {
                guard SSL_get_error(raw, code) == SSL_ERROR_WANT_READ else { return fail(refusal("SSL_do_handshake")) }
                arm(now)
                return flush()
            }
            switch connection() {
            case .success(let connection):
                phase = .open
                events = flush() + [.connected(connection)]
            case .failure(let fault):
                return shutDown() + fail(fault)
            }
        }
        return events + read()
    }

    /// What the finished handshake came to. The certificate was held against the fingerprints when it came; it is asked for again here,
    /// because without that nothing else says whose the keys are.
    private func connection() -> Result<DTLSConnection, DTLSFault> {
        guard expected.isKnown == true else { return .failure(.untrusted) }
        guard let chosen = SSL_get_selected_srtp_profile(raw), let profile = SRTPProfile(rawValue: UInt16(clamping: chosen.pointee.id))
        else { return .failure(.withoutProfile) }
        let label = "EXTRACTOR-dtls_srtp"
        var material = [UInt8](repeating: 0, count: profile.exportedBytes)
        guard SSL_export_keying_material(raw, &material, material.count, label, label.utf8.count, nil, 0, 0) == 1 else {
            return .failure(.refused(reason: TLSError.last("SSL_export_keying_material").description))
        }
        return .success(DTLSConnection(profile: profile, keyingMaterial: material))
    }

    /// All that came; a peer's repeated last flight is answered in here too.
    private func read() -> [DTLSEvent] {
        var events: [DTLSEvent] = []
        while true {
            let (count, message) = readRecord()
            if count > 0 {
                events.append(.received(message))
                continue
            }
            switch SSL_get_error(raw, count) {
            case SSL_ERROR_WANT_READ: return flush() + events
            case SSL_ERROR_ZERO_RETURN:
                events = shutDown() + events + [.closed]
                phase = .over
                return events
            default: return events + fail(refusal("SSL_read"))
            }
        }
    }

    private func readRecord() -> (CInt, [UInt8]) {
        withUnsafeTemporaryAllocation(byteCount: Self.messageBytes, alignment: 1) { buffer in
            let count = SSL_read(raw, buffer.baseAddress, CInt(buffer.count))
            return (count, count > 0 ? Array(buffer[..<Int(count)]) : [])
        }
    }

    private func refusal(_ function: String) -> DTLSFault {
        if expected.isKnown == false { return .untrusted }
        return .refused(reason: TLSError.last(function).description)
    }

    private func shutDown() -> [DTLSEvent] {
        ERR_clear_error()
        // The result is of no use: the session is over next, whatever the peer makes of it.
        _ = SSL_shutdown(raw)
        ERR_clear_error()
        return flush()
    }

    /// What OpenSSL has said last, an alert, still goes out.
    private func fail(_ fault: DTLSFault) -> [DTLSEvent] {
        ERR_clear_error()
        phase = .over
        return flush() + [.failed(fault)]
    }

    private func arm(_ now: Microseconds) {
        var left = timeval()
        guard strata_dtls_timeout(raw, &left) == 1 else {
            retransmission = nil
            return
        }
        retransmission = now + min(Microseconds(left.tv_sec) * 1_000_000 + Microseconds(left.tv_usec), Self.slowest)
    }

    /// A memory BIO knows no datagrams: what OpenSSL has written is cut at its records, and as many as fit go together.
    private func flush() -> [DTLSEvent] {
        let pending = BIO_ctrl_pending(output)
        guard pending > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: Int(pending))
        guard BIO_read(output, &bytes, CInt(bytes.count)) == CInt(bytes.count) else { return [] }
        var events: [DTLSEvent] = []
        var (start, end) = (0, 0)
        while bytes.count - end >= DTLSRecord.headerBytes {
            let next = end + DTLSRecord.headerBytes + (Int(bytes[end + 11]) << 8 | Int(bytes[end + 12]))
            if next - start > mostBytes, end > start {
                events.append(.send(Array(bytes[start..<end])))
                start = end
            }
            end = min(next, bytes.count)
        }
        return events + [.send(Array(bytes[start...]))]
    }
}
