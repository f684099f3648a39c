import Crypto
package import Fragments
import Glibc
package import Logging
package import Posix
package import Units
package import Wire

/// Why nothing is recorded.
package enum SpoolRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// Less than 5 % of the disk is free.
    case noRoom
    /// The lease is another recording's.
    case otherRecording
    case failed(String)

    package var description: String {
        switch self {
        case .noRoom: "nothing is recorded: less than 5 % of the host's disk is free"
        case .otherRecording: "nothing is recorded: the host has another recording of this lease"
        case .failed(let reason): "nothing is recorded: \(reason)"
        }
    }
}

/// Where the pieces of a recording go on the disk of this host: fragments with their digests behind each other, and an index beside them.
///
/// Whoever gives pieces never waits: they stand in a queue with a bound, and a thread of its own writes them. A disk that is too slow costs the
/// recording whole groups of pictures, which are counted, and one that is full the recording alone. What was given out half a second ago is
/// with the kernel, and a second later on the disk.
package final class RecordingSpool: @unchecked Sendable {
    // Sendable: `queue` and `shown` have their locks; all else that changes belongs to the loop's thread.

    /// What this goes on with.
    package let origin: RecordingWriter.Origin
    private let folder: TakeFolder
    private let lock: FolderLock
    private let loop: Loop
    private let log: Log
    private let queue = Guarded(Queue())
    private let shown = Guarded(Shown())
    private let room: @Sendable (String) throws -> DiskRoom

    private struct Item {
        let beginning: RecordingBeginning
        /// Which beginning it is, counted from the start.
        let generation: Int
        let fragment: RecordedFragment
    }

    private struct Queue {
        var items: [Item] = []
        var bytes = 0
        var beginning: RecordingBeginning?
        var generation = 0
        /// What came before the next key frame is useless since something was lost.
        var awaitsKey = false
        var lost = 0
        var isScheduled = false
        var isClosed = false
    }

    private struct Shown {
        var state = RecordingReport.State.waiting
        var reason: String?
        var bytes = 0
    }

    /// A part that is being written.
    private final class Part {
        let media: Descriptor
        let index: Descriptor
        let generation: Int
        var offset: Int

        init(media: consuming Descriptor, index: consuming Descriptor, generation: Int, offset: Int) {
            self.media = media
            self.index = index
            self.generation = generation
            self.offset = offset
        }
    }

    private var part: Part?
    /// Files that the take has so far, and with what the last of them begins.
    private var files: Int
    private var latest: (bytes: [UInt8], zero: Int64)?
    /// Fragments that were lost before this, and of this one's those that are written down.
    private let lostBefore: Int
    private var lostNoted = 0
    private var isDirty = false
    private var retryAt: Instant?

    /// A quarter of a minute at 16 Mbit/s, in bytes.
    package static let queueBytes = 32 << 20
    private static let pause: Duration = .seconds(5)
    private static let syncEach: Duration = .seconds(1)

    private init(
        _ folder: TakeFolder, _ lock: FolderLock, _ origin: RecordingWriter.Origin, files: Int, loop: Loop, log: Log,
        room: @escaping @Sendable (String) throws -> DiskRoom
    ) {
        self.folder = folder
        self.files = files
        latest = origin.beginning.map { (bytes: $0, zero: origin.zero) }
        lostBefore = folder.lost
        self.lock = lock
        self.origin = origin
        self.loop = loop
        self.log = log
        self.room = room
    }

    /// Takes up a lease's recording, or begins it.
    ///
    /// - Parameters:
    ///   - root: the host's folder for recordings.
    ///   - loop: a thread of its own: disks block.
    ///   - room: how full the disk is.
    package static func open(
        _ root: String, _ lease: LeaseID, _ spec: RecordingSpec, loop: Loop, log: Log,
        room: @escaping @Sendable (String) throws -> DiskRoom = RecordingSpool.look
    ) async throws(SpoolRefusal) -> RecordingSpool {
        let made: Result<RecordingSpool, SpoolRefusal> = await withCheckedContinuation { continuation in
            loop.submit {
                do {
                    continuation.resume(returning: .success(try make(root, lease, spec, loop: loop, log: log, room: room)))
                } catch let refusal as SpoolRefusal {
                    continuation.resume(returning: .failure(refusal))
                } catch {
                    continuation.resume(returning: .failure(.failed("\(error)")))
                }
            }
        }
        return try made.get()
    }

    private static func make(
        _ root: String, _ lease: LeaseID, _ spec: RecordingSpec, loop: Loop, log: Log,
        room: @escaping @Sendable (String) throws -> DiskRoom
    ) throws -> RecordingSpool {
        for path in [root, TakeFolder.shelf(root)] where mkdir(path, 0o700) != 0 && errno != EEXIST {
            throw SystemError("mkdir", on: path)
        }
        let folder = TakeFolder(root, lease)
        let isNew = try FileTree.look(folder.path) == nil
        let space = try room(root)
        guard isNew ? space.takesNew : space.takesMore else { throw SpoolRefusal.noRoom }
        if mkdir(folder.path, 0o700) != 0 && errno != EEXIST { throw SystemError("mkdir", on: folder.path) }
        let lock = try FolderLock(folder.path)
        let owner = TakeFolder.Owner(lease: lease, recording: spec)
        if let known = try folder.read(TakeFolder.Owner.self, from: TakeFolder.ownerFile) {
            guard known == owner else { throw SpoolRefusal.otherRecording }
        } else {
            try folder.write(owner, to: TakeFolder.ownerFile)
            try FileTree.sync(TakeFolder.shelf(root))
        }
        // What was finished goes on.
        try FileTree.remove("\(folder.path)/\(TakeFolder.filesFile)")
        let (origin, files) = try reached(in: folder)
        return RecordingSpool(folder, lock, origin, files: files, loop: loop, log: log, room: room)
    }

    /// Where a predecessor that was killed has come to, and how many files it has begun at most.
    private static func reached(in folder: TakeFolder) throws -> (origin: RecordingWriter.Origin, files: Int) {
        var files = 0
        var (beganAtMs, end, number): (Int64?, Int64, Int) = (nil, 0, 0)
        var (beginning, zero): ([UInt8]?, Int64) = (nil, 0)
        for part in try folder.parts() {
            guard let index = try folder.readIndex(part) else { continue }
            if beganAtMs == nil { beganAtMs = index.atMs - index.zero / 90 }
            end = max(end, index.fragments.map(\.end).max() ?? index.zero)
            number += index.fragments.count
            let next = try folder.beginning(part, index)
            if next != beginning || index.zero != zero || files == 0 { files += 1 }
            (beginning, zero) = (next, index.zero)
        }
        let origin = RecordingWriter.Origin(beganAtMs: beganAtMs, end: end, number: number, beginning: beginning, zero: zero)
        return (origin, files)
    }

    /// Any thread, one at a time: queues and does not wait.
    package func offer(_ piece: RecordingWriter.Piece) {
        let mustSchedule = queue.withLock { queue in
            guard !queue.isClosed else { return false }
            switch piece {
            case .beginning(let beginning):
                queue.beginning = beginning
                queue.generation += 1
                return false
            case .fragment(let fragment):
                guard let beginning = queue.beginning, Self.admits(fragment, &queue) else { return false }
                queue.items.append(Item(beginning: beginning, generation: queue.generation, fragment: fragment))
                queue.bytes += fragment.bytes.count
                defer { queue.isScheduled = true }
                return !queue.isScheduled
            }
        }
        if mustSchedule { loop.submit { self.writeAll() } }
    }

    private static func admits(_ fragment: RecordedFragment, _ queue: inout Queue) -> Bool {
        let fits = queue.bytes + fragment.bytes.count <= queueBytes
        if fits, !queue.awaitsKey || fragment.isKey {
            queue.awaitsKey = false
            return true
        }
        queue.awaitsKey = true
        queue.lost += 1
        return false
    }

    /// How it is now. Any thread.
    package var report: RecordingReport {
        let lost = queue.withLock { $0.lost }
        return shown.withLock { shown in
            let slow = lost > 0 ? "the host's disk did not keep up: some of the recording is missing" : nil
            return RecordingReport(state: shown.state, reason: shown.reason ?? slow, bytesTotal: shown.bytes, lostFragmentsTotal: lost)
        }
    }

    /// Takes nothing more, and returns when all that waits is on the disk, or after a time.
    ///
    /// - Parameter other: counts the time: the disk may hold this one's own thread.
    package func close(within limit: Duration, on other: Loop) async {
        queue.withLock { $0.isClosed = true }
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let waiting = Guarded<CheckedContinuation<Void, Never>?>(continuation)
            let resume: @Sendable () -> Void = {
                let one = waiting.withLock { waiting in
                    defer { waiting = nil }
                    return waiting
                }
                one?.resume()
            }
            loop.submit {
                self.writeAll()
                self.sync()
                self.noteLost()
                self.part = nil
                self.lock.release()
                resume()
            }
            other.submit { _ = other.timer(after: limit) { resume() } }
        }
    }

    /// How full the disk of a path is.
    @Sendable package static func look(_ path: String) throws(SystemError) -> DiskRoom { try DiskRoom(of: path) }

    // MARK: On the loop

    private func writeAll() {
        while let item = next() {
            write(item)
            queue.withLock { $0.bytes -= item.fragment.bytes.count }
        }
    }

    private func next() -> Item? {
        queue.withLock { queue in
            guard !queue.items.isEmpty else {
                queue.isScheduled = false
                return nil
            }
            return queue.items.removeFirst()
        }
    }

    private func lose() { queue.withLock { $0.lost += 1 } }

    private func write(_ item: Item) {
        if let retryAt, Instant.now < retryAt { return lose() }
        // A part begins with a picture that depends on none.
        if part?.generation != item.generation {
            guard item.fragment.isKey else { return lose() }
            end()
        }
        do {
            let part = try part ?? open(item)
            let digest = Hex.encode(SHA256.hash(item.fragment.bytes))
            let entry = IndexedFragment(
                offset: part.offset, bytes: item.fragment.bytes.count, sha256: digest, start: item.fragment.start,
                duration: item.fragment.duration, isKey: item.fragment.isKey)
            try Self.append(item.fragment.bytes, to: part.media.raw, "a recording's fragment")
            try Self.append(Array(entry.line.utf8), to: part.index.raw, "a recording's index")
            part.offset += item.fragment.bytes.count
            show(wrote: item.fragment.bytes.count)
            syncLater()
        } catch {
            lose()
            fail("\(error)")
        }
    }

    private func open(_ item: Item) throws -> Part {
        guard try room(folder.path).takesMore else { throw SpoolRefusal.failed("less than 1 % of the host's disk is free") }
        let isOther = item.beginning.bytes != latest?.bytes || item.beginning.zero != latest?.zero
        guard !isOther || files < WireLimits.takeFiles else {
            throw SpoolRefusal.failed("its pictures or its sound have become others \(files) times")
        }
        let number = try folder.next()
        let media = try Self.create("\(folder.path)/\(folder.media(number))")
        let index = try Self.create("\(folder.path)/\(folder.index(number))")
        let digest = Hex.encode(SHA256.hash(item.beginning.bytes))
        try Self.append(item.beginning.bytes, to: media.raw, "a recording's beginning")
        try Self.append(Array(RecordingIndex.line(of: item.beginning, sha256: digest).utf8), to: index.raw, "a recording's index")
        let made = Part(media: media, index: index, generation: item.generation, offset: item.beginning.bytes.count)
        try FileTree.sync(folder.path)
        part = made
        if isOther { files += 1 }
        latest = (bytes: item.beginning.bytes, zero: item.beginning.zero)
        log.notice("a part of the recording begins", ["part": .integer(number), "codecs": .text(item.beginning.codecs)])
        return made
    }

    /// The part is whole; what comes begins another one.
    private func end() {
        sync()
        part = nil
    }

    private func show(wrote bytes: Int) {
        retryAt = nil
        let wasFailing = shown.withLock { shown in
            defer { (shown.state, shown.reason) = (.recording, nil) }
            shown.bytes += bytes
            return shown.state == .failing
        }
        if wasFailing { log.notice("the recording goes on") }
    }

    /// What is on the disk stays; the next attempt is a part of its own, at a key frame.
    private func fail(_ reason: String) {
        part = nil
        retryAt = .now + Self.pause
        let isNew = shown.withLock { shown in
            defer { (shown.state, shown.reason) = (.failing, reason) }
            return shown.state != .failing
        }
        if isNew { log.error("the recording fails", ["reason": .text(reason)]) }
        noteLost()
    }

    /// Whoever finishes the take is to know that something is missing, whatever becomes of this process.
    private func noteLost() {
        let lost = queue.withLock { $0.lost }
        guard lost > lostNoted else { return }
        do {
            try folder.write(TakeFolder.Lost(fragments: lostBefore + lost), to: TakeFolder.lostFile)
            lostNoted = lost
        } catch {
            // Tried again with the next fault, within a second where the recording goes on, and at the end.
            log.debug("what a recording lost could not be written down", ["error": "\(error)"])
        }
    }

    private func syncLater() {
        guard !isDirty else { return }
        isDirty = true
        _ = loop.timer(after: Self.syncEach) { [weak self] in
            guard let self, self.isDirty else { return }
            self.sync()
        }
    }

    private func sync() {
        guard isDirty, let part else {
            isDirty = false
            return
        }
        isDirty = false
        do {
            for file in [part.media.raw, part.index.raw] where fdatasync(file) != 0 { throw SystemError("fdatasync", on: "a recording") }
            guard try room(folder.path).takesMore else { throw SpoolRefusal.failed("less than 1 % of the host's disk is free") }
            noteLost()
        } catch {
            fail("\(error)")
        }
    }

    private static func create(_ path: String) throws(SystemError) -> Descriptor {
        let raw = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard raw >= 0 else { throw SystemError("open", on: path) }
        return Descriptor(adopting: raw)
    }

    private static func append(_ bytes: [UInt8], to file: CInt, _ what: String) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress.map { $0 + done }, $0.count - done) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw SystemError("write", on: what) }
            done += count
        }
    }
}
