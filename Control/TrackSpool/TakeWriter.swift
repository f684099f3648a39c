package import BondWire
import Glibc
package import Logging
package import Posix
package import RTP
package import TrackLog

/// Writes down what comes of a room's tracks, each into a file of its own, for as long as a take lasts.
///
/// Whoever brings packets never waits: they stand in a queue with a bound, and a thread of its own writes them ten times a second. Another
/// one has them on the disk once a second: where that takes long, they are written all the same. A process that is killed loses a tenth
/// of a second, a machine that falls over a second or what its disk needs. A disk that takes nothing is named, and tried again: what came
/// meanwhile is written then, as far as it had room; what had none is counted, and said in the file where it is missing.
package final class TakeWriter: @unchecked Sendable {
    // Sendable: `queue` and `shown` have their locks; all else that changes belongs to the loop's thread.

    private let folder: TakeFolder
    private let loop: Loop
    private let disk: Loop
    private let log: Log
    private let queue: Guarded<TakeQueue>
    private let shown = Guarded(Condition())
    private let mayWrite: @Sendable (String) throws -> Bool

    /// How it goes.
    package struct Condition: Sendable, Hashable {
        package enum State: Sendable, Hashable {
            /// Nothing is written yet.
            case waiting
            case writing
            /// The disk takes nothing; it is tried again.
            case failing
        }

        package var state = State.waiting
        /// Why it fails, for a person.
        package var reason: String?
        /// On the disk or on its way there, payload and all else.
        package var bytes = 0
        /// Packets, reports and events that are missing.
        package var lost = 0
    }

    /// Touched on the loop's thread alone, but for its descriptor, which is one for its whole life.
    private final class OpenLog: @unchecked Sendable {
        let file: Descriptor
        var bytes = 0
        var isDirty = false
        /// When it was last said whose it is.
        var headAt = Instant.now

        init(_ file: consuming Descriptor) { self.file = file }
    }

    private var files: [Int: OpenLog] = [:]
    /// Those of tracks that have ended, and that are not on the disk yet.
    private var ended: [OpenLog] = []
    /// What the disk did not take yet, in order.
    private var pending: [(track: Int, line: TakeQueue.Line)] = []
    private var segment: Int?
    private var retryAt: Instant?
    private var syncedAt = Instant.now
    private var isSyncing = false
    /// There are files whose names are not on the disk yet.
    private var hasNewNames = false
    private var timer: LoopTimer?

    /// What may wait of one take, in bytes, where it is alone.
    package static let usualRoom = TakeQueue.usual

    private static let writeEach = Duration.milliseconds(100)
    private static let syncEach = Duration.seconds(1)
    private static let pause = Duration.seconds(5)
    /// A file whose beginning is damaged is somebody's all the same.
    private static let headEach = Duration.seconds(10)
    /// In percent of the disk: what is left for all else.
    private static let leftFree = 1

    /// - Parameters:
    ///   - folder: made with the first track.
    ///   - room: what may wait, in bytes.
    ///   - loop: a thread of its own, or of all takes together: disks block.
    ///   - disk: another one, which waits until what is written is on the disk; nil: the same.
    ///   - mayWrite: whether the disk of a path has room for more; on both threads.
    package init(
        _ folder: TakeFolder, room: Int = TakeWriter.usualRoom, loop: Loop, disk: Loop? = nil, log: Log,
        mayWrite: @escaping @Sendable (String) throws -> Bool = TakeWriter.hasRoom
    ) {
        self.folder = folder
        self.loop = loop
        self.disk = disk ?? loop
        self.log = log
        self.mayWrite = mayWrite
        queue = Guarded(TakeQueue(most: room))
        loop.submit { [weak self] in self?.arm() }
    }

    // MARK: Any thread

    /// - Parameter head: its segment is filled in.
    /// - Returns: what the track is called from now on; nil where nothing is taken any more.
    package func begin(_ head: TrackHead) -> Int? { queue.withLock { $0.begin(head) } }

    package func append(_ fields: RTPFields, layer: UInt8, _ payload: UnsafeRawBufferPointer, at: Microseconds, to track: Int) {
        queue.withLock { $0.append(fields, layer: layer, payload, at: at, to: track) }
    }

    package func append(_ record: LogRecord, to track: Int) { queue.withLock { $0.append(record, to: track) } }

    /// Nothing more comes of it.
    package func end(_ track: Int, at: Microseconds) { queue.withLock { $0.end(track, at: at) } }

    package var condition: Condition {
        let lost = queue.withLock { $0.lost }
        var condition = shown.withLock { $0 }
        condition.lost = lost
        return condition
    }

    /// Takes nothing more.
    /// - Parameter done: called on the disk's thread when all that waits is on the disk, as far as that takes it.
    package func close(_ done: @escaping @Sendable () -> Void = {}) {
        queue.withLock { $0.isClosed = true }
        loop.submit {
            self.timer?.cancel()
            self.timer = nil
            // Now or never.
            self.retryAt = nil
            self.writeAll()
            self.giveUp()
            let (logs, folder) = (self.takeDirty(), self.takeNames())
            self.files.removeAll()
            self.disk.submit {
                if let fault = Self.sync(logs, folder) { self.loop.submit { self.fail(fault) } }
                done()
            }
        }
    }

    /// Whether a hundredth of the disk is free.
    /// - Throws: `SystemError` where there is no such path.
    @Sendable package static func hasRoom(_ path: String) throws -> Bool {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw SystemError("statvfs", on: path) }
        return Int(status.f_bavail) >= Int(status.f_blocks) / 100 * leftFree
    }

    // MARK: On the loop

    private func arm() {
        guard !queue.withLock({ $0.isClosed }) else { return }
        timer = loop.timer(after: Self.writeEach) { [weak self] in
            guard let self else { return }
            self.writeAll()
            if Instant.now - self.syncedAt >= Self.syncEach { self.sync() }
            self.arm()
        }
    }

    private func writeAll() {
        // What comes meanwhile waits where it has a bound.
        if let retryAt, Instant.now < retryAt { return }
        let lines = pending + queue.withLock { $0.takeAll() }
        pending = []
        var written = 0
        var failed: Set<Int> = []
        var fault: String?
        for (track, line) in lines {
            guard !failed.contains(track) else {
                pending.append((track, line))
                continue
            }
            do {
                written += try write(line, track)
                queue.withLock { $0.wrote(line.bytes.count) }
                if line.isEnded { end(track) }
            } catch {
                // Of this one nothing more now; the others may have their files.
                failed.insert(track)
                pending.append((track, line))
                fault = "\(error)"
            }
        }
        if let fault { fail(fault) } else if written > 0 { succeed() }
        shown.withLock { $0.bytes += written }
    }

    /// - Returns: how many bytes of it are in its file now: all, or none.
    private func write(_ line: TakeQueue.Line, _ track: Int) throws -> Int {
        let there = files[track]
        if there == nil, line.isBare { return 0 }
        if retryAt != nil, there != nil, try !mayWrite(folder.path) { throw TakeFault.diskFull }
        let log = try there ?? open(line.head, track)
        let isHeadDue = Instant.now - log.headAt >= Self.headEach
        var bytes: [UInt8] = try isHeadDue ? headBytes(line.head) : []
        if line.lost > 0 {
            LogLayout.append(.event(LoggedEvent(at: now, kind: .lost, count: UInt32(clamping: line.lost))), to: &bytes)
        }
        bytes += line.bytes
        LogLayout.seal(&bytes)
        try append(bytes, to: log)
        if isHeadDue { log.headAt = .now }
        return bytes.count
    }

    /// What is left when nothing is tried any more.
    private func giveUp() {
        let lines = pending
        pending = []
        queue.withLock { queue in
            for (_, line) in lines { queue.gaveUp(line) }
        }
    }

    private var now: Microseconds { Instant.now.nanoseconds / 1000 }

    private func open(_ head: TrackHead, _ track: Int) throws -> OpenLog {
        try folder.make()
        guard try mayWrite(folder.path) else { throw TakeFault.diskFull }
        let number = TakeFolder.Number(segment: try findSegment(), track: track)
        let made = OpenLog(try folder.create(number))
        do {
            var bytes = try headBytes(head)
            LogLayout.seal(&bytes)
            try append(bytes, to: made)
        } catch {
            // Without its head it is nobody's; the next attempt is to have the name.
            _ = unlink(folder.file(number))
            throw error
        }
        files[track] = made
        hasNewNames = true
        log.info("a track is recorded", ["segment": .integer(number.segment), "track": .integer(track), "codec": .text("\(head.codec)")])
        return made
    }

    private func findSegment() throws -> Int {
        if let segment { return segment }
        let found = (try folder.logs().last?.segment ?? 0) + 1
        segment = found
        return found
    }

    private func headBytes(_ head: TrackHead) throws -> [UInt8] {
        var head = head
        head.segment = UInt32(clamping: try findSegment())
        var bytes: [UInt8] = []
        LogLayout.append(.head(head), to: &bytes)
        return bytes
    }

    /// All of it, or nothing as far as the file can be cut: a part of a record is passed over by whoever reads it.
    private func append(_ bytes: [UInt8], to log: OpenLog) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(log.file.raw, $0.baseAddress.map { $0 + done }, $0.count - done) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let error = SystemError("write", count < 0 ? errno : ENOSPC, on: "a track's log")
                _ = ftruncate(log.file.raw, off_t(log.bytes))
                throw error
            }
            done += count
        }
        log.bytes += bytes.count
        log.isDirty = true
    }

    private func end(_ track: Int) {
        if let log = files.removeValue(forKey: track), log.isDirty { ended.append(log) }
    }

    private func succeed() {
        retryAt = nil
        let wasFailing = shown.withLock { shown in
            defer { (shown.state, shown.reason) = (.writing, nil) }
            return shown.state == .failing
        }
        if wasFailing { log.notice("the take goes on") }
    }

    private func fail(_ reason: String) {
        retryAt = .now + Self.pause
        let isNew = shown.withLock { shown in
            defer { (shown.state, shown.reason) = (.failing, reason) }
            return shown.state != .failing
        }
        if isNew { log.error("a take fails", ["reason": .text(reason)]) }
    }

    // MARK: On the disk

    /// The one before takes as long as it takes: there is never a second one beside it.
    private func sync() {
        guard !isSyncing else { return }
        syncedAt = .now
        let (logs, folder) = (takeDirty(), takeNames())
        guard !logs.isEmpty || folder != nil else { return }
        isSyncing = true
        disk.submit { [weak self] in
            let fault = Self.sync(logs, folder)
            guard let self else { return }
            let found = fault ?? self.shortage()
            self.loop.submit { self.synced(found) }
        }
    }

    /// Why nothing more may be written; nil where it may.
    private func shortage() -> String? {
        do {
            return try mayWrite(folder.path) ? nil : TakeFault.diskFull.description
        } catch {
            return "\(error)"
        }
    }

    private func synced(_ fault: String?) {
        isSyncing = false
        guard let fault else { return }
        hasNewNames = true
        fail(fault)
    }

    private func takeDirty() -> [OpenLog] {
        let dirty = files.values.filter(\.isDirty) + ended
        for log in dirty { log.isDirty = false }
        ended = []
        return dirty
    }

    private func takeNames() -> TakeFolder? {
        defer { hasNewNames = false }
        return hasNewNames ? folder : nil
    }

    /// On the disk's thread. One that fails is no reason to leave the others.
    /// - Returns: why not all of it is there.
    private static func sync(_ logs: [OpenLog], _ folder: TakeFolder?) -> String? {
        var fault: String?
        for log in logs where fdatasync(log.file.raw) != 0 { fault = "\(SystemError("fdatasync", on: "a track's log"))" }
        do {
            try folder?.sync()
        } catch {
            fault = "\(error)"
        }
        return fault
    }
}

/// Why nothing is written.
package enum TakeFault: Error, Hashable, Sendable, CustomStringConvertible {
    case diskFull

    package var description: String { "less than 1 % of the disk is free" }
}
