import Units
import Wire

/// Which of a host's finished takes one list names, where it has no place for all: each list goes on behind the last one, round and round, so that
/// those that control does not take (it does not know them, or their store is away) keep no other from it.
struct TakeRound {
    /// The last one of the last list; nil where all had a place in it.
    private var last: LeaseID?

    /// - Parameter all: the oldest first.
    mutating func next(of all: [RecordedTake]) -> [RecordedTake] {
        let start = all.firstIndex { take in last.map { take.lease.text > $0.text } ?? true } ?? 0
        var (taken, size): ([RecordedTake], Int) = ([], 0)
        for take in all[start...] + all[..<start] where take.files.count <= WireLimits.takeFiles {
            // One without files takes a place as well: all of it is one message.
            size += 1 + take.files.count
            guard size <= WireLimits.recordedFiles else { break }
            taken.append(take)
        }
        last = taken.count < all.count ? taken.last?.lease : nil
        return taken
    }
}
