import Posix

/// A text message for many connections: what makes it ready to be sent is done once.
package final class SharedText: Sendable {
    let utf8: [UInt8]
    /// From the first connection on that wants it compressed: without context takeover it is the same for all (RFC 7692, 7.1.1).
    private let compressed = Guarded<[UInt8]?>(nil)

    package init(_ text: String) { utf8 = Array(text.utf8) }

    /// As it is, not packed.
    package var bytes: Int { utf8.count }

    package var text: String { String(decoding: utf8, as: UTF8.self) }

    func compressed(by codec: DeflateCodec) -> [UInt8] {
        if let made = compressed.withLock({ $0 }) { return made }
        // Outside the lock: two loops that both do it cost less than one that waits.
        let made = utf8.withUnsafeBytes { codec.compress($0) }
        compressed.withLock { $0 = made }
        return made
    }
}
