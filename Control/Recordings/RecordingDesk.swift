package import Blobs
package import Fleet
package import Logging
import Posix
package import Store
package import Units
import Web
import Wire

/// What becomes of recordings: has pool hosts bring what they have recorded, removes it there once it is stored and read back, and takes out of the
/// stores what was removed or is too old. It keeps nothing that a restart would miss: hosts say again what they have, and the store knows how far
/// each file has come.
package actor RecordingDesk {
    private let store: ControlStore
    private let fleet: Roster
    private let disk: any ObjectStore
    private let bucket: (any ObjectStore)?
    private let log: Log
    /// What each host said last, and has not been looked at.
    private var lists: [DeviceID: RecordingList] = [:]
    private var working: [DeviceID: Task<Void, Never>] = [:]
    /// Takes that failed, and when they are tried again.
    private var pauses: [LeaseID: Instant] = [:]
    private var strange: Set<LeaseID> = []
    private var isClearing = false
    /// Takes of each recording that are being brought.
    private var moving: [RecordingID: Int] = [:]
    /// Since when recordings are known to be older than they are kept.
    private var outlivedSince: [RecordingID: Instant] = [:]

    private static let pause = Duration.seconds(20)
    private static let arrivalLimit = Duration.seconds(15)
    /// For so long a recording must be too old before it goes: a wall clock that was set wrong and right again, as at a boot, costs none.
    private static let secondLook = Duration.seconds(1800)

    /// - Parameters:
    ///   - disk: the store on this machine.
    ///   - bucket: the one that is configured in its place; nil where there is none.
    package init(store: ControlStore, fleet: Roster, disk: any ObjectStore, bucket: (any ObjectStore)?, log: Log) {
        self.store = store
        self.fleet = fleet
        self.disk = disk
        self.bucket = bucket
        self.log = log.part("recordings")
    }

    /// Follows what hosts say, until cancelled.
    package func run() async {
        for await told in fleet.recordings { note(told) }
        for task in working.values { task.cancel() }
    }

    /// nil where the configuration has lost it.
    private func objects(at place: RecordingPlace) -> (any ObjectStore)? {
        switch place {
        case .disk: disk
        case .bucket: bucket
        }
    }

    // MARK: Bringing

    private func note(_ told: HostRecordings) {
        lists[told.host] = told.list
        guard working[told.host] == nil else { return }
        working[told.host] = Task {
            while let list = self.next(of: told.host) { await self.work(list, on: told.host) }
        }
    }

    private func next(of host: DeviceID) -> RecordingList? {
        if let list = lists.removeValue(forKey: host), !Task.isCancelled { return list }
        working[host] = nil
        return nil
    }

    private func work(_ list: RecordingList, on host: DeviceID) async {
        do {
            if list.isComplete {
                let lost = try await store.recordingMoves.missing(on: host, present: Set(list.present))
                if lost > 0 {
                    log.error("a host has nothing of recordings that it was to have", ["host": "\(host)", "takes": .integer(lost)])
                }
            }
            for take in list.takes {
                guard !Task.isCancelled else { return }
                try await look(at: take, on: host)
            }
        } catch {
            log.error("what a host has recorded could not be looked at", ["host": "\(host)", "error": "\(error)"])
        }
    }

    private func look(at recorded: RecordedTake, on host: DeviceID) async throws {
        switch try await store.recordingMoves.decide(recorded, on: host) {
        case .wait: break
        case .discard: await discard(recorded.lease, on: host)
        case .unknown:
            guard strange.count < 1000, strange.insert(recorded.lease).inserted else { return }
            log.warning(
                "a host has a recording that is not known here; it stays there",
                ["host": "\(host)", "lease": "\(recorded.lease)", "organization": "\(recorded.organization)"])
        case .move(let take):
            if let pause = pauses[take.lease], Instant.now < pause { return }
            await move(recorded, take, from: host)
        }
    }

    private func move(_ recorded: RecordedTake, _ take: RecordingMoves.Take, from host: DeviceID) async {
        moving[take.recording, default: 0] += 1
        let isRemoved = await carry(recorded, take, from: host)
        let left = (moving[take.recording] ?? 1) - 1
        moving[take.recording] = left > 0 ? left : nil
        if isRemoved { await clear() }
    }

    /// - Returns: whether it was removed while it came.
    private func carry(_ recorded: RecordedTake, _ take: RecordingMoves.Take, from host: DeviceID) async -> Bool {
        do {
            guard let objects = objects(at: take.place) else {
                throw BlobError.away("the bucket that the recording began for is not configured any more")
            }
            let began = Instant.now
            try await bring(recorded, take, from: host, into: objects)
            pauses[take.lease] = nil
            log.notice(
                "a recording is stored",
                [
                    "recording": "\(take.recording)", "files": .integer(recorded.files.count),
                    "bytes": .integer(recorded.files.reduce(0) { $0 + $1.bytes }), "ms": .integer((Instant.now - began).milliseconds),
                ])
            await describe(take, in: objects)
            await discard(take.lease, on: host)
            return false
        } catch StoreError.missing {
            // The next list has it discarded.
            pauses[take.lease] = nil
            log.info("a recording was removed while it was brought", ["recording": "\(take.recording)"])
            return true
        } catch {
            pauses[take.lease] = .now + Self.pause
            log.warning("a recording is not stored yet", ["recording": "\(take.recording)", "error": "\(error)"])
            await hold(take, because: error)
            return false
        }
    }

    /// Tells whoever waits for it. The reasons of stores are for whoever operates them.
    private func hold(_ take: RecordingMoves.Take, because error: any Error) async {
        let reason =
            switch error {
            case is BlobError: "it waits on its host: the store of files takes nothing now"
            case let fault as MoveFault: "it waits on its host: \(fault)"
            default: "it waits on its host"
            }
        do {
            try await store.recordingMoves.held(take, because: reason)
        } catch {
            log.debug("why a recording waits could not be stored", ["error": "\(error)"])
        }
    }

    /// Asks the host for it, and has it brought over the connection that comes.
    private func bring(_ recorded: RecordedTake, _ take: RecordingMoves.Take, from host: DeviceID, into objects: any ObjectStore)
        async throws
    {
        let (results, sink) = AsyncStream.makeStream(of: Result<Void, any Error>.self)
        let moves = store.recordingMoves
        let tickets = fleet.takes
        let ticket = tickets.expect(from: host) { socket in
            let read: TakeReading = { ask in
                try await socket.send(Feed.json(ask))
                guard case .binary(let bytes)? = try await socket.receive() else {
                    throw MoveFault.away((socket.closeReason ?? "it has ended the connection").bounded(to: 100))
                }
                return bytes
            }
            do {
                try await TakeMove(recorded: recorded, take: take, objects: objects, moves: moves, read: read).run()
                sink.yield(.success(()))
            } catch {
                sink.yield(.failure(error))
            }
            sink.finish()
        }
        let order = BringRecordingOrder(lease: take.lease, ticket: SecretOnWire(Secret(ticket)))
        if case .outcome(let outcome) = await fleet.order(PoolOrder.bringRecording(order), to: host), outcome.result != .done {
            tickets.forget(ticket)
            throw MoveFault.away((outcome.reason ?? "it gives no reason").bounded(to: 200))
        }
        let limit = Task {
            // try?: cancelled where it came.
            guard (try? await Task.sleep(for: Self.arrivalLimit)) != nil, tickets.forget(ticket) else { return }
            sink.finish()
        }
        defer { limit.cancel() }
        for await result in results { return try result.get() }
        tickets.forget(ticket)
        throw MoveFault.away("no connection came")
    }

    /// What an operator finds beside the files, who has to do without the database (REC-41). The recording does not depend on it.
    private func describe(_ take: RecordingMoves.Take, in objects: any ObjectStore) async {
        do {
            let recordings = store.recordings(in: OrganizationScope(take.organization, by: .system))
            let (recording, files) = (try await recordings.find(take.recording), try await recordings.files(of: take.recording))
            guard let key = ObjectKey("metadata.json", in: .session(take.recording.ulid, nil), of: take.organization) else { return }
            _ = try await objects.put(Array(Feed.json(RecordingSheet(recording, files)).utf8), to: key, type: "application/json")
        } catch {
            log.warning("a recording's metadata.json was not written", ["recording": "\(take.recording)", "error": "\(error)"])
        }
    }

    /// One that does not hear it says again that it has it.
    private func discard(_ lease: LeaseID, on host: DeviceID) async {
        _ = await fleet.order(PoolOrder.discardRecording(LeaseReference(lease: lease)), to: host)
    }

    // MARK: Removing

    /// Removes what is older than its organisation keeps it, and the files of all that was removed.
    package func tidy() async throws {
        let outlived = try await store.recordingMoves.outlived()
        let now = Instant.now
        outlivedSince = Dictionary(uniqueKeysWithValues: outlived.map { ($0.id, outlivedSince[$0.id] ?? now) })
        let due = outlived.filter { one in outlivedSince[one.id].map { now - $0 >= Self.secondLook } ?? false }
        try await store.recordingMoves.remove(due)
        if !due.isEmpty { log.notice("recordings were removed by their age", ["count": .integer(due.count)]) }
        await clear()
    }

    /// The files of what was removed. What cannot be removed now is the next time's.
    package func clear() async {
        guard !isClearing else { return }
        isClearing = true
        defer { isClearing = false }
        do {
            let places = RecordingPlace.allCases.filter { objects(at: $0) != nil }
            for recording in try await store.recordingMoves.uncleared(at: places) { await clearIfIdle(recording) }
        } catch {
            log.warning("the files of removed recordings are there still", ["error": "\(error)"])
        }
    }

    /// One that is still being brought is cleared after that: what is written last would stay for ever.
    private func clearIfIdle(_ recording: Recording) async {
        guard moving[recording.id] == nil else { return }
        do {
            try await clear(recording)
        } catch {
            log.warning("a removed recording's files are there still", ["recording": "\(recording.id)", "error": "\(error)"])
        }
    }

    private func clear(_ recording: Recording) async throws {
        guard let objects = objects(at: recording.place) else {
            throw BlobError.away("the bucket of recording \(recording.id) is not configured any more")
        }
        for upload in try await store.recordingMoves.uploads(of: recording) { try await objects.abandon(upload) }
        try await Self.remove(ObjectPrefix(.session(recording.id.ulid, nil), of: recording.organization), from: objects)
        try await store.recordingMoves.cleared(recording)
    }

    /// All that an organisation has in the bucket, which was deleted.
    package func removeAll(of organization: OrganizationID) async throws {
        guard let bucket else { return }
        try await Self.remove(ObjectPrefix(of: organization), from: bucket)
    }

    private static func remove(_ prefix: ObjectPrefix, from objects: any ObjectStore) async throws {
        var page: String?
        repeat {
            let listed = try await objects.list(prefix, page: page, most: ObjectLimits.page.upperBound)
            for object in listed.objects { try await objects.remove(object.key) }
            page = listed.next
        } while page != nil
    }

    // MARK: Reading

    /// Where a file is read, for so many seconds.
    package func link(to file: StoredRecordingFile, at place: RecordingPlace, for seconds: Int64) async throws -> ObjectLink {
        guard let objects = objects(at: place) else { throw BlobError.away("the bucket of the recording is not configured any more") }
        return try await objects.link(to: .read, file.key, for: seconds)
    }
}

/// A recording as it is told beside its files.
private struct RecordingSheet: Encodable {
    let kind = "broadcast"
    let recording: RecordingID
    let broadcast: BroadcastID
    let sender: DeviceID
    let name: String
    let createdAt: String
    let endedAt: String?
    let files: [File]

    struct File: Encodable {
        let object: String
        let bytes: Int
        let sha256: String
        let beganAt: String
        let durationMs: Int
        let codecs: String
    }

    init(_ recording: Recording, _ files: [StoredRecordingFile]) {
        self.recording = recording.id
        broadcast = recording.broadcast
        sender = recording.sender
        name = recording.name
        createdAt = recording.createdAt.text
        endedAt = recording.endedAt?.text
        self.files = files.map { file in
            File(
                object: file.key.path, bytes: file.bytes, sha256: file.sha256, beganAt: file.beganAt.text, durationMs: file.durationMs,
                codecs: file.codecs)
        }
    }
}
