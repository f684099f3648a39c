import Configuration
import Posix
import Rooms
import Web

/// TURN on the port of HTTPS, for those whose firewall lets nothing else pass: what browsers are told, and whose connections those are.
struct TURNByTLS: Sendable {
    /// `turns:turn.example.org:443?transport=tcp`
    let url: String
    let passage: Passage

    /// nil where it is not configured, and where it is wrong: `reader` has the faults.
    ///
    /// - Parameter hasTLS: whether this server listens by TLS itself: there the connections come in.
    init?(_ section: ConfigurationSection, _ reader: ConfigurationReader, hasTLS: Bool) {
        let told = section.optionalString("turn_tls", "a name or an address with a port, such as turn.example.org:443") {
            HostPort($0).map { $0.port > 0 } == true && ICEServers.isTURN(Self.url($0))
        }
        let upstream = section.optionalString("turn_tls_upstream", "an IP address and a port of 1 to 65535, such as 127.0.0.1:5349") {
            Self.address($0) != nil
        }
        guard section.isGiven("turn_tls") == section.isGiven("turn_tls_upstream") else {
            reader.note("rooms.turn_tls, rooms.turn_tls_upstream", nil, "both or neither")
            return nil
        }
        guard let told, let upstream, let place = HostPort(told), let address = Self.address(upstream) else { return nil }
        guard hasTLS else {
            reader.note("server.listen_tls", nil, "an address, because rooms.turn_tls is given: TURN's clients come in there")
            return nil
        }
        url = Self.url(told)
        let isAddress = SocketAddress(place.host, port: place.port) != nil
        passage = Passage(
            names: isAddress ? [] : [place.host.lowercased()], takesNameless: isAddress, protocols: ["stun.turn"], upstream: address)
    }

    private static func url(_ place: String) -> String { "turns:\(place)?transport=tcp" }

    private static func address(_ text: String) -> SocketAddress? {
        guard let place = HostPort(text), place.port > 0 else { return nil }
        return SocketAddress(place.host, port: place.port)
    }
}
