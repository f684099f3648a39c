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

/// Bytes that left over a link, by quarters of a second.
struct SendRate: Equatable {
    private var quarters = [0, 0, 0, 0]
    private var bytes = 0

    mutating func add(bytes count: Int) { bytes += count }

    /// Once in a quarter of a second.
    mutating func turn() {
        quarters.removeFirst()
        quarters.append(bytes)
        bytes = 0
    }

    /// Of the last four quarters.
    var bitrate: Bitrate { Bitrate(bitsPerSecond: quarters.reduce(0, +) * 8) }
}
