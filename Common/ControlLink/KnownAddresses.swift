import Posix

/// Where control was found before: so that a route whose resolver is gone can still dial.
struct KnownAddresses: Sendable, Equatable {
    private var addresses: [SocketAddress] = []
    /// No route reached control at these: the resolver is asked again.
    private var isStale = false

    private static let limit = 8

    /// nil where the resolver has to be asked.
    var usable: [SocketAddress]? { addresses.isEmpty || isStale ? nil : addresses }

    mutating func worked(_ address: SocketAddress) {
        addresses = Array(([address] + addresses.filter { $0 != address }).prefix(Self.limit))
        isStale = false
    }

    /// What the resolver says while a connection stands; the one that worked stays first.
    mutating func resolved(_ fresh: [SocketAddress]) {
        addresses = Array((addresses.prefix(1) + fresh.filter { $0 != addresses.first }).prefix(Self.limit))
    }

    /// Somebody else, or nobody who spoke, was reached there: it comes last. It stays, as that may be for the link.
    mutating func failed(_ address: SocketAddress) {
        guard addresses.contains(address) else { return }
        addresses = addresses.filter { $0 != address } + [address]
    }

    /// Every route has failed: every second round asks the resolver, as either may be out of date.
    mutating func roundFailed() { isStale.toggle() }
}
