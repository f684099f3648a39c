/// A block of addresses in CIDR notation, e.g. `10.0.0.0/8`.
package struct AddressRange: Sendable, Hashable {
    let base: SocketAddress
    let prefix: Int

    /// nil for anything that is not an address literal, with or without `/prefix`.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let base = SocketAddress(String(parts[0]), port: 0) else { return nil }
        let widest = base.family == .ipv4 ? 32 : 128
        guard parts.count == 2 else {
            self.base = base
            prefix = widest
            return
        }
        guard let prefix = Int(parts[1]), (0...widest).contains(prefix), String(prefix) == parts[1] else { return nil }
        self.base = base
        self.prefix = prefix
    }

    package func contains(_ address: SocketAddress) -> Bool {
        address.family == base.family && address.shares(prefix: prefix, with: base)
    }
}
