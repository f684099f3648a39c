package import Posix

/// The lines of `a=candidate` that tell where a worker listens. Source: RFC 8839 section 5.1; RFC 6544 section 4.5.
package enum Candidate {
    /// Host candidates need no preference among types: these are the ones that WebRTC stacks use, so that a path over UDP wins. Source: RFC 8445
    /// section 5.1.2.2 (126 for host); RFC 6544 section 4.2 (lower for a transport that is liked less).
    private static let udpPreference: UInt32 = 126
    private static let tcpPreference: UInt32 = 90
    /// Of a passive host candidate, times 2 to the power of 13. Source: RFC 6544 section 4.2.
    private static let passivePreference: UInt32 = 4
    private static let otherLimit: UInt32 = 8191

    /// What stands behind `a=`, for each address one line of UDP, then one of TCP, which waits for the other end to connect. One component: RTP and RTCP share it.
    ///
    /// - Parameters:
    ///   - addresses: what clients reach, with the ports, the best one first; 8,192 at most.
    ///   - tcp: whether the same ports take connections.
    package static func announced(_ addresses: [SocketAddress], tcp: Transport) -> [String] {
        let udp = addresses.enumerated().map { index, address in
            let priority = priority(udpPreference, 65535 - UInt32(index))
            return "candidate:\(index + 1) 1 udp \(priority) \(address.host) \(address.port) typ host"
        }
        guard tcp == .udpAndTCP else { return udp }
        return udp
            + addresses.enumerated().map { index, address in
                let priority = priority(tcpPreference, passivePreference << 13 | (otherLimit - UInt32(index)))
                return "candidate:\(addresses.count + index + 1) 1 tcp \(priority) \(address.host) \(address.port) typ host tcptype passive"
            }
    }

    package enum Transport: Hashable, Sendable { case udpOnly, udpAndTCP }

    /// Of component 1. Source: RFC 8445 section 5.1.2.1.
    private static func priority(_ type: UInt32, _ local: UInt32) -> UInt32 { type << 24 | local << 8 | (256 - 1) }
}
