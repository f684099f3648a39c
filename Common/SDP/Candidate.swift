/// Where an end may be reached. Source: RFC 8839 section 5.1, RFC 6544 section 4.5 (TCP).
package struct Candidate: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        case host
        case serverReflexive = "srflx"
        case peerReflexive = "prflx"
        case relayed = "relay"
    }

    package enum Transport: Hashable, Sendable {
        case udp
        case tcp(TCPRole)
        /// One that we cannot use.
        case other(String)
    }

    package enum TCPRole: String, Hashable, Sendable {
        case active
        case passive
        case simultaneous = "so"
    }

    /// 1...32 characters of ICE; the same for candidates of one kind and base.
    package let foundation: String
    /// 1 is RTP and all that is multiplexed with it; 1...256.
    package let component: Int
    package let transport: Transport
    /// 1...2^31 - 1.
    package let priority: UInt32
    /// An address, or a name as of mDNS; at most 255 bytes.
    package let address: String
    /// 9 for an active TCP candidate; 0 where there is none.
    package let port: UInt16
    package let kind: Kind

    /// A host candidate of ours, for the first component.
    /// - Parameter preference: 0...65,535, of the higher value first.
    package init(host address: String, port: UInt16, transport: Transport, preference: UInt16, foundation: String) {
        self.foundation = foundation
        component = 1
        self.transport = transport
        // RFC 8445 section 5.1.2.1, with 126 for hosts; RFC 6544 section 4.2 wants TCP behind UDP: its type preference is lower.
        let type: UInt32 = transport == .udp ? 126 : 90
        priority = type << 24 | UInt32(preference) << 8 | 255
        self.address = address
        self.port = port
        kind = .host
    }

    /// As it stands behind `a=candidate:`, or with `candidate:` before it as browsers trickle it; extensions are passed over.
    package init?(_ text: String) {
        let isPrefixed = text.hasPrefix("candidate:")
        let bytes = Array(isPrefixed ? text.utf8.dropFirst("candidate:".utf8.count) : text.utf8[...])
        var words = Words(bytes, 0..<bytes.count)
        guard let foundation = words.word(), TransportLines.isICEText(foundation, 1...32), let component = words.number(1...256),
            let transport = words.word(), let priority = words.number(1...UInt32(Int32.max)), let address = words.word(),
            Self.isAddress(address), let port = words.number(0...UInt16.max), words.word() == "typ", let name = words.word(),
            let kind = Kind(rawValue: name)
        else { return nil }
        var role: TCPRole?
        while let name = words.word() {
            guard let value = words.word() else { return nil }
            if name == "tcptype" { role = TCPRole(rawValue: value) }
        }
        switch transport.lowercased() {
        case "udp": self.transport = .udp
        case "tcp", "ssltcp":
            // RFC 6544 wants a role; without one nothing can be done with it.
            self.transport = transport.lowercased() == "tcp" ? role.map { .tcp($0) } ?? .other("tcp") : .other("ssltcp")
        default:
            guard transport.utf8.count <= 32, Attribute.isToken(transport) else { return nil }
            self.transport = .other(transport)
        }
        self.foundation = foundation
        self.component = component
        self.priority = priority
        self.address = address
        self.port = port
        self.kind = kind
    }

    package var text: String {
        var text = "\(foundation) \(component) \(transportName) \(priority) \(address) \(port) typ \(kind.rawValue)"
        // RFC 8839 section 5.1 wants a related address; browsers hide it the same way.
        if kind != .host { text += " raddr 0.0.0.0 rport 0" }
        if case .tcp(let role) = transport { text += " tcptype \(role.rawValue)" }
        return text
    }

    private var transportName: String {
        switch transport {
        case .udp: "udp"
        case .tcp: "tcp"
        case .other(let name): name
        }
    }

    private static func isAddress(_ text: String) -> Bool {
        1...255 ~= text.utf8.count
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x25, 0x2d, 0x2e, 0x30...0x3a, 0x41...0x5a, 0x5f, 0x61...0x7a: true
                default: false
                }
            }
    }
}
