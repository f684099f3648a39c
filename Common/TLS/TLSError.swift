import COpenSSL
import Glibc

/// A TLS call that failed: which one, and what OpenSSL, the certificate check or the system said.
package struct TLSError: Error, Hashable, Sendable, CustomStringConvertible {
    package let function: String
    package let reason: String
    /// Whether the peer's certificate was the cause: another try with the same trust fails the same way.
    package let isUntrusted: Bool

    package init(_ function: String, _ reason: String, isUntrusted: Bool = false) {
        self.function = function
        self.reason = reason
        self.isUntrusted = isUntrusted
    }

    package var description: String { "\(function): \(reason)" }

    /// The oldest entry of this thread's error queue, which is emptied.
    static func last(_ function: String, on subject: String? = nil) -> TLSError {
        let code = ERR_get_error()
        ERR_clear_error()
        var text = [CChar](repeating: 0, count: 256)
        ERR_error_string_n(code, &text, text.count)
        let reason = code == 0 ? "no reason given" : String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return TLSError(function, subject.map { "\($0): \(reason)" } ?? reason)
    }
}
