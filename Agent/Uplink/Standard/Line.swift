import Glibc
import Posix
import RIST
import Wire

/// One link of the uplink: its peer in librist, how it does and where it sends to. A value of the conductor's.
struct Line {
    var link: Link
    /// The kernel's number of the interface: a device that was unplugged and came back has another one under its name.
    var index: Int
    var choice: AddressChoice
    var peer: Peer?
    /// When the next address is tried, after all of them failed.
    var retryAt: Instant?
    var weight = 0
    var isReportedUnreachable = false
    var traffic = LineTraffic()
    /// Why those addresses did not answer that were tried since the last that did.
    var silences: [(address: SocketAddress, silence: Silence)] = []

    struct Peer {
        let id: RISTSender.PeerID
        let address: SocketAddress
        let relay: LinkRelay
        var health: LinkHealth
        var rttMs: Int?
    }

    static func families(of link: Link) -> Set<SocketAddress.Family> {
        Set(link.addresses.compactMap { SocketAddress($0, port: 0)?.family })
    }

    var isLive: Bool { peer?.health.state == .live }

    var state: LinkTelemetry.State {
        guard link.state == .up else { return .dead }
        switch peer?.health.state {
        case .live: return .live
        case .suspect: return .suspect
        case .connecting: return .connecting
        case .dead: return .dead
        case nil: return retryAt == nil ? .connecting : .dead
        }
    }
}

/// What a line sends, by librist's reports of the last second. They come each 100 ms at the earliest, and later on a busy machine:
/// each counts for the time since the one before.
struct LineTraffic: Equatable {
    private struct Part: Equatable {
        let at: Instant
        let packets: Int
    }

    private var parts: [Part] = []
    private(set) var retransmittedTotal = 0

    /// Packets a second that each peer sends of its own, beside media: a report and an echo each 100 ms (0.2.7).
    private static let controlPackets = 20.0

    mutating func add(_ statistics: RISTPeerStatistics, at now: Instant) {
        parts.append(Part(at: now, packets: statistics.sentPackets))
        // The first one's packets are of before the window, which begins with it.
        while parts.count > 2, now - parts[1].at >= .seconds(1) { parts.removeFirst() }
        retransmittedTotal += statistics.retransmittedPackets
    }

    /// librist reports nothing for a peer that it takes for dead.
    mutating func clear() { parts = [] }

    /// Of media, what was sent again among it.
    var packetsPerSecond: Double {
        guard let first = parts.first, let last = parts.last, last.at > first.at else { return 0 }
        let sent = Double(parts.dropFirst().reduce(0) { $0 + $1.packets }) / ((last.at - first.at) / .seconds(1))
        return max(0, sent - LineTraffic.controlPackets)
    }
}
