import Bonding
import Units
import Wire

/// What the loop publishes for the threads that ask.
struct UplinkFigures: Sendable {
    var links: [LinkTelemetry] = []
    /// nil until a link was up.
    var bond: BondTelemetry?
    /// What the encoder may make; nil while no link is up.
    var rate: Bitrate?
    /// The most payload of a packet that every link carries.
    var payloadLimit = Packetizer.largestPayload
    /// Packets of the flow whose time was over before a link could bring them.
    var expiredTotal = 0
}
