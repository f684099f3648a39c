import Posix
import Releases

/// Where a download is: one file after the other, each in parts, from wherever the last start ended. Holds no clock.
struct FetchCursor: Sendable {
    enum Event: Hashable, Sendable {
        case goOn
        /// All files are there and were right.
        case complete
        /// The line is gone, with the reason.
        case later(String)
        case never(String)
    }

    private enum Place: Hashable, Sendable {
        case unmeasured
        case at(Int)
    }

    private let files: [ReleaseFile]
    private let slot: Slot
    private var index = 0
    private var place = Place.unmeasured
    private var mismatches = 0

    /// A file that is wrong may have been cut by a loss of power; one that is wrong again and again was never right.
    private static let mismatchLimit = 3

    init(_ files: [ReleaseFile], into slot: Slot) {
        self.files = files
        self.slot = slot
    }

    var totalBytes: Int { files.reduce(0) { $0 + $1.size } }

    var fetchedBytes: Int {
        let whole = files[..<index].reduce(0) { $0 + $1.size }
        if case .at(let offset) = place { return whole + offset }
        return whole
    }

    func step(_ pace: FetchPace, at now: Instant) -> UpdateStep {
        guard index < files.count else { return .wait(until: nil) }
        let file = files[index]
        switch place {
        case .unmeasured: return .measure(file, slot)
        case .at(let offset) where offset >= file.size: return .check(file, slot)
        case .at(let offset):
            let opening = pace.opening(at: now)
            return opening > now ? .wait(until: opening) : .fetch(file, slot, offset..<min(file.size, offset + pace.chunk))
        }
    }

    /// - Parameter start: when the step was begun.
    mutating func finished(_ step: UpdateStep, _ outcome: UpdateStep.Outcome, _ pace: inout FetchPace, from start: Instant) -> Event {
        switch (step, outcome) {
        case (.measure(let file, _), .bytes(let count)):
            place = .at(min(max(count, 0), file.size))
            return .goOn
        case (.fetch(_, _, let range), .bytes(let count)) where (1...range.count).contains(count):
            place = .at(range.lowerBound + count)
            pace.fetched(count, from: start)
            return .goOn
        case (.check, .done):
            (index, place, mismatches) = (index + 1, .unmeasured, 0)
            return index == files.count ? .complete : .goOn
        case (.check(let file, _), .mismatch):
            (place, mismatches) = (.unmeasured, mismatches + 1)
            return mismatches < Self.mismatchLimit ? .goOn : .never("'\(file.path)' is not what was signed")
        case (_, .unreachable(let reason)):
            // How much of it came is looked up.
            if case .fetch = step { pace.lost() }
            place = .unmeasured
            return .later(reason)
        case (.fetch(let file, _, _), .gone): return .never("control no longer has '\(file.path)'")
        case (_, .failed(let reason)): return .never(reason)
        default:
            place = .unmeasured
            return .later("an answer that fits no question")
        }
    }
}
