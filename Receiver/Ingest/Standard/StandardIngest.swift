package import Logging
package import Posix
import RIST
import Units

/// Takes one stream from a public UDP port: guarded, put in order by librist, handed out as transport stream packets.
///
/// A guard thread owns the public sockets (THREATS 5); librist's own threads call `onMedia`.
package final class StandardIngest: Ingest {
    /// Where it listens, one for each address.
    package let addresses: [SocketAddress]
    private let board = Board()
    private let loop: Loop
    private let bufferMs: Int
    private let parts: Guarded<Parts?>

    /// What `stop` ends.
    private struct Parts {
        let receiver: RISTReceiver
        let keeper: Keeper
    }

    /// - Parameter onMedia: whole transport stream packets in order, on librist's thread, valid during the call: copies and does not wait.
    /// - Throws: `IngestFailure`; nothing stays open then.
    package init(_ settings: IngestSettings, log: Log, onMedia: @escaping @Sendable (UnsafeRawBufferPointer) -> Void) throws {
        guard let passphrase = RISTPassphrase(settings.key) else { throw IngestFailure.key }
        let doors = try openDoors(settings, log: log)
        let receiver = try Self.makeReceiver(passphrase, bufferMs: settings.bufferMs, board: board, onMedia: onMedia)
        do { loop = try Loop(name: "ingest") } catch { throw IngestFailure.system("\(error)") }
        addresses = doors.map(\.localAddress)
        bufferMs = settings.bufferMs
        let keeper = Keeper()
        parts = Guarded(Parts(receiver: receiver, keeper: keeper))
        let target = SocketAddress.loopback(port: receiver.port)
        loop.submit { [loop, board] in
            do {
                keeper.portGuard = try PortGuard(loop: loop, doors: doors, target: target, board: board)
            } catch {
                log.error("the guard of the media port could not start", ["error": "\(error)"])
            }
        }
    }

    deinit { stop() }

    /// Takes nothing more from outside, and returns when what has come is delivered: a buffer's length after the last packet of
    /// media, and some hundred milliseconds. `stop` follows.
    package func settle() async {
        guard let keeper = parts.withLock({ $0?.keeper }) else { return }
        let last = await withCheckedContinuation { (continuation: CheckedContinuation<Instant?, Never>) in
            loop.submit {
                keeper.portGuard?.closeDoors()
                continuation.resume(returning: keeper.portGuard?.lastMedia)
            }
        }
        guard let last else { return }
        // librist holds each packet for the buffer's length, by its own clock and the slowest link: asked until nothing more comes.
        var wait = max(.zero, last + .milliseconds(bufferMs) - .now)
        for _ in 0..<10 {
            // Nobody cancels it; if it were, there would be nothing to wait for.
            try? await loop.sleep(for: wait)
            let before = board.order.withLock { $0.deliveredTotal }
            wait = .milliseconds(100)
            try? await loop.sleep(for: wait)
            if board.order.withLock({ $0.deliveredTotal }) == before { return }
        }
    }

    /// Ends its threads and closes its ports: no `onMedia` after it. Not to be called from `onMedia`.
    package func stop() {
        let parts = parts.withLock { parts in
            defer { parts = nil }
            return parts
        }
        guard let parts else { return }
        // The loop is joined and has let go of its watches: what it owned is ours now, and so are the sockets to close.
        loop.stop()
        parts.keeper.portGuard = nil
    }

    /// The figures of this moment; paths are renewed four times a second. Any thread.
    package func statistics() -> IngestStatistics { board.statistics }

    private static func makeReceiver(
        _ passphrase: RISTPassphrase, bufferMs: Int, board: Board, onMedia: @escaping @Sendable (UnsafeRawBufferPointer) -> Void
    ) throws -> RISTReceiver {
        // Links differ by up to some 100 ms; a smaller buffer leaves less time to wait before asking again.
        let skewMs = min(max(bufferMs / 8, 25), 120)
        do {
            return try RISTReceiver(
                .init(passphrase: passphrase, bufferMs: bufferMs, skewMs: skewMs), accept: board.isKnown(host:),
                onPacket: { packet in
                    // The lock is held over `onMedia`: two flows may end and begin on two threads, and the order must hold.
                    let isNext = board.order.withLock { order in
                        let verdict = order.arrived(flow: packet.flow, sequence: packet.sequence, at: .now)
                        if verdict == .deliver { onMedia(packet.bytes) }
                        return verdict == .deliver
                    }
                    if isNext { board.delivered(bytes: packet.bytes.count) }
                },
                onEvent: { event in
                    switch event {
                    case .joined(let peer, let host): board.joined(peer: peer, host: host)
                    case .statistics(let statistics): board.took(statistics)
                    }
                })
        } catch { throw IngestFailure.librist("\(error)") }
    }
}

/// Holds the guard for its loop.
private final class Keeper: @unchecked Sendable {
    // Sendable: only the loop's thread touches it, and whoever joined that.
    var portGuard: PortGuard?
}
