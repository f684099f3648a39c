import FoundationEssentials
package import Identity
package import Logging
package import Posix
import Spool
import Units
package import Web
package import Wire

/// What the receivers of this host have recorded, on its way to control: finishes what nobody writes any more, says what there is, gives of it
/// what control asks for, and removes what control has a verified copy of. It decides nothing itself, and forgets nothing by a restart: all that it
/// knows lies on the disk.
///
/// Lives on a thread of its own, since disks block.
package actor Takes {
    private let shelf: TakeShelf
    private let dial: TicketDial
    private let url: String
    private let disk: Loop
    private let log: Log
    private let tell: @Sendable (PoolMessage) -> Void
    private nonisolated let seen = Guarded(Seen())
    private var finished: [LeaseID: RecordedTake] = [:]
    /// Those that could not be finished, and when that is tried again.
    private var unreadable: [LeaseID: Instant] = [:]
    private var told: (ready: [RecordedTake], present: [LeaseID], at: Instant)?
    private var round = TakeRound()
    private var running: [Task<Void, Never>] = []
    private var uplinks: [LeaseID: WebSocket] = [:]

    /// What the host says of itself.
    private struct Seen {
        var active: Set<LeaseID> = []
        var isControlThere = false
    }

    private static let each = Duration.seconds(1)
    /// Between two megabytes that are read for nobody: live streams have the disk as well.
    private static let rest = Duration.milliseconds(10)
    private static let again = Duration.seconds(60)
    private static let repeatEach = Duration.seconds(5)
    private static let uplinkLimit = 4

    package nonisolated var unownedExecutor: UnownedSerialExecutor { disk.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - folder: the host's for recordings.
    ///   - loop: where connections are.
    ///   - tell: takes what is said to control; may lose it.
    package init(
        _ folder: String, identity: DeviceIdentity, loop: Loop, proxy: ClientOptions.Proxy?, log: Log,
        tell: @escaping @Sendable (PoolMessage) -> Void
    ) throws {
        shelf = TakeShelf(folder)
        dial = TicketDial(identity: identity, loop: loop, proxy: proxy)
        url = identity.server.recordingURL
        disk = try Loop(name: "takes")
        self.log = log.part("takes")
        self.tell = tell
    }

    /// What runs on this host, and whether control hears it. From any thread, as often as it likes.
    nonisolated func note(active: Set<LeaseID>, isControlThere: Bool) {
        seen.withLock { $0 = Seen(active: active, isControlThere: isControlThere) }
    }

    /// Works until `stop`; begins once the host has said what runs on it.
    func begin() {
        guard running.isEmpty else { return }
        let disk = disk
        // They end by cancellation only.
        running = [
            disk.spawn { [weak self] in while (try? await disk.sleep(for: Self.each)) != nil { await self?.finish() } },
            disk.spawn { [weak self] in while (try? await disk.sleep(for: Self.each)) != nil { await self?.report() } },
        ]
    }

    func stop() {
        for task in running { task.cancel() }
        for uplink in uplinks.values { uplink.abort() }
    }

    // MARK: What there is

    /// nil where that cannot be seen: whoever is told that there is nothing gives up what there is.
    private func there() -> [LeaseID]? {
        do {
            return try shelf.leases()
        } catch {
            log.error("the recordings of this host cannot be listed", ["error": "\(error)"])
            return nil
        }
    }

    private func finish() async {
        guard let all = there() else { return }
        let active = seen.withLock { $0.active }
        finished = finished.filter { all.contains($0.key) && !active.contains($0.key) }
        unreadable = unreadable.filter { all.contains($0.key) }
        for lease in all where !active.contains(lease) && finished[lease] == nil {
            if let again = unreadable[lease], Instant.now < again { continue }
            do {
                guard shelf.isAtRest(lease), try !shelf.sweep(lease) else { continue }
                finished[lease] = try await take(lease)
            } catch is CancellationError {
                return
            } catch {
                unreadable[lease] = .now + Self.again
                log.error("a recording cannot be finished", ["lease": .text(lease.text), "error": "\(error)"])
            }
        }
    }

    /// nil where its lease goes on.
    private func take(_ lease: LeaseID) async throws -> RecordedTake? {
        if let take = try shelf.finished(lease) { return take }
        let completion = try TakeCompletion(lease, on: shelf)
        while true {
            if let take = try completion.step() {
                log.notice(
                    "a recording is finished",
                    [
                        "lease": .text(lease.text), "recording": .text(take.recording.text), "files": .integer(take.files.count),
                        "bytes": .integer(take.files.reduce(0) { $0 + $1.bytes }), "damaged_fragments": .integer(take.damagedFragments),
                    ])
                return take
            }
            try await disk.sleep(for: Self.rest)
            guard !seen.withLock({ $0.active.contains(lease) }) else { return nil }
        }
    }

    private func report() {
        let (active, isControlThere) = seen.withLock { ($0.active, $0.isControlThere) }
        guard isControlThere else {
            told = nil
            return
        }
        guard let all = there() else { return }
        let ready = all.compactMap { finished[$0] }.filter { !active.contains($0.lease) }
        let wait = ready.isEmpty ? Self.again : Self.repeatEach
        if let told, told.ready == ready, told.present == all, Instant.now - told.at < wait { return }
        told = (ready: ready, present: all, at: .now)
        let list = RecordingList(
            takes: round.next(of: ready), present: Array(all.prefix(WireLimits.recordedTakes)),
            isComplete: all.count <= WireLimits.recordedTakes)
        tell(.recordings(list))
    }

    // MARK: Orders

    /// - Returns: why there is nothing; nil where it goes on by itself.
    func bring(_ order: BringRecordingOrder) async -> String? {
        let lease = order.lease
        do {
            guard try shelf.finished(lease) != nil else { return "this host has no finished recording of the lease" }
            guard uplinks.count < Self.uplinkLimit || uplinks[lease] != nil else { return "this host brings as many recordings as it may" }
            let socket = try await dial.open(url, highMark: 2 * WireLimits.recordingPiece, hello: BringRecordingHello(ticket: order.ticket))
            uplinks[lease]?.abort()
            uplinks[lease] = socket
            // Ends with its connection.
            _ = disk.spawn { [weak self] in await self?.give(lease, over: socket) }
            return nil
        } catch {
            log.warning("a recording cannot be brought", ["lease": .text(lease.text), "error": "\(error)"])
            return "\(error)"
        }
    }

    private func give(_ lease: LeaseID, over socket: WebSocket) async {
        var reason = "control has left"
        do {
            while case .text(let text)? = try await socket.receive() {
                let ask = try JSONDecoder().decode(RecordingAsk.self, from: Data(text.utf8))
                guard ask.file > 0 else {
                    try lookAgain(lease)
                    break
                }
                try await socket.send(try shelf.read(ask, of: lease))
            }
        } catch {
            reason = "\(error)"
            log.warning("a recording is not brought on", ["lease": .text(lease.text), "error": "\(error)"])
            // try?: what cannot be forgotten now is found damaged the next time too.
            if (error as? TakeShelf.Fault) == .damaged { try? lookAgain(lease) }
        }
        await socket.close(.goingAway, String(reason.prefix(100)), within: .seconds(1))
        if uplinks[lease] === socket { uplinks[lease] = nil }
    }

    /// What is on the disk is not what was told: damage that came later.
    private func lookAgain(_ lease: LeaseID) throws {
        log.warning("a recording's bytes are not what they were: it is looked through again", ["lease": .text(lease.text)])
        finished[lease] = nil
        try shelf.forget(lease)
    }

    /// - Returns: why it stays.
    func discard(_ lease: LeaseID) -> String? {
        guard !seen.withLock({ $0.active.contains(lease) }) else { return "the stream is recorded still" }
        do {
            finished[lease] = nil
            try shelf.discard(lease)
            log.notice("a recording was removed from this host", ["lease": .text(lease.text)])
            return nil
        } catch {
            log.error("a recording cannot be removed", ["lease": .text(lease.text), "error": "\(error)"])
            return "\(error)"
        }
    }
}
