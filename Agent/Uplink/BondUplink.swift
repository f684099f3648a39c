import BondWire
import Crypto
import Bonding
package import Configuration
package import Logging
package import Posix
package import Units
package import Wire

/// Sends one stream over all links of the board to one of our receivers: `Bond` decides, this has the threads.
package final class BondUplink: Uplink {
    package let events: AsyncStream<UplinkEvent>

    private let loop: Loop
    private let entrance: Guarded<Entrance>
    private let latest = Guarded(UplinkFigures())
    private let keeper = Keeper()
    private let out: AsyncStream<UplinkEvent>.Continuation

    /// What the streaming thread left for the loop.
    private struct Entrance {
        var packets: [FlowPacket] = []
        var bytes = 0
        /// The most payload that a packet of the flow may have now.
        var payloadLimit = Packetizer.largestPayload
        var counters = UplinkCounters()
        var isScheduled = false
        var isClosed = false
    }

    /// 4 MiB wait for the loop at most: more than any stream makes while a thread is held up.
    private static let limit = 4 << 20

    /// Opens nothing before `update(links:)` names a link.
    package init(transport: Transport, names: NameLookup = .system, log: Log) throws(UplinkFailure) {
        guard let key = StreamKey(text: transport.streamKey.secret.revealed, .openSSL) else { throw .key }
        (events, out) = AsyncStream.makeStream(of: UplinkEvent.self, bufferingPolicy: .bufferingNewest(64))
        do { loop = try Loop(name: "uplink") } catch { throw .system("\(error)") }
        entrance = Guarded(Entrance())
        let (keeper, loop, latest, entrance) = (keeper, loop, latest, entrance)
        loop.submit { [out] in
            let sender = BondSender(
                key: key, latencyMs: transport.bufferMs, protection: transport.protection ?? .throughput,
                wanted: transport.links.map(Set.init), loop: loop, log: log,
                report: { out.yield($0) },
                publish: { figures in
                    latest.withLock { $0 = figures }
                    entrance.withLock { $0.payloadLimit = figures.payloadLimit }
                })
            keeper.sender = sender
        }
        let search = ReceiverSearch(transport.receivers, names: names, log: log) { addresses in
            loop.submit { keeper.sender?.setReceivers(addresses) }
        }
        keeper.search.withLock { $0 = search }
    }

    deinit { stop() }

    package func send(_ bytes: UnsafeRawBufferPointer) {
        let now = Instant.now
        let mustWake = entrance.withLock { entrance -> Bool in
            guard !entrance.isClosed else { return false }
            for payload in Packetizer.split(bytes, limit: entrance.payloadLimit) {
                guard entrance.bytes + payload.count <= Self.limit else {
                    entrance.counters.congestedTotal += 1
                    continue
                }
                entrance.bytes += payload.count
                entrance.counters.packetsTotal += 1
                entrance.counters.bytesTotal += payload.count
                entrance.packets.append(FlowPacket(payload: payload, at: now))
            }
            defer { entrance.isScheduled = true }
            return !entrance.isScheduled
        }
        guard mustWake else { return }
        loop.submit { [entrance, keeper] in
            let packets = entrance.withLock { entrance -> [FlowPacket] in
                entrance.isScheduled = false
                entrance.bytes = 0
                defer { entrance.packets = [] }
                return entrance.packets
            }
            keeper.sender?.take(packets)
        }
    }

    package func update(links: [Link], rules: [String: LinkRule]) {
        let keeper = keeper
        loop.submit { keeper.sender?.update(links, rules) }
    }

    package func telemetry() -> [LinkTelemetry] { latest.withLock { $0.links } }

    package func bondTelemetry() -> BondTelemetry? { latest.withLock { $0.bond } }

    package func counters() -> UplinkCounters {
        var counters = entrance.withLock { $0.counters }
        counters.refusedTotal += latest.withLock { $0.expiredTotal }
        return counters
    }

    package func rate() -> Bitrate? { latest.withLock { $0.rate } }

    package func stop() {
        keeper.search.withLock { $0 = nil }
        let wasClosed = entrance.withLock { entrance in
            defer { entrance.isClosed = true }
            return entrance.isClosed
        }
        guard !wasClosed else { return }
        loop.stop()
        // The loop is joined: what it owned is ours to use and to let go.
        keeper.sender?.sayGoodbye()
        keeper.sender = nil
        out.finish()
    }
}

/// Holds the sender for its loop.
private final class Keeper: @unchecked Sendable {
    // Sendable: only the loop's thread touches the sender, and whoever joined that.
    var sender: BondSender?
    let search = Guarded<ReceiverSearch?>(nil)
}
