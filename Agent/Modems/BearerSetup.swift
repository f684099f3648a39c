import Glibc
import Netlink
import Posix

/// Gives a connected modem's interface what its network said: switched on, its addresses, and a way to everywhere.
struct BearerSetup: Sendable {
    enum Fault: Error, CustomStringConvertible {
        case interface(String), text(String), ppp
        case refused(SystemError)

        var description: String {
            switch self {
            case .interface(let name): "there is no interface \(name)"
            case .text(let text): "'\(text)' is no address"
            case .ppp: "it wants PPP, which this agent does not speak"
            case .refused(let error) where error.code == EPERM: "this agent may not set addresses (CAP_NET_ADMIN)"
            case .refused(let error): "\(error)"
            }
        }
    }

    /// Behind what a cable's or a wireless network's DHCP client sets: whatever is cheaper comes first where nobody chooses a link.
    private static let metric = 1000

    /// What is to be changed, in order. An interface's addresses of earlier connections go.
    /// - Parameters:
    ///   - had: the addresses that were given to this interface before.
    static func changes(_ addresses: BearerAddresses, index: Int, had: [InterfaceAddress]) throws(Fault) -> [RouteChange] {
        let families = [addresses.ipv4, addresses.ipv6].compactMap { $0 }
        if families.contains(where: { $0.method == .ppp }) { throw .ppp }
        var changes: [RouteChange] = [.up(index: index, mtu: families.compactMap(\.mtu).min())]
        var given: [InterfaceAddress] = []
        // `.asked`: the kernel does so for IPv6; for IPv4 it is the system's DHCP client that sees an interface come up.
        for family in families where family.method == .given {
            guard let text = family.address else { continue }
            guard let address = SocketAddress(text, port: 0) else { throw .text(text) }
            let length = family.prefixLength ?? (address.family == .ipv4 ? 32 : 64)
            given.append(InterfaceAddress(index: index, address: address, prefixLength: length))
        }
        changes += had.filter { !given.contains($0) }.map(RouteChange.noAddress)
        changes += given.map(RouteChange.address)
        for family in families where family.method == .given {
            guard let text = family.address, let address = SocketAddress(text, port: 0) else { continue }
            var gateway: SocketAddress?
            if let text = family.gateway {
                guard let found = SocketAddress(text, port: 0), found.family == address.family else { throw .text(text) }
                gateway = found
            }
            changes.append(.defaultRoute(index: index, family: address.family, gateway: gateway, metric: metric + index))
        }
        return changes
    }
}

/// Carries it out, and knows what it gave.
package final class BearerSetter: Sendable {
    private let given = Guarded<[Int: [InterfaceAddress]]>([:])

    package init() {}

    /// Throws a sentence for a person.
    package func apply(_ addresses: BearerAddresses) throws {
        let index = Int(if_nametoindex(addresses.interface))
        guard index > 0 else { throw BearerSetup.Fault.interface(addresses.interface) }
        let had = given.withLock { $0[index] } ?? []
        let changes = try BearerSetup.changes(addresses, index: index, had: had)
        do {
            for change in changes {
                do {
                    try RouteSocket.carryOut(change)
                } catch let error as SystemError where error.code == EADDRNOTAVAIL {
                    // An address that is to go has gone with the interface.
                    guard case .noAddress = change else { throw error }
                }
            }
        } catch let error as SystemError {
            throw BearerSetup.Fault.refused(error)
        }
        given.withLock { $0[index] = changes.compactMap { if case .address(let address) = $0 { address } else { nil } } }
    }
}
