import MPEGTS
import Posix

/// Where the media thread meets an output: the queue, and the session that takes from it while there is one.
///
/// The lock is held for as long as a batch takes to be copied; the output's loop holds it only to swap the session.
final class OutputFeed: Sendable {
    private struct State {
        var queue: UnitQueue
        var writer: Writer
        var session: SinkSession?
        var pushedBytes = 0
        var everSent = false
        var waiting: CheckedContinuation<Void, Never>?
        var coding: VideoCoding?
    }

    /// How units become bytes.
    private enum Writer {
        case flv(FLVWriter)
        /// Transport packets as they are; the tables come first.
        case transport(began: Bool)
    }

    private let takesGroups: Bool
    private let state: Guarded<State>

    init(takesGroups: Bool, limits: UnitQueue.Limits = UnitQueue.Limits()) {
        self.takesGroups = takesGroups
        state = Guarded(State(queue: UnitQueue(limits: limits), writer: OutputFeed.newWriter(takesGroups)))
    }

    private static func newWriter(_ takesGroups: Bool) -> Writer { takesGroups ? .transport(began: false) : .flv(FLVWriter()) }

    /// Media thread: queues what this output takes, and passes on what its session has room for.
    func offer(_ events: [StreamReader.Event]) {
        let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
            for event in events { add(event, to: &state) }
            if state.session == nil { state.queue.keepLastGroup(counted: state.everSent) }
            pump(&state)
            guard !state.queue.isEmpty else { return nil }
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }

    private func add(_ event: StreamReader.Event, to state: inout State) {
        switch event {
        case .program(let program): state.queue.hasVideo = program.video != nil || takesGroups
        case .video(let unit):
            state.coding = unit.format?.coding ?? state.coding
            if !takesGroups { state.queue.append(.video(unit)) }
        case .audio(let unit): if !takesGroups { state.queue.append(.audio(unit)) }
        case .group(let group): if takesGroups { state.queue.append(.group(group)) }
        }
    }

    private func pump(_ state: inout State) {
        guard state.session?.hasRoom == true else { return }
        pass(&state)
    }

    private func pass(_ state: inout State) {
        var chunks: [[UInt8]] = []
        var size = 0
        while size < 256 << 10, let unit = state.queue.next() {
            if case .group(let group) = unit, let session = state.session, session.kind == .srtListener {
                size += group.bytes.count
                session.push(joinable: group)
                continue
            }
            for chunk in OutputFeed.write(unit, &state.writer) {
                size += chunk.count
                chunks.append(chunk)
            }
        }
        state.pushedBytes += size
        if size > 0 { state.everSent = true }
        state.session?.push(chunks)
    }

    private static func write(_ unit: UnitQueue.Unit, _ writer: inout Writer) -> [[UInt8]] {
        switch writer {
        case .flv(var flv):
            let tags = flv.tags(unit)
            writer = .flv(flv)
            return tags
        case .transport(let began):
            guard case .group(let group) = unit else { return [] }
            writer = .transport(began: true)
            return began ? [group.bytes] : [group.tables, group.bytes]
        }
    }

    /// Passes on what has waited, where no media comes that would.
    func pump() { state.withLock { pump(&$0) } }

    /// Hands over all that waits: nothing more will come.
    func flush() {
        state.withLock { state in
            while state.session != nil, !state.queue.isEmpty { pass(&state) }
        }
    }

    /// The session takes from here on, beginning with the last key frame.
    func attach(_ session: SinkSession) {
        state.withLock { state in
            state.session = session
            state.writer = OutputFeed.newWriter(takesGroups)
            pump(&state)
        }
    }

    func detach() {
        state.withLock { state in
            state.session = nil
            state.queue.keepLastGroup(counted: true)
        }
    }

    /// Returns when there is something to begin with, or after `stopWaiting`. One waiter at a time.
    func waitForMedia() async {
        await withCheckedContinuation { continuation in
            let now = state.withLock { state in
                guard state.queue.isEmpty else { return true }
                state.waiting = continuation
                return false
            }
            if now { continuation.resume() }
        }
    }

    func stopWaiting() {
        let waiting = state.withLock { state in
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }

    struct Figures: Sendable {
        var pushedBytes: Int
        var droppedUnits: Int
        /// Of the stream as seen last.
        var coding: VideoCoding?
        /// Something waits, here or in the session.
        var hasBacklog: Bool
    }

    var figures: Figures {
        state.withLock { state in
            Figures(
                pushedBytes: state.pushedBytes, droppedUnits: state.queue.droppedUnits, coding: state.coding,
                hasBacklog: !state.queue.isEmpty || (state.session?.queuedBytes ?? 0) > 0)
        }
    }
}
