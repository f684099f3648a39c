import Configuration
import Posix
package import Units

/// How a board gets into a network at its first start, where that is not by a cable and DHCP alone.
package struct BoardNetwork: Hashable, Sendable {
    /// A wireless network to join.
    package struct Wireless: Hashable, Sendable {
        /// Its name (SSID), 1 to 32 bytes of UTF-8.
        package var network: String
        /// WPA2 or WPA3 in personal mode, 8 to 63 printable characters of ASCII; nil for an open one.
        package var password: Secret?

        package init(network: String, password: Secret?) {
            self.network = network
            self.password = password
        }
    }

    /// An address of its own on the cable.
    package struct Wired: Hashable, Sendable {
        /// `192.0.2.10/24`
        package var address: String
        package var gateway: String?
        /// Of name servers.
        package var nameServers: [String]

        package init(address: String, gateway: String?, nameServers: [String]) {
            self.address = address
            self.gateway = gateway
            self.nameServers = nameServers
        }
    }

    /// As in the section `[modems]` of the agent's configuration.
    package struct Modems: Hashable, Sendable {
        package var apn: String
        package var user: String?
        package var password: Secret?
        package var pin: Secret?

        package init(apn: String, user: String? = nil, password: Secret? = nil, pin: Secret? = nil) {
            self.apn = apn
            self.user = user
            self.password = password
            self.pin = pin
        }
    }

    package var wireless: Wireless?
    package var wired: Wired?
    package var modems: Modems?

    package init(wireless: Wireless? = nil, wired: Wired? = nil, modems: Modems? = nil) {
        self.wireless = wireless
        self.wired = wired
        self.modems = modems
    }

    package var isEmpty: Bool { self == BoardNetwork() }

    /// Reads its sections; what is wrong is noted.
    init(_ reader: ConfigurationReader) {
        let wireless = reader.section("wireless")
        let password = Self.secret("password", of: wireless, "wireless", reader, "8 to 63 printable characters of ASCII", Self.isPassphrase)
        if let network = wireless.optionalString("network", "a name of 1 to 32 bytes", where: Self.isNetwork) {
            self.wireless = Wireless(network: network, password: password)
        } else if password != nil {
            reader.note("wireless.network", nil, "the network's name; it is missing")
        }
        let wired = reader.section("wired")
        let gateway = wired.optionalString("gateway", "an IPv4 address", where: Self.isAddress)
        let servers = wired.strings("name_servers", default: [], "a list of IPv4 addresses", where: Self.isAddress)
        if let address = wired.optionalString("address", "an IPv4 address with its prefix, 192.0.2.10/24", where: Self.isPrefixed) {
            self.wired = Wired(address: address, gateway: gateway, nameServers: servers)
        } else if gateway != nil || !servers.isEmpty {
            reader.note("wired.address", nil, "an IPv4 address with its prefix; it is missing")
        }
        let modems = reader.section("modems")
        let line = "1 to 100 characters on one line"
        let user = modems.optionalString("user", line, where: BoardFile.isName)
        let account = Self.secret("password", of: modems, "modems", reader, line, BoardFile.isName)
        let pin = Self.secret("pin", of: modems, "modems", reader, "4 to 8 digits", Self.isPIN)
        if let apn = modems.optionalString("apn", line, where: BoardFile.isName) {
            self.modems = Modems(apn: apn, user: user, password: account, pin: pin)
        } else if user != nil || account != nil || pin != nil {
            reader.note("modems.apn", nil, "the operator's access point; it is missing")
        }
    }

    private static func secret(
        _ key: String, of section: ConfigurationSection, _ name: String, _ reader: ConfigurationReader, _ expected: String,
        _ rule: (String) -> Bool
    ) -> Secret? {
        guard let secret = section.secret(key) else { return nil }
        if !rule(secret.revealed), !reader.hasFault("\(name).\(key)") { reader.note("\(name).\(key)", nil, expected) }
        return secret
    }

    private static func isNetwork(_ text: String) -> Bool { (1...32).contains(text.utf8.count) && text.isPlain }
    private static func isPassphrase(_ text: String) -> Bool {
        (8...63).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }
    private static func isPIN(_ text: String) -> Bool {
        (4...8).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
    private static func isAddress(_ text: String) -> Bool { SocketAddress(text, port: 0)?.family == .ipv4 }
    private static func isPrefixed(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let bits = Int(parts[1]), (1...32).contains(bits), parts[1] == "\(bits)" else { return false }
        return isAddress(String(parts[0]))
    }

    /// Its sections; nothing where nothing is set.
    var text: Secret {
        var lines: [String] = []
        if let wireless {
            lines += ["", "[wireless]"]
            lines += TOMLText.lines([("network", wireless.network), ("password", wireless.password?.revealed)])
        }
        if let wired {
            lines += ["", "[wired]"]
            lines += TOMLText.lines([("address", wired.address), ("gateway", wired.gateway)])
            lines.append("name_servers = [\(wired.nameServers.map(TOMLText.quoted).joined(separator: ", "))]")
        }
        if let modems {
            lines += ["", "[modems]"]
            lines += TOMLText.lines([
                ("apn", modems.apn), ("user", modems.user), ("password", modems.password?.revealed), ("pin", modems.pin?.revealed),
            ])
        }
        return Secret(lines.isEmpty ? "" : lines.joined(separator: "\n") + "\n")
    }
}
