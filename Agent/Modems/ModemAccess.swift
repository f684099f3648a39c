import DBus
package import Units
import Wire

/// How the board's owner wants modems to be connected.
package struct ModemAccess: Sendable, Hashable {
    /// The operator's access point.
    package var apn: String
    package var user: String?
    package var password: Secret?
    /// Of the SIM cards.
    package var pin: Secret?
    package var allowsRoaming: Bool

    package init(apn: String, user: String? = nil, password: Secret? = nil, pin: Secret? = nil, allowsRoaming: Bool = false) {
        self.apn = apn
        self.user = user
        self.password = password
        self.pin = pin
        self.allowsRoaming = allowsRoaming
    }
}

/// What a bearer's network interface is to be given.
package struct BearerAddresses: Sendable, Hashable {
    package var interface: String
    package var ipv4: Family?
    package var ipv6: Family?

    package struct Family: Sendable, Hashable {
        /// MMBearerIpMethod: whether the rest is given here or is asked for on the interface.
        package var method: Method
        package var address: String?
        package var prefixLength: Int?
        package var gateway: String?
        package var nameServers: [String]
        package var mtu: Int?
    }

    package enum Method: Sendable { case ppp, given, asked }

    /// Of its network, as it names them.
    package var nameServers: [String] { [ipv4, ipv6].flatMap { $0?.nameServers ?? [] } }
}

extension BearerAddresses {
    /// - Parameter properties: of the interface Bearer.
    /// - Returns: nil for one that carries nothing.
    init?(_ properties: [String: BusValue]) {
        guard properties["Connected"]?.boolean == true, let interface = properties["Interface"]?.text, !interface.isEmpty,
            interface.utf8.count < 16
        else { return nil }
        self.init(interface: interface, ipv4: Family(properties["Ip4Config"], upTo: 32), ipv6: Family(properties["Ip6Config"], upTo: 128))
    }
}

extension BearerAddresses.Family {
    fileprivate init?(_ value: BusValue?, upTo bits: Int) {
        switch value?["method"]?.integer {
        case 1: method = .ppp
        case 2: method = .given
        case 3: method = .asked
        default: return nil
        }
        address = value?["address"]?.text?.bounded(to: 64)
        prefixLength = value?["prefix"]?.integer.flatMap { (1...bits).contains($0) ? $0 : nil }
        gateway = value?["gateway"]?.text?.bounded(to: 64)
        nameServers = ["dns1", "dns2", "dns3"].compactMap { value?[$0]?.text?.bounded(to: 64) }
        mtu = value?["mtu"]?.integer.flatMap { (576...65_535).contains($0) ? $0 : nil }
    }
}
