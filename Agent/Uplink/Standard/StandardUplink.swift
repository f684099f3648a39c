package import Configuration
package import Logging
package import Posix
import RIST
package import Units
package import Wire

/// The door to stock RIST receivers: a librist flow with a peer pinned to each link.
package final class StandardUplink: Uplink {
    /// What happens to the links; a slow reader loses the oldest.
    package let events: AsyncStream<UplinkEvent>

    private let loop: Loop
    private let sender: Guarded<RISTSender?>
    private let relays: LinkRelays
    private let queue: PacedQueue
    private let written: Guarded<UplinkCounters>
    private let keeper = Keeper()
    private let latest = Guarded<[LinkTelemetry]>([])
    private let out: AsyncStream<UplinkEvent>.Continuation

    /// Seven transport stream packets: what fits into a datagram of 1,500 bytes with RIST's headers.
    private static let packetBytes = 7 * 188

    /// Opens nothing before `update(links:)` names a link.
    package init(transport: Transport, names: NameLookup = .system, log: Log) throws(UplinkFailure) {
        guard let passphrase = RISTPassphrase(transport.streamKey.secret) else { throw .key }
        (events, out) = AsyncStream.makeStream(of: UplinkEvent.self, bufferingPolicy: .bufferingNewest(64))
        do { loop = try Loop(name: "uplink") } catch { throw .system("\(error)") }
        let keeper = keeper
        let loop = loop
        let made: RISTSender
        let relays: LinkRelays
        do { relays = try LinkRelays(passphrase: transport.streamKey.secret, bufferMs: transport.bufferMs, log: log) } catch {
            loop.stop()
            throw .system("\(error)")
        }
        do {
            made = try RISTSender(passphrase: passphrase, bufferMs: transport.bufferMs) { event in
                loop.submit { keeper.conductor?.take(event) }
            }
        } catch {
            relays.stop()
            loop.stop()
            throw .system("\(error)")
        }
        let (sender, written) = (Guarded<RISTSender?>(made), Guarded(UplinkCounters()))
        do {
            queue = try PacedQueue { packet in
                guard let sender = sender.withLock({ $0 }) else { return }
                let outcome = sender.write(packet)
                written.withLock { $0.add(outcome, bytes: packet.count) }
            }
        } catch {
            relays.stop()
            loop.stop()
            throw .system("\(error)")
        }
        self.sender = sender
        self.relays = relays
        self.written = written
        loop.submit { [out] in
            keeper.conductor = Conductor(sender: made, relays: relays, transport: transport, loop: loop, log: log) { out.yield($0) }
        }
        publishLater()
        let search = ReceiverSearch(transport.receivers, names: names, log: log) { addresses in
            loop.submit { keeper.conductor?.setReceivers(addresses) }
        }
        keeper.search.withLock { $0 = search }
    }

    deinit { stop() }

    /// Queues transport stream packets, which leave within `Pacing.horizon`. Streaming thread; copies, never waits.
    package func send(_ bytes: UnsafeRawBufferPointer) {
        var offset = 0
        while offset < bytes.count {
            let count = min(Self.packetBytes, bytes.count - offset)
            if !queue.put(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])) {
                written.withLock { $0.add(.congested, bytes: count) }
            }
            offset += count
        }
    }

    /// The board's links as they are now.
    package func update(links: [Link], rules: [String: LinkRule]) {
        let keeper = keeper
        loop.submit { keeper.conductor?.update(links) }
    }

    /// Each link of the board, as of at most 100 ms ago.
    package func telemetry() -> [LinkTelemetry] { latest.withLock { $0 } }

    package func bondTelemetry() -> BondTelemetry? { nil }

    package func counters() -> UplinkCounters { written.withLock { $0 } }

    package func rate() -> Bitrate? { nil }

    /// Ends its threads and closes its sockets; `send` does nothing after it.
    package func stop() {
        keeper.search.withLock { $0 = nil }
        queue.close()
        loop.stop()
        // The loop is joined: what it owned is ours to let go.
        keeper.conductor = nil
        let last = sender.withLock { sender in
            defer { sender = nil }
            return sender
        }
        out.finish()
        // Outside of the lock, as librist's threads are joined here and the streaming thread must not wait for that.
        _ = consume last
        // Last, as librist's last packets go through them.
        relays.stop()
    }

    private func publishLater() {
        let keeper = keeper
        loop.submit { [loop, latest, written] in
            publish(loop, keeper, latest, written)
        }
    }
}

/// Renews what `telemetry` returns, ten times a second. Loop thread.
private func publish(
    _ loop: Loop, _ keeper: Keeper, _ latest: Guarded<[LinkTelemetry]>, _ written: Guarded<UplinkCounters>
) {
    let counters = written.withLock { $0 }
    let packetBytes = counters.packetsTotal > 0 ? counters.bytesTotal / counters.packetsTotal : 1316
    if let telemetry = keeper.conductor?.telemetry(packetBytes: packetBytes) { latest.withLock { $0 = telemetry } }
    loop.timer(after: .milliseconds(100)) { publish(loop, keeper, latest, written) }
}

/// Holds the conductor for its loop.
private final class Keeper: @unchecked Sendable {
    // Sendable: only the loop's thread touches the conductor, and whoever joined that.
    var conductor: Conductor?
    let search = Guarded<ReceiverSearch?>(nil)
}

extension UplinkCounters {
    fileprivate mutating func add(_ outcome: RISTSender.Written, bytes: Int) {
        switch outcome {
        case .queued:
            packetsTotal += 1
            bytesTotal += bytes
        case .congested: congestedTotal += 1
        case .refused: refusedTotal += 1
        }
    }
}
