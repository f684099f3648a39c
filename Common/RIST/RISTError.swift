/// A call of librist that failed, with the code it returned.
package struct RISTError: Error, Hashable, Sendable, CustomStringConvertible {
    package let function: String
    package let code: Int

    init(_ function: String, _ code: CInt) {
        self.function = function
        self.code = Int(code)
    }

    /// `rist_peer_create: -1`
    package var description: String { "\(function): \(code)" }
}
