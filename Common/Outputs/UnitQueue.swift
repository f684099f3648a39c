import MPEGTS
import Units

/// What waits for one output: bounded, and when it is full it loses whole groups of pictures, with their sound.
///
/// Holds no clock and no lock. What comes out begins with a key frame, after a loss too.
struct UnitQueue {
    enum Unit: Sendable {
        case video(VideoUnit), audio(AudioUnit), group(TransportGroup)
    }

    struct Limits: Sendable, Hashable {
        /// 8 MiB: ten seconds of a 6 Mbit/s stream, and a bound for every other.
        var bytes = 8 << 20
        /// From the first to the last unit: a platform that hangs for longer is better served from the next key frame.
        var seconds = 5
    }

    private let limits: Limits
    private var units: [Unit] = []
    /// Taken units at the front of `units`; they are removed some at a time.
    private var head = 0
    private(set) var bytes = 0
    /// Units that were thrown away and that an output had a right to.
    private(set) var droppedUnits = 0
    private var awaitsKey = true
    /// A first key frame was there; what came before it was owed to nobody.
    private var hasBegun = false
    /// Sound alone has no key frames: every unit is one.
    var hasVideo = true

    init(limits: Limits = Limits()) { self.limits = limits }

    var count: Int { units.count - head }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ unit: Unit) {
        if awaitsKey {
            guard isKey(unit) else {
                if hasBegun { droppedUnits += 1 }
                return
            }
            awaitsKey = false
            hasBegun = true
        }
        units.append(unit)
        bytes += unit.byteCount
        while isOver { dropOldestGroup() }
    }

    mutating func next() -> Unit? {
        guard head < units.count else { return nil }
        let unit = units[head]
        head += 1
        bytes -= unit.byteCount
        if head == units.count {
            units.removeAll(keepingCapacity: units.capacity <= 1024)
            head = 0
        } else if head >= 256 {
            units.removeFirst(head)
            head = 0
        }
        return unit
    }

    /// Without a connection only what the next one can begin with is kept: from the last key frame on.
    /// - Parameter counted: whether what goes was lost to somebody.
    mutating func keepLastGroup(counted: Bool) {
        let key = units.indices.reversed().first { $0 >= head && isKey(units[$0]) }
        removeFront(upTo: key ?? units.count, counted: counted)
        awaitsKey = key == nil
    }

    private var isOver: Bool {
        guard count > 1 else { return false }
        if bytes > limits.bytes { return true }
        guard let first = units[head...].first, let last = units.last else { return false }
        return last.decode.ticks - first.decode.ticks > Int64(limits.seconds) * MediaTime.ticksPerSecond
    }

    private mutating func dropOldestGroup() {
        let next = units.indices.first { $0 > head && isKey(units[$0]) }
        removeFront(upTo: next ?? units.count, counted: true)
        awaitsKey = next == nil
    }

    private mutating func removeFront(upTo end: Int, counted: Bool) {
        guard end > head else { return }
        if counted { droppedUnits += end - head }
        units.removeFirst(end)
        head = 0
        bytes = units.reduce(0) { $0 + $1.byteCount }
    }

    private func isKey(_ unit: Unit) -> Bool {
        switch unit {
        case .video(let picture): picture.isKey && !picture.isDamaged && picture.format != nil
        case .audio: !hasVideo
        case .group(let group): group.isKey
        }
    }
}

extension UnitQueue.Unit {
    var byteCount: Int {
        switch self {
        case .video(let unit): unit.bytes.count
        case .audio(let unit): unit.bytes.count
        case .group(let unit): unit.bytes.count
        }
    }

    var decode: MediaTime {
        switch self {
        case .video(let unit): unit.decode
        case .audio(let unit): unit.presentation
        case .group(let unit): unit.decode
        }
    }
}
