import FoundationEssentials
import Ingest
package import Logging
import Posix
import Units

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
        loop.submit { MissingWatch(ingest, log).look(on: loop) }
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

/// Tells that packets are missing: at once, and then once a minute for as long as it lasts. On its loop.
private final class MissingWatch {
    private let ingest: any Ingest
    private let log: Log
    private var watch = LossWatch()
    private var delivered = 0
    private var hasWarned = false

    init(_ ingest: any Ingest, _ log: Log) {
        self.ingest = ingest
        self.log = log
    }

    /// Once a second.
    func look(on loop: Loop) {
        note(ingest.statistics(), at: Int(Instant.now.nanoseconds / 1_000_000_000))
        loop.timer(after: .seconds(1)) { [self] in look(on: loop) }
    }

    private func note(_ statistics: IngestStatistics, at second: Int) {
        defer { delivered = statistics.deliveredPacketsTotal }
        // Darkness is no loss: what it cost is counted when something comes again.
        guard statistics.deliveredPacketsTotal > delivered else { return watch.forget() }
        watch.note(lost: statistics.lostPacketsTotal, delivered: statistics.deliveredPacketsTotal, at: second)
        if let loss = watch.warning(at: second) {
            hasWarned = true
            log.warning(
                "packets are missing: the links carry less than the sender is given, or lose more than can be sent again in time",
                [
                    "loss": "\(loss)", "lost": .integer(statistics.lostPacketsTotal),
                    "delivered": .integer(statistics.deliveredPacketsTotal),
                ])
        } else if hasWarned, watch.loss == nil {
            hasWarned = false
            log.notice("the stream is whole again", ["lost": .integer(statistics.lostPacketsTotal)])
        }
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
