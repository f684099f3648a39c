package import Posix

/// What the kernel says about interfaces and addresses (rtnetlink). Source: rtnetlink(7), linux/if_link.h, linux/if_addr.h.
package enum RouteMessage: Hashable, Sendable {
    case link(NetworkInterface)
    case linkGone(index: Int)
    case address(InterfaceAddress)
    case addressGone(InterfaceAddress)
    case route(RouteEntry)
    case routeGone(RouteEntry)
    case rule(RoutingRule)
    case ruleGone(RoutingRule)
    /// The end of a dump.
    case done
    /// The dump changed while it was made (NLM_F_DUMP_INTR), or a request failed with this errno: ask again.
    case failed(code: Int)
}

/// One network interface.
package struct NetworkInterface: Hashable, Sendable {
    package var index: Int
    package var name: String
    package var isUp: Bool
    /// The cable is plugged in, the modem is connected (IFF_LOWER_UP).
    package var hasCarrier: Bool
    package var isLoopback: Bool
    package var mtu: Int
    /// ARPHRD_*: 1 Ethernet, 512 PPP, 519 raw IP.
    package var hardwareType: Int
    /// IFLA_INFO_KIND: `veth`, `bridge`, `wireguard`; nil for hardware.
    package var kind: String?
    /// The bridge or bond it belongs to, by index.
    package var master: Int?
    package var counters: Counters?

    package struct Counters: Hashable, Sendable {
        package var receivedPackets: UInt64
        package var sentPackets: UInt64
        package var receivedBytes: UInt64
        package var sentBytes: UInt64
        package var receiveErrors: UInt64
        package var sendErrors: UInt64
        package var receiveDropped: UInt64
        package var sendDropped: UInt64

        package init(
            receivedPackets: UInt64, sentPackets: UInt64, receivedBytes: UInt64, sentBytes: UInt64, receiveErrors: UInt64,
            sendErrors: UInt64, receiveDropped: UInt64, sendDropped: UInt64
        ) {
            self.receivedPackets = receivedPackets
            self.sentPackets = sentPackets
            self.receivedBytes = receivedBytes
            self.sentBytes = sentBytes
            self.receiveErrors = receiveErrors
            self.sendErrors = sendErrors
            self.receiveDropped = receiveDropped
            self.sendDropped = sendDropped
        }
    }

    package init(
        index: Int, name: String, isUp: Bool, hasCarrier: Bool, isLoopback: Bool = false, mtu: Int = 1500, hardwareType: Int = 1,
        kind: String? = nil, master: Int? = nil, counters: Counters? = nil
    ) {
        self.index = index
        self.name = name
        self.isUp = isUp
        self.hasCarrier = hasCarrier
        self.isLoopback = isLoopback
        self.mtu = mtu
        self.hardwareType = hardwareType
        self.kind = kind
        self.master = master
        self.counters = counters
    }
}

/// One address of an interface.
package struct InterfaceAddress: Hashable, Sendable {
    package var index: Int
    /// With port 0.
    package var address: SocketAddress
    package var prefixLength: Int
    /// Valid everywhere, not only on this link or host (RT_SCOPE_UNIVERSE).
    package var isGlobal: Bool
    /// Still being checked for duplicates, or found to be one: it cannot be used.
    package var isTentative: Bool

    package init(index: Int, address: SocketAddress, prefixLength: Int, isGlobal: Bool = true, isTentative: Bool = false) {
        self.index = index
        self.address = address
        self.prefixLength = prefixLength
        self.isGlobal = isGlobal
        self.isTentative = isTentative
    }
}
