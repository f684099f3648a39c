import Posix

/// When a key frame is made a picture of. Holds no clock; times are those of a steady one.
struct ThumbnailPace: Equatable {
    static let interval: Duration = .seconds(5)
    /// What pictures cost is one part of so many of a core, in the mean: one that cost more, as hostile ones can, is followed by a
    /// longer pause.
    static let share = 100

    private var due: Duration?
    private var began: Duration?

    /// - Returns: whether one is to be made of the key frame that is here now. Then `finished` follows.
    mutating func take(at now: Duration) -> Bool {
        guard began == nil, due.map({ now >= $0 }) ?? true else { return false }
        began = now
        return true
    }

    /// - Parameter cost: processor time.
    mutating func finished(cost: Duration) {
        guard let began else { return }
        self.began = nil
        // Key frames come each 2 s, say: counted from when it was due, four come in 20 s and not three. After a pause it begins anew.
        let from = max(due ?? began, began - ThumbnailPace.interval / 2)
        due = max(from + ThumbnailPace.interval, began + cost * ThumbnailPace.share)
    }
}
