package import BondWire
import Glibc
package import Logging
package import Posix
package import RTP
package import TrackLog

/// Writes down what comes of a room's tracks, each into a file of its own, for as long as a take lasts.
///
/// Whoever brings packets never waits: they stand in a queue with a bound, and a thread of its own writes them ten times a second and has
/// them on the disk once a second. A process that is killed loses a tenth of a second, a machine that falls over a second. A disk that
/// takes nothing is named, and tried again; what it did not take is counted, and said in the file where it is missing.
package final class TakeWriter: @unchecked Sendable {
    // Sendable: `queue` and `shown` have their locks; all else that changes belongs to the loop's thread.

    private let folder: TakeFolder
    private let loop: Loop
    private let log: Log
    private let queue = Guarded(TakeQueue())
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

    private final class OpenLog {
        let file: Descriptor
        var bytes = 0
        var isDirty = false

        init(_ file: consuming Descriptor) { self.file = file }
    }

    private var files: [Int: OpenLog] = [:]
    private var segment: Int?
    private var retryAt: Instant?
    private var syncedAt = Instant.now
    private var timer: LoopTimer?

    private static let writeEach = Duration.milliseconds(100)
    private static let syncEach = Duration.seconds(1)
    private static let pause = Duration.seconds(5)
    /// In percent of the disk: what is left for all else.
    private static let leftFree = 1

    /// - Parameters:
    ///   - folder: made with the first track.
    ///   - loop: a thread of its own, or of all takes together: disks block.
    ///   - mayWrite: whether the disk of a path has room for more.
    package init(
        _ folder: TakeFolder, loop: Loop, log: Log, mayWrite: @escaping @Sendable (String) throws -> Bool = TakeWriter.hasRoom
    ) {
        self.folder = folder
        self.loop = loop
        self.log = log
        self.mayWrite = mayWrite
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
    /// - Parameter done: called on the loop's thread when all that waits is on the disk, as far as that takes it.
    package func close(_ done: @escaping @Sendable () -> Void = {}) {
        queue.withLock { $0.isClosed = true }
        loop.submit {
            self.timer?.cancel()
            self.timer = nil
            self.writeAll()
            self.sync()
            self.files.removeAll()
            done()
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
        for (track, line) in queue.withLock({ $0.takeAll() }) {
            write(line, track)
            if line.isEnded { end(track) }
        }
    }

    private func write(_ line: TakeQueue.Line, _ track: Int) {
        var bytes: [UInt8] = []
        if line.lost > 0 {
            LogLayout.append(.event(LoggedEvent(at: now, kind: .lost, count: UInt32(clamping: line.lost))), to: &bytes)
        }
        bytes += line.bytes
        let count = LogLayout.seal(&bytes) - (line.lost > 0 ? 1 : 0)
        if let retryAt, Instant.now < retryAt { return refuse(count, line, track) }
        do {
            if retryAt != nil, files[track] != nil, try !mayWrite(folder.path) { throw TakeFault.diskFull }
            let log = try files[track] ?? open(line.head, track)
            try append(bytes, to: log)
            show(wrote: bytes.count)
        } catch {
            refuse(count, line, track)
            fail("\(error)")
        }
    }

    /// What was lost before is said with the next that is written.
    private func refuse(_ count: Int, _ line: TakeQueue.Line, _ track: Int) {
        queue.withLock { queue in
            queue.refused(count, of: track)
            queue.unsaid(line.lost, of: track)
        }
    }

    private var now: Microseconds { Instant.now.nanoseconds / 1000 }

    private func open(_ head: TrackHead, _ track: Int) throws -> OpenLog {
        try folder.make()
        guard try mayWrite(folder.path) else { throw TakeFault.diskFull }
        let segment = try segment ?? (folder.logs().last?.segment ?? 0) + 1
        self.segment = segment
        let number = TakeFolder.Number(segment: segment, track: track)
        let made = OpenLog(try folder.create(number))
        var head = head
        head.segment = UInt32(clamping: segment)
        var bytes: [UInt8] = []
        LogLayout.append(.head(head), to: &bytes)
        LogLayout.seal(&bytes)
        do {
            try append(bytes, to: made)
            try FileTree.sync(folder.path)
        } catch {
            // Without its head it is nobody's; the next attempt is to have the name.
            _ = unlink(folder.file(number))
            throw error
        }
        files[track] = made
        log.info("a track is recorded", ["segment": .integer(segment), "track": .integer(track), "codec": .text("\(head.codec)")])
        return made
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

    private func sync() {
        syncedAt = .now
        do {
            for log in files.values where log.isDirty {
                guard fdatasync(log.file.raw) == 0 else { throw SystemError("fdatasync", on: "a track's log") }
                log.isDirty = false
            }
            if !files.isEmpty, retryAt == nil, try !mayWrite(folder.path) { throw TakeFault.diskFull }
        } catch {
            fail("\(error)")
        }
    }

    private func end(_ track: Int) {
        guard let log = files.removeValue(forKey: track), log.isDirty else { return }
        if fdatasync(log.file.raw) != 0 { fail("\(SystemError("fdatasync", on: "a track's log"))") }
    }

    private func show(wrote bytes: Int) {
        retryAt = nil
        let wasFailing = shown.withLock { shown in
            defer { (shown.state, shown.reason) = (.writing, nil) }
            shown.bytes += bytes
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
}

/// Why nothing is written.
package enum TakeFault: Error, Hashable, Sendable, CustomStringConvertible {
    case diskFull

    package var description: String { "less than 1 % of the disk is free" }
}
