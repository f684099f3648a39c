package import Posix

/// A way to a network, as the kernel has it in one of its routing tables. Source: rtnetlink(7), linux/rtnetlink.h.
package struct RouteEntry: Hashable, Sendable {
    package var family: SocketAddress.Family
    package var table: Int
    /// The interface that it goes through.
    package var index: Int
    /// With port 0; nil for a way to everywhere.
    package var destination: SocketAddress?
    package var prefixLength: Int
    package var gateway: SocketAddress?
    /// The source that is preferred.
    package var source: SocketAddress?
    /// RTN_*: unicast is 1.
    package var type: Int
    /// Who made it, RTPROT_*.
    package var maker: Int
    package var metric: Int

    /// RT_TABLE_MAIN.
    package static let mainTable = 254
    /// RTN_UNICAST.
    package static let unicast = 1

    package init(
        family: SocketAddress.Family, table: Int, index: Int, destination: SocketAddress? = nil, prefixLength: Int = 0,
        gateway: SocketAddress? = nil, source: SocketAddress? = nil, type: Int = RouteEntry.unicast, maker: Int, metric: Int = 0
    ) {
        self.family = family
        self.table = table
        self.index = index
        self.destination = destination
        self.prefixLength = prefixLength
        self.gateway = gateway
        self.source = source
        self.type = type
        self.maker = maker
        self.metric = metric
    }
}

/// What leaves by an interface looks into a table of its own first. Source: linux/fib_rules.h.
package struct RoutingRule: Hashable, Sendable {
    package var family: SocketAddress.Family
    /// The interface's name; nil for a rule of another kind.
    package var outgoing: String?
    package var table: Int
    package var priority: Int
    /// Who made it, RTPROT_*.
    package var maker: Int

    package init(family: SocketAddress.Family, outgoing: String?, table: Int, priority: Int, maker: Int) {
        self.family = family
        self.outgoing = outgoing
        self.table = table
        self.priority = priority
        self.maker = maker
    }
}
