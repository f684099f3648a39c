import COpenSSL
import Glibc

/// One TLS connection over a non-blocking socket that its owner watches.
///
/// Confined to its owner's thread. Any call that throws ends the session: close the socket then.
package final class TLSSession {
    private let raw: OpaquePointer
    /// Keeps the pin of the context alive, which the context's callback borrows.
    private let context: TLSContext

    /// What a call came to.
    package enum Progress: Hashable, Sendable {
        /// Done; of how many bytes, where bytes were moved.
        case moved(Int)
        /// Call again when the socket is readable.
        case wantsRead
        /// Call again when the socket is writable.
        case wantsWrite
        /// The peer said that it sends no more (close_notify).
        case closed
    }

    /// A server's session on an accepted socket, which stays the caller's.
    package init(server context: TLSContext, socket: CInt) throws {
        precondition(context.isServer, "a server's session has a server's context")
        self.context = context
        raw = try TLSSession.make(context, socket)
        SSL_set_accept_state(raw)
    }

    /// A client's session; the certificate must be for `host`, a name or a literal address.
    package init(client context: TLSContext, socket: CInt, host: String) throws {
        precondition(!context.isServer, "a client's session has a client's context")
        let raw = try TLSSession.make(context, socket)
        SSL_set_connect_state(raw)
        SSL_set_hostflags(raw, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        // An address is checked as one and is no server name (RFC 6066 section 3).
        if X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(raw), host) != 1 {
            ERR_clear_error()
            guard !host.isEmpty, SSL_set1_host(raw, host) == 1, strata_tls_server_name(raw, host) == 1 else {
                SSL_free(raw)
                throw TLSError.last("SSL_set1_host", on: host)
            }
        }
        if time(nil) < context.timeFloor {
            X509_VERIFY_PARAM_set_time(SSL_get0_param(raw), context.timeFloor)
            SSL_set_verify(raw, SSL_VERIFY_PEER, passLaterBeginning)
        }
        let protocols = [UInt8(8)] + Array("http/1.1".utf8)
        _ = SSL_set_alpn_protos(raw, protocols, UInt32(protocols.count))
        self.context = context
        self.raw = raw
    }

    deinit { SSL_free(raw) }

    private static func make(_ context: TLSContext, _ socket: CInt) throws -> OpaquePointer {
        guard let raw = SSL_new(context.raw) else { throw TLSError.last("SSL_new") }
        guard SSL_set_fd(raw, socket) == 1 else {
            SSL_free(raw)
            throw TLSError.last("SSL_set_fd")
        }
        return raw
    }

    /// Goes on with the handshake until it is `moved(0)`.
    package func handshake() throws -> Progress {
        ERR_clear_error()
        let code = SSL_do_handshake(raw)
        if code == 1 { return .moved(0) }
        let check = SSL_get_verify_result(raw)
        if check != X509_V_OK {
            ERR_clear_error()
            let reason = "\(String(cString: X509_verify_cert_error_string(check))) (\(check))"
            let isOfTime = [X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED].contains(CInt(check))
            throw TLSError("certificate of the peer", reason + (isOfTime ? TLSSession.clockQuestion : ""), isUntrusted: true)
        }
        return try progress(code, "SSL_do_handshake")
    }

    /// A wrong clock looks like a wrong certificate.
    private static var clockQuestion: String {
        var (now, parts) = (time(nil), tm())
        gmtime_r(&now, &parts)
        var text = [CChar](repeating: 0, count: 32)
        strftime(&text, text.count, "%Y-%m-%d %H:%M", &parts)
        return
            "; is the clock of this machine right? It shows \(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)) UTC"
    }

    /// Decrypts into `buffer`. After `moved`, there may be more without the socket being readable: see `hasPending`.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Progress {
        ERR_clear_error()
        let count = SSL_read(raw, buffer.baseAddress, CInt(clamping: buffer.count))
        if count > 0 { return .moved(Int(count)) }
        return try progress(count, "SSL_read")
    }

    /// Bytes were read from the socket that `read` has not returned yet.
    package var hasPending: Bool { SSL_has_pending(raw) == 1 }

    /// Encrypts and sends a part of `bytes`. After `wantsWrite` the next call must begin with the same bytes.
    package func write(_ bytes: UnsafeRawBufferPointer) throws -> Progress {
        ERR_clear_error()
        let count = SSL_write(raw, bytes.baseAddress, CInt(clamping: bytes.count))
        if count > 0 { return .moved(Int(count)) }
        return try progress(count, "SSL_write")
    }

    /// Tells the peer that nothing more comes (close_notify), as far as the socket takes it now.
    package func sendClose() {
        ERR_clear_error()
        // The result is of no use: the socket is closed next, whatever the peer made of it.
        _ = SSL_shutdown(raw)
        ERR_clear_error()
    }

    /// The value that binds an authentication to this connection: `tls-exporter`, 32 bytes (RFC 9266 section 2).
    ///
    /// Nil before the handshake is done, and in TLS 1.2 without extended master secret, where it would not be unique (section 3).
    package var exporter: [UInt8]? {
        guard SSL_is_init_finished(raw) == 1 else { return nil }
        guard SSL_version(raw) >= TLS1_3_VERSION || strata_tls_has_extended_master_secret(raw) == 1 else { return nil }
        let label = "EXPORTER-Channel-Binding"
        var value = [UInt8](repeating: 0, count: 32)
        let code = SSL_export_keying_material(raw, &value, value.count, label, label.utf8.count, [], 0, 1)
        return code == 1 ? value : nil
    }

    /// `TLSv1.3` or `TLSv1.2`.
    package var version: String { String(cString: SSL_get_version(raw)) }

    private func progress(_ code: CInt, _ function: String) throws -> Progress {
        let systemCode = errno
        switch SSL_get_error(raw, code) {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        case SSL_ERROR_ZERO_RETURN: return .closed
        case SSL_ERROR_SYSCALL where systemCode != 0: throw TLSError(function, String(cString: strerror(systemCode)))
        case SSL_ERROR_SYSCALL: throw TLSError(function, "the peer closed the connection")
        default: throw TLSError.last(function)
        }
    }
}
