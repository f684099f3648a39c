import FoundationEssentials
import Glibc
import Links
package import Logging
import Posix
import Units
import Uplink
import Wire

/// `strata-agent send`: MPEG-TS from a UDP port of this machine over all links to one receiver, without the platform.
package final class StandaloneSender: Sendable {
    private let loop: Loop
    private let uplink: any Uplink
    private let links: Task<Void, Never>
    private let events: Task<Void, Never>

    /// - Throws: what cannot be opened.
    package init(_ configuration: SendConfiguration, log: Log) throws {
        let loop = try Loop(name: "send")
        let input = try UDPSocket(binding: configuration.input, buffers: 4 << 20)
        let uplink = try makeUplink(transport: configuration.transport, log: log.part("uplink"))
        let watcher = try LinkWatcher(
            loop: loop, policy: LinkPolicy(allow: configuration.transport.links ?? []), log: log.part("links"))
        links = Task { for await links in watcher.snapshots { uplink.update(links: links, rules: configuration.linkRules) } }
        events = Task { for await event in uplink.events { log.debug("uplink", ["event": .text("\(event)")]) } }
        let figures = try configuration.telemetry.map { ($0, try UDPSocket(binding: .any($0.family))) }
        loop.submit {
            do {
                let intake = Intake(input, uplink, log)
                let watch = try loop.watch(input.descriptor, .read) { _ in intake.serve() }
                intake.watch = watch
            } catch {
                log.error("the input cannot be watched", ["error": "\(error)"])
            }
            OverflowWatch(uplink, log).look(on: loop)
            if let (address, socket) = figures { report(uplink, to: address, by: socket, on: loop) }
        }
        self.loop = loop
        self.uplink = uplink
        for name in configuration.transport.links ?? [] where if_nametoindex(name) == 0 {
            log.warning("this machine has no such interface now; the link joins when it comes", ["link": .text(name)])
        }
        log.notice("sending", ["input": .text("\(configuration.input)"), "latency_ms": .integer(configuration.transport.bufferMs)])
    }

    /// Takes nothing more in, says goodbye to the receiver and closes its sockets.
    package func stop() {
        loop.stop()
        links.cancel()
        events.cancel()
        uplink.stop()
    }
}

/// Takes transport stream from the input, in datagrams of any cut; on its loop.
private final class Intake {
    private let socket: UDPSocket
    private let uplink: any Uplink
    private let log: Log
    /// As much as a datagram can hold: loopback takes them all.
    private let batch = DatagramBatch(capacity: 32, size: 65_536)
    private var packets = PacketIntake()
    private var told: (total: Int, at: Instant)?
    var watch: Watch?

    private static let tellEvery = Duration.seconds(60)

    init(_ socket: UDPSocket, _ uplink: any Uplink, _ log: Log) {
        self.socket = socket
        self.uplink = uplink
        self.log = log
    }

    func serve() {
        // What is no datagram is an ICMP answer to none of ours.
        while let count = try? socket.receive(batch), count > 0 {
            take(count)
        }
        tellDamage(at: .now)
    }

    private func take(_ count: Int) {
        // What is put together anew goes on together, so that it fills packets of the flow.
        var anew: [UInt8] = []
        for index in 0..<count {
            if anew.isEmpty, packets.isWhole(batch[index]) { uplink.send(batch[index]) } else { anew += packets.take(batch[index]) }
        }
        if !anew.isEmpty { anew.withUnsafeBytes { uplink.send($0) } }
    }

    /// At once, and then once a minute at most.
    private func tellDamage(at now: Instant) {
        guard packets.damagedTotal > told?.total ?? 0, told.map({ now - $0.at >= Self.tellEvery }) ?? true else { return }
        told = (packets.damagedTotal, now)
        log.warning(
            "the input is not MPEG-TS, or parts of it are missing: what is no whole packet is dropped",
            [
                "datagrams": .integer(packets.damagedTotal), "bytes": .integer(packets.skippedTotal),
                "expected": "packets of 188 bytes that begin with 0x47",
            ])
    }
}

/// Tells that more comes in than the links carry: at once, and then once a minute for as long as it lasts. On its loop.
private final class OverflowWatch {
    private let uplink: any Uplink
    private let log: Log
    private var watch = LossWatch()
    private var hasWarned = false

    init(_ uplink: any Uplink, _ log: Log) {
        self.uplink = uplink
        self.log = log
    }

    /// Once a second.
    func look(on loop: Loop) {
        note(uplink.counters(), at: Int(Instant.now.nanoseconds / 1_000_000_000))
        loop.timer(after: .seconds(1)) { [self] in look(on: loop) }
    }

    private func note(_ counters: UplinkCounters, at second: Int) {
        // Without a link nothing goes, whatever comes in.
        guard uplink.telemetry().contains(where: { $0.state == .live }) else { return watch.forget() }
        let dropped = counters.congestedTotal + counters.refusedTotal
        watch.note(lost: dropped, delivered: max(0, counters.packetsTotal - counters.refusedTotal), at: second)
        if let loss = watch.warning(at: second) {
            hasWarned = true
            log.warning(
                "the links carry less than the input, or lose more than can be sent again in time: what is passed through cannot follow",
                [
                    "loss": "\(loss)", "dropped": .integer(dropped), "links_carry_kbit": .integer(uplink.rate()?.kilobits ?? 0),
                    "fits": "a lower rate, or a source that follows rate_bps of [telemetry]",
                ])
        } else if hasWarned, watch.loss == nil {
            hasWarned = false
            log.notice("the links carry the input again", ["dropped": .integer(dropped)])
        }
    }
}

/// What a source that follows the bond reads, each 50 ms.
private struct SenderFigures: Encodable {
    /// What the source may make, in bits per second of transport stream; nil while no link is up.
    var rateBps: Int?
    var packetsTotal: Int
    var droppedTotal: Int
    var links: [LinkTelemetry]

    enum CodingKeys: String, CodingKey {
        case rateBps = "rate_bps"
        case packetsTotal = "packets_total"
        case droppedTotal = "dropped_total"
        case links
    }
}

private func report(_ uplink: any Uplink, to address: SocketAddress, by socket: UDPSocket, on loop: Loop) {
    let counters = uplink.counters()
    let figures = SenderFigures(
        rateBps: uplink.rate()?.bitsPerSecond, packetsTotal: counters.packetsTotal,
        droppedTotal: counters.congestedTotal + counters.refusedTotal, links: uplink.telemetry())
    // Nobody may be listening: figures are dropped and never queued.
    if let json = try? JSONEncoder().encode(figures) { _ = try? socket.send(Array(json), to: address) }
    loop.timer(after: .milliseconds(50)) { report(uplink, to: address, by: socket, on: loop) }
}
