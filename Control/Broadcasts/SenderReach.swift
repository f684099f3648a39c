import Posix
import Wire

extension Inventory {
    /// The kinds of addresses that a sender's links have, so those that it reaches hosts at; nil where no link has one yet: nobody knows.
    ///
    /// - Parameter names: of the links that may be used; nil: all.
    func families(over names: [String]? = nil) -> Set<SocketAddress.Family>? {
        let usable = links.filter { $0.state == .up && names?.contains($0.name) != false }
        let families = Set(usable.flatMap(\.addresses).compactMap { SocketAddress($0, port: 0)?.family })
        return families.isEmpty ? nil : families
    }
}

extension PoolHello {
    /// The kinds of addresses that this host is reached at; nil where one is a name, which may have any.
    var families: Set<SocketAddress.Family>? {
        let found = addresses.map { SocketAddress($0, port: 0)?.family }
        return found.contains(nil) ? nil : Set(found.compactMap(\.self))
    }
}
