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

    struct Peer {
        let id: RISTSender.PeerID
        let address: SocketAddress
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

/// What a line sent in the last second, in ten parts as librist reports them.
struct LineTraffic: Equatable {
    private var packets = [Int](repeating: 0, count: 10)
    private(set) var retransmittedTotal = 0

    mutating func add(_ statistics: RISTPeerStatistics) {
        packets.removeFirst()
        packets.append(statistics.sentPackets + statistics.retransmittedPackets)
        retransmittedTotal += statistics.retransmittedPackets
    }

    /// librist reports nothing for a peer that it takes for dead.
    mutating func clear() { packets = packets.map { _ in 0 } }

    var packetsLastSecond: Int { packets.reduce(0, +) }
}
