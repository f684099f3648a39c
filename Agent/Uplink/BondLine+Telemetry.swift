import BondWire
import Bonding
import Units
import Wire

extension BondLine {
    /// - Parameters:
    ///   - figures: the scheduler's of this link; nil where it does not know it.
    ///   - capacity: of all links, in bits per second.
    func telemetry(_ figures: LinkFigures?, _ capacity: Int) -> LinkTelemetry {
        let state: LinkTelemetry.State =
            switch stage {
            case .resting: .dead
            case .dialling, .proving: isReportedUnreachable ? .dead : .connecting
            case .up: figures?.state == .suspect ? .suspect : .live
            }
        let reason = figures?.state == .late ? "its way takes too long for this latency" : state == .live ? nil : reason
        guard let figures else { return .idle(link.name, state, reason) }
        let share = state == .live && figures.state != .late ? (figures.estimateBitsPerSecond * 100 + capacity / 2) / max(1, capacity) : 0
        return LinkTelemetry(
            name: link.name, state: state, reason: reason, sent: rate.bitrate, rttMs: milliseconds(figures.roundTrip),
            loss: (figures.loss * 10_000).rounded() / 10_000,
            weight: share,
            retransmittedPackets: figures.repairs,
            bond: .init(
                offeredPackets: figures.sent, deliveredPackets: figures.arrived, lostPackets: figures.lost,
                doubledPackets: figures.doubles, queueMs: milliseconds(figures.queue),
                capacity: Bitrate(bitsPerSecond: figures.estimateBitsPerSecond)))
    }
}

extension LinkTelemetry {
    /// A link that carries nothing.
    static func idle(_ name: String, _ state: State, _ reason: String? = nil) -> LinkTelemetry {
        LinkTelemetry(
            name: name, state: state, reason: reason, sent: Bitrate(bitsPerSecond: 0), rttMs: nil, loss: nil, weight: 0,
            retransmittedPackets: 0)
    }
}

/// To a tenth: what is told five times a second over a narrow modem has no digits that nobody reads.
func milliseconds(_ time: Microseconds) -> Double { (Double(time) / 100).rounded() / 10 }
