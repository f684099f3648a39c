/// How large a head may be.
package struct HeadLimits: Hashable, Sendable {
    /// Of the whole head with its last empty line.
    package var bytes: Int
    package var fields: Int
    /// Of the request target.
    package var targetBytes: Int

    package init(bytes: Int = 16 * 1024, fields: Int = 100, targetBytes: Int = 8 * 1024) {
        self.bytes = bytes
        self.fields = fields
        self.targetBytes = targetBytes
    }

    package static let standard = HeadLimits()
}
