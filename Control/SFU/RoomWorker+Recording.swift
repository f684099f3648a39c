import BondWire
import Logging
import Posix
import TrackLog
import TrackSpool
import Units
import Wire

/// What is recorded of a room: every track that is sent there, for as long as the take lasts, whoever comes and goes.
struct RoomTake {
    let recording: RecordingID
    let writer: TakeWriter
}

extension RoomWorker {
    /// Of all rooms together; each costs its tracks' bytes a second time.
    private static let takeLimit = 64
    /// In bytes: what may wait for the disk of all takes, about; each has its share of it, and a little where there are many.
    private static let takeRoom = 128 << 20
    private static let leastTakeRoom = 4 << 20

    /// Records all that is sent in a room from now on; of one that is there already nothing changes.
    ///
    /// - Throws: `Refusal`, `SystemError` where there is no thread for it.
    func record(_ order: RoomTakeOrder) throws {
        guard let recordings else { throw Refusal(reason: "this worker has no folder for recordings") }
        if let take = takes[order.room] {
            guard take.recording == order.recording else { throw Refusal(reason: "the room is recorded already") }
            return
        }
        guard takes.count < Self.takeLimit else {
            throw Refusal(step: .full, reason: "this worker records \(Self.takeLimit) rooms already")
        }
        let threads = try takeLoops ?? (writing: Loop(name: "takes"), disk: Loop(name: "takes-disk"))
        takeLoops = threads
        let folder = TakeFolder(root: recordings, take: order.recording.text)
        let room = min(TakeWriter.usualRoom, max(Self.leastTakeRoom, Self.takeRoom / (takes.count + 1)))
        let writer = TakeWriter(
            folder, room: room, loop: threads.writing, disk: threads.disk,
            log: log.part("take").with("recording", .text(order.recording.text)))
        takes[order.room] = RoomTake(recording: order.recording, writer: writer)
        let now = now
        for publisher in publishers(in: order.room) { tap(publisher, at: now) }
    }

    /// Ends a room's take, where it has one.
    /// - Parameter done: called on another thread, once all of it is on the disk as far as that takes it.
    func endTake(of room: RoomID, _ done: @escaping @Sendable () -> Void) {
        guard let take = takes.removeValue(forKey: room) else { return afterTakes(done) }
        let now = now
        for peer in peers.values where peer.room == room {
            for track in peer.incoming { track.untap(at: now) }
        }
        take.writer.close(done)
    }

    /// Once all is on the disk whose end was asked for before.
    private func afterTakes(_ done: @escaping @Sendable () -> Void) {
        guard let threads = takeLoops else { return done() }
        let disk = threads.disk
        threads.writing.submit { disk.submit(done) }
    }

    func endTakes(_ done: @escaping @Sendable () -> Void) {
        guard !takes.isEmpty else { return afterTakes(done) }
        let left = Guarded(takes.count)
        for room in Array(takes.keys) {
            endTake(of: room) {
                let isLast = left.withLock { left in
                    left -= 1
                    return left == 0
                }
                if isLast { done() }
            }
        }
    }

    /// Has all that somebody sends written down, where their room is recorded.
    func tap(_ publisher: Peer, at now: Microseconds) {
        guard let take = takes[publisher.room] else { return }
        for track in publisher.incoming where track.tap == nil {
            let head = TrackHead(
                codec: track.codec, at: now, unixMs: unixMilliseconds(), segment: 0, publisher: publisher.id.text,
                owner: publisher.owner?.text ?? "", name: track.name)
            guard let number = take.writer.begin(head) else {
                log.error("a track is not recorded: its take has had too many", ["recording": .text(take.recording.text)])
                continue
            }
            track.tap = TrackTap(take.writer, number, codec: track.codec, payloadType: track.payloadType)
        }
    }

    /// Which layers are written down, as what is sent changes.
    func chooseRecorded(at now: Microseconds) {
        guard !takes.isEmpty else { return }
        for peer in peers.values where takes[peer.room] != nil {
            for track in peer.incoming { track.tap?.choose(track.offers(at: now)) }
        }
    }

    var recorded: [RoomTakeOrder] { takes.map { RoomTakeOrder(room: $0.key, recording: $0.value.recording) } }

    var takeReports: [RoomTakeReport] {
        takes.map { room, take in
            let condition = take.writer.condition
            let state: RecordingReport.State =
                switch condition.state {
                case .waiting: .waiting
                case .writing: .recording
                case .failing: .failing
                }
            return RoomTakeReport(
                room: room, recording: take.recording, state: state, reason: condition.reason?.bounded(), bytesTotal: condition.bytes,
                lostTotal: condition.lost)
        }
    }
}
