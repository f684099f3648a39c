import BondWire
import Crypto
package import Logging
package import Posix
import Units
import Wire

/// Takes one stream from one of our own senders, over all its links.
///
/// One thread owns the public sockets and calls `onMedia`.
package final class BondIngest: Ingest {
    package let addresses: [SocketAddress]
    private let loop: Loop
    private let latest = Guarded(IngestStatistics())
    private let keeper = Keeper()

    /// - Parameter onMedia: whole transport stream packets in order, on the ingest's thread, valid during the call: copies and does not wait.
    /// - Throws: `IngestFailure`; nothing stays open then.
    package init(_ settings: IngestSettings, log: Log, onMedia: @escaping @Sendable (UnsafeRawBufferPointer) -> Void) throws {
        guard let key = StreamKey(text: settings.key.revealed, .openSSL) else { throw IngestFailure.key }
        let doors = try openDoors(settings, log: log)
        for door in doors { try door.wantArrivalTimes() }
        do { loop = try Loop(name: "ingest") } catch { throw IngestFailure.system("\(error)") }
        addresses = doors.map(\.localAddress)
        let (keeper, latest, loop) = (keeper, latest, loop)
        loop.submit {
            do {
                keeper.receiver = try BondReceiver(
                    key: key, latencyMs: settings.bufferMs, doors: doors, loop: loop, log: log, onMedia: onMedia,
                    publish: { statistics in latest.withLock { $0 = statistics } })
            } catch {
                log.error("the media port cannot be watched", ["error": "\(error)"])
            }
        }
    }

    deinit { stop() }

    package func settle() async {
        let keeper = keeper
        let until = await withCheckedContinuation { (continuation: CheckedContinuation<Instant?, Never>) in
            loop.submit { continuation.resume(returning: keeper.receiver?.closeDoors()) }
        }
        // What is held leaves at its times; nobody cancels it.
        if let until { try? await loop.sleep(for: until - .now) }
    }

    package func stop() {
        loop.stop()
        // The loop is joined and has let go of its watches: what it owned is ours now, and so are the sockets to close.
        keeper.receiver?.sayGoodbye()
        keeper.receiver = nil
    }

    package func statistics() -> IngestStatistics { latest.withLock { $0 } }
}

/// Holds the receiver for its loop.
private final class Keeper: @unchecked Sendable {
    // Sendable: only the loop's thread touches it, and whoever joined that.
    var receiver: BondReceiver?
}
