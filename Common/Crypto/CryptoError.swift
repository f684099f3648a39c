import COpenSSL

/// Why a cryptographic operation gave no result.
package enum CryptoError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The tag, the signature or the associated data do not fit: forged, damaged, or sealed for something else.
    case notAuthentic
    /// The input has not the shape it must have; the text says which.
    case malformed(String)
    /// Sealed by a key that the key ring does not hold.
    case unknownKey(UInt32)
    /// A key file that cannot be used: which, and why.
    case file(path: String, reason: String)
    /// OpenSSL refused: which function, and its own reason.
    case openSSL(function: String, reason: String)

    package var description: String {
        switch self {
        case .notAuthentic: "not authentic"
        case .malformed(let what): "malformed: \(what)"
        case .unknownKey(let id): "sealed by key \(id), which the key ring does not hold"
        case .file(let path, let reason): "\(path): \(reason)"
        case .openSSL(let function, let reason): "\(function): \(reason)"
        }
    }

    /// The error that OpenSSL has just queued on this thread; empties the queue.
    static func last(_ function: String) -> CryptoError {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0 else { return .openSSL(function: function, reason: "no reason given") }
        var text = [CChar](repeating: 0, count: 256)
        ERR_error_string_n(code, &text, text.count)
        return .openSSL(function: function, reason: String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
    }
}

/// Passes a result of OpenSSL on if it is 1, its way to say yes.
func check(_ function: String, _ result: CInt) throws(CryptoError) {
    guard result == 1 else { throw .last(function) }
}

/// Passes a pointer that OpenSSL made on, if it made one.
func made<Pointer>(_ function: String, _ pointer: Pointer?) throws(CryptoError) -> Pointer {
    guard let pointer else { throw .last(function) }
    return pointer
}
