package import Posix

/// Decides whether an address that a person or a peer named may be connected to (THREATS 9).
///
/// The name is resolved once, here; the caller connects to the address that passed and resolves nothing again.
package struct OutboundGuard: Sendable {
    package enum Refusal: Error, Sendable, Hashable, CustomStringConvertible {
        case unresolvable(host: String, reason: String)
        /// Every address of the host is of a kind that is not allowed.
        case forbidden(host: String, address: String, kind: String)

        package var description: String {
            switch self {
            case .unresolvable(let host, let reason): "\(host) cannot be resolved: \(reason)"
            case .forbidden(let host, let address, let kind):
                "\(host) leads to \(address), which is \(kind); the operator can allow it in outbound.allow"
            }
        }
    }

    private let rule: OutboundRule

    /// - Parameter allowed: ranges that the operator opened, e.g. the platform in the same house.
    package init(allowing allowed: [AddressRange] = []) { rule = OutboundRule(allowing: allowed) }

    /// Whether the operator has opened an address: the way there is the house's own.
    package func opens(_ address: SocketAddress) -> Bool { rule.opens(address) }

    /// The first address of a host that may be connected to.
    package func admit(host: String, port: Int) async throws(Refusal) -> SocketAddress {
        let addresses: [SocketAddress]
        do {
            addresses = try await resolve(host: host, port: port)
        } catch {
            throw .unresolvable(host: host, reason: (error as? ResolveError)?.reason ?? "\(error)")
        }
        let own = OutboundRule.ownAddresses()
        var refusal = Refusal.unresolvable(host: host, reason: "it has no address")
        for address in addresses {
            guard let kind = rule.forbiddenKind(of: address, own: own) else { return address }
            refusal = .forbidden(host: host, address: address.host, kind: kind)
        }
        throw refusal
    }
}
