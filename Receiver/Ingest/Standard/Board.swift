import Posix
import RIST
import Units
import Wire

/// What the threads of one `StandardIngest` know together: the guard's loop, librist's threads and whoever asks for statistics.
final class Board: Sendable {
    struct Path: Sendable {
        var slot: Int
        var source: SocketAddress
        var packetsTotal: Int
        var bytesLastSecond: Int
        var loss: Double?
    }

    private struct State {
        /// The source that uses each slot's address now.
        var sources: [String: SocketAddress] = [:]
        /// librist's peers by number.
        var peers: [Int: SocketAddress] = [:]
        var rttMs: [SocketAddress: Double] = [:]
        var paths: [Path] = []
        var dropped: [SourceGate.Reason: Int] = [:]
        var recovered = 0
        var media = Traffic()
    }

    private let state = Guarded(State())
    let order = Guarded(FlowOrder())

    /// Each slot sends to librist from its own address of 127.0.0.0/8: the address is what librist tells of a peer.
    static func host(slot: Int) -> String { "127.0.1.\(slot + 1)" }

    func opened(slot: Int, source: SocketAddress) {
        state.withLock { $0.sources[Self.host(slot: slot)] = source }
    }

    func closed(slot: Int) {
        state.withLock { state in
            guard let source = state.sources.removeValue(forKey: Self.host(slot: slot)) else { return }
            state.rttMs[source] = nil
            state.peers = state.peers.filter { $0.value != source }
        }
    }

    /// Whether a peer that librist meets came through the guard.
    func isKnown(host: String) -> Bool { state.withLock { $0.sources[host] != nil } }

    func joined(peer: Int, host: String) {
        state.withLock { state in
            guard let source = state.sources[host] else { return }
            state.peers = state.peers.filter { $0.value != source }
            state.peers[peer] = source
        }
    }

    func took(_ statistics: RISTFlowStatistics) {
        state.withLock { state in
            state.recovered += statistics.recoveredPackets
            for peer in statistics.peers {
                guard let source = state.peers[peer.id] else { continue }
                state.rttMs[source] = peer.isDead ? nil : peer.rttMs.map(Double.init)
            }
        }
    }

    func delivered(bytes: Int) { state.withLock { $0.media.add(bytes: bytes) } }

    /// Once in a quarter of a second, from the guard.
    func publish(_ paths: [Path], _ dropped: [SourceGate.Reason: Int]) {
        state.withLock { state in
            state.paths = paths
            state.dropped = dropped
            state.media.turn()
        }
    }

    var statistics: IngestStatistics {
        let order = order.withLock { $0 }
        var result = IngestStatistics()
        state.withLock { state in
            result.paths = state.paths.map { path in
                PathReport(
                    source: path.source.description, bitrate: Bitrate(bitsPerSecond: path.bytesLastSecond * 8),
                    packetsTotal: path.packetsTotal, rttMs: state.rttMs[path.source], loss: path.loss)
            }
            result.bitrate = Bitrate(bitsPerSecond: state.media.lastSecond * 8)
            result.recoveredPacketsTotal = state.recovered
            for (reason, count) in state.dropped { result.guardDropped.add(count, for: reason) }
        }
        result.deliveredPacketsTotal = order.deliveredTotal
        result.lostPacketsTotal = order.lostTotal
        result.discardedPacketsTotal = order.lateTotal + order.foreignTotal
        return result
    }
}

extension IngestStatistics.GuardDropped {
    fileprivate mutating func add(_ count: Int, for reason: SourceGate.Reason) {
        switch reason {
        case .length, .shape: malformed += count
        case .plaintext: plaintext += count
        case .zeroNonce: zeroNonce += count
        case .replayed: replayed += count
        case .rate, .full: limited += count
        }
    }
}
