import FoundationEssentials
import Ingest
package import Logging
import Posix

/// `strata-receiver listen`: what comes over the bond leaves as MPEG-TS over UDP, at most seven packets in a datagram.
package final class StandaloneListener: Sendable {
    private let loop: Loop
    private let ingest: any Ingest

    /// - Throws: what cannot be opened.
    package init(_ configuration: ListenConfiguration, log: Log) throws {
        let output = try UDPSocket(binding: .any(configuration.output.family), buffers: 4 << 20)
        let to = configuration.output
        let ingest = try makeIngest(configuration.ingest, carrier: configuration.carrier, log: log.part("ingest")) { bytes in
            // Nobody listening there is no fault of the stream's.
            _ = try? output.send(bytes, to: to)
        }
        self.ingest = ingest
        let loop = try Loop(name: "listen")
        self.loop = loop
        if let address = configuration.telemetry {
            let socket = try UDPSocket(binding: .any(address.family))
            loop.submit { report(ingest, to: address, by: socket, on: loop) }
        }
        log.notice(
            "listening",
            ["addresses": .text(ingest.addresses.map(\.description).joined(separator: ", ")), "output": .text("\(to)")])
    }

    package func stop() {
        loop.stop()
        ingest.stop()
    }
}

/// What whoever watches reads, each 50 ms.
private struct ListenerFigures: Encodable {
    var deliveredTotal: Int
    var lostTotal: Int
    var recoveredTotal: Int
    var discardedTotal: Int
    var guardDroppedTotal: Int
    var bitrateBps: Int
    var paths: [Path]

    struct Path: Encodable {
        var source: String
        var bitrateBps: Int
        var packetsTotal: Int
    }
}

private func report(_ ingest: any Ingest, to address: SocketAddress, by socket: UDPSocket, on loop: Loop) {
    let statistics = ingest.statistics()
    let figures = ListenerFigures(
        deliveredTotal: statistics.deliveredPacketsTotal, lostTotal: statistics.lostPacketsTotal,
        recoveredTotal: statistics.recoveredPacketsTotal, discardedTotal: statistics.discardedPacketsTotal,
        guardDroppedTotal: statistics.guardDropped.total, bitrateBps: statistics.bitrate.bitsPerSecond,
        paths: statistics.paths.map { .init(source: $0.source, bitrateBps: $0.bitrate.bitsPerSecond, packetsTotal: $0.packetsTotal) })
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    // Nobody may be listening: figures are dropped and never queued.
    if let json = try? encoder.encode(figures) { _ = try? socket.send(Array(json), to: address) }
    loop.timer(after: .milliseconds(50)) { report(ingest, to: address, by: socket, on: loop) }
}
