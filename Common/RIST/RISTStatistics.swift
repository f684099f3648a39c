import FoundationEssentials

/// What librist's sender counted for one peer since its previous report.
///
/// None of it tells which link loses: a retransmission is counted on the link its NACK came in by.
package struct RISTPeerStatistics: Sendable, Hashable {
    /// All packets sent over this peer: media, retransmissions and librist's own reports and echoes.
    package var sentPackets: Int
    /// Receiver reports that came back: zero in 300 ms means silence, they are sent every 100 ms.
    package var reportsReceived: Int
    package var retransmittedPackets: Int
    /// Packets that `bandwidth=` or the retry limit held back.
    package var skippedPackets: Int
    /// The last round trip; nil before the first answer.
    package var rttMs: Int?
}

/// What librist's receiver counted for one flow since its previous report.
package struct RISTFlowStatistics: Sendable, Hashable {
    package var flow: UInt32
    package var receivedPackets: Int
    package var recoveredPackets: Int
    package var duplicatePackets: Int
    package var peers: [Peer]

    package struct Peer: Sendable, Hashable {
        package var id: Int
        package var isDead: Bool
        package var receivedPackets: Int
        package var rttMs: Int?
    }
}

/// The JSON of `rist_stats.stats_json`: the C structs grow between versions, the keys used here stayed (0.2.7 to 0.2.11).
enum RISTReport {
    case peer(id: Int, RISTPeerStatistics)
    case flow(RISTFlowStatistics)

    /// - Returns: nil for JSON that is neither report: a version that we do not know.
    init?(json: UnsafeRawBufferPointer) {
        guard let report = try? JSONDecoder().decode(Report.self, from: Data(json)) else {
            // Statistics that cannot be read are told apart by their absence: the link counts as silent.
            return nil
        }
        if let peer = report.sender?.peer {
            self = .peer(id: peer.id, RISTPeerStatistics(peer.stats))
        } else if let flow = report.receiver?.flowinstant {
            self = .flow(RISTFlowStatistics(flow))
        } else {
            return nil
        }
    }

    private struct Report: Decodable {
        var sender: Sender?
        var receiver: Receiver?
        enum CodingKeys: String, CodingKey {
            case sender = "sender-stats"
            case receiver = "receiver-stats"
        }
    }

    private struct Sender: Decodable { var peer: SenderPeer }

    fileprivate struct SenderPeer: Decodable {
        var id: Int
        var stats: Stats
        struct Stats: Decodable {
            // Doubles: a counter that wrapped is written as 1.8e19 and must not fail the whole report.
            var sent: Double
            var received: Double
            var retransmitted: Double
            var bandwidthSkipped: Double
            var bloatSkipped: Double
            var retransmitSkipped: Double
            var rtt: Double
            enum CodingKeys: String, CodingKey {
                case sent, received, retransmitted, rtt
                case bandwidthSkipped = "bandwidth_skipped"
                case bloatSkipped = "bloat_skipped"
                case retransmitSkipped = "retransmit_skipped"
            }
        }
    }

    private struct Receiver: Decodable { var flowinstant: Flow }

    fileprivate struct Flow: Decodable {
        var flow: UInt32
        var stats: Stats
        var peers: [Peer]?
        enum CodingKeys: String, CodingKey {
            case flow = "flow_id"
            case stats, peers
        }
        struct Stats: Decodable {
            var received: Double
            var recovered: Double
            var duplicates: Double
            enum CodingKeys: String, CodingKey {
                case received, duplicates
                case recovered = "recovered_total"
            }
        }
        struct Peer: Decodable {
            var id: Int
            var dead: Int
            var stats: PeerStats
        }
        struct PeerStats: Decodable {
            var received: Double
            var rtt: Double
            enum CodingKeys: String, CodingKey {
                case rtt
                case received = "received_data"
            }
        }
    }
}

extension RISTPeerStatistics {
    fileprivate init(_ stats: RISTReport.SenderPeer.Stats) {
        sentPackets = count(stats.sent)
        reportsReceived = count(stats.received)
        retransmittedPackets = count(stats.retransmitted)
        skippedPackets = count(stats.bandwidthSkipped) + count(stats.bloatSkipped) + count(stats.retransmitSkipped)
        rttMs = stats.rtt > 0 ? count(stats.rtt) : nil
    }
}

extension RISTFlowStatistics {
    fileprivate init(_ report: RISTReport.Flow) {
        flow = report.flow
        receivedPackets = count(report.stats.received)
        recoveredPackets = count(report.stats.recovered)
        duplicatePackets = count(report.stats.duplicates)
        peers = (report.peers ?? []).map {
            Peer(
                id: $0.id, isDead: $0.dead != 0, receivedPackets: count($0.stats.received),
                rttMs: $0.stats.rtt > 0 ? count($0.stats.rtt) : nil)
        }
    }
}

/// A counter of one interval; zero for one that wrapped, which librist's counters do (`lost` was seen at 52,866 without a loss).
private func count(_ number: Double) -> Int {
    number >= 0 && number < 1_000_000_000 ? Int(number) : 0
}
