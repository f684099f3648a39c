package import DBus
import Glibc
package import Posix

/// Which name servers belong to which link, as NetworkManager and systemd-resolved tell.
package enum LinkServers {
    /// Of a link.
    private static let limit = 4
    private static let linkLimit = 64

    /// NetworkManager's `DnsManager.Configuration`, `aa{sv}`: each entry has its `interface` and its `nameservers`.
    package static func ofNetworkManager(_ value: BusValue?) -> [String: [SocketAddress]] {
        var servers: [String: [SocketAddress]] = [:]
        for entry in (value?.list ?? []).prefix(linkLimit) {
            guard let link = entry["interface"]?.text, !link.isEmpty, link.utf8.count < 16 else { continue }
            add(entry["nameservers"]?.list?.compactMap(\.text) ?? [], to: &servers[link, default: []])
        }
        return servers.filter { !$0.value.isEmpty }
    }

    /// systemd-resolved's `Manager.DNS`, `a(iiay)`: the interface's number, 0 for those of all links, the family and the address.
    /// - Parameter name: of an interface, by its number.
    package static func ofResolved(_ value: BusValue?, name: (Int) -> String?) -> [String: [SocketAddress]] {
        var servers: [String: [SocketAddress]] = [:]
        for entry in (value?.list ?? []).prefix(linkLimit * limit) {
            guard let index = entry[0]?.integer, index > 0, let link = name(index), case .bytes(let bytes)? = entry[2],
                let text = text(bytes)
            else { continue }
            add([text], to: &servers[link, default: []])
        }
        return servers.filter { !$0.value.isEmpty }
    }

    /// What a modem's bearer names.
    package static func ofBearer(_ texts: [String]) -> [SocketAddress] {
        var servers: [SocketAddress] = []
        add(texts, to: &servers)
        return servers
    }

    private static func add(_ texts: [String], to servers: inout [SocketAddress]) {
        for text in texts where servers.count < limit {
            // The link of `fe80::1%eth0` is the one it is asked over.
            guard let server = SocketAddress(String(text.prefix { $0 != "%" }), port: 53), !server.isLoopback, !servers.contains(server)
            else {
                continue
            }
            servers.append(server)
        }
    }

    private static func text(_ bytes: [UInt8]) -> String? {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard bytes.count == 4 || bytes.count == 16,
            inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count)) != nil
        else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Asks both for them, each time on a connection of its own: names are few.
struct ServerDirectory: Sendable {
    let address: String
    let loop: Loop

    /// A local question: who does not answer by then has its last answer used.
    private static let patience = Duration.milliseconds(200)
    private static let manager = "org.freedesktop.NetworkManager"
    private static let resolved = "org.freedesktop.resolve1"

    /// - Returns: what `LinkServers` reads; nil for one that is not there or does not answer.
    func ask() async -> (networkManager: BusValue?, resolved: BusValue?) {
        let bus = Bus(address: address, loop: loop) { _ in }
        defer { bus.close() }
        async let manager = property(
            .property(Self.manager, "/org/freedesktop/NetworkManager/DnsManager", "\(Self.manager).DnsManager", "Configuration"), bus)
        async let resolved = property(.property(Self.resolved, "/org/freedesktop/resolve1", "\(Self.resolved).Manager", "DNS"), bus)
        return (await manager, await resolved)
    }

    private func property(_ call: MethodCall, _ bus: Bus) async -> BusValue? {
        do throws(BusError) {
            // Asked of the bus: the question shall not start the service.
            _ = try await bus.call(.owner(of: call.service), timeout: Self.patience)
            return try await bus.call(call, timeout: Self.patience).values.first
        } catch {
            // A board without it is as good as one with it: /etc/resolv.conf is there.
            return nil
        }
    }
}

/// In the network namespace of the calling thread.
func interfaceName(_ index: Int) -> String? {
    var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE) + 1)
    guard let index = UInt32(exactly: index), if_indextoname(index, &name) != nil else { return nil }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
